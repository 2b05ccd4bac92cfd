from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tracker_server.access import account_sessions
from tracker_server.access.account_sessions import MAX_SESSIONS
from tracker_server.access.database import AccessDatabase
from tracker_server.access.sessions import LIFETIME
from tracker_server.storage.access_schema import account_sessions as table
from tracker_server.storage.access_schema import accounts
from tracker_server.storage.database import connect

ADA, BOB = 1, 2


@pytest.fixture
def database(tmp_path: Path) -> Iterator[AccessDatabase]:
    engine = connect(f"sqlite:///{tmp_path / 'tracker.sqlite'}")
    made = AccessDatabase(engine)
    with made.changing() as connection:
        for account in (ADA, BOB):
            connection.execute(accounts.insert().values(entity=account, state="active", admin=0))
    yield made
    engine.dispose()


def _begin(database: AccessDatabase, account: int = ADA, replaces: str | None = None) -> tuple[str, str]:
    with database.changing() as connection:
        return account_sessions.begin(connection, account, "10.0.0.1", "browser", replaces)


def _find(database: AccessDatabase, cookie: str) -> account_sessions.AccountSession | None:
    with database.reading() as connection:
        return account_sessions.find(account_sessions.load(connection), cookie)


def test_a_session_is_found_by_its_cookie_and_needs_its_page_secret(database: AccessDatabase) -> None:
    cookie, page = _begin(database)
    found = _find(database, cookie)
    assert found is not None
    assert (found.account, found.address, found.agent) == (ADA, "10.0.0.1", "browser")
    assert account_sessions.holds(found, page)
    assert not account_sessions.holds(found, cookie)
    assert _find(database, page) is None
    assert _find(database, "") is None
    assert cookie not in repr(found)
    assert page not in repr(found)


def test_a_session_expires_after_30_days_without_use(database: AccessDatabase) -> None:
    cookie, _ = _begin(database)
    for age, there in ((LIFETIME - 3600, True), (LIFETIME + 1, False)):
        with database.changing() as connection:
            connection.execute(table.update().values(seen=time.time() - age))
        assert (_find(database, cookie) is not None) == there
    kept, _ = _begin(database, BOB)
    with database.reading() as connection:
        assert len(connection.execute(table.select()).all()) == 1  # the expired one is deleted
    assert _find(database, kept) is not None


def test_use_prolongs_a_session(database: AccessDatabase) -> None:
    cookie, _ = _begin(database)
    with database.changing() as connection:
        connection.execute(table.update().values(seen=time.time() - LIFETIME + 60))
    found = _find(database, cookie)
    assert found is not None
    assert account_sessions.is_stale(found)
    with database.changing() as connection:
        account_sessions.touch(connection, found.id)
    found = _find(database, cookie)
    assert found is not None
    assert not account_sessions.is_stale(found)


def test_a_new_sign_in_ends_the_former_session_of_the_browser(database: AccessDatabase) -> None:
    former, _ = _begin(database)
    elsewhere, _ = _begin(database)
    new, _ = _begin(database, BOB, replaces=former)
    assert _find(database, former) is None
    assert _find(database, elsewhere) is not None
    assert _find(database, new) is not None


def test_an_account_has_a_limited_number_of_sessions(database: AccessDatabase) -> None:
    other, _ = _begin(database, BOB)
    first, _ = _begin(database)
    with database.changing() as connection:
        connection.execute(table.update().values(seen=table.c.seen - 60))
        for _ in range(MAX_SESSIONS):
            last, _ = account_sessions.begin(connection, ADA, "", "")
    assert _find(database, first) is None
    assert _find(database, last) is not None
    assert _find(database, other) is not None
    with database.reading() as connection:
        assert len(account_sessions.listed(connection, ADA)) == MAX_SESSIONS


def test_a_disabled_account_has_no_session(database: AccessDatabase) -> None:
    cookie, _ = _begin(database)
    with database.changing() as connection:
        connection.execute(accounts.update().where(accounts.c.entity == ADA).values(state="disabled"))
    assert _find(database, cookie) is None


def test_an_account_ends_only_its_own_sessions(database: AccessDatabase) -> None:
    mine, _ = _begin(database)
    elsewhere, _ = _begin(database)
    theirs, _ = _begin(database, BOB)
    ids = [found.id for cookie in (mine, elsewhere, theirs) if (found := _find(database, cookie))]
    with database.changing() as connection:
        assert not account_sessions.end(connection, ADA, ids[2])
        assert account_sessions.end(connection, BOB, ids[2])
        assert account_sessions.end_all(connection, ADA, but=ids[0]) == 1
    assert [_find(database, cookie) is not None for cookie in (mine, elsewhere, theirs)] == [True, False, False]
