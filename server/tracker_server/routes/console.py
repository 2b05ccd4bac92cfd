"""Read and search the console output of runs."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import FastAPI, Query
from starlette.responses import Response

from tracker_server import schemas
from tracker_server.services import Services

from .dependencies import StorageOf
from .parameters import Cursor, Limit, Run

Number = Annotated[int, Query(ge=-(2**53), le=2**53)]
Only = Annotated[
    Literal["stdout", "stderr"] | None,
    Query(alias="stream", description="Only lines of this stream; they get line numbers of their own"),
]


def add_routes(api: FastAPI, services: Services) -> None:
    """Add the routes of a run's console."""
    path = "/api/runs/{entity}/{project}/{id}/console"

    @api.get(path, response_model=schemas.Console, summary="Get console output of a run")
    async def console(
        storage: StorageOf,
        run: Run,
        cursor: Cursor = None,
        limit: Limit = 1000,
        start: Number | None = None,
        stream: Only = None,
    ) -> Response:
        """Start at the line number `start` (counted from the end if negative), or continue with a page's `cursor`."""

        def read() -> dict[str, Any]:
            page = storage.console(run, limit, cursor, start, stream)
            return {"lines": page.items, "start": page.start, "total": page.total, "cursor": page.cursor}

        return await services.answer(read)

    @api.get(path + "/search", response_model=schemas.Matches, summary="Search the console output")
    async def search(
        storage: StorageOf,
        run: Run,
        q: Annotated[str, Query(min_length=1, max_length=1000, description="Text to find; case is ignored")],
        regex: Annotated[bool, Query(description="Treat `q` as an RE2 pattern")] = False,
        after: Number = -1,
        limit: Limit = 1000,
        stream: Only = None,
    ) -> Response:
        """Return the numbers of matching lines within about a second; continue with `after=next` until it is null."""

        def read() -> dict[str, Any]:
            matches, following = storage.console_search(run, q, regex, max(after, -1), limit, stream)
            return {"matches": matches, "next": following}

        return await services.answer(read)
