"""Keep the sessions of accounts: one for each signed-in browser, until it expires, is ended or replaced.

A session has two secrets of 256 bits, a cookie and one that only the dashboard's own pages can read; `sessions.py` says
why. The table holds hashes of them. Random secrets need no slow hash.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from tracker_server.storage.access_schema import account_sessions, accounts

from .sessions import LIFETIME

MAX_SESSIONS = 50
"""Sessions of an account; at the next sign-in beyond that, the one unused for longest ends."""

TOUCH_INTERVAL = 3600.0
"""Seconds after which the use of a session is written to the table again."""


@dataclass(frozen=True)
class AccountSession:
    """One signed-in browser. `cookie` and `page` are hashes, times are Unix seconds."""

    id: str
    cookie: str
    page: str
    account: int
    created: float
    seen: float
    address: str
    agent: str


_COLUMNS = [account_sessions.c[name] for name in AccountSession.__dataclass_fields__]


def load(connection: sa.Connection) -> dict[str, AccountSession]:
    """Return the sessions of active accounts by the hash of their cookie, as `find` needs them."""
    join = account_sessions.join(accounts, account_sessions.c.account == accounts.c.entity)
    query = sa.select(*_COLUMNS).select_from(join).where(accounts.c.state == "active", _alive())
    return {row.cookie: AccountSession(*row) for row in connection.execute(query)}


def find(sessions: Mapping[str, AccountSession], cookie: str) -> AccountSession | None:
    """Return the session of a cookie, None if there is none or it has expired."""
    found = sessions.get(_hash(cookie)) if cookie else None
    return found if found is not None and time.time() - found.seen <= LIFETIME else None


def holds(session: AccountSession, page: str) -> bool:
    """Return whether `page` is the second secret of the session."""
    return hmac.compare_digest(_hash(page), session.page)


def is_stale(session: AccountSession) -> bool:
    """Return whether `touch` should note the use of the session: it does so once an hour."""
    return time.time() - session.seen > TOUCH_INTERVAL


def begin(
    connection: sa.Connection, account: int, address: str, agent: str, replaces: str | None = None
) -> tuple[str, str]:
    """Start a session of an account; return its two secrets, the cookie first.

    Args:
        connection: From `AccessDatabase.changing`.
        account: The number of the account.
        address: Where the browser is.
        agent: What the browser calls itself.
        replaces: The cookie that the browser had so far. Its session ends, so that secrets that someone else knew
            before the sign-in are worth nothing after it.
    """
    if replaces:
        connection.execute(account_sessions.delete().where(account_sessions.c.cookie == _hash(replaces)))
    now = time.time()
    cookie, page = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    made = AccountSession(
        secrets.token_hex(8), _hash(cookie), _hash(page), account, now, now, address[:100], agent[:200]
    )
    connection.execute(account_sessions.insert().values(vars(made)))
    _tidy(connection, account)
    return cookie, page


def touch(connection: sa.Connection, id: str) -> None:
    """Note that a session is in use now, so that it lives on."""
    connection.execute(account_sessions.update().where(account_sessions.c.id == id).values(seen=time.time()))


def listed(connection: sa.Connection, account: int) -> list[AccountSession]:
    """Return the sessions of an account, the most recently used first."""
    mine = sa.select(*_COLUMNS).where(account_sessions.c.account == account, _alive())
    return [AccountSession(*row) for row in connection.execute(mine.order_by(account_sessions.c.seen.desc()))]


def end(connection: sa.Connection, account: int, id: str) -> bool:
    """End a session of an account; return whether the account had it."""
    ended = account_sessions.delete().where(account_sessions.c.account == account, account_sessions.c.id == id)
    return bool(connection.execute(ended).rowcount)


def end_all(connection: sa.Connection, account: int, but: str | None = None) -> int:
    """End the sessions of an account, except the one with the id `but`; return how many."""
    ended = account_sessions.delete().where(account_sessions.c.account == account)
    if but is not None:
        ended = ended.where(account_sessions.c.id != but)
    return connection.execute(ended).rowcount


def _tidy(connection: sa.Connection, account: int) -> None:
    """Delete expired sessions of all accounts, and those of this account beyond `MAX_SESSIONS`."""
    connection.execute(account_sessions.delete().where(~_alive()))
    newest = sa.select(account_sessions.c.id).where(account_sessions.c.account == account)
    kept = newest.order_by(account_sessions.c.seen.desc(), account_sessions.c.created.desc()).limit(MAX_SESSIONS)
    others = account_sessions.c.id.not_in(kept)
    connection.execute(account_sessions.delete().where(account_sessions.c.account == account, others))


def _alive() -> sa.ColumnElement[bool]:
    return account_sessions.c.seen >= time.time() - LIFETIME


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
