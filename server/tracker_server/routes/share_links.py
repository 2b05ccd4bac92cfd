"""Make, list and revoke the share links of a project."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from tracker_server.access import share_links
from tracker_server.access.guarded_storage import GuardedStorage
from tracker_server.services import Services

from .asker import Asker, Right, answer, answer_page
from .dependencies import StorageOf
from .parameters import PartOf, run_key

LinkKind = Literal["project", "run", "view", "report"]


class LinkInfo(BaseModel):
    """A share link without its address; times are Unix seconds."""

    id: str
    kind: LinkKind
    target: str | None = Field(description="The id of the run or report, or the name of the view")
    creator: str | None = Field(description="The account that made it; null for a command on the server's machine")
    created: float
    expires: float | None
    revoked: float | None
    opened: int = Field(description="How often a browser has opened it")
    last_opened: float | None


class LinkList(BaseModel):
    """A part of a project's links, the newest first."""

    links: list[LinkInfo]
    cursor: str | None
    total: int


class NewShareLink(BaseModel):
    """A link to make."""

    model_config = ConfigDict(extra="forbid")

    kind: LinkKind = "project"
    target: str | None = Field(
        None, max_length=200, description="The id of the run or report, or the name of the view; null for a project"
    )
    expires_days: float | None = Field(None, gt=0, description="Days until it expires; null for never")


class MadeShareLink(BaseModel):
    """A link that was just made; nobody can show its address again."""

    id: str
    url: str


def add_routes(api: FastAPI, services: Services) -> None:
    """Add the routes under `/api/projects/{entity}/{project}/links`."""
    path = "/api/projects/{entity}/{project}/links"

    async def place(storage: GuardedStorage, entity: str, project: str) -> tuple[str, str]:
        run_key(entity, project, "any")
        return await services.read(lambda: storage.project_to_share(entity, project))

    def right(entity: str, project: str) -> Right:
        return Right("share", entity, services.access.snapshot.project(entity, project))

    @api.get(path, response_model=LinkList, summary="List the share links of a project")
    async def listed(request: Request, storage: StorageOf, entity: str, project: str, part: PartOf) -> Response:
        here = await place(storage, entity, project)
        page = await Asker(services, request).read(share_links.listed, part, *here)
        return answer_page("links", page, _shown)

    @api.post(path, response_model=MadeShareLink, status_code=201, summary="Share a project, run, view or report")
    async def add(request: Request, storage: StorageOf, entity: str, project: str, new: NewShareLink) -> Response:
        here = await place(storage, entity, project)
        asker = Asker(services, request)
        made = await asker.change(right(*here), share_links.add, *here, new.kind, new.target, new.expires_days)
        return answer({"id": made.id, "url": asker.url(f"/s/{made.token}/")}, 201)

    @api.delete(path + "/{id}", status_code=204, summary="Revoke a share link")
    async def revoke(request: Request, storage: StorageOf, entity: str, project: str, id: str) -> Response:
        here = await place(storage, entity, project)
        await Asker(services, request).change(right(*here), share_links.revoke, id, *here)
        return Response(status_code=204)


def _shown(link: share_links.ShareLink) -> dict[str, Any]:
    shown = link._asdict()
    shared = shown.pop("shared")
    return {**shown, "kind": shared.kind, "target": shared.target}
