"""Move runs to the trash and restore them; `background.trash` empties it."""

from __future__ import annotations

import time

from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from tracker import wire
from tracker_server.schemas import model
from tracker_server.services import Services

from .dependencies import StorageOf
from .parameters import run_keys


class RunsRequest(BaseModel):
    """A list of runs."""

    model_config = ConfigDict(extra="forbid")

    runs: list[str] = Field(min_length=1, max_length=10_000, description="`entity/project/id` of each")


def add_routes(api: FastAPI, services: Services) -> None:
    """Add the routes under `/api/trash`."""
    workers = services.workers

    @api.post(
        "/api/trash",
        response_model=model(wire.Changed),
        summary="Move runs to the trash",
        description="Runs in the trash are deleted after 30 days.",
    )
    async def trash(storage: StorageOf, request: RunsRequest) -> Response:
        keys = run_keys(request.runs)
        changed = await workers.write(storage.trash, keys, time.time())
        services.live.changed(map(storage.present, keys), "removed")
        return await services.answer(lambda: {"changed": changed})

    @api.post("/api/trash/restore", response_model=model(wire.Changed), summary="Restore runs from the trash")
    async def restore(storage: StorageOf, request: RunsRequest) -> Response:
        keys = run_keys(request.runs)
        changed = await workers.write(storage.trash, keys, None)
        services.live.changed(map(storage.present, keys), "new")
        return await services.answer(lambda: {"changed": changed})
