"""Look up the names of accounts and teams by the numbers that runs and edits store."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from .access_schema import access_version, entities

_MANY = 500


def names(connection: sa.Connection, users: Iterable[int]) -> dict[int, str]:
    """Return the present names of accounts and teams. Removed ones keep theirs; unknown numbers are left out."""
    wanted = sorted(set(users))
    found: dict[int, str] = {}
    for some in (wanted[i : i + _MANY] for i in range(0, len(wanted), _MANY)):
        query = sa.select(entities.c.id, entities.c.name).where(entities.c.id.in_(some))
        found.update((row.id, row.name) for row in connection.execute(query))
    return found


def name(connection: sa.Connection, user: int | None) -> str | None:
    """Return the present name of an account or team; None for no number, or an unknown one."""
    return None if user is None else names(connection, [user]).get(user)


def version(connection: sa.Connection) -> int:
    """Return a number that grows whenever names may have changed."""
    return connection.execute(sa.select(access_version.c.version)).scalar_one_or_none() or 0
