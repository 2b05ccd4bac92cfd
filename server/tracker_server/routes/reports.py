"""Read and write reports."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import orjson
from fastapi import FastAPI, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

from tracker import wire
from tracker_server import schemas
from tracker_server.report_blocks import MAX_BLOCKS, Block, all_blocks
from tracker_server.services import Services

from .dependencies import StorageOf
from .parameters import Cursor, run_key

MAX_REPORT = 1_000_000
"""Largest report in bytes of JSON."""

PROJECT = "/api/projects/{entity}/{project}/reports"
REPORT = PROJECT + "/{id}"

ReportId = Annotated[str, Path(pattern=r"^[a-z0-9]{1,40}$", description="The report's id")]
PageLimit = Annotated[int, Query(ge=1, le=500, description="At most this many")]


class NewReport(BaseModel):
    """A new report."""

    model_config = ConfigDict(extra="forbid")

    title: str = Field(min_length=1, max_length=200)
    state: Literal["draft", "published"] = "draft"
    blocks: list[Block] = Field([], max_length=MAX_BLOCKS)
    message: str | None = Field(None, max_length=1000, description="What has changed")


class NewVersion(NewReport):
    """A new version of a report, and the version that it replaces."""

    version: int = Field(ge=1, le=2**31)


def add_routes(api: FastAPI, services: Services) -> None:
    """Add the routes of reports."""
    workers = services.workers
    shape = schemas.Report
    newer = {"model": schemas.ReportConflict, "description": "The report has a newer version"}

    @api.get(PROJECT, response_model=schemas.Reports, summary="List the reports of a project")
    async def reports(
        storage: StorageOf,
        entity: str,
        project: str,
        search: Annotated[str, Query(max_length=200, description="Text in the title")] = "",
        limit: PageLimit = 100,
        cursor: Cursor = None,
    ) -> Response:
        run_key(entity, project, "any")

        def listed() -> dict[str, Any]:
            page = storage.reports(entity, project, search, limit, cursor)
            return {"reports": page.items, "cursor": page.cursor, "total": page.total}

        return await services.answer(listed)

    @api.post(PROJECT, response_model=shape, summary="Create a report")
    async def create(storage: StorageOf, entity: str, project: str, report: NewReport) -> Response:
        run_key(entity, project, "any")
        made = await write(storage.create_report, entity, project, _content(report))
        services.live.project_changed(*storage.present_project(entity, project))
        return await services.answer(lambda: made)

    @api.get(REPORT, response_model=shape, summary="Get a report")
    async def report(storage: StorageOf, entity: str, project: str, id: ReportId) -> Response:
        run_key(entity, project, "any")
        return await services.answer(storage.report, entity, project, id)

    @api.put(REPORT, response_model=shape, summary="Save a new version of a report", responses={409: newer})
    async def save(storage: StorageOf, entity: str, project: str, id: ReportId, report: NewVersion) -> Response:
        run_key(entity, project, "any")
        made = await write(storage.save_report, entity, project, id, report.version, _content(report))
        services.live.project_changed(*storage.present_project(entity, project))
        return await services.answer(lambda: made)

    @api.delete(REPORT, status_code=204, summary="Delete a report with its versions and comments")
    async def delete(storage: StorageOf, entity: str, project: str, id: ReportId) -> Response:
        run_key(entity, project, "any")
        await workers.write(storage.delete_report, entity, project, id)
        services.live.project_changed(*storage.present_project(entity, project))
        return Response(status_code=204)

    @api.get(REPORT + "/versions", response_model=schemas.ReportVersions, summary="List the versions of a report")
    async def versions(
        storage: StorageOf, entity: str, project: str, id: ReportId, limit: PageLimit = 100, cursor: Cursor = None
    ) -> Response:
        run_key(entity, project, "any")

        def listed() -> dict[str, Any]:
            page = storage.report_versions(entity, project, id, limit, cursor)
            return {"versions": page.items, "cursor": page.cursor, "total": page.total}

        return await services.answer(listed)

    @api.get(REPORT + "/versions/{version}", response_model=shape, summary="Get a version of a report")
    async def version(
        storage: StorageOf, entity: str, project: str, id: ReportId, version: Annotated[int, Path(ge=1, le=2**31)]
    ) -> Response:
        run_key(entity, project, "any")
        return await services.answer(storage.report, entity, project, id, version)

    @api.get("/api/reports/{id}", response_model=shape, summary="Get a report by its id alone")
    async def found(storage: StorageOf, id: ReportId) -> Response:
        def read() -> wire.Report:
            place = storage.report_place(id)
            return storage.report(place.entity, place.project, id)

        return await services.answer(read)

    async def write(function: Any, *args: Any) -> Any:
        try:
            return await workers.write(function, *args)
        except ValueError as error:
            raise HTTPException(400, str(error)) from error


def _content(report: NewReport) -> wire.ReportContent:
    """Return what to store. Raises 400 for blocks whose ids are equal, 413 for too much."""
    found = list(all_blocks(report.blocks))
    if len(found) > MAX_BLOCKS:
        raise HTTPException(400, f"the report has {len(found)} blocks, and at most {MAX_BLOCKS} are allowed")
    if len({block.id for block in found}) < len(found):
        raise HTTPException(400, "two blocks of the report have the same id: give each its own")
    blocks = [block.model_dump() for block in report.blocks]
    size = len(orjson.dumps(blocks))
    if size > MAX_REPORT:
        raise HTTPException(413, f"the report has {size:,} bytes, and at most {MAX_REPORT:,} are allowed")
    return wire.ReportContent(title=report.title, state=report.state, blocks=blocks, message=report.message)
