"""Connect what a provider says of a person with an account, and its groups with teams.

An identity is a provider and the number that it has for a person (`sub`). It belongs to an account in three cases only:
the account's owner connects it while signed in, a server admin has invited the verified email address, or the provider
is set to create accounts. Equal names or addresses alone connect nothing.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import sqlalchemy as sa

from tracker_server.storage.access_schema import accounts as table
from tracker_server.storage.access_schema import identities, members

from . import accounts, entities, one_time_links, teams
from .accounts import Account
from .audit_log import Actor, write
from .errors import Conflict, Missing, Refused
from .oidc import Person, Rejected
from .principal import Role
from .providers import Provider, TeamRole


class Identity(NamedTuple):
    """A way to sign in to an account."""

    provider: str
    subject: str


def account_of(connection: sa.Connection, person: Person) -> Account | None:
    """Return the account that the identity belongs to, None if there is none."""
    i = identities.c
    query = sa.select(i.account).where((i.provider == person.provider) & (i.subject == person.subject))
    id = connection.execute(query).scalar_one_or_none()
    return None if id is None else accounts.by_id(connection, id)


def sign_in(connection: sa.Connection, provider: Provider, person: Person, address: str) -> Account:
    """Return the active account of a person, which may be a new one, with the teams of their groups.

    Raises `Rejected` if there is no account for them, or it is disabled.
    """
    account = account_of(connection, person) or _invited(connection, person, address)
    if account is None and provider.create_accounts:
        account = _created(connection, person, address)
    if account is None:
        raise Rejected(
            f"there is no account for {person.email} here. If you have one, sign in to it and connect "
            f"{provider.label} on your account page. If not, ask a server admin for an invitation"
        )
    if account.state == "disabled":
        raise Rejected(f"the account {account.name} is disabled: ask a server admin")
    accounts.activate(connection, account.id)
    set_teams(connection, Actor(f"provider {provider.name}", address), account, provider, person.groups)
    found = accounts.by_id(connection, account.id)
    assert found is not None
    return found


def connect(connection: sa.Connection, actor: Actor, account: Account, person: Person) -> None:
    """Let an account sign in with an identity. Raises `Conflict` if the identity belongs to another account."""
    owner = account_of(connection, person)
    if owner is not None and owner.id == account.id:
        return
    if owner is not None:
        raise Conflict("this identity belongs to another account already")
    _insert(connection, actor, account, person)


def listed(connection: sa.Connection, account: int) -> list[Identity]:
    """Return the ways to sign in to an account other than its password."""
    i = identities.c
    rows = connection.execute(sa.select(i.provider, i.subject).where(i.account == account).order_by(i.provider))
    return [Identity(*row) for row in rows]


def disconnect(connection: sa.Connection, actor: Actor, account: Account, provider: str) -> None:
    """Take the identities of a provider from an account, with the memberships that its groups gave.

    Raises `Missing` if there are none, `Conflict` if there would be no way to sign in any more.
    """
    present = listed(connection, account.id)
    if all(one.provider != provider for one in present):
        raise Missing(f"the account is not connected with {provider[:60]!r}")
    if not account.has_password and all(one.provider == provider for one in present):
        raise Conflict("this is the only way to sign in to the account: set a password first")
    i = identities.c
    connection.execute(identities.delete().where((i.account == account.id) & (i.provider == provider)))
    m = members.c
    connection.execute(members.delete().where((m.account == account.id) & (m.source == provider)))
    write(connection, actor, "provider disconnected", account.name, provider)


def set_teams(
    connection: sa.Connection, actor: Actor, account: Account, provider: Provider, groups: tuple[str, ...]
) -> None:
    """Give an account the roles of its groups, and take those that earlier groups of this provider gave.

    Roles that a person gave stay as they are. Teams that do not exist are left out.
    """
    if not provider.groups:
        return
    wanted = _wanted(connection, provider, groups)
    m = members.c
    query = sa.select(m.team, m.role, m.source).where(m.account == account.id)
    present = {row.team: row for row in connection.execute(query)}
    for team, role in wanted.items():
        now = present.get(team)
        if now is None or (now.source == provider.name and now.role != role):
            name = _name(connection, team)
            teams.set_member(connection, actor, name, account.name, role, source=provider.name)
    for team, row in present.items():
        if row.source == provider.name and team not in wanted:
            teams.remove_member(connection, actor, _name(connection, team), account.name, source=provider.name)


def _wanted(connection: sa.Connection, provider: Provider, groups: tuple[str, ...]) -> dict[int, Role]:
    """Return the highest role of the groups in each team."""
    found: dict[int, Role] = {}
    for given in _roles(provider, groups):
        team = entities.find(connection, given.team)
        if team is None or team.kind != "team":
            continue
        before = found.get(team.id)
        if before is None or teams.ROLES.index(given.role) > teams.ROLES.index(before):
            found[team.id] = given.role
    return found


def _roles(provider: Provider, groups: tuple[str, ...]) -> list[TeamRole]:
    return [role for group in dict.fromkeys(groups) for role in provider.groups.get(group, ())]


def _name(connection: sa.Connection, team: int) -> str:
    found = entities.by_id(connection, team)
    assert found is not None
    return found.name


def _invited(connection: sa.Connection, person: Person, address: str) -> Account | None:
    """Return the account that an admin invited under this address, connected with the identity."""
    invited = sa.select(table.c.entity).where(table.c.state == "invited", sa.func.lower(table.c.email) == person.email)
    found = connection.execute(invited).scalars().all()
    account = accounts.by_id(connection, found[0]) if len(found) == 1 else None
    if account is not None:
        _insert(connection, Actor(account.name, address, account.id), account, person)
        one_time_links.discard(connection, account.id)  # it was for the first sign-in
    return account


def _created(connection: sa.Connection, person: Person, address: str) -> Account:
    """Add an account under the first free name like the person's. Raises `Rejected` if an account has their address."""
    same = sa.select(table.c.entity).where(sa.func.lower(table.c.email) == person.email).limit(1)
    if connection.execute(same).first() is not None:
        raise Rejected(
            f"an account has the address {person.email} already: sign in to it, and connect this provider on your "
            "account page"
        )
    actor = Actor(f"provider {person.provider}", address)
    for name in _names(person):
        try:
            account = accounts.add(connection, actor, name, email=person.email)
        except (Conflict, Refused):
            continue
        _insert(connection, actor, account, person)
        return account
    raise Rejected("no name is free for a new account: ask a server admin")


def _names(person: Person) -> list[str]:
    texts = [person.username.partition("@")[0], person.email.partition("@")[0]]
    plain = [re.sub(r"[^\w.-]+", "-", text).strip("-._")[:60] for text in texts]
    plain = list(dict.fromkeys(name for name in plain if name)) or ["account"]
    return [*plain, *(f"{plain[0]}-{number}" for number in range(2, 100))]


def _insert(connection: sa.Connection, actor: Actor, account: Account, person: Person) -> None:
    values = {"provider": person.provider, "subject": person.subject, "account": account.id}
    connection.execute(identities.insert().values(values))
    write(connection, actor, "provider connected", account.name, f"{person.provider}, {person.email}")
