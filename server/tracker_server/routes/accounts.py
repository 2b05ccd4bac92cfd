"""Manage accounts (server admins), see whom one shares a team with, and change the own password."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import sqlalchemy as sa
from fastapi import FastAPI, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from tracker_server.access import accounts, entities, one_time_links, passwords
from tracker_server.access.audit_log import Actor
from tracker_server.access.errors import Conflict, Forbidden, Refused
from tracker_server.access.paging import Page, Part
from tracker_server.access.principal import Principal
from tracker_server.access.roles import may
from tracker_server.access.throttle import Throttle
from tracker_server.services import Services

from .asker import Asker, Right, answer, answer_page
from .parameters import PartOf

MANAGE = Right("manage_server")

NOT_YOURS = "only a person who is signed in has a password: open the server's pages"


class AccountInfo(BaseModel):
    """An account; times are Unix seconds. Only server admins get more than name and state."""

    name: str
    state: Literal["invited", "active", "disabled"]
    admin: bool | None = Field(description="Whether it is a server admin")
    email: str | None
    has_password: bool | None
    created: float | None
    seen: float | None = Field(description="When it was last used")
    quota: int | None = Field(description="Most bytes of files under its name; null for no limit")


class AccountList(BaseModel):
    """A part of the accounts, by name."""

    accounts: list[AccountInfo]
    cursor: str | None
    total: int


class NewAccount(BaseModel):
    """An account to add."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=300)
    admin: bool = Field(False, description="Whether it is a server admin")
    email: str | None = Field(None, max_length=300)


class Invited(BaseModel):
    """An account, and the one-time link where it sets its password. The link works once, within 24 hours."""

    account: AccountInfo
    link: str


class AccountChanges(BaseModel):
    """What to change of an account; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    state: Literal["active", "disabled"] | None = None
    admin: bool | None = None
    name: str | None = Field(None, max_length=300)
    email: str | None = Field(None, max_length=300)
    quota: int | None = Field(None, ge=0, lt=2**63, description="Bytes; null for no limit")


class Removed(BaseModel):
    """The projects of a removed account: where they were, and where they are now."""

    moved: dict[str, str]


class NewPassword(BaseModel):
    """The present password and the new one."""

    model_config = ConfigDict(extra="forbid")

    old: str = Field(max_length=2000)
    new: str = Field(max_length=2000)


def add_routes(api: FastAPI, services: Services, has_passwords: bool = True) -> None:
    """Add the routes under `/api/accounts`, and `/api/account/password`, which fails without `has_passwords`."""
    throttle = Throttle()

    @api.get("/api/accounts", response_model=AccountList, summary="List accounts, or those in one's teams")
    async def listed(request: Request, part: PartOf) -> Response:
        asker = Asker(services, request)
        if asker.may(MANAGE):
            return answer_page("accounts", await asker.read(accounts.listed, part), _shown)
        page = await asker.read(_in_teams, asker.principal, part)
        return answer_page("accounts", page, lambda account: _shown(account, whole=False))

    @api.post("/api/accounts", response_model=Invited, status_code=201, summary="Add an account")
    async def add(request: Request, new: NewAccount) -> Response:
        asker = Asker(services, request)
        asker.require(MANAGE)
        if not services.access.snapshot.is_team:
            raise Conflict(f"add the first account with `tracker server account add {new.name[:140]} --admin`")
        made, secret = await asker.change(MANAGE, _invite, new)
        return answer({"account": _shown(made), "link": asker.url(f"/welcome/{secret}")}, 201)

    @api.patch("/api/accounts/{name}", response_model=AccountInfo, summary="Change an account")
    async def change(request: Request, name: str, changes: AccountChanges) -> Response:
        made = await Asker(services, request).change(MANAGE, _change, name, changes)
        return answer(_shown(made))

    @api.delete("/api/accounts/{name}", response_model=Removed, summary="Remove an account; its projects go elsewhere")
    async def remove(
        request: Request,
        name: str,
        runs_to: Annotated[
            str | None, Query(max_length=300, description="The team or server admin that gets its projects")
        ] = None,
    ) -> Response:
        return answer({"moved": await Asker(services, request).change(MANAGE, accounts.remove, name, runs_to)})

    @api.post("/api/accounts/{name}/reset", response_model=Invited, summary="Make a one-time link for a new password")
    async def reset(request: Request, name: str) -> Response:
        asker = Asker(services, request)
        made, secret = await asker.change(MANAGE, _reset, name)
        return answer({"account": _shown(made), "link": asker.url(f"/welcome/{secret}")})

    @api.put(
        "/api/account/password", status_code=204, summary="Change one's own password; other browsers are signed out"
    )
    async def password(request: Request, given: NewPassword) -> Response:
        asker = Asker(services, request)
        me = asker.principal
        if me.kind != "account" or me.id is None:
            raise Forbidden(NOT_YOURS)
        if not has_passwords:
            raise Refused("passwords are switched off on this server: sign in with a provider")
        address = asker.actor.address or ""
        seconds = throttle.attempt(str(me.id), address)
        if seconds > 0:
            raise HTTPException(
                429, "too many wrong passwords: try again later", {"retry-after": str(int(seconds) + 1)}
            )
        former = await asker.read(accounts.password_of, me.id)
        if former is None:
            raise Refused("this account has no password: ask a server admin for a one-time link")
        if not await services.workers.parse(lambda: passwords.is_right(former, given.old)):
            raise Forbidden("the present password is wrong")
        throttle.succeeded(str(me.id), address)
        hash = await services.workers.parse(lambda: passwords.hashed(given.new, me.name))
        own = Right("manage_members", me.name)
        await asker.change(own, accounts.set_password, me.name, hash, request.scope.get("tracker.session"))
        return Response(status_code=204)


def _shown(account: accounts.Account, whole: bool = True) -> dict[str, Any]:
    return {
        "name": account.name,
        "state": account.state,
        "admin": account.is_admin if whole else None,
        "email": account.email if whole else None,
        "has_password": account.has_password if whole else None,
        "created": account.created if whole else None,
        "seen": account.seen if whole else None,
        "quota": account.quota if whole else None,
    }


def _in_teams(connection: sa.Connection, principal: Principal, part: Part) -> Page[accounts.Account]:
    """Return those with whom the principal shares a team: it needs their names to mention them."""
    own = [entity for entity in principal.roles if may(principal, "read", entity, None)]
    return accounts.listed(connection, part, in_teams=own)


def _invite(connection: sa.Connection, actor: Actor, new: NewAccount) -> tuple[accounts.Account, str]:
    made = accounts.add(connection, actor, new.name, admin=new.admin, email=new.email)
    return made, one_time_links.make(connection, actor, made.name)


def _reset(connection: sa.Connection, actor: Actor, name: str) -> tuple[accounts.Account, str]:
    found = accounts.get(connection, name)
    return found, one_time_links.make(connection, actor, found.name)


def _change(connection: sa.Connection, actor: Actor, name: str, changes: AccountChanges) -> accounts.Account:
    account = accounts.get(connection, name)
    given = changes.model_fields_set
    if changes.admin is not None:
        account = accounts.set_admin(connection, actor, account.name, changes.admin)
    if changes.state is not None:
        change = accounts.disable if changes.state == "disabled" else accounts.enable
        account = change(connection, actor, account.name)
    if "email" in given:
        account = accounts.set_email(connection, actor, account.name, changes.email)
    if "quota" in given:
        entities.set_quota(connection, actor, account.name, changes.quota)
    if changes.name is not None:
        account = accounts.rename(connection, actor, account.name, changes.name)
    return accounts.get(connection, account.name)
