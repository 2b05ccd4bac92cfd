"""The trash: runs that are in no list any more and can be brought back, for a while."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from tracker import wire

from .edits import run_keys
from .query import forget
from .schemas import model
from .services import Services

KEPT = 30 * 86400.0
"""Seconds after which a run in the trash is deleted."""

_INTERVAL = 86400.0

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


@asynccontextmanager
async def emptying(services: Services) -> AsyncIterator[None]:
    """Empty the trash now and once a day, until the block ends."""

    async def repeat() -> None:
        while True:
            try:
                await empty(services, time.time())
            except Exception:
                log.exception("the trash could not be emptied; it is tried again tomorrow")
            await asyncio.sleep(_INTERVAL)

    task = asyncio.create_task(repeat())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
