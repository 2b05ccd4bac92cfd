"""Hold in memory all that judging a request needs: accounts, roles, keys, sessions and links."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import sqlalchemy as sa

from tracker_server.storage import access_schema as tables
from tracker_server.storage.schema import projects

from . import account_sessions, api_keys, share_links
from .account_sessions import AccountSession
from .database import version_of
from .principal import Principal, Role, Shared
from .roles import Project


class Entity(NamedTuple):
    """An account or a team."""

    id: int
    name: str
    kind: str
    quota: int | None = None
    """Bytes of files that it may keep; None for no limit."""


class KnownKey(NamedTuple):
    """An API key: the hash of the whole key, and whose rights it gives (None with a `problem`)."""

    digest: str
    principal: Principal | None
    expires: float | None
    problem: str


class KnownLink(NamedTuple):
    """A share link that is not revoked."""

    id: str
    principal: Principal
    expires: float | None


@dataclass(frozen=True)
class Snapshot:
    """The state of all accounts at one version of the access tables."""

    version: int = 0
    is_team: bool = False
    """Whether there is an account, so that the owner's token gives no access."""
    entities: Mapping[str, Entity] = field(default_factory=dict)
    """Accounts and teams by their present and former names, in lower case (`str.casefold`) and as they are.

    Two names may differ in case alone, if runs lay under both before the server had accounts.
    """
    names: Mapping[int, str] = field(default_factory=dict)
    """The names of all accounts and teams, also of removed ones, by number."""
    principals: Mapping[int, Principal] = field(default_factory=dict)
    """The accounts that are not disabled, by number."""
    keys: Mapping[str, KnownKey] = field(default_factory=dict)
    sessions: Mapping[str, AccountSession] = field(default_factory=dict)
    links: Mapping[str, KnownLink] = field(default_factory=dict)
    internal: frozenset[tuple[str, str]] = frozenset()
    """Entity and name of the internal projects."""

    def find(self, name: str) -> Entity | None:
        """Return the account or team with this present or former name; None if there is none."""
        return self.entities.get(name) or self.entities.get(name.casefold())

    def entity(self, name: str) -> str:
        """Return the present name of an account or team; an unknown name unchanged."""
        known = self.find(name)
        return name if known is None else known.name

    def account(self, name: str) -> Principal | None:
        """Return the active account of this name, None if there is none."""
        known = self.find(name)
        return None if known is None else self.principals.get(known.id)

    def project(self, entity: str, name: str) -> Project:
        """Return a project as `may` needs it."""
        return Project(name, (entity, name) in self.internal)

    def members(self, entity: str) -> int:
        """Return how many accounts that are not disabled have a role in an entity."""
        return sum(entity in principal.roles for principal in self.principals.values())

    def key(self, text: str, now: float) -> Principal | str:
        """Return whose API key this is, or why it does not give access (empty: it is unknown)."""
        id = api_keys.id_of(text)
        known = None if id is None else self.keys.get(id)
        if known is None or not api_keys.matches(text, known.digest):
            return ""
        if known.principal is None:
            return known.problem
        if known.expires is not None and now >= known.expires:
            return "this API key has expired: make a new one on your account page, and run `tracker login --key`"
        return known.principal

    def link(self, token: str, now: float) -> Principal | None:
        """Return the rights that a share link gives, None if there is none."""
        known = self.links.get(share_links.digest(token))
        if known is None or (known.expires is not None and now >= known.expires):
            return None
        return known.principal


def load(connection: sa.Connection) -> Snapshot:
    """Read all of it, as of one state of the database."""
    version = version_of(connection)
    accounts = {row.entity: row for row in connection.execute(sa.select(tables.accounts))}
    if not accounts:
        internal = connection.execute(_INTERNAL).all() if version else []
        renamed = _renamed(connection) if version else {}
        return Snapshot(version, entities=renamed, internal=frozenset((entity, name) for entity, name in internal))
    rows = connection.execute(sa.select(tables.entities)).all()
    entities = {row.id: Entity(row.id, row.name, row.kind, row.quota) for row in rows}
    active = _principals(connection, entities, accounts)
    return Snapshot(
        version=version,
        is_team=True,
        entities=_by_name(connection, entities),
        names={row.id: row.name for row in rows},
        principals=active,
        keys=_keys(connection, entities, active),
        sessions=account_sessions.load(connection),
        links=_links(connection),
        internal=frozenset((entity, name) for entity, name in connection.execute(_INTERNAL)),
    )


_INTERNAL = sa.select(projects.c.entity, projects.c.name).where(projects.c.visibility == "internal")


def _by_name(connection: sa.Connection, entities: dict[int, Entity]) -> dict[str, Entity]:
    there = {number: entity for number, entity in entities.items() if entity.kind in ("account", "team")}
    found = {}
    for alias in connection.execute(sa.select(tables.entity_aliases)):
        if alias.entity in there:
            found[alias.name.casefold()] = there[alias.entity]
    for entity in there.values():
        found[entity.name.casefold()] = entity
    found.update({entity.name: entity for entity in there.values()})
    return found


def _renamed(connection: sa.Connection) -> dict[str, Entity]:
    """Return former names, which lead to the present ones also after the accounts were removed."""
    entity, alias = tables.entities.c, tables.entity_aliases.c
    query = sa.select(alias.name.label("former"), entity.id, entity.name, entity.kind, entity.quota)
    joined = tables.entity_aliases.join(tables.entities, entity.id == alias.entity)
    found = connection.execute(query.select_from(joined).where(entity.kind != "removed"))
    return {row.former: Entity(row.id, row.name, row.kind, row.quota) for row in found}


def _principals(
    connection: sa.Connection, entities: dict[int, Entity], accounts: dict[int, Any]
) -> dict[int, Principal]:
    roles: dict[int, dict[str, Role]] = {number: {entities[number].name: "admin"} for number in accounts}
    for row in connection.execute(sa.select(tables.members)):
        if row.account in roles and row.team in entities:
            roles[row.account][entities[row.team].name] = row.role
    return {
        number: Principal(
            "account",
            name=entities[number].name,
            id=number,
            roles=roles[number],
            is_admin=bool(account.admin),
            is_account=True,
        )
        for number, account in accounts.items()
        if account.state != "disabled"  # one that is invited has no session, but may have a key
    }


def _keys(connection: sa.Connection, entities: dict[int, Entity], active: dict[int, Principal]) -> dict[str, KnownKey]:
    found = {}
    for row in connection.execute(sa.select(tables.api_keys)):
        owner = entities.get(row.owner)
        principal, problem = None, ""
        if row.revoked is not None:
            problem = "this API key was revoked: ask for a new one, and run `tracker login --key`"
        elif owner is None or owner.kind not in ("account", "team"):
            problem = "the account of this API key was removed"
        elif owner.kind == "team":
            principal = Principal(
                "key", name=owner.name, id=owner.id, roles={owner.name: "member"}, scope=row.scope, credential=row.id
            )
        elif owner.id in active:
            person = active[owner.id]
            principal = Principal(
                "key",
                name=person.name,
                id=person.id,
                roles=person.roles,
                is_admin=person.is_admin,
                is_account=True,
                scope=row.scope,
                credential=row.id,
            )
        else:
            problem = f"the account {owner.name} is disabled: ask a server admin"
        found[row.id] = KnownKey(row.digest, principal, row.expires, problem)
    return found


def _links(connection: sa.Connection) -> dict[str, KnownLink]:
    links = tables.share_links
    query = sa.select(links, projects.c.entity, projects.c.name).join(projects, projects.c.id == links.c.project)
    found = {}
    for row in connection.execute(query.where(links.c.revoked.is_(None))):
        shared = Shared(row.entity, row.name, row.kind, row.target)
        found[row.digest] = KnownLink(row.id, Principal("link", credential=row.id, shared=shared), row.expires)
    return found
