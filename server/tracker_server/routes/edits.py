"""Edit names, notes, tags and groups of runs on the server, ask runs to stop, and list who edited a run."""

from __future__ import annotations

import secrets
import time
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

from tracker import wire
from tracker.names import RunKey
from tracker.runlog.records import VERSION, encode
from tracker_server import schemas
from tracker_server.schemas import model
from tracker_server.services import Services
from tracker_server.storage.interface import Storage

from .dependencies import StorageOf
from .parameters import Cursor, Run, run_keys
from .reports import PageLimit


class NewMembers(BaseModel):
    """New values; omitted ones stay unchanged."""

    model_config = ConfigDict(extra="forbid")

    name: str | None = Field(None, max_length=1000)
    notes: str | None = Field(None, max_length=1_000_000, description="Markdown")
    group: str | None = Field(None, max_length=1000)
    job_type: str | None = Field(None, max_length=1000)
    color: str | None = Field(
        None, pattern="^#[0-9a-fA-F]{6}$", description="null chooses a colour from the palette by the run's ordinal"
    )
    tags: list[str] | None = Field(None, max_length=1000)


class EditRequest(BaseModel):
    """Changes to runs: either all of the runs are changed, or none."""

    model_config = ConfigDict(extra="forbid")

    runs: list[str] = Field(min_length=1, max_length=10_000, description="`entity/project/id` of each")
    set: NewMembers | None = None
    add_tags: list[str] = Field([], max_length=1000)
    remove_tags: list[str] = Field([], max_length=1000)
    stop: bool = Field(False, description="Ask running runs that allow it to stop")


def add_routes(api: FastAPI, services: Services) -> None:
    """Add the routes `/api/edits` and `/api/runs/…/edits`."""

    @api.post("/api/edits", response_model=model(wire.Changed), summary="Edit or stop runs")
    async def edits(storage: StorageOf, request: EditRequest) -> Response:
        keys = run_keys(request.runs)
        # In the writing thread, so that no other write comes between reading the old tags and writing the new ones.
        changed = await services.workers.write(_edit, storage, keys, request)
        services.live.changed(map(storage.present, keys), "meta")
        return await services.answer(lambda: {"changed": changed})

    @api.get(
        "/api/runs/{entity}/{project}/{id}/edits",
        response_model=schemas.Edits,
        summary="List who edited a run, the newest edits first",
    )
    async def edits_of_run(storage: StorageOf, run: Run, limit: PageLimit = 50, cursor: Cursor = None) -> Response:
        def read() -> dict[str, Any]:
            page = storage.edits(run, limit, cursor)
            return {"edits": page.items, "cursor": page.cursor, "total": page.total}

        return await services.answer(read)


def _edit(storage: Storage, keys: list[RunKey], request: EditRequest) -> int:
    now = time.time()
    batches = []
    refused = ""
    for key in keys:
        info = storage.run(key)
        records: list[tuple[float, str, dict[str, Any]]] = []
        meta = _changes(info, request)
        if meta:
            records.append((now, "meta", meta))
        if request.stop:
            refused = _why_not(info)
            if not refused:
                # By the run's clock: the request must come after all that the run has logged.
                records.append((info["updated"] + 0.001, "stop", {}))
        if records:
            head = {"version": VERSION, "stream": "edits", **key._asdict()}
            lines = [encode("run", head, records[0][0]), *(encode(kind, what, when) for when, kind, what in records)]
            batches.append((key, f"edits-{time.time_ns():016x}{secrets.token_hex(2)}.jsonl", b"".join(lines)))
    if refused and not batches:
        raise HTTPException(409, refused)
    storage.append_all(batches)
    return len(batches)


def _changes(info: wire.RunInfo, request: EditRequest) -> dict[str, Any]:
    wanted = {} if request.set is None else request.set.model_dump(include=request.set.model_fields_set)
    if request.add_tags or request.remove_tags or "tags" in wanted:
        tags = [*(wanted.get("tags", info["tags"]) or []), *request.add_tags]
        wanted["tags"] = [tag for tag in dict.fromkeys(tags) if tag not in request.remove_tags]
    return {member: value for member, value in wanted.items() if value != info[member]}  # type: ignore[literal-required]


def _why_not(info: wire.RunInfo) -> str:
    """Return why the run cannot be stopped; empty if it can."""
    name = f"{info['entity']}/{info['project']}/{info['id']}"
    if info["state"] != "running":
        return f"the run {name} is {info['state']}: there is nothing to stop"
    if not info["allow_stop"]:
        return f"the run {name} cannot be stopped: it was started without `allow_stop`"
    return ""
