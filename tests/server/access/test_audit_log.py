from __future__ import annotations

import time

import sqlalchemy as sa

from tracker_server.access import audit_log
from tracker_server.access.audit_log import Actor, actor_of
from tracker_server.access.paging import Part
from tracker_server.access.principal import Principal
from tracker_server.storage import access_schema as tables

ADA = Actor("ada", "192.0.2.7", 1)


def test_entries_are_read_in_pages_from_the_newest(connection: sa.Connection) -> None:
    for n in range(250):
        audit_log.write(connection, ADA, "key added", "lab" if n % 2 else "ada", f"key {n}")
    read, cursor = [], None
    while True:
        page = audit_log.listed(connection, Part(cursor=cursor, limit=100), entities=["lab"])
        assert page.total == 125
        read += page.rows
        cursor = page.cursor
        if cursor is None:
            break
        audit_log.write(connection, ADA, "key added", "lab", "while reading")
        connection.execute(tables.audit_log.delete().where(tables.audit_log.c.subject == "while reading"))
    assert [entry.subject for entry in read] == [f"key {n}" for n in range(249, 0, -2)]
    assert {(entry.actor, entry.address, entry.action) for entry in read} == {("ada", "192.0.2.7", "key added")}


def test_entries_are_searched_in_all_their_texts(connection: sa.Connection) -> None:
    audit_log.write(connection, ADA, "key added", "ada", "key one")
    audit_log.write(connection, Actor("bob", "198.51.100.9"), "sign-in failed", None, "100% wrong")

    def found(search: str) -> list[str]:
        return [entry.subject for entry in audit_log.listed(connection, Part(search=search)).rows]

    assert found("BOB") == found("sign-in") == found("100%") == found("198.51") == ["100% wrong"]
    assert found("%%") == found("0_") == []


def test_entries_are_kept_for_a_year(connection: sa.Connection) -> None:
    audit_log.write(connection, ADA, "key added", "ada", "old")
    audit_log.write(connection, ADA, "key added", "ada", "new")
    old = tables.audit_log.c.subject == "old"
    connection.execute(tables.audit_log.update().where(old).values(time=time.time() - 366 * 86400))
    audit_log.delete_old(connection)
    assert [entry.subject for entry in audit_log.listed(connection, Part()).rows] == ["new"]


def test_the_actor_of_each_kind_of_principal() -> None:
    account = Principal("account", "ada", 1, is_account=True, credential="session")
    assert actor_of(account, "192.0.2.7") == ("ada", "192.0.2.7", 1)
    assert (
        actor_of(Principal("key", "ada", 1, is_account=True, credential="abcdefgh"), None).name == "ada (key abcdefgh)"
    )
    assert actor_of(Principal("key", "lab", 2, credential="abcdefgh"), None).id is None
    assert actor_of(Principal("link", credential="l1"), None).name == "link l1"
