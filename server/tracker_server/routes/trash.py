"""The trash: runs that are in no list any more and can be brought back, for a while; and files that nobody names."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from tracker import wire
from tracker_server.background.tasks import beside
from tracker_server.schemas import model
from tracker_server.services import Services

from .edits import run_keys
from .runs import forget

KEPT = 30 * 86400.0
"""Seconds after which a run in the trash is deleted."""

GRACE = 86400.0
"""Seconds for which a file may be on the server before a record names it."""

_INTERVAL = 86400.0
_TOGETHER = 200

log = logging.getLogger("tracker_server")


class RunsRequest(BaseModel):
    """Some runs."""

    model_config = ConfigDict(extra="forbid")

    runs: list[str] = Field(min_length=1, max_length=10_000, description="`entity/project/id` of each")


def add_routes(api: FastAPI, services: Services) -> None:
    """Add the routes."""
    storage, workers = services.storage, services.workers

    @api.post(
        "/api/trash",
        response_model=model(wire.Changed),
        summary="Put runs in the trash, which is emptied after 30 days",
    )
    async def trash(request: RunsRequest) -> Response:
        keys = run_keys(request.runs)
        changed = await workers.write(storage.trash, keys, time.time())
        services.live.changed(keys, "removed")
        return await services.answer(lambda: {"changed": changed})

    @api.post("/api/trash/restore", response_model=model(wire.Changed), summary="Take runs out of the trash")
    async def restore(request: RunsRequest) -> Response:
        keys = run_keys(request.runs)
        changed = await workers.write(storage.trash, keys, None)
        services.live.changed(keys, "new")
        return await services.answer(lambda: {"changed": changed})


async def empty(services: Services, now: float) -> int:
    """Delete what has been in the trash for too long; returns how many runs that were."""
    old = await services.workers.read(services.storage.trashed, now - KEPT)
    for run in old:
        await forget(services, run)
    return len(old)


async def collect(services: Services, now: float) -> int:
    """Delete the files that no record of any run names, `GRACE` seconds after they came; returns how many that were."""
    old = await services.blobs.older(now - GRACE)
    count = 0
    for some in (old[i : i + _TOGETHER] for i in range(0, len(old), _TOGETHER)):
        # Nobody can be told that one of them is there, and name it, between the question and the deletion.
        async with services.references:
            used = await services.workers.read(services.storage.digests_in_use, some)
            unnamed = [digest for digest in some if digest not in used]
            await services.blobs.delete(unnamed)
        count += len(unnamed)
    return count


@asynccontextmanager
async def emptying(services: Services) -> AsyncIterator[None]:
    """Empty the trash now and once a day, until the block ends."""

    async def repeat() -> None:
        while True:
            try:
                await empty(services, time.time())
                await collect(services, time.time())
            except Exception:
                log.exception("the trash could not be emptied; it is tried again tomorrow")
            await asyncio.sleep(_INTERVAL)

    async with beside(repeat()):
        yield
