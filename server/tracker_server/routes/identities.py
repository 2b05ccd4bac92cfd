"""Connect the asking account with providers that it signs in with."""

from __future__ import annotations

from typing import Annotated

import orjson
import sqlalchemy as sa
from fastapi import FastAPI, Path
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from tracker_server.access import accounts, identities, pending_sign_ins
from tracker_server.access.audit_log import Actor, actor_of
from tracker_server.access.errors import Forbidden, Missing
from tracker_server.access.principal import Principal
from tracker_server.access.sign_in import NotSignedIn, SignIn
from tracker_server.responses import json_response
from tracker_server.services import Services

from .dependencies import PrincipalOf
from .sign_in import Cookies, own_target, redirect_uri

Name = Annotated[str, Path(max_length=40)]


class IdentityInfo(BaseModel):
    """A provider, and whether the account is connected with it."""

    provider: str
    label: str
    connected: bool


class SignInWays(BaseModel):
    """How the account can sign in."""

    passwords: bool = Field(description="Whether this server accepts passwords")
    has_password: bool
    identities: list[IdentityInfo]


class Begun(BaseModel):
    """The provider's address, to which the page sends the browser."""

    url: str


class Back(BaseModel):
    """Where to go afterwards."""

    next: str = Field("/", max_length=2000, description="An own path")


def add_routes(api: FastAPI, services: Services, flow: SignIn) -> None:
    """Add the routes under `/api/account/identities`."""
    access, cookies = services.access, Cookies(services)

    @api.get("/api/account/identities", response_model=SignInWays, summary="List how the account can sign in")
    async def listed(principal: PrincipalOf) -> Response:
        connected, has_password = await access.read(_ways, _person(principal))
        offered = flow.providers.by_name
        labels = {**{name: name for name in connected}, **{name: one.label for name, one in offered.items()}}
        found = [{"provider": name, "label": label, "connected": name in connected} for name, label in labels.items()]
        ways = {"passwords": flow.providers.passwords, "has_password": has_password, "identities": found}
        return json_response(orjson.dumps(ways))

    @api.post("/api/account/identities/{provider}", response_model=Begun, summary="Begin to connect a provider")
    async def begin(request: Request, principal: PrincipalOf, provider: Name, back: Back) -> Response:
        id = _person(principal)
        browser = cookies.browser(request)
        target = own_target(back.next, cookies.root)
        uri = redirect_uri(request, cookies.root)
        try:
            url, secret = await flow.to_provider(
                provider, uri, target, browser, cookies.read(request, cookies.provider), account=id
            )
        except NotSignedIn as error:
            return json_response(orjson.dumps({"error": str(error)}), 502)
        response = json_response(orjson.dumps({"url": url}))
        cookies.set(response, request, cookies.provider, secret, pending_sign_ins.LIFETIME, "sign-in/")
        return response

    @api.delete("/api/account/identities/{provider}", status_code=204, summary="Disconnect a provider")
    async def end(request: Request, principal: PrincipalOf, provider: Name) -> Response:
        actor = actor_of(principal, cookies.browser(request).address)
        await access.change(_disconnect, actor, _person(principal), provider)
        return Response(status_code=204)


def _person(principal: Principal) -> int:
    """Return the account's number. Keys cannot add ways to sign in, which would outlive them."""
    if principal.kind != "account" or principal.id is None:
        raise Forbidden("only a signed-in account can do this: sign in in a browser")
    return principal.id


def _ways(connection: sa.Connection, id: int) -> tuple[list[str], bool]:
    account = accounts.by_id(connection, id)
    return [one.provider for one in identities.listed(connection, id)], account is not None and account.has_password


def _disconnect(connection: sa.Connection, actor: Actor, id: int, provider: str) -> None:
    account = accounts.by_id(connection, id)
    if account is None:
        raise Missing("there is no such account")
    identities.disconnect(connection, actor, account, provider)
