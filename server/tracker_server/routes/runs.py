"""Read projects, runs, their metrics and lists of files, and delete runs."""

from __future__ import annotations

from typing import Annotated, Any

import orjson
from fastapi import FastAPI, Query
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from tracker import wire
from tracker_server import schemas
from tracker_server.deletion import delete_run
from tracker_server.responses import json_response
from tracker_server.schemas import model
from tracker_server.services import Services
from tracker_server.storage.interface import ExpressionError

from .asker import note
from .dependencies import BlobsOf, StorageOf
from .parameters import Cursor, Filters, Keys, KindOf, Limit, Order, Run, run_key, run_of


def add_routes(api: FastAPI, services: Services) -> None:
    """Add the routes under `/api/projects` and `/api/runs`."""
    workers = services.workers
    run = "/api/runs/{entity}/{project}/{id}"

    @api.get("/api/projects", response_model=schemas.Projects, summary="List projects")
    async def projects(storage: StorageOf) -> Response:
        return await services.answer(lambda: {"projects": storage.projects()})

    @api.get("/api/runs/{entity}/{project}", response_model=schemas.Runs, summary="List runs of a project")
    async def runs(
        storage: StorageOf,
        entity: str,
        project: str,
        filters: Filters = "{}",
        order: Order = "-created",
        limit: Annotated[int, Query(ge=1, le=1000, description="At most this many")] = 50,
        cursor: Cursor = None,
    ) -> Response:
        run_key(entity, project, "any")
        condition = _condition(filters)

        def read() -> dict[str, Any]:
            try:
                page = storage.runs(entity, project, condition, order, limit, cursor)
            except ExpressionError as error:
                raise ValueError(error.pointed(filters)) from error  # clients may show nothing but this text
            return {"runs": page.items, "cursor": page.cursor, "total": page.total}

        return await services.answer(read)

    @api.get(run, response_model=model(wire.RunInfo), summary="Get a run")
    async def one_run(storage: StorageOf, run: Run) -> Response:
        return await services.answer(storage.run, run)

    @api.delete(run, status_code=204, summary="Delete a run with its data and files")
    async def delete(
        request: Request,
        storage: StorageOf,
        run: Run,
        readmit: Annotated[bool, Query(description="Allow a deleted run to be uploaded again")] = False,
    ) -> Response:
        if readmit:
            await workers.write(storage.readmit, run)
        else:
            here = storage.present(run)
            await delete_run(services, storage, here)
            await note(services, request, "run deleted", here.entity, "/".join(here))
        return Response(status_code=204)

    @api.get(run + "/keys", response_model=schemas.Keys, summary="List the logged keys of a run")
    async def keys(storage: StorageOf, run: Run, kind: KindOf = "history") -> Response:
        return await services.answer(lambda: {"keys": storage.keys(run, kind)})

    @api.post("/api/keys", response_model=schemas.CommonKeys, summary="List the logged keys of several runs")
    async def common_keys(storage: StorageOf, query: schemas.KeysRequest) -> Response:
        wanted = [run_of(name) for name in query.runs]
        return await services.answer(lambda: {"keys": storage.common_keys(wanted, query.kind)})

    @api.get(run + "/history", response_model=model(wire.RowPage), summary="Get logged rows by column")
    async def history(
        storage: StorageOf,
        run: Run,
        kind: KindOf = "history",
        keys: Keys = None,
        cursor: Cursor = None,
        limit: Limit = 1000,
    ) -> Response:
        return await services.answer(storage.rows, run, kind, keys, limit, cursor)

    @api.get(
        run + "/fold", response_model=model(wire.Folded), summary="Get everything else that a copy of the run needs"
    )
    async def fold(storage: StorageOf, run: Run) -> Response:
        return await services.answer(storage.folded, run)

    @api.get(run + "/files", response_model=schemas.Files, summary="List the files of a run")
    async def files(storage: StorageOf, blobs: BlobsOf, run: Run) -> Response:
        named = await workers.read(storage.files, run)
        there = await blobs.has(run, [file["digest"] for file in named.values()])
        entries = [
            {"name": name, "digest": file["digest"], "size": file["size"], "stored": file["digest"] in there}
            for name, file in named.items()
        ]
        return json_response(orjson.dumps({"files": entries}))


def _condition(filters: str) -> dict[str, Any] | str:
    if not filters.lstrip().startswith(("{", "[")):
        return filters
    try:
        condition = orjson.loads(filters)
    except ValueError as error:
        raise HTTPException(400, f"filters is not valid JSON: {error}") from None
    if not isinstance(condition, dict):
        raise HTTPException(400, 'filters must be a JSON object, for example {"state": "finished"}')
    return condition
