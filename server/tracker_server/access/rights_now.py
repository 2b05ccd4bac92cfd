"""Judge a principal again within the transaction of a change.

The snapshot is up to date when a request begins. Until its change has the write lock, somebody else may have taken the
right away: of two admins who remove each other at the same moment, one comes too late.
"""

from __future__ import annotations

from dataclasses import replace

import sqlalchemy as sa

from tracker_server.storage.access_schema import accounts, api_keys, entities, members

from .errors import Forbidden
from .principal import NOBODY, Principal
from .roles import Action, Project, may

TOO_LATE = "you may not do this any more: somebody has just changed your rights"


def require(
    connection: sa.Connection,
    principal: Principal,
    action: Action,
    entity: str | None = None,
    project: Project | None = None,
) -> None:
    """Raise `Forbidden` if the principal may not do this, by what the connection sees. See `roles.may`."""
    if not may(_now(connection, principal), action, entity, project):
        raise Forbidden(TOO_LATE)


def _now(connection: sa.Connection, principal: Principal) -> Principal:
    """Return the principal with its present rights."""
    if principal.kind == "owner":
        there = connection.execute(sa.select(accounts.c.entity).limit(1)).first() is not None
        return NOBODY if there else principal
    if principal.kind == "key":
        key = sa.select(api_keys.c.revoked).where(api_keys.c.id == principal.credential)
        found = connection.execute(key).one_or_none()
        if found is None or found.revoked is not None:
            return NOBODY
    if not principal.is_account:
        return principal
    account = connection.execute(
        sa.select(accounts.c.admin, accounts.c.state, entities.c.name)
        .join(entities, entities.c.id == accounts.c.entity)
        .where(accounts.c.entity == principal.id)
    ).one_or_none()
    if account is None or account.state != "active":
        return NOBODY
    roles = (
        sa.select(entities.c.name, members.c.role)
        .join(entities, entities.c.id == members.c.team)
        .where(members.c.account == principal.id)
    )
    found_roles = {row.name: row.role for row in connection.execute(roles)}
    return replace(principal, is_admin=bool(account.admin), roles={account.name: "admin", **found_roles})
