"""Make, list and revoke API keys: one's own, and the service keys of a team."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from tracker_server.access import api_keys
from tracker_server.access.errors import Forbidden
from tracker_server.services import Services

from .asker import Asker, Right, answer, answer_page
from .parameters import PartOf

KeyScope = Literal["read", "log", "all"]

NOT_BY_KEY = (
    "an API key cannot make keys, which would outlive it: sign in in a browser, or use `tracker server key add` on the "
    "server's machine"
)


class ApiKeyInfo(BaseModel):
    """An API key without its secret; times are Unix seconds."""

    id: str
    name: str
    scope: KeyScope
    owner: str = Field(description="The account, or the team of a service key")
    creator: str | None = Field(description="The account that made it; null for a command on the server's machine")
    created: float
    expires: float | None
    used: float | None
    revoked: float | None


class ApiKeyList(BaseModel):
    """A part of the keys, the newest first."""

    keys: list[ApiKeyInfo]
    cursor: str | None
    total: int


class NewApiKey(BaseModel):
    """A key to make."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=200, description="What it is for")
    scope: KeyScope = Field(
        description="`read`: read; `log`: create runs and append to them, and nothing else; `all`: what the account may"
    )
    expires_days: float | None = Field(None, gt=0, description="Days until it expires; null for never")


class MadeApiKey(BaseModel):
    """A key that was just made; nobody can show it again."""

    id: str
    key: str


def add_routes(api: FastAPI, services: Services) -> None:
    """Add the routes under `/api/account/keys` and `/api/teams/{team}/keys`."""
    own, of_team = "/api/account/keys", "/api/teams/{team}/keys"

    @api.get(own, response_model=ApiKeyList, summary="List one's own API keys")
    async def listed(request: Request, part: PartOf) -> Response:
        asker = Asker(services, request)
        return await _listed(asker, _me(asker), part)

    @api.post(own, response_model=MadeApiKey, status_code=201, summary="Make an API key for oneself")
    async def add(request: Request, new: NewApiKey) -> Response:
        asker = Asker(services, request)
        return await _add(asker, _me(asker), new)

    @api.delete(own + "/{id}", status_code=204, summary="Revoke one of one's own API keys")
    async def revoke(request: Request, id: str) -> Response:
        asker = Asker(services, request)
        return await _revoke(asker, _me(asker), id)

    @api.get(of_team, response_model=ApiKeyList, summary="List the service keys of a team")
    async def listed_of_team(request: Request, team: str, part: PartOf) -> Response:
        asker = Asker(services, request)
        return await _listed(asker, asker.team(team), part)

    @api.post(of_team, response_model=MadeApiKey, status_code=201, summary="Make a service key for a team")
    async def add_of_team(request: Request, team: str, new: NewApiKey) -> Response:
        asker = Asker(services, request)
        return await _add(asker, asker.team(team), new)

    @api.delete(of_team + "/{id}", status_code=204, summary="Revoke a service key of a team")
    async def revoke_of_team(request: Request, team: str, id: str) -> Response:
        asker = Asker(services, request)
        return await _revoke(asker, asker.team(team), id)


def _me(asker: Asker) -> str:
    if not asker.principal.is_account:
        raise Forbidden("only accounts have API keys of their own: sign in, or use an account's key")
    return asker.principal.name


async def _listed(asker: Asker, owner: str, part: PartOf) -> Response:
    asker.require(Right("manage_members", owner))
    return answer_page("keys", await asker.read(api_keys.listed, part, owner), _shown)


async def _add(asker: Asker, owner: str, new: NewApiKey) -> Response:
    right = Right("manage_members", owner)
    asker.require(right)
    if asker.principal.kind == "key":
        raise Forbidden(NOT_BY_KEY)
    made = await asker.change(right, api_keys.add, owner, new.name, new.scope, new.expires_days)
    return answer(made._asdict(), 201)


async def _revoke(asker: Asker, owner: str, id: str) -> Response:
    await asker.change(Right("manage_members", owner), api_keys.revoke, id, owner)
    return Response(status_code=204)


def _shown(key: api_keys.ApiKey) -> dict[str, Any]:
    return key._asdict()
