"""Sign in programs on other machines: `tracker login` shows a short code, which a signed-in person confirms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import sqlalchemy as sa
from fastapi import FastAPI, Path
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from tracker_server.access import accounts, api_keys
from tracker_server.access.api_keys import NewKey
from tracker_server.access.audit_log import Actor
from tracker_server.access.device_login import Confirmed, DeviceLogins, TooMany
from tracker_server.access.device_login import Request as Waiting
from tracker_server.access.errors import Forbidden, Missing
from tracker_server.services import Services

from .api_keys import KeyScope
from .asker import Asker, answer

PAGE = "/login/device"
"""Where the dashboard asks for the code."""

_NO_ACCOUNTS = "this server has no accounts: use its key, the token that `tracker server` prints"
_NO_CODE = "no program waits with this code: it is mistyped, was used already, or is older than ten minutes"


class Program(BaseModel):
    """Where a program runs, as it says: it is shown to the person who confirms."""

    model_config = ConfigDict(extra="forbid")

    user: str = Field(max_length=200)
    host: str = Field(max_length=300)


class StartedLogin(BaseModel):
    """The codes of a sign-in: the program keeps the first to itself and shows the second."""

    device_code: str
    user_code: str
    verification_url: str = Field(description="The page where a signed-in person enters the second code")
    interval: float = Field(description="Seconds between questions of the program")
    expires_in: float = Field(description="Seconds until the codes expire")


class DeviceCode(BaseModel):
    """The first code of a sign-in."""

    model_config = ConfigDict(extra="forbid")

    device_code: str = Field(max_length=200)


class MadeLogin(BaseModel):
    """The key that was made for the program; nobody can show it again."""

    key: str
    name: str = Field(description="The account that the key is of")


class WaitingLogin(BaseModel):
    """A program that waits to be signed in."""

    code: str
    name: str = Field(description="Its user and machine as it says, `user@host`")
    address: str = Field(description="The address that it asks from")


class Answer(BaseModel):
    """What the person allows."""

    model_config = ConfigDict(extra="forbid")

    scope: KeyScope


Code = Annotated[str, Path(max_length=40, description="The second code; case and dashes do not matter")]


def add_routes(api: FastAPI, services: Services) -> None:
    """Add the routes under `/api/login`."""
    logins = DeviceLogins()
    access = services.access

    @api.post("/api/login/device", response_model=StartedLogin, summary="Begin to sign in a program")
    async def begin(request: Request, program: Program) -> Response:
        _require_accounts(services)
        try:
            started = logins.start(program.user, program.host, _address(request))
        except TooMany as error:
            raise HTTPException(429, str(error), {"retry-after": "60"}) from None
        host, root = request.headers.get("host", ""), services.settings.root_path
        page = f"{request.scope['scheme']}://{host}{root}{PAGE}"  # as the program reaches the server
        return answer({**started._asdict(), "verification_url": page})

    @api.post("/api/login/device/token", response_model=MadeLogin, summary="Ask for the key of a confirmed sign-in")
    async def ask(request: Request, given: DeviceCode) -> Response:
        _require_accounts(services)
        found = logins.ask(given.device_code)
        if found == "waiting":
            raise HTTPException(428, "nobody has confirmed the code yet")
        if found == "too soon":
            raise HTTPException(429, "the program asks too often", {"retry-after": "5"})
        if found == "over":
            raise HTTPException(410, "the code was refused, or has expired")
        made, name = await access.change(_make_key, found, _address(request))
        return answer({"key": made.key, "name": name})

    @api.get("/api/login/device/{code}", response_model=WaitingLogin, summary="Show the program behind a code")
    async def show(request: Request, code: Code) -> Response:
        waiting = _found(lambda account: logins.find(code, account), _person(request, services))
        return answer({"code": waiting.user_code, "name": waiting.name, "address": waiting.address})

    @api.post("/api/login/device/{code}", status_code=204, summary="Confirm a code: the program gets a key")
    async def confirm(request: Request, code: Code, given: Answer) -> Response:
        _found(lambda account: logins.answer(code, account, given.scope), _person(request, services))
        return Response(status_code=204)

    @api.delete("/api/login/device/{code}", status_code=204, summary="Refuse a code")
    async def refuse(request: Request, code: Code) -> Response:
        _found(lambda account: logins.answer(code, account, None), _person(request, services))
        return Response(status_code=204)

    @api.delete("/api/login/{id}", status_code=204, summary="Revoke the API key that this request carries")
    async def leave(request: Request, id: Annotated[str, Path(max_length=80)]) -> Response:
        asker = Asker(services, request)
        # Whoever holds a key may give it up, whatever its scope.
        if asker.principal.kind != "key" or id != asker.principal.credential:
            raise Missing("this request does not carry the key with this id")
        await access.change(api_keys.revoke, asker.actor, id)
        return Response(status_code=204)


def _require_accounts(services: Services) -> None:
    if not services.access.snapshot.is_team:
        raise HTTPException(404, _NO_ACCOUNTS)


def _address(request: Request) -> str:
    return "" if request.client is None else request.client.host


def _person(request: Request, services: Services) -> int:
    """Return the number of the account whose browser asks; a key must not make further keys this way."""
    principal = Asker(services, request).principal
    if principal.kind != "account" or principal.id is None:
        raise Forbidden("only a person who is signed in in a browser can confirm a code")
    return principal.id


def _found(find: Callable[[int], Waiting | None], account: int) -> Waiting:
    try:
        waiting = find(account)
    except TooMany as error:
        raise HTTPException(429, str(error), {"retry-after": "600"}) from None
    if waiting is None:
        raise HTTPException(404, _NO_CODE)
    return waiting


def _make_key(connection: sa.Connection, confirmed: Confirmed, address: str) -> tuple[NewKey, str]:
    account = accounts.by_id(connection, confirmed.account)
    if account is None or account.state == "disabled":
        raise HTTPException(410, "the account was disabled")
    actor = Actor(account.name, address, account.id)
    return api_keys.add(connection, actor, account.name, confirmed.name, confirmed.scope), account.name
