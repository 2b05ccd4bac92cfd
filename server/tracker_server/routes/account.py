"""List the signed-in browsers and sign them out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import orjson
import sqlalchemy as sa
from fastapi import FastAPI, Path
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from tracker_server.access import account_sessions, session_cookie
from tracker_server.access.account_sessions import AccountSession
from tracker_server.access.audit_log import actor_of, write
from tracker_server.access.principal import Principal
from tracker_server.access.sessions import Session, Sessions
from tracker_server.responses import json_response
from tracker_server.services import Services

from .dependencies import PrincipalOf


class SessionInfo(BaseModel):
    """One signed-in browser; times are Unix seconds."""

    id: str
    created: float
    seen: float
    address: str
    agent: str
    current: bool


class SessionList(BaseModel):
    """The signed-in browsers, the most recently used first."""

    sessions: list[SessionInfo]


def add_routes(api: FastAPI, services: Services, sessions: Sessions) -> None:
    """Add the routes under `/api/sessions`: of the owner in personal mode (`sessions`), else of the account."""
    access = services.access

    @api.get("/api/sessions", response_model=SessionList, summary="List signed-in browsers")
    async def listed(request: Request, principal: PrincipalOf) -> Response:
        mine = request.scope.get("tracker.session")
        members = ("id", "created", "seen", "address", "agent")
        some: Sequence[Session | AccountSession] = []
        if principal.kind == "owner":
            some = sessions.listed()
        elif _is_person(principal):
            some = await access.read(account_sessions.listed, principal.id)
        found = [{**{name: getattr(one, name) for name in members}, "current": one.id == mine} for one in some]
        return json_response(orjson.dumps({"sessions": found}))

    @api.delete("/api/sessions/{id}", status_code=204, summary="Sign out a browser; `current` is the requesting one")
    async def end(request: Request, principal: PrincipalOf, id: Annotated[str, Path(max_length=20)]) -> Response:
        mine = request.scope.get("tracker.session")
        ended = False
        wanted = mine if id == "current" and mine is not None else id
        if principal.kind == "owner":
            ended = sessions.end(wanted)
        elif _is_person(principal):
            ended = await access.change(_end, principal, wanted, wanted == mine, _address(request))
        if not ended:
            raise HTTPException(404, "there is no such session")
        response = Response(status_code=204)
        if wanted == mine:
            # Browsers keep pages to go back to, and drop them when a cookie changes.
            name = session_cookie.name_for(services.settings.token.encode())
            secure = request.scope.get("scheme") == "https"
            cookie = session_cookie.header(name, "", f"{services.settings.root_path}/", secure, lifetime=0)
            response.headers["set-cookie"] = cookie.decode("latin-1")
        return response


def _end(connection: sa.Connection, principal: Principal, id: str, is_own: bool, address: str) -> bool:
    assert principal.id is not None
    ended = account_sessions.end(connection, principal.id, id)
    if ended:
        action = "sign-out" if is_own else "session ended"
        write(connection, actor_of(principal, address), action, principal.name, principal.name)
    return ended


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def _is_person(principal: Principal) -> bool:
    """Return whether it is an account with all of its rights: keys of a smaller scope do not reach its sessions."""
    return principal.is_account and principal.scope == "all"
