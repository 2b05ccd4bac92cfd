"""Write and read the audit log: who did what, when and from where.

Each change writes its entry on its own connection, so both are there or neither. Entries never hold a secret.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import NamedTuple

import sqlalchemy as sa

from tracker_server.storage.access_schema import audit_log

from .paging import Page, Part, read_page
from .principal import Principal

KEPT = 365 * 86400.0
"""Seconds after which an entry is deleted."""


class Actor(NamedTuple):
    """Who changes something."""

    name: str
    address: str | None = None
    """From where; None for a command on the server's machine."""
    id: int | None = None
    """The number of the account; None for others."""


COMMAND_LINE = Actor("command line")


def actor_of(principal: Principal, address: str | None) -> Actor:
    """Return the principal as the one who changes something."""
    return Actor(principal.actor, address, principal.id if principal.is_account else None)


class Entry(NamedTuple):
    """One entry of the audit log; `time` in Unix seconds."""

    id: int
    time: float
    actor: str
    action: str
    entity: str | None
    """The account or team that it concerns."""
    subject: str
    """What it was done to."""
    address: str | None


def write(connection: sa.Connection, actor: Actor, action: str, entity: str | None, subject: str) -> None:
    """Add an entry; `entity` is the name of the account or team whose admins may see it."""
    values = {"actor": actor.name[:300], "action": action[:100], "entity": entity, "subject": subject[:1000]}
    address = actor.address[:100] if actor.address is not None else None
    connection.execute(audit_log.insert().values(time=time.time(), address=address, **values))


def listed(connection: sa.Connection, part: Part, entities: Iterable[str] | None = None) -> Page[Entry]:
    """Return a part of the log, the newest first; only entries of `entities`, if given."""
    c = audit_log.c
    query = sa.select(audit_log)
    if entities is not None:
        query = query.where(c.entity.in_(list(entities)))
    if part.search:
        texts = (c.actor, c.action, c.entity, c.subject, c.address)
        query = query.where(sa.or_(*(text.icontains(part.search, autoescape=True) for text in texts)))
    made = lambda r: Entry(r.id, r.time, r.actor, r.action, r.entity, r.subject, r.address)  # noqa: E731
    return read_page(connection, query, (c.time, c.id), part, made, descending=True)


def delete_old(connection: sa.Connection) -> None:
    """Delete the entries that are older than a year."""
    connection.execute(audit_log.delete().where(audit_log.c.time < time.time() - KEPT))
