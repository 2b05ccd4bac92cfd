"""Rename, move and delete projects, decide who reads them, and move runs between them."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from tracker import wire
from tracker_server.access.guarded_storage import GuardedStorage
from tracker_server.deletion import delete_project
from tracker_server.schemas import model
from tracker_server.services import Services

from .asker import answer, note
from .dependencies import StorageOf
from .parameters import run_key, run_keys

_IN_USE: dict[int | str, Any] = {409: {"description": "The name or a run's id is taken; nothing was changed"}}


class ProjectChange(BaseModel):
    """What to change of a project; omitted members stay as they are."""

    model_config = ConfigDict(extra="forbid")

    name: str | None = Field(None, min_length=1, description="A new name")
    entity: str | None = Field(None, min_length=1, description="Another account or team")
    visibility: Literal["private", "internal"] | None = Field(
        None, description="Who reads it: the members of its entity, or every account"
    )


class CopyTarget(BaseModel):
    """Where to make a copy."""

    model_config = ConfigDict(extra="forbid")

    entity: str
    name: str


class RunsToMove(BaseModel):
    """Runs, and the project to move them to."""

    model_config = ConfigDict(extra="forbid")

    runs: list[str] = Field(min_length=1, max_length=10_000, description="`entity/project/id` of each")
    entity: str
    project: str


def add_routes(api: FastAPI, services: Services) -> None:
    """Add the routes that change projects as a whole."""
    workers, path = services.workers, "/api/projects/{entity}/{project}"

    @api.patch(
        path,
        response_model=model(wire.Project),
        summary="Rename or move a project, or decide who reads it",
        description="The former name leads to the project: old links and running agents go on.",
        responses=_IN_USE,
    )
    async def change(
        request: Request, storage: StorageOf, entity: str, project: str, changes: ProjectChange
    ) -> Response:
        run_key(entity, project, "any")
        run_key(changes.entity or entity, changes.name or project, "any")
        before, after = await workers.write(_change, storage, entity, project, changes)
        await services.access.refresh()
        name, new = "/".join(before), "/".join(after)
        if before != after:
            await note(services, request, "project renamed", before[0], f"{name} is now {new}")
            if before[0] != after[0]:
                await note(services, request, "project moved here", after[0], f"{name} is now {new}")
        if changes.visibility is not None:
            await note(services, request, "visibility changed", after[0], f"{new} is {changes.visibility}")
        services.live.project_changed(*before)
        services.live.project_changed(*after)
        return await services.answer(storage.project, *after)

    @api.post(
        path + "/copy",
        response_model=model(wire.Project),
        status_code=201,
        summary="Copy a project with its runs",
        description="Answers when the copy is complete. Runs in the trash are left out, and reports.",
        responses=_IN_USE,
    )
    async def copy(request: Request, storage: StorageOf, entity: str, project: str, to: CopyTarget) -> Response:
        run_key(entity, project, "any")
        run_key(to.entity, to.name, "any")
        here = await services.read(lambda: storage.resolve_project(entity, project))
        after = storage.new_project(to.entity, to.name)
        await workers.copy(storage.copy_project, *here, *after, lambda: workers.stopped)
        await services.access.refresh()
        for concerned in {here[0], after[0]}:
            await note(services, request, "project copied", concerned, f"{'/'.join(here)} to {'/'.join(after)}")
        services.live.project_changed(*after)
        found = await services.read(lambda: storage.project(*after))
        return answer(found, 201)

    @api.delete(
        path,
        status_code=204,
        summary="Delete a project with its runs and files",
        description="It disappears at once. Its runs are deleted as single ones are: uploads of them get 410.",
    )
    async def delete(request: Request, storage: StorageOf, entity: str, project: str) -> Response:
        run_key(entity, project, "any")
        here = await services.read(lambda: storage.resolve_project(entity, project))
        await delete_project(services, storage, *here)
        await services.access.refresh()
        await note(services, request, "project deleted", here[0], "/".join(here))
        services.live.project_changed(*here)
        return Response(status_code=204)

    @api.post(
        "/api/runs/move",
        response_model=model(wire.Changed),
        summary="Move runs to another project",
        description="Their former names lead to them: old links and running agents go on. All are moved, or none.",
        responses=_IN_USE,
    )
    async def move(request: Request, storage: StorageOf, moving: RunsToMove) -> Response:
        keys = run_keys(moving.runs)
        run_key(moving.entity, moving.project, "any")
        target = await services.read(lambda: storage.resolve_project(moving.entity, moving.project))
        moved = await workers.write(storage.move_runs, keys, *target)
        if moved:
            await services.access.refresh()
            services.live.changed(moved, "removed")
            services.live.changed([run._replace(entity=target[0], project=target[1]) for run in moved], "new")
        for source in {(run.entity, run.project) for run in moved}:
            some = [run.id for run in moved if run[:2] == source]
            text = f"{len(some):,} runs of {'/'.join(source)} are now in {'/'.join(target)}: {', '.join(some)}"
            for concerned in {source[0], target[0]}:
                await note(services, request, "runs moved", concerned, text)
            services.live.project_changed(*source)
        if moved:
            services.live.project_changed(*target)
        return await services.answer(lambda: {"changed": len(moved)})


def _change(
    storage: GuardedStorage, entity: str, project: str, changes: ProjectChange
) -> tuple[tuple[str, str], tuple[str, str]]:
    """Change a project, in the writing thread; return its entity and name before and after."""
    before = storage.resolve_project(entity, project)
    after = storage.new_project(changes.entity or before[0], changes.name or before[1])
    if before != after:
        storage.rename_project(*before, *after)
    if changes.visibility is not None:
        storage.set_visibility(*after, changes.visibility)
    return before, after
