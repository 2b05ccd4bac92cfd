"""Make and use one-time links, with which an account sets its password: at first, and when it is forgotten."""

from __future__ import annotations

import hashlib
import secrets
import time

import sqlalchemy as sa

from tracker_server.storage.access_schema import account_sessions, accounts, one_time_links

from . import entities
from .audit_log import Actor, write
from .entities import Entity
from .errors import Missing

LIFETIME = 86400.0
"""Seconds after which a link expires."""

NO_LINK = "this link was used already, or has expired: ask for a new one"


def make(connection: sa.Connection, actor: Actor, name: str) -> str:
    """Return the secret of a new link for an account; its former links end. Raises `Missing`."""
    account = entities.get(connection, name, "account")
    discard(connection, account.id)
    c = one_time_links.c
    now = time.time()
    connection.execute(one_time_links.delete().where(c.created < now - 30 * LIFETIME))
    secret = secrets.token_urlsafe(32)
    values = {"digest": _digest(secret), "account": account.id, "created": now, "expires": now + LIFETIME}
    connection.execute(one_time_links.insert().values(values))
    write(connection, actor, "one-time link made", account.name, account.name)
    return secret


def account_of(connection: sa.Connection, secret: str) -> Entity:
    """Return the account that the link is for, and leave the link as it is. Raises `Missing` if it is not valid."""
    c = one_time_links.c
    valid = (c.digest == _digest(secret)) & c.used.is_(None) & (c.expires > time.time())
    enabled = sa.select(c.account).join(accounts, accounts.c.entity == c.account).where(accounts.c.state != "disabled")
    id = connection.execute(enabled.where(valid)).scalar_one_or_none()
    found = None if id is None else entities.by_id(connection, id)
    if found is None:
        raise Missing(NO_LINK)
    return found


def use(connection: sa.Connection, secret: str, password: str, address: str | None) -> Entity:
    """Set the account's password to one with the hash `password`; return the account, which is active from now on.

    The link ends, and so do the account's sessions. Raises `Missing` if the link is not valid (any more).
    """
    account = spend(connection, secret)
    changed = accounts.update().where(accounts.c.entity == account.id)
    connection.execute(changed.values(password=password, state="active"))
    connection.execute(account_sessions.delete().where(account_sessions.c.account == account.id))
    actor = Actor(account.name, address, account.id)
    write(connection, actor, "password set", account.name, "with a one-time link")
    return account


def spend(connection: sa.Connection, secret: str) -> Entity:
    """End a link; return the account that it is for. Raises `Missing` if the link is not valid (any more)."""
    account = account_of(connection, secret)
    used = one_time_links.update().where(one_time_links.c.digest == _digest(secret)).values(used=time.time())
    connection.execute(used)
    return account


def discard(connection: sa.Connection, account: int) -> None:
    """End the links of an account that are not used yet."""
    c = one_time_links.c
    connection.execute(one_time_links.delete().where((c.account == account) & c.used.is_(None)))


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
