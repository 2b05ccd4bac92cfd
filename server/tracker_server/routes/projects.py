"""Read projects, and edit their saved views."""

from __future__ import annotations

from typing import Annotated, Any

import orjson
from fastapi import FastAPI, Path
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException
from starlette.responses import Response

from tracker import wire
from tracker_server.schemas import model
from tracker_server.services import Services

from .dependencies import StorageOf
from .parameters import run_key

MAX_VIEW = 256 * 1024
"""Largest saved view in bytes of JSON."""

ViewName = Annotated[str, Path(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")]


class SavedView(BaseModel):
    """A saved view; only the dashboard interprets its content."""

    model_config = ConfigDict(extra="forbid")

    view: Any


def add_routes(api: FastAPI, services: Services) -> None:
    """Add the routes under `/api/projects/{entity}/{project}`."""
    workers = services.workers
    project_path = "/api/projects/{entity}/{project}"
    view_path = project_path + "/views/{name}"

    @api.get(project_path, response_model=model(wire.Project), summary="Get a project with its saved views")
    async def project(storage: StorageOf, entity: str, project: str) -> Response:
        run_key(entity, project, "any")
        return await services.answer(storage.project, entity, project)

    @api.get(view_path, response_model=SavedView, summary="Get a saved view")
    async def view(storage: StorageOf, entity: str, project: str, name: ViewName) -> Response:
        run_key(entity, project, "any")
        return await services.answer(lambda: {"view": storage.view(entity, project, name)})

    @api.put(view_path, status_code=204, summary="Save a view")
    async def put_view(storage: StorageOf, entity: str, project: str, name: ViewName, saved: SavedView) -> Response:
        run_key(entity, project, "any")
        size = len(orjson.dumps(saved.view))
        if size > MAX_VIEW:
            raise HTTPException(413, f"the view has {size:,} bytes, and at most {MAX_VIEW:,} are allowed")
        try:
            await workers.write(storage.put_view, entity, project, name, saved.view)
        except ValueError as error:
            raise HTTPException(400, str(error)) from error
        services.live.project_changed(*storage.present_project(entity, project))
        return Response(status_code=204)

    @api.delete(view_path, status_code=204, summary="Delete a saved view")
    async def delete_view(storage: StorageOf, entity: str, project: str, name: ViewName) -> Response:
        run_key(entity, project, "any")
        await workers.write(storage.delete_view, entity, project, name)
        services.live.project_changed(*storage.present_project(entity, project))
        return Response(status_code=204)
