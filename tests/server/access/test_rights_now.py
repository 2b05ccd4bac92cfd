from __future__ import annotations

import pytest
import sqlalchemy as sa

from tracker_server.access import accounts, api_keys, rights_now, teams
from tracker_server.access.audit_log import COMMAND_LINE
from tracker_server.access.errors import Forbidden
from tracker_server.access.principal import OWNER, Principal
from tracker_server.access.snapshot import load


@pytest.fixture
def bob(connection: sa.Connection) -> Principal:
    """A server admin who is admin of the team `lab`, as the snapshot knows him."""
    for name in ("ada", "bob"):
        accounts.add(connection, COMMAND_LINE, name, admin=True, password="hash")
    teams.add(connection, COMMAND_LINE, "lab")
    for name in ("ada", "bob"):
        teams.set_member(connection, COMMAND_LINE, "lab", name, "admin")
    return load(connection).principals[accounts.get(connection, "bob").id]


def test_rights_that_are_still_there(connection: sa.Connection, bob: Principal) -> None:
    rights_now.require(connection, bob, "manage_server")
    rights_now.require(connection, bob, "share", "lab")
    rights_now.require(connection, bob, "manage_members", "bob")


def test_rights_that_somebody_has_just_taken_away(connection: sa.Connection, bob: Principal) -> None:
    teams.set_member(connection, COMMAND_LINE, "lab", "bob", "viewer")
    with pytest.raises(Forbidden, match="any more"):
        rights_now.require(connection, bob, "share", "lab")
    rights_now.require(connection, bob, "read", "lab")
    accounts.set_admin(connection, COMMAND_LINE, "bob", False)
    with pytest.raises(Forbidden):
        rights_now.require(connection, bob, "manage_server")
    teams.remove_member(connection, COMMAND_LINE, "lab", "bob")
    with pytest.raises(Forbidden):
        rights_now.require(connection, bob, "read", "lab")


@pytest.mark.parametrize("change", [accounts.disable, accounts.remove])
def test_an_account_that_has_just_gone(connection: sa.Connection, bob: Principal, change: object) -> None:
    change(connection, COMMAND_LINE, "bob")  # type: ignore[operator]
    with pytest.raises(Forbidden):
        rights_now.require(connection, bob, "read", "lab")


def test_a_key_that_was_just_revoked(connection: sa.Connection, bob: Principal) -> None:
    key = api_keys.add(connection, COMMAND_LINE, "bob", "laptop", "all")
    principal = load(connection).key(key.key, 0.0)
    assert isinstance(principal, Principal)
    rights_now.require(connection, principal, "share", "lab")
    api_keys.revoke(connection, COMMAND_LINE, key.id)
    with pytest.raises(Forbidden):
        rights_now.require(connection, principal, "share", "lab")


def test_the_owner_of_a_server_that_has_just_got_accounts(connection: sa.Connection) -> None:
    rights_now.require(connection, OWNER, "manage_server")
    accounts.add(connection, COMMAND_LINE, "ada", admin=True)
    with pytest.raises(Forbidden):
        rights_now.require(connection, OWNER, "manage_server")
