"""Make, list and revoke API keys. A key is shown once; only its hash is stored.

A key is `trk_`, an id of 8 characters, `_` and a secret of 40 characters. The secret is random, so SHA-256 is enough.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import string
import time
from collections.abc import Mapping
from typing import Any, NamedTuple, get_args

import sqlalchemy as sa

from tracker_server.storage.access_schema import api_keys, entities

from . import entities as all_entities
from .audit_log import Actor, write
from .errors import Missing, Refused
from .paging import Page, Part, read_page
from .principal import Scope

SCOPES: tuple[Scope, ...] = get_args(Scope)

MAX_KEYS = 1000
"""Valid keys of one account or team."""

MAX_DAYS = 36500

_KEY = re.compile(r"trk_([a-z0-9]{8})_[A-Za-z0-9]{40}", re.ASCII)
_SMALL = string.ascii_lowercase + string.digits
_LETTERS = string.ascii_letters + string.digits


class NewKey(NamedTuple):
    """A key that was just made; nobody can show `key` again."""

    id: str
    key: str


class ApiKey(NamedTuple):
    """A key without its secret; times in Unix seconds."""

    id: str
    owner: str
    """The account, or the team of a service key."""
    creator: str | None
    """The account that made it; None for a command on the server's machine."""
    name: str
    scope: Scope
    created: float
    expires: float | None
    used: float | None
    revoked: float | None


def add(
    connection: sa.Connection, actor: Actor, owner: str, name: str, scope: str, expires_days: float | None = None
) -> NewKey:
    """Make a key of an account, or a service key of a team.

    Args:
        connection: One that changes.
        actor: Who makes it.
        owner: The name of the account or team.
        name: What it is for, to tell it from others.
        scope: `read`, `log` or `all`.
        expires_days: Days after which it is not valid any more; None for never.

    Raises: `Missing` for an unknown owner, `Refused` for anything else that is not allowed.
    """
    found = all_entities.get(connection, owner)
    if scope not in SCOPES:
        raise Refused(f"the scope {scope[:40]!r} is unknown: it is read, log or all")
    now = time.time()
    k = api_keys.c
    valid = (k.owner == found.id) & k.revoked.is_(None) & (k.expires.is_(None) | (k.expires > now))
    if connection.execute(sa.select(sa.func.count()).where(valid)).scalar_one() >= MAX_KEYS:
        raise Refused(f"{found.name!r} has {MAX_KEYS:,} keys: revoke some first")
    id = _random(_SMALL, 8)
    while connection.execute(sa.select(k.id).where(k.id == id)).first() is not None:
        id = _random(_SMALL, 8)
    key = f"trk_{id}_{_random(_LETTERS, 40)}"
    values = {
        "id": id,
        "digest": digest(key),
        "owner": found.id,
        "creator": actor.id,
        "name": label(name) or "unnamed",
        "scope": scope,
        "created": now,
        "expires": expiry(now, expires_days),
    }
    connection.execute(api_keys.insert().values(values))
    write(connection, actor, "key added", found.name, f"key {id} ({values['name']}) with the scope {scope}")
    return NewKey(id, key)


def listed(connection: sa.Connection, part: Part, owner: str | None = None) -> Page[ApiKey]:
    """Return a part of the keys, the newest first; only those of one account or team, if given. Raises `Missing`."""
    query = _keys()
    if owner is not None:
        query = query.where(api_keys.c.owner == all_entities.get(connection, owner).id)
    if part.search:
        k = api_keys.c
        texts = (k.id, k.name, k.scope, entities.c.name)
        query = query.where(sa.or_(*(text.icontains(part.search, autoescape=True) for text in texts)))
    return read_page(connection, query, (api_keys.c.created, api_keys.c.id), part, _key, descending=True)


def by_id(connection: sa.Connection, id: str) -> ApiKey | None:
    """Return the key with this id."""
    row = connection.execute(_keys().where(api_keys.c.id == id)).one_or_none()
    return None if row is None else _key(row)


def revoke(connection: sa.Connection, actor: Actor, id: str, owner: str | None = None) -> ApiKey:
    """Revoke a key, which ends at once. Raises `Missing` if there is none with this id, or `owner` has none."""
    query = _keys().where(api_keys.c.id == id)
    if owner is not None:
        query = query.where(api_keys.c.owner == all_entities.get(connection, owner).id)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise Missing(f"there is no key {id[:80]!r}")
    found = _key(row)
    if found.revoked is None:
        found = found._replace(revoked=time.time())
        connection.execute(api_keys.update().where(api_keys.c.id == id).values(revoked=found.revoked))
        write(connection, actor, "key revoked", found.owner, f"key {id} ({found.name})")
    return found


def note_use(connection: sa.Connection, used: Mapping[str, float]) -> None:
    """Store when keys were used last, by id. It changes no right: a connection outside of `changing` is enough."""
    for id, when in used.items():
        connection.execute(api_keys.update().where(api_keys.c.id == id).values(used=when))


def id_of(key: str) -> str | None:
    """Return the id in a key; None if the text cannot be a key."""
    found = _KEY.fullmatch(key)
    return found[1] if found else None


def digest(key: str) -> str:
    """Return what is stored of a key."""
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()


def matches(key: str, stored: str) -> bool:
    """Return whether a key has this digest, in a time that does not depend on where they differ."""
    return hmac.compare_digest(digest(key), stored)


def label(text: str) -> str:
    """Return a name of a key or link without what cannot be shown. Raises `Refused` if it is too long."""
    plain = "".join(c for c in text if c.isprintable()).strip()
    if len(plain) > 100:
        raise Refused("the name must have at most 100 characters")
    return plain


def expiry(now: float, days: float | None) -> float | None:
    """Return when a key or link of so many days expires. Raises `Refused`."""
    if days is not None and not 0 < days <= MAX_DAYS:
        raise Refused(f"the days until it expires must be more than 0 and at most {MAX_DAYS:,}")
    return None if days is None else now + days * 86400


def _random(alphabet: str, count: int) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(count))


def _keys() -> sa.Select[Any]:
    makers = entities.alias("makers")
    k = api_keys.c
    joined = api_keys.join(entities, entities.c.id == k.owner).outerjoin(makers, makers.c.id == k.creator)
    columns = (k.id, k.name, k.scope, k.created, k.expires, k.used, k.revoked)
    return sa.select(*columns, entities.c.name.label("owner"), makers.c.name.label("creator")).select_from(joined)


def _key(row: Any) -> ApiKey:
    return ApiKey(row.id, row.owner, row.creator, row.name, row.scope, row.created, row.expires, row.used, row.revoked)
