from __future__ import annotations

import re
import time

import pytest
import sqlalchemy as sa

from tracker_server.access import accounts, api_keys, audit_log, teams
from tracker_server.access.audit_log import COMMAND_LINE, Actor
from tracker_server.access.errors import Missing, Refused
from tracker_server.access.paging import Part
from tracker_server.storage import access_schema as tables
from tracker_server.storage.schema import metadata


@pytest.fixture
def ada(connection: sa.Connection) -> Actor:
    made = accounts.add(connection, COMMAND_LINE, "ada", admin=True, password="hash")
    teams.add(connection, COMMAND_LINE, "lab")
    return Actor("ada", "192.0.2.7", made.id)


def test_a_key_is_shown_once_and_stored_as_a_hash(connection: sa.Connection, ada: Actor) -> None:
    made = api_keys.add(connection, ada, "ada", "laptop", "all")
    assert re.fullmatch(r"trk_[a-z0-9]{8}_[A-Za-z0-9]{40}", made.key)
    assert api_keys.id_of(made.key) == made.id
    (stored,) = connection.execute(sa.select(tables.api_keys.c.digest)).scalars()
    assert api_keys.matches(made.key, stored)
    assert not api_keys.matches(made.key[:-1] + "-", stored)
    secret = made.key.rpartition("_")[2]
    for table in metadata.sorted_tables:
        for row in connection.execute(sa.select(table)):
            assert secret not in str(row)


@pytest.mark.parametrize(
    "text", ["", "trk_", "trk_abcdefgh_" + "x" * 39, "trk_ABCDEFGH_" + "x" * 40, "\ud800", "é" * 53]
)
def test_what_cannot_be_a_key(text: str) -> None:
    assert api_keys.id_of(text) is None
    assert not api_keys.matches(text, api_keys.digest("trk_other"))


def test_keys_are_listed_with_owner_and_creator(connection: sa.Connection, ada: Actor) -> None:
    api_keys.add(connection, ada, "ada", "laptop\x1b[31m", "read", expires_days=30)
    api_keys.add(connection, COMMAND_LINE, "lab", "", "log")
    service, own = api_keys.listed(connection, Part()).rows
    assert (own.owner, own.creator, own.name, own.scope, own.used, own.revoked) == (
        ("ada", "ada", "laptop[31m", "read", None, None)
    )
    assert own.expires == pytest.approx(time.time() + 30 * 86400, abs=60)
    assert (service.owner, service.creator, service.name, service.expires) == ("lab", None, "unnamed", None)
    assert api_keys.listed(connection, Part(), owner="LAB").rows == [service]
    assert api_keys.listed(connection, Part(search="LAPTOP")).rows == [own]


def test_a_revoked_key_stays_in_the_list(connection: sa.Connection, ada: Actor) -> None:
    id = api_keys.add(connection, ada, "ada", "laptop", "all").id
    with pytest.raises(Missing):
        api_keys.revoke(connection, ada, id, owner="lab")  # a key of somebody else
    first = api_keys.revoke(connection, ada, id, owner="ada")
    assert first.revoked == pytest.approx(time.time(), abs=60)
    assert api_keys.revoke(connection, ada, id) == first
    assert api_keys.listed(connection, Part()).rows == [first]
    actions = [entry.action for entry in audit_log.listed(connection, Part(search=id)).rows]
    assert actions == ["key revoked", "key added"]
    with pytest.raises(Missing):
        api_keys.revoke(connection, ada, "12345678")


def test_last_use_is_stored(connection: sa.Connection, ada: Actor) -> None:
    id = api_keys.add(connection, ada, "ada", "laptop", "all").id
    api_keys.note_use(connection, {id: 1_700_000_000.0, "gone": 1.0})
    assert api_keys.listed(connection, Part()).rows[0].used == 1_700_000_000.0


def test_what_is_refused(connection: sa.Connection, ada: Actor) -> None:
    with pytest.raises(Refused, match="scope"):
        api_keys.add(connection, ada, "ada", "laptop", "write")
    with pytest.raises(Missing):
        api_keys.add(connection, ada, "nowhere", "laptop", "all")
    for days in (0, -1, 1e9, float("nan"), float("inf")):
        with pytest.raises(Refused, match="days"):
            api_keys.add(connection, ada, "ada", "laptop", "all", expires_days=days)
    with pytest.raises(Refused, match="100 characters"):
        api_keys.add(connection, ada, "ada", "x" * 101, "all")


def test_the_keys_of_a_removed_account_are_gone(connection: sa.Connection, ada: Actor) -> None:
    accounts.add(connection, ada, "bob")
    id = api_keys.add(connection, ada, "bob", "laptop", "all").id
    accounts.remove(connection, ada, "bob")
    with pytest.raises(Missing):
        api_keys.revoke(connection, ada, id)
