"""Read and write comments on runs and reports."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Depends, FastAPI, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

from tracker import wire
from tracker.names import RunKey
from tracker_server import schemas
from tracker_server.access.guarded_storage import GuardedStorage
from tracker_server.access.mentions import completions, mentioned
from tracker_server.access.principal import Principal
from tracker_server.schemas import model
from tracker_server.services import Services
from tracker_server.storage.interface import CommentPlace

from .dependencies import StorageOf
from .parameters import Cursor, run_key, run_of
from .reports import PageLimit

COMMENTS = "/api/comments"
MENTIONS = "/api/mentions"

CommentId = Annotated[int, Path(ge=1, le=2**53, description="The comment's id")]


class NewComment(BaseModel):
    """The text of a comment."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(min_length=1, max_length=20_000, pattern=r"\S", description="Markdown")


class Mentions(BaseModel):
    """Names of accounts that may read the project."""

    names: list[str]


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
        place = storage.report_place(self.report)
        return CommentPlace(place.entity, place.project, report=self.report)


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
        place = present(storage, await services.read(lambda: on.place(storage)))
        names = await _mentioned(place, comment.text)
        try:
            made = await workers.write(storage.add_comment, place, comment.text, _numbers(names))
        except ValueError as error:
            raise HTTPException(400, str(error)) from error
        _changed(place)
        _tell(made, names, place)
        return await services.answer(lambda: made)

    @api.patch(COMMENTS + "/{id}", response_model=shape, summary="Change the text of a comment")
    async def edit(storage: StorageOf, id: CommentId, comment: NewComment) -> Response:
        before, place, _ = await services.read(lambda: storage.comment(id))
        names = await _mentioned(place, comment.text)
        made = await workers.write(storage.edit_comment, id, comment.text, _numbers(names))
        _changed(place)
        _tell(made, [one for one in names if one.name not in before["mentions"]], place)
        return await services.answer(lambda: made)

    @api.delete(COMMENTS + "/{id}", status_code=204, summary="Delete a comment")
    async def delete(storage: StorageOf, id: CommentId) -> Response:
        _, place, _ = await services.read(lambda: storage.comment(id))
        await workers.write(storage.delete_comment, id)
        _changed(place)
        return Response(status_code=204)

    @api.get(MENTIONS, response_model=Mentions, summary="List accounts that a comment can mention")
    async def mentions(
        storage: StorageOf,
        entity: str,
        project: str,
        q: Annotated[str, Query(max_length=128, description="The start of a name, or of a word in it")] = "",
        limit: Annotated[int, Query(ge=1, le=50, description="At most this many")] = 10,
    ) -> Response:
        run_key(entity, project, "any")

        def found() -> dict[str, list[str]]:
            here = storage.resolve_project(entity, project)
            storage.require("edit", *here)
            return {"names": completions(services.access.snapshot, *here, q, limit)}

        return await services.answer(found)

    async def _mentioned(place: CommentPlace, text: str) -> list[Principal]:
        return await services.read(lambda: mentioned(services.access.snapshot, place.entity, place.project, text))

    def _changed(place: CommentPlace) -> None:
        if place.run is None:
            services.live.project_changed(place.entity, place.project)
        else:
            services.live.changed([RunKey(place.entity, place.project, place.run)], "comments")

    def _tell(comment: wire.Comment, mentioned: list[Principal], place: CommentPlace) -> None:
        """Tell the webhook of everybody who was not mentioned before."""
        names = [one.name for one in mentioned if one.name != comment["author"]]
        if services.webhook is not None and names:
            on_run = f"runs/{place.entity}/{place.project}/{place.run}"
            path = f"/{quote(on_run if place.report is None else f'reports/{place.report}')}#comment-{comment['id']}"
            what = f"{place.entity}/{place.project}" + ("" if place.run is None else f"/{place.run}")
            services.webhook.mention(comment["author"] or "", names, what, path)


def _numbers(accounts: list[Principal]) -> list[int]:
    return [one.id for one in accounts if one.id is not None]


def present(storage: GuardedStorage, place: CommentPlace) -> CommentPlace:
    """Return the place with the present names of a run, its project and their entity."""
    if place.run is None:
        return place
    return CommentPlace(*storage.present(RunKey(place.entity, place.project, place.run)))
