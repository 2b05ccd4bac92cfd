"""Add, change and remove teams and their members."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any, NamedTuple, get_args

import sqlalchemy as sa

from tracker_server.storage.access_schema import accounts, api_keys, entities, members

from . import entities as all_entities
from .audit_log import Actor, write
from .entities import Entity, of_entity
from .entity_names import looks
from .errors import Conflict, Missing, Refused
from .paging import Page, Part, read_page
from .principal import Role

ROLES: tuple[Role, ...] = get_args(Role)


class Team(NamedTuple):
    """A team; `created` in Unix seconds."""

    id: int
    name: str
    created: float
    members: int
    quota: int | None


class Member(NamedTuple):
    """An account in a team; `since` in Unix seconds."""

    account: str
    id: int
    role: Role
    since: float
    source: str
    """`manual`, or the provider whose group claim gave the role."""
    state: str
    """The account's state: invited, active, disabled."""


def add(connection: sa.Connection, actor: Actor, name: str) -> Team:
    """Add a team without members. Raises `Refused` or `Conflict` for the name."""
    all_entities.require_accounts(connection)
    made = all_entities.add(connection, name, "team")
    write(connection, actor, "team added", made.name, made.name)
    return get(connection, made.name)


def get(connection: sa.Connection, name: str) -> Team:
    """Return a team. Raises `Missing`."""
    found = all_entities.get(connection, name, "team")
    return _team(connection.execute(_teams().where(entities.c.id == found.id)).one())


def listed(connection: sa.Connection, part: Part, among: Iterable[str] | None = None) -> Page[Team]:
    """Return a part of the teams by name; only those with the names `among`, if given."""
    query = _teams()
    if among is not None:
        query = query.where(entities.c.name.in_(list(among)))
    if part.search:
        query = query.where(contains(part.search))
    return read_page(connection, query, (sa.func.lower(entities.c.name), entities.c.id), part, _team)


def rename(connection: sa.Connection, actor: Actor, name: str, new: str) -> Team:
    """Rename a team; its former name leads to it. Raises `Missing`, `Refused` or `Conflict`."""
    all_entities.get(connection, name, "team")
    return get(connection, all_entities.rename(connection, actor, name, new).name)


def remove(connection: sa.Connection, actor: Actor, name: str) -> None:
    """Remove a team without projects, with its keys; its name stays taken. Raises `Missing` or `Conflict`."""
    team = all_entities.get(connection, name, "team")
    count = connection.execute(sa.select(sa.func.count()).where(of_entity(team.name))).scalar_one()
    if count:
        raise Conflict(f"the team {team.name!r} has {count:,} projects: move or delete them first")
    connection.execute(members.delete().where(members.c.team == team.id))
    connection.execute(api_keys.delete().where(api_keys.c.owner == team.id))
    connection.execute(entities.update().where(entities.c.id == team.id).values(kind="removed"))
    write(connection, actor, "team removed", team.name, team.name)


def members_of(connection: sa.Connection, team: str, part: Part) -> Page[Member]:
    """Return a part of a team's members by name. Raises `Missing`."""
    found = all_entities.get(connection, team, "team")
    query = _members().where(members.c.team == found.id)
    if part.search:
        query = query.where(contains(part.search))
    return read_page(connection, query, (sa.func.lower(entities.c.name), entities.c.id), part, _member)


def role_of(connection: sa.Connection, team: int, account: int) -> Role | None:
    """Return the role of an account in a team; None if it is no member."""
    m = members.c
    role: Role | None = connection.execute(
        sa.select(m.role).where((m.team == team) & (m.account == account))
    ).scalar_one_or_none()
    return role


def set_member(
    connection: sa.Connection,
    actor: Actor,
    team: str,
    account: str,
    role: str,
    *,
    was: str | None = "any",
    source: str = "manual",
) -> Member:
    """Make an account a member of a team, or change its role.

    Args:
        connection: One that changes.
        actor: Who does it.
        team: The team's name.
        account: The account's name.
        role: `viewer`, `member` or `admin`.
        was: The role that the asker saw, None for no member; so that of two who change a member at the same moment
            one is told. `any` changes whatever there is.
        source: `manual`, or the provider whose group claim gives the role.

    Raises: `Missing` for an unknown name, `Refused` for an unknown role, `Conflict` if the role is not `was` any more,
        or if the team would lose its last admin.
    """
    if role not in ROLES:
        raise Refused(f"the role {role[:40]!r} is unknown: it is viewer, member or admin")
    where, who = _found(connection, team, account)
    before = role_of(connection, where.id, who.id)
    _refuse_changed(before, was, who)
    m = members.c
    if before is None:
        values = {"team": where.id, "account": who.id, "role": role, "since": time.time(), "source": source}
        connection.execute(members.insert().values(values))
        write(connection, actor, "member added", where.name, f"{who.name} as {role}")
    else:
        if before == "admin" != role and source == "manual":
            _refuse_last_admin(connection, where, who)
        changed = members.update().where((m.team == where.id) & (m.account == who.id))
        connection.execute(changed.values(role=role, source=source))
        if role != before:
            write(connection, actor, "member changed", where.name, f"{who.name} from {before} to {role}")
    return _member(connection.execute(_members().where((m.team == where.id) & (m.account == who.id))).one())


def remove_member(
    connection: sa.Connection, actor: Actor, team: str, account: str, *, was: str | None = "any", source: str = "manual"
) -> None:
    """Remove an account from a team. Raises `Missing`, or `Conflict` as `set_member` does."""
    where, who = _found(connection, team, account)
    before = role_of(connection, where.id, who.id)
    if before is None:
        raise Missing(f"{who.name!r} is no member of the team {where.name!r}")
    _refuse_changed(before, was, who)
    if before == "admin" and source == "manual":
        _refuse_last_admin(connection, where, who)
    connection.execute(members.delete().where((members.c.team == where.id) & (members.c.account == who.id)))
    write(connection, actor, "member removed", where.name, f"{who.name}, who was {before}")


def contains(search: str) -> sa.ColumnElement[bool]:
    """Return the condition that an entity's name contains the text, whatever its case."""
    by_look = entities.c.skeleton.contains(looks(search).skeleton, autoescape=True)
    return entities.c.name.icontains(search, autoescape=True) | by_look


def _teams() -> sa.Select[Any]:
    e = entities.c
    count = sa.select(sa.func.count()).where(members.c.team == e.id).scalar_subquery().label("members")
    return sa.select(e.id, e.name, e.created, e.quota, count).where(e.kind == "team")


def _team(row: Any) -> Team:
    return Team(row.id, row.name, row.created, row.members, row.quota)


def _members() -> sa.Select[Any]:
    m = members.c
    joined = members.join(entities, entities.c.id == m.account).join(accounts, accounts.c.entity == m.account)
    columns = (entities.c.name, m.account, m.role, m.since, m.source, accounts.c.state)
    return sa.select(*columns).select_from(joined)


def _member(row: Any) -> Member:
    return Member(row.name, row.account, row.role, row.since, row.source, row.state)


def _found(connection: sa.Connection, team: str, account: str) -> tuple[Entity, Entity]:
    return all_entities.get(connection, team, "team"), all_entities.get(connection, account, "account")


def _refuse_changed(before: str | None, was: str | None, who: Entity) -> None:
    if was not in ("any", before):
        now = f"is {before} by now" if before else "is no member any more"
        raise Conflict(f"somebody else has changed this at the same time: {who.name!r} {now}; look again")


def _refuse_last_admin(connection: sa.Connection, team: Entity, who: Entity) -> None:
    m = members.c
    others = (m.team == team.id) & (m.role == "admin") & (m.account != who.id)
    if connection.execute(sa.select(m.account).where(others).limit(1)).first() is None:
        raise Conflict(f"{who.name!r} is the last admin of the team {team.name!r}: make another member admin first")
