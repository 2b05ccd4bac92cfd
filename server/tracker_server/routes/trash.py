"""Move runs to the trash and restore them; `background.trash` empties it."""

from __future__ import annotations

import time
from collections.abc import Iterable

from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from tracker import wire
from tracker.names import RunKey
from tracker_server.schemas import model
from tracker_server.services import Services

from .asker import note
from .dependencies import StorageOf, storage_for
from .parameters import run_keys


class RunsRequest(BaseModel):
    """A list of runs."""

    model_config = ConfigDict(extra="forbid")

    runs: list[str] = Field(min_length=1, max_length=10_000, description="`entity/project/id` of each")


def add_routes(api: FastAPI, services: Services) -> None:
    """Add the routes under `/api/trash`."""
    workers = services.workers

    async def noted(asking: Request, action: str, runs: Iterable[RunKey]) -> None:
        """Write to the audit log which runs a request named, for each entity."""
        of_entity: dict[str, list[str]] = {}
        for run in runs:
            if storage_for(asking).may("read", *run):
                of_entity.setdefault(run.entity, []).append("/".join(run))
        for entity, names in of_entity.items():
            await note(services, asking, action, entity, ", ".join(names))

    @api.post(
        "/api/trash",
        response_model=model(wire.Changed),
        summary="Move runs to the trash",
        description="Runs in the trash are deleted after 30 days.",
    )
    async def trash(asking: Request, storage: StorageOf, request: RunsRequest) -> Response:
        keys = run_keys(request.runs)
        changed = await workers.write(storage.trash, keys, time.time())
        services.live.changed(map(storage.present, keys), "removed")
        if changed:
            await noted(asking, "runs moved to the trash", map(storage.present, keys))
        return await services.answer(lambda: {"changed": changed})

    @api.post("/api/trash/restore", response_model=model(wire.Changed), summary="Restore runs from the trash")
    async def restore(asking: Request, storage: StorageOf, request: RunsRequest) -> Response:
        keys = run_keys(request.runs)
        changed = await workers.write(storage.trash, keys, None)
        services.live.changed(map(storage.present, keys), "new")
        if changed:
            await noted(asking, "runs restored", map(storage.present, keys))
        return await services.answer(lambda: {"changed": changed})
