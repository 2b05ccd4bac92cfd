"""Turn a personal server into a team's, and back again. Runs keep their place both times."""

from __future__ import annotations

import sqlalchemy as sa

from tracker_server.storage.access_schema import (
    account_sessions,
    accounts,
    api_keys,
    entities,
    identities,
    members,
    one_time_links,
    share_links,
)
from tracker_server.storage.schema import projects

from . import entities as all_entities
from . import teams
from .audit_log import Actor, write
from .entities import Entity
from .entity_names import folded


def take_over(connection: sa.Connection, actor: Actor, account: Entity) -> list[str]:
    """Give the entities of existing projects to the first account; return the names of those that became teams.

    The account becomes their admin. An entity with the account's own name, or one that differs only in case, is its
    own and no team.
    """
    names = _with_projects(connection)
    made = []
    for name in names:
        if name == account.name:
            continue
        all_entities.add_existing(connection, name, "team")
        teams.set_member(connection, actor, name, account.name, "admin")
        made.append(name)
    if names:
        write(connection, actor, "projects taken over", account.name, ", ".join(names))
    return made


def name_for(connection: sa.Connection, name: str) -> str:
    """Return the name of the entity with projects that the first account of this name takes as its own, or `name`."""
    names = _with_projects(connection)
    same = [one for one in names if folded(one) == folded(name)]
    return name if name in same or len(same) != 1 else same[0]


def remove_all(connection: sa.Connection, actor: Actor) -> int:
    """Make the server personal again; return how many accounts there were.

    Accounts, teams, keys, sessions and links are removed. Runs keep their place, and the names of who made them. The
    audit log stays. A later account of the same name takes up the former one's runs and edits.
    """
    count = connection.execute(sa.select(sa.func.count()).select_from(accounts)).scalar_one()
    for table in (members, api_keys, account_sessions, share_links, one_time_links, identities, accounts):
        connection.execute(table.delete())
    connection.execute(entities.update().values(kind="former", quota=None))
    write(connection, actor, "all accounts removed", None, f"{count:,} accounts: the server is personal again")
    return int(count)


def _with_projects(connection: sa.Connection) -> list[str]:
    """Return the entities that have projects; names of deleted ones begin with a slash."""
    there = sa.select(projects.c.entity).where(~projects.c.name.startswith("/"))
    return list(connection.execute(there.distinct().order_by(projects.c.entity)).scalars())
