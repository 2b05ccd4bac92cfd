"""`/`: the newest projects and runs; `/runs/…`: one run; as plain pages."""

from __future__ import annotations

import time

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from .pages import overview
from .pages import run as run_page
from .services import Services, run_key
from .storage.interface import RunKey

PROJECTS = 20
RUNS = 5


def routes(services: Services) -> list[BaseRoute]:
    """Return the routes of the pages."""

    def read(base_url: str) -> HTMLResponse:
        newest = sorted(services.storage.projects(), key=lambda project: project["updated"], reverse=True)
        shown = [
            overview.Project(
                info, services.storage.runs(info["entity"], info["project"], {}, "-created", RUNS, None).items
            )
            for info in newest[:PROJECTS]
        ]
        return overview.page(shown, len(newest) - len(shown), base_url, time.time())

    async def landing(request: Request) -> Response:
        return await services.workers.read(read, str(request.base_url).rstrip("/"))

    def read_run(key: RunKey) -> HTMLResponse:
        storage = services.storage
        return run_page.page(storage.run(key), storage.files(key), len(storage.keys(key, "history")), time.time())

    async def run(request: Request) -> Response:
        return await services.workers.read(read_run, run_key(**request.path_params))

    return [
        Route("/", landing, methods=["GET"]),
        Route("/runs/{entity}/{project}/{id}", run, methods=["GET"]),
    ]
