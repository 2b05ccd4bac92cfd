"""Add, change and remove accounts."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any, Literal, NamedTuple

import sqlalchemy as sa

from tracker_server.storage.access_schema import (
    account_sessions,
    accounts,
    api_keys,
    entities,
    identities,
    members,
    one_time_links,
    project_aliases,
)
from tracker_server.storage.schema import projects

from . import entities as all_entities
from . import take_over
from .account_sessions import end_all as end_sessions
from .audit_log import Actor, write
from .entities import Entity, of_entity
from .errors import Conflict, Missing, Refused
from .paging import Page, Part, read_page
from .teams import contains

State = Literal["invited", "active", "disabled"]


class Account(NamedTuple):
    """An account; times in Unix seconds."""

    id: int
    name: str
    state: State
    """`invited` until its first sign-in is prepared: a password is set, or a provider has vouched for it."""
    is_admin: bool
    """Whether it is a server admin."""
    has_password: bool
    email: str | None
    created: float
    seen: float | None
    """When it was last used."""
    quota: int | None
    """Most bytes of files under its own name; None for no limit."""


def any_exists(connection: sa.Connection) -> bool:
    """Return whether this is a team's server: one with at least one account."""
    return connection.execute(sa.select(accounts.c.entity).limit(1)).first() is not None


def add(
    connection: sa.Connection,
    actor: Actor,
    name: str,
    *,
    admin: bool = False,
    email: str | None = None,
    password: str | None = None,
) -> Account:
    """Add an account, which is invited, or active if `password` (a hash of `passwords.hashed`) is given.

    The first account must be a server admin, and takes over the entities of the projects that are there.

    Raises: `Refused` or `Conflict` for the name, `Refused` for a first account that is no server admin.
    """
    first = not any_exists(connection)
    if first and not admin:
        raise Refused(f"the first account must be a server admin: `tracker server account add {name[:140]} --admin`")
    if first:
        name = take_over.name_for(connection, name)
    made = all_entities.add(connection, name, "account", with_projects=first)
    values = {
        "entity": made.id,
        "state": "active" if password else "invited",
        "admin": int(admin),
        "password": password,
        "email": checked_email(email),
    }
    connection.execute(accounts.insert().values(values))
    write(connection, actor, "account added", made.name, f"{made.name}{' as server admin' if admin else ''}")
    if first:
        take_over.take_over(connection, actor, made)
    return get(connection, made.name)


def find(connection: sa.Connection, name: str) -> Account | None:
    """Return the account with this present or former name, whatever its case; None if there is none."""
    found = all_entities.find(connection, name)
    return None if found is None or found.kind != "account" else by_id(connection, found.id)


def get(connection: sa.Connection, name: str) -> Account:
    """Return an account as `find` does. Raises `Missing`."""
    found = find(connection, name)
    if found is None:
        raise Missing(f"there is no account {name[:140]!r}")
    return found


def by_id(connection: sa.Connection, id: int) -> Account | None:
    """Return the account with this number."""
    row = connection.execute(_accounts().where(accounts.c.entity == id)).one_or_none()
    return None if row is None else _account(row)


def listed(connection: sa.Connection, part: Part, in_teams: Iterable[str] | None = None) -> Page[Account]:
    """Return a part of the accounts by name; only those that are in one of the teams with these names, if given."""
    query = _accounts()
    if in_teams is not None:
        team = entities.alias("team")
        there = sa.select(members.c.account).join(team, team.c.id == members.c.team)
        query = query.where(accounts.c.entity.in_(there.where(team.c.name.in_(list(in_teams)))))
    if part.search:
        query = query.where(contains(part.search) | accounts.c.email.icontains(part.search, autoescape=True))
    return read_page(connection, query, (sa.func.lower(entities.c.name), entities.c.id), part, _account)


def password_of(connection: sa.Connection, id: int) -> str | None:
    """Return the hash of an account's password; None if it has none."""
    found: str | None = connection.execute(
        sa.select(accounts.c.password).where(accounts.c.entity == id)
    ).scalar_one_or_none()
    return found


def set_password(
    connection: sa.Connection, actor: Actor, name: str, password: str, keep_session: str | None = None
) -> Account:
    """Set the password to one with this hash (`passwords.hashed`). All sessions but `keep_session` end."""
    account = get(connection, name)
    state = "disabled" if account.state == "disabled" else "active"
    _change(connection, account, password=password, state=state)
    end_sessions(connection, account.id, keep_session)
    write(connection, actor, "password set", account.name, account.name)
    return get(connection, account.name)


def store_rehashed(connection: sa.Connection, id: int, password: str) -> None:
    """Store the hash of the same password with stronger parameters."""
    connection.execute(accounts.update().where(accounts.c.entity == id).values(password=password))


def disable(connection: sa.Connection, actor: Actor, name: str) -> Account:
    """Disable an account: its sessions end, its keys are not valid, its runs stay.

    Raises `Missing`, or `Conflict` for the last active server admin.
    """
    account = get(connection, name)
    if account.state != "disabled":
        _refuse_last_admin(connection, account)
        _change(connection, account, state="disabled")
        end_sessions(connection, account.id)
        write(connection, actor, "account disabled", account.name, account.name)
    return get(connection, name)


def enable(connection: sa.Connection, actor: Actor, name: str) -> Account:
    """Enable a disabled account again; it is invited if it never had a password or a provider. Raises `Missing`."""
    account = get(connection, name)
    if account.state == "disabled":
        known = sa.select(identities.c.account).where(identities.c.account == account.id).limit(1)
        can_sign_in = account.has_password or connection.execute(known).first() is not None
        _change(connection, account, state="active" if can_sign_in else "invited")
        write(connection, actor, "account enabled", account.name, account.name)
    return get(connection, name)


def activate(connection: sa.Connection, id: int) -> None:
    """Note that an invited account can sign in, since a provider has vouched for it."""
    where = (accounts.c.entity == id) & (accounts.c.state == "invited")
    connection.execute(accounts.update().where(where).values(state="active"))


def set_admin(connection: sa.Connection, actor: Actor, name: str, admin: bool) -> Account:
    """Make an account a server admin, or not any more. Raises `Missing`, or `Conflict` for the last active one."""
    account = get(connection, name)
    if account.is_admin != admin:
        if not admin:
            _refuse_last_admin(connection, account)
        _change(connection, account, admin=int(admin))
        action = "server admin added" if admin else "server admin removed"
        write(connection, actor, action, account.name, account.name)
    return get(connection, name)


def set_email(connection: sa.Connection, actor: Actor, name: str, email: str | None) -> Account:
    """Set or remove an account's email address. Raises `Missing` or `Refused`."""
    account = get(connection, name)
    _change(connection, account, email=checked_email(email))
    write(connection, actor, "email changed", account.name, account.name)
    return get(connection, name)


def rename(connection: sa.Connection, actor: Actor, name: str, new: str) -> Account:
    """Rename an account; its former name leads to it. Raises `Missing`, `Refused` or `Conflict`."""
    account = get(connection, name)
    return get(connection, all_entities.rename(connection, actor, account.name, new).name)


def remove(connection: sa.Connection, actor: Actor, name: str, runs_to: str | None = None) -> dict[str, str]:
    """Remove an account. Its projects go to a team or to a server admin; return their names before and after.

    Its keys, sessions and memberships end. Runs still show its name as their user, and the name stays taken. A project
    whose name is taken in the new place gets a suffix. Former addresses of projects lead to the new ones.

    Raises: `Missing` for an unknown name, `Refused` if there are projects and `runs_to` is no team or server admin,
        `Conflict` for the last active server admin.
    """
    account = get(connection, name)
    _refuse_last_admin(connection, account)
    moved = _move_projects(connection, account, runs_to)
    for column in (
        accounts.c.entity,
        identities.c.account,
        one_time_links.c.account,
        members.c.account,
        api_keys.c.owner,
        account_sessions.c.account,
    ):
        connection.execute(sa.delete(column.table).where(column == account.id))
    connection.execute(entities.update().where(entities.c.id == account.id).values(kind="removed"))
    text = account.name if runs_to is None else f"{account.name}; its {len(moved):,} projects went to {runs_to}"
    write(connection, actor, "account removed", account.name, text)
    return moved


def note_seen(connection: sa.Connection, id: int) -> None:
    """Store that an account signs in now. Later uses are those of its sessions and keys."""
    connection.execute(accounts.update().where(accounts.c.entity == id).values(seen=time.time()))


def checked_email(email: str | None) -> str | None:
    """Return an email address as it is stored. Raises `Refused` if it is none."""
    if not email:
        return None
    email = email.strip()
    name, at, host = email.rpartition("@")
    if not (at and name and host) or len(email) > 254 or not email.isprintable() or " " in email:
        raise Refused(f"{email[:260]!r} is no email address")
    return email


def _accounts() -> sa.Select[Any]:
    e, a = entities.c, accounts.c
    sessions, keys = account_sessions.c, api_keys.c
    uses = (
        sa.select(sa.func.max(sessions.seen)).where(sessions.account == a.entity).scalar_subquery().label("session"),
        sa.select(sa.func.max(keys.used)).where(keys.owner == a.entity).scalar_subquery().label("key"),
    )
    columns = (e.id, e.name, a.state, a.admin, a.password, a.email, e.created, a.seen, e.quota)
    return sa.select(*columns, *uses).select_from(accounts.join(entities, e.id == a.entity))


def _account(row: Any) -> Account:
    has_password = row.password is not None
    seen = max((when for when in (row.seen, row.session, row.key) if when is not None), default=None)
    return Account(row.id, row.name, row.state, bool(row.admin), has_password, row.email, row.created, seen, row.quota)


def _change(connection: sa.Connection, account: Account, **values: Any) -> None:
    connection.execute(accounts.update().where(accounts.c.entity == account.id).values(**values))


def _refuse_last_admin(connection: sa.Connection, account: Account) -> None:
    """Raise `Conflict` if nobody could manage the server without this account.

    The connection holds the write lock, so of two admins who remove each other at the same moment one remains.
    """
    if not account.is_admin or account.state == "disabled":
        return
    a = accounts.c
    able = ("active",) if account.state == "active" else ("active", "invited")
    others = (a.admin == 1) & a.state.in_(able) & (a.entity != account.id)
    if connection.execute(sa.select(a.entity).where(others).limit(1)).first() is None:
        raise Conflict(f"{account.name!r} is the last active server admin: make another account server admin first")


def _move_projects(connection: sa.Connection, account: Account, runs_to: str | None) -> dict[str, str]:
    p = projects.c
    owned = connection.execute(sa.select(p.id, p.name).where(of_entity(account.name)).order_by(p.id)).all()
    if not owned and runs_to is None:
        return {}
    if runs_to is None:
        raise Refused(f"{account.name!r} has {len(owned):,} projects: say which team or server admin gets them")
    target = _heir(connection, account, runs_to)
    taken = set(connection.execute(sa.select(p.name).where(p.entity == target.name)).scalars())
    moved = {}
    for id, name in owned:
        new = _free(name, account.name, taken)
        taken.add(new)
        connection.execute(projects.update().where(p.id == id).values(entity=target.name, name=new))
        former = project_aliases.c
        here = (former.entity == account.name) & (former.name == name)
        connection.execute(project_aliases.delete().where(here))
        connection.execute(project_aliases.insert().values(entity=account.name, name=name, project=id))
        moved[f"{account.name}/{name}"] = f"{target.name}/{new}"
    return moved


def _heir(connection: sa.Connection, account: Account, runs_to: str) -> Entity:
    target = all_entities.get(connection, runs_to)
    if target.id == account.id:
        raise Refused("the runs must go to another account or a team")
    if target.kind == "account":
        heir = by_id(connection, target.id)
        if heir is None or not heir.is_admin or heir.state == "disabled":
            raise Refused(f"the account {target.name!r} is no server admin: runs go to a team or a server admin")
    return target


def _free(name: str, owner: str, taken: set[str]) -> str:
    """Return a name like `name` that is not taken."""
    for ending in ("", f"-{owner}", *(f"-{owner}-{n}" for n in range(2, len(taken) + 3))):
        kept = name
        while len(kept) + len(ending) > 128 or len((kept + ending).encode()) > 255:
            if not kept:
                break
            kept = kept[:-1]
        if kept + ending not in taken:
            return kept + ending
    raise Conflict(f"no name is free for the project {name!r}")
