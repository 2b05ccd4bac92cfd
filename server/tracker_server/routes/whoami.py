"""Say who makes a request and what it may do."""

from __future__ import annotations

from typing import Literal

from fastapi import FastAPI
from pydantic import BaseModel, Field
from starlette.responses import Response

from tracker_server.access import api_keys
from tracker_server.services import Services

from .asker import answer
from .dependencies import PrincipalOf


class SharedPart(BaseModel):
    """What a share link shows; `target` is the id of a run or report, or the name of a view."""

    entity: str
    project: str
    kind: Literal["project", "run", "view", "report"]
    target: str | None


class OwnKey(BaseModel):
    """The API key that the request carries; times are Unix seconds."""

    id: str
    name: str
    created: float
    expires: float | None


class Whoami(BaseModel):
    """Who makes the request."""

    kind: Literal["owner", "account", "key", "link", "nobody"]
    name: str = Field(description="The account's name, or the team's for its service key; empty for others")
    mode: Literal["personal", "team"] = Field(description="`team` if the server has accounts")
    is_admin: bool = Field(description="Whether this is a server admin")
    roles: dict[str, Literal["viewer", "member", "admin"]] = Field(description="The roles, by entity")
    scope: Literal["read", "log", "all"] = Field(description="What an API key allows at most; `all` for others")
    shared: SharedPart | None = Field(description="What a share link shows; null for others")
    key: OwnKey | None = Field(description="The API key that the request carries; null for others")


def add_routes(api: FastAPI, services: Services) -> None:
    """Add the route `/api/whoami`."""

    @api.get("/api/whoami", response_model=Whoami, summary="Say who makes the request and what it may do")
    async def whoami(principal: PrincipalOf) -> Response:
        shared = principal.shared
        key = None
        if principal.kind == "key":
            key = await services.access.read(api_keys.by_id, principal.credential)
        return answer(
            {
                "kind": principal.kind,
                "name": principal.name,
                "mode": "team" if services.access.snapshot.is_team else "personal",
                "is_admin": principal.is_admin,
                "roles": dict(principal.roles),
                "scope": principal.scope,
                "shared": None if shared is None else shared._asdict(),
                "key": None if key is None else {name: getattr(key, name) for name in OwnKey.model_fields},
            }
        )
