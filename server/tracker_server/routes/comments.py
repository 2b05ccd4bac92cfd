"""Read and write comments on runs and reports."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, FastAPI, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

from tracker import wire
from tracker.names import RunKey
from tracker_server import schemas
from tracker_server.access.guarded_storage import GuardedStorage
from tracker_server.schemas import model
from tracker_server.services import Services
from tracker_server.storage.interface import CommentPlace

from .dependencies import StorageOf
from .parameters import Cursor, run_of
from .reports import PageLimit

COMMENTS = "/api/comments"

CommentId = Annotated[int, Path(ge=1, le=2**53, description="The comment's id")]


class NewComment(BaseModel):
    """The text of a comment."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(min_length=1, max_length=20_000, pattern=r"\S", description="Markdown")


class Subject:
    """What comments are on: a run or a report."""

    def __init__(
        self,
        run: Annotated[str | None, Query(max_length=600, description="`entity/project/id`")] = None,
        report: Annotated[str | None, Query(pattern=r"^[a-z0-9]{1,40}$", description="The report's id")] = None,
    ) -> None:
        if (run is None) == (report is None):
            raise HTTPException(400, "name one run or one report: run=entity/project/id or report=id")
        self.run: RunKey | None = None if run is None else run_of(run)
        self.report = report

    def place(self, storage: GuardedStorage) -> CommentPlace:
        """Return the place of the comments. Raises `NoSuchReport`; the run may be unknown."""
        if self.run is not None:
            return CommentPlace(self.run.entity, self.run.project, run=self.run.id)
        assert self.report is not None
        return CommentPlace(*storage.report_place(self.report), report=self.report)


On = Annotated[Subject, Depends(Subject)]


def add_routes(api: FastAPI, services: Services) -> None:
    """Add the routes of comments."""
    workers = services.workers
    shape = model(wire.Comment)

    @api.get(COMMENTS, response_model=schemas.Comments, summary="List the comments on a run or a report")
    async def comments(storage: StorageOf, on: On, limit: PageLimit = 100, cursor: Cursor = None) -> Response:
        def listed() -> dict[str, Any]:
            page = storage.comments(on.place(storage), limit, cursor)
            return {"comments": page.items, "cursor": page.cursor, "total": page.total}

        return await services.answer(listed)

    @api.post(COMMENTS, response_model=shape, summary="Comment on a run or a report")
    async def add(storage: StorageOf, on: On, comment: NewComment) -> Response:
        place = await services.read(lambda: on.place(storage))
        try:
            made = await workers.write(storage.add_comment, place, comment.text, [])
        except ValueError as error:
            raise HTTPException(400, str(error)) from error
        _changed(storage, place)
        return await services.answer(lambda: made)

    @api.patch(COMMENTS + "/{id}", response_model=shape, summary="Change the text of a comment")
    async def edit(storage: StorageOf, id: CommentId, comment: NewComment) -> Response:
        _, place, _ = await services.read(lambda: storage.comment(id))
        made = await workers.write(storage.edit_comment, id, comment.text, [])
        _changed(storage, place)
        return await services.answer(lambda: made)

    @api.delete(COMMENTS + "/{id}", status_code=204, summary="Delete a comment")
    async def delete(storage: StorageOf, id: CommentId) -> Response:
        _, place, _ = await services.read(lambda: storage.comment(id))
        await workers.write(storage.delete_comment, id)
        _changed(storage, place)
        return Response(status_code=204)

    def _changed(storage: GuardedStorage, place: CommentPlace) -> None:
        if place.run is None:
            services.live.project_changed(*storage.present_project(place.entity, place.project))
        else:
            services.live.changed([storage.present(RunKey(place.entity, place.project, place.run))], "comments")
