"""Manage teams and their members."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import sqlalchemy as sa
from fastapi import FastAPI, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from tracker_server.access import entities, teams
from tracker_server.access.audit_log import Actor
from tracker_server.services import Services

from .asker import Asker, Right, answer, answer_page
from .parameters import PartOf

MANAGE = Right("manage_server")

Role = Literal["viewer", "member", "admin"]


class TeamInfo(BaseModel):
    """A team; `created` in Unix seconds."""

    name: str
    created: float
    members: int = Field(description="How many accounts are in it")
    quota: int | None = Field(description="Most bytes of files of its projects; null for no limit")
    role: Role | None = Field(description="The asker's own role in it")


class TeamList(BaseModel):
    """A part of the teams, by name."""

    teams: list[TeamInfo]
    cursor: str | None
    total: int


class NewTeam(BaseModel):
    """A team to add; it has no members yet."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=300)


class TeamChanges(BaseModel):
    """What to change of a team; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    name: str | None = Field(None, max_length=300)
    quota: int | None = Field(None, ge=0, lt=2**63, description="Bytes; null for no limit; only for server admins")


class MemberInfo(BaseModel):
    """An account in a team; `since` in Unix seconds."""

    account: str
    role: Role
    since: float
    source: str = Field(description="`manual`, or the provider whose group claim gives the role")
    state: Literal["invited", "active", "disabled"] = Field(description="The state of the account")


class MemberList(BaseModel):
    """A part of a team's members, by name."""

    members: list[MemberInfo]
    cursor: str | None
    total: int


class Membership(BaseModel):
    """The role that an account is to have."""

    model_config = ConfigDict(extra="forbid")

    role: Role
    was: Role | Literal["none", "any"] = Field(
        "any", description="The role that the asker saw; if it is another one by now, the response is 409"
    )


def add_routes(api: FastAPI, services: Services) -> None:
    """Add the routes under `/api/teams`, except those of keys."""
    team_path = "/api/teams/{team}"
    member_path = team_path + "/members/{account}"

    @api.get("/api/teams", response_model=TeamList, summary="List one's teams; all of them for server admins")
    async def listed(request: Request, part: PartOf) -> Response:
        asker = Asker(services, request)
        among = None if asker.may(MANAGE) else [one for one in asker.principal.roles if asker.may(Right("read", one))]
        return answer_page("teams", await asker.read(teams.listed, part, among), lambda team: _shown(asker, team))

    @api.post("/api/teams", response_model=TeamInfo, status_code=201, summary="Add a team")
    async def add(request: Request, new: NewTeam) -> Response:
        asker = Asker(services, request)
        return answer(_shown(asker, await asker.change(MANAGE, teams.add, new.name)), 201)

    @api.patch(team_path, response_model=TeamInfo, summary="Rename a team, or limit its files")
    async def change(request: Request, team: str, changes: TeamChanges) -> Response:
        asker = Asker(services, request)
        name = asker.team(team)
        limits = "quota" in changes.model_fields_set
        made = await asker.change(MANAGE if limits else _members_of(name), _change, name, changes)
        return answer(_shown(asker, made))

    @api.delete(team_path, status_code=204, summary="Remove a team without projects")
    async def remove(request: Request, team: str) -> Response:
        asker = Asker(services, request)
        name = asker.team(team)
        await asker.change(_members_of(name), teams.remove, name)
        return Response(status_code=204)

    @api.get(team_path + "/members", response_model=MemberList, summary="List the members of a team")
    async def members(request: Request, team: str, part: PartOf) -> Response:
        asker = Asker(services, request)
        page = await asker.read(teams.members_of, asker.team(team), part)
        return answer_page("members", page, _member)

    @api.put(member_path, response_model=MemberInfo, summary="Add a member, or change its role")
    async def put_member(request: Request, team: str, account: str, membership: Membership) -> Response:
        asker = Asker(services, request)
        name = asker.team(team)
        role, was = membership.role, membership.was
        made = await asker.change(
            _members_of(name), teams.set_member, name, account, role, was=None if was == "none" else was
        )
        return answer(_member(made))

    @api.delete(member_path, status_code=204, summary="Remove a member")
    async def remove_member(
        request: Request,
        team: str,
        account: str,
        was: Annotated[
            Role | Literal["any"],
            Query(description="The role that the asker saw; if it is another one by now, the response is 409"),
        ] = "any",
    ) -> Response:
        asker = Asker(services, request)
        name = asker.team(team)
        await asker.change(_members_of(name), teams.remove_member, name, account, was=was)
        return Response(status_code=204)


def _members_of(team: str) -> Right:
    return Right("manage_members", team)


def _shown(asker: Asker, team: teams.Team) -> dict[str, Any]:
    role = asker.principal.roles.get(team.name)
    return {"name": team.name, "created": team.created, "members": team.members, "quota": team.quota, "role": role}


def _member(member: teams.Member) -> dict[str, Any]:
    shown = member._asdict()
    del shown["id"]
    return shown


def _change(connection: sa.Connection, actor: Actor, name: str, changes: TeamChanges) -> teams.Team:
    team = teams.get(connection, name)
    if "quota" in changes.model_fields_set:
        entities.set_quota(connection, actor, team.name, changes.quota)
    if changes.name is not None:
        team = teams.rename(connection, actor, team.name, changes.name)
    return teams.get(connection, team.name)
