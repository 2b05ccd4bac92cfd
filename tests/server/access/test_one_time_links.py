from __future__ import annotations

import threading
import time

import pytest
import sqlalchemy as sa

from tracker_server.access import accounts, one_time_links
from tracker_server.access.audit_log import COMMAND_LINE
from tracker_server.access.database import AccessDatabase
from tracker_server.access.errors import Missing
from tracker_server.storage import access_schema as tables
from tracker_server.storage.schema import metadata


@pytest.fixture
def secret(connection: sa.Connection) -> str:
    accounts.add(connection, COMMAND_LINE, "ada", admin=True)
    return one_time_links.make(connection, COMMAND_LINE, "ada")


def test_a_link_sets_the_password_once(connection: sa.Connection, secret: str) -> None:
    assert one_time_links.account_of(connection, secret).name == "ada"
    assert one_time_links.account_of(connection, secret).name == "ada"  # looking does not use it
    one_time_links.use(connection, secret, "hash", "192.0.2.7")
    ada = accounts.get(connection, "ada")
    assert (ada.state, accounts.password_of(connection, ada.id)) == ("active", "hash")
    for again in (one_time_links.account_of, lambda c, s: one_time_links.use(c, s, "other", None)):
        with pytest.raises(Missing, match="used already"):
            again(connection, secret)


def test_a_link_expires_after_a_day(connection: sa.Connection, secret: str) -> None:
    links = tables.one_time_links
    (expires,) = connection.execute(sa.select(links.c.expires)).scalars()
    assert expires == pytest.approx(time.time() + 86400, abs=60)
    connection.execute(links.update().values(expires=time.time() - 1))
    with pytest.raises(Missing, match="expired"):
        one_time_links.use(connection, secret, "hash", None)


def test_a_new_link_ends_the_former_one(connection: sa.Connection, secret: str) -> None:
    new = one_time_links.make(connection, COMMAND_LINE, "ada")
    with pytest.raises(Missing):
        one_time_links.account_of(connection, secret)
    assert one_time_links.account_of(connection, new).name == "ada"


def test_a_link_of_a_disabled_account_opens_nothing(connection: sa.Connection) -> None:
    accounts.add(connection, COMMAND_LINE, "ada", admin=True, password="hash")
    accounts.add(connection, COMMAND_LINE, "bob")
    secret = one_time_links.make(connection, COMMAND_LINE, "bob")
    accounts.disable(connection, COMMAND_LINE, "bob")
    with pytest.raises(Missing):
        one_time_links.use(connection, secret, "hash", None)


def test_using_a_link_ends_all_sessions(connection: sa.Connection, secret: str) -> None:
    ada = accounts.get(connection, "ada")
    values = {"id": "1", "cookie": "c", "page": "p", "account": ada.id, "created": 0, "seen": 0}
    connection.execute(tables.account_sessions.insert().values(**values, address="", agent=""))
    one_time_links.use(connection, secret, "hash", None)
    assert connection.execute(sa.select(tables.account_sessions)).all() == []


def test_of_two_who_use_a_link_at_the_same_moment_one_sets_the_password(database: AccessDatabase) -> None:
    with database.changing() as connection:
        accounts.add(connection, COMMAND_LINE, "ada", admin=True)
        secret = one_time_links.make(connection, COMMAND_LINE, "ada")
    start = threading.Barrier(2)
    results: list[str] = []

    def use(password: str) -> None:
        start.wait()
        try:
            with database.changing() as connection:
                one_time_links.use(connection, secret, password, None)
            results.append(password)
        except Missing:
            results.append("refused")

    threads = [threading.Thread(target=use, args=(password,)) for password in ("one", "other")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (won,) = set(results) - {"refused"}
    with database.reading() as connection:
        assert accounts.password_of(connection, accounts.get(connection, "ada").id) == won


def test_the_secret_is_stored_nowhere(connection: sa.Connection, secret: str) -> None:
    for table in metadata.sorted_tables:
        for row in connection.execute(sa.select(table)):
            assert secret not in str(row)
