"""Find accounts and teams by name, add them, and rename them.

Both share one namespace, in which case does not count. A former name stays taken and leads to the one that had it.
"""

from __future__ import annotations

import time
from typing import Any, Literal, NamedTuple

import sqlalchemy as sa

from tracker_server.storage.access_schema import (
    accounts,
    audit_log,
    entities,
    entity_aliases,
    project_aliases,
)
from tracker_server.storage.schema import projects

from . import entity_names
from .audit_log import Actor, write
from .entity_names import Looks, folded, looks
from .errors import Conflict, Missing, Refused

EntityKind = Literal["account", "team", "removed", "former"]
"""`removed`: its runs are elsewhere, and its name stays taken. `former`: of a time before the server was personal
again; its name is free for a new account or team, which takes up its number."""


class Entity(NamedTuple):
    """An account or a team, or a former one."""

    id: int
    name: str
    kind: EntityKind
    quota: int | None
    """Most bytes of files; None for no limit."""


def find(connection: sa.Connection, name: str) -> Entity | None:
    """Return the account or team with this present or former name, whatever its case; None if there is none.

    A removed one is returned too: see its `kind`.
    """
    skeleton, same = looks(name).skeleton, folded(name)
    c = entities.c
    shared = c.skeleton.between(skeleton + "/", skeleton + "/~")  # see `add_existing`
    rows = connection.execute(sa.select(entities).where((c.skeleton == skeleton) | shared)).all()
    for row in sorted(rows, key=lambda row: row.name != name):  # two may differ in case alone: see `add_existing`
        if folded(row.name) == same:
            return _entity(row)
    a = entity_aliases.c
    for alias, id in connection.execute(sa.select(a.name, a.entity).where(a.skeleton == skeleton)):
        if folded(alias) == same:
            return by_id(connection, id)
    return None


def get(connection: sa.Connection, name: str, kind: Literal["account", "team"] | None = None) -> Entity:
    """Return an account or team as `find` does. Raises `Missing` if there is none of this kind."""
    found = find(connection, name)
    if found is None or found.kind not in (("account", "team") if kind is None else (kind,)):
        raise Missing(f"there is no {kind or 'account or team'} {name[:140]!r}")
    return found


def require_accounts(connection: sa.Connection) -> None:
    """Raise `Conflict` on a personal server, which has neither teams nor links."""
    if connection.execute(sa.select(accounts.c.entity).limit(1)).first() is None:
        raise Conflict("this server has no accounts yet: first add one with `tracker server account add NAME --admin`")


def by_id(connection: sa.Connection, id: int) -> Entity | None:
    """Return the entity with this number."""
    row = connection.execute(sa.select(entities).where(entities.c.id == id)).one_or_none()
    return None if row is None else _entity(row)


def add(
    connection: sa.Connection, name: str, kind: Literal["account", "team"], *, with_projects: bool = False
) -> Entity:
    """Add an account or team; it owns the projects under its name only with `with_projects`.

    Raises `Refused` if the name is not allowed, `Conflict` if it is taken.
    """
    name = entity_names.checked(name)
    former = find(connection, name)
    if former is not None and former.kind == "former" and folded(former.name) == folded(name):
        connection.execute(entities.update().where(entities.c.id == former.id).values(kind=kind, quota=None))
        return former._replace(kind=kind, quota=None)
    _refuse_taken(connection, name, looks(name))
    if not with_projects:
        _refuse_projects(connection, name)
    return _insert(connection, name, kind, looks(name))


def add_existing(connection: sa.Connection, name: str, kind: Literal["account", "team"]) -> Entity:
    """Add an entity under which runs lie already, whatever its name: it may be reserved, or look like another one."""
    c = entities.c
    row = connection.execute(sa.select(entities).where(c.name == name)).one_or_none()
    if row is not None:
        connection.execute(entities.update().where(c.id == row.id).values(kind=kind))
        return _entity(row)._replace(kind=kind)
    look = looks(name)
    alike = (c.skeleton == look.skeleton) | c.skeleton.between(look.skeleton + "/", look.skeleton + "/~")
    others = connection.execute(sa.select(sa.func.count()).where(alike)).scalar_one()
    # The slash is in no name, so this skeleton is equal to none.
    return _insert(connection, name, kind, look._replace(skeleton=f"{look.skeleton}/{others}") if others else look)


def _insert(connection: sa.Connection, name: str, kind: Literal["account", "team"], look: Looks) -> Entity:
    skeleton, written = look
    values = {"name": name, "skeleton": skeleton, "written": written, "kind": kind, "created": time.time()}
    id = connection.execute(entities.insert().values(values).returning(entities.c.id)).scalar_one()
    return Entity(id, name, kind, None)


def rename(connection: sa.Connection, actor: Actor, name: str, new: str) -> Entity:
    """Rename an account or team; its former name stays an alias, so that links, running agents and keys go on.

    Raises `Missing`, `Refused` or `Conflict`.
    """
    entity = get(connection, name)
    new = entity_names.checked(new)
    if new == entity.name:
        return entity
    look = looks(new)
    _refuse_taken(connection, new, look, but=entity.id)
    _refuse_projects(connection, new)
    _leave_alias(connection, entity, new)
    changed = {"name": new, "skeleton": look.skeleton, "written": look.written}
    connection.execute(entities.update().where(entities.c.id == entity.id).values(changed))
    for table in (projects, project_aliases, audit_log):  # they hold the name as text
        connection.execute(table.update().where(table.c.entity == entity.name).values(entity=new))
    write(connection, actor, f"{entity.kind} renamed", new, f"{entity.name} is now {new}")
    return entity._replace(name=new)


def set_quota(connection: sa.Connection, actor: Actor, name: str, quota: int | None) -> Entity:
    """Limit the bytes of an account's or team's files; None for no limit."""
    entity = get(connection, name)
    if quota is not None and not 0 <= quota < 2**63:
        raise Refused("the quota must be a number of bytes")
    connection.execute(entities.update().where(entities.c.id == entity.id).values(quota=quota))
    write(connection, actor, "quota changed", entity.name, "no limit" if quota is None else f"{quota:,} bytes")
    return entity._replace(quota=quota)


def _entity(row: Any) -> Entity:
    return Entity(row.id, row.name, row.kind, row.quota)


def _refuse_taken(connection: sa.Connection, name: str, look: Looks, but: int | None = None) -> None:
    """Raise `Conflict` if another entity has, or had, this name or one that looks like it."""
    both = list(look)
    for table, id in ((entities, entities.c.id), (entity_aliases, entity_aliases.c.entity)):
        alike = sa.or_(table.c.skeleton.in_(both), table.c.written.in_(both))
        for other, owner in connection.execute(sa.select(table.c.name, id).where(alike)):
            if owner != but:
                reason = "is taken" if folded(other) == folded(name) else "looks like a name that is taken"
                raise Conflict(f"the name {name!r} {reason}: choose another one")


def of_entity(name: str) -> sa.ColumnElement[bool]:
    """Return the condition that a project lies under this name, and is not deleted: those names begin with a slash."""
    return (projects.c.entity == name) & ~projects.c.name.startswith("/")


def _refuse_projects(connection: sa.Connection, name: str) -> None:
    if connection.execute(sa.select(projects.c.id).where(of_entity(name)).limit(1)).first() is not None:
        raise Conflict(f"there are projects under {name!r} already, which are nobody's: choose another name")


def _leave_alias(connection: sa.Connection, entity: Entity, new: str) -> None:
    """Make the present name an alias, and free the new one if it is a former one of this entity."""
    a = entity_aliases.c
    for name in connection.execute(sa.select(a.name).where(a.entity == entity.id)).scalars().all():
        if folded(name) == folded(new):
            connection.execute(entity_aliases.delete().where(a.name == name))
    if folded(entity.name) == folded(new):
        return  # names that differ in case alone are found all the same
    skeleton, written = looks(entity.name)
    values = {"name": entity.name, "skeleton": skeleton, "written": written, "entity": entity.id}
    connection.execute(entity_aliases.insert().values(values))
