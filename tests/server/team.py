"""A team's server for tests: its accounts, with a key of the scope `all` for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.server.conftest import TOKEN, Client, running
from tracker_server.access import account_sessions, accounts, api_keys, teams
from tracker_server.access.audit_log import COMMAND_LINE
from tracker_server.access.database import AccessDatabase
from tracker_server.access.paging import Part
from tracker_server.access.session_cookie import name_for
from tracker_server.storage.sql import open_storage

PASSWORD = "seven green lamps"


class SignedIn(Client):
    """A person's browser."""

    def __init__(self, url: str, cookie: str, page: str) -> None:
        super().__init__(url, None)
        cookies = f"{name_for(TOKEN.encode())}={cookie}"
        self.session.headers.update({"Cookie": cookies, "X-Tracker-Page": page, "Origin": url})


class Team:
    """The running server. `team["eve"]` is a client with a key of eve's, `team.browser("eve")` her browser."""

    def __init__(
        self, url: str, keys: dict[str, str], sessions: dict[str, tuple[str, str]], database: AccessDatabase
    ) -> None:
        self.url, self.keys, self.database = url, keys, database
        self._sessions = sessions

    def __getitem__(self, name: str) -> Client:
        return Client(self.url, self.keys[name])

    def browser(self, name: str) -> Client:
        return SignedIn(self.url, *self._sessions[name])

    def nobody(self) -> Client:
        return Client(self.url, None)


@contextmanager
def team_server(directory: Path, prepare: Callable[[Any], None] | None = None, **settings: Any) -> Iterator[Team]:
    """Run a server with two teams, `lab` and `shop`.

    `ada` is the server admin. `bob` is admin, `eve` member and `vic` viewer of the lab; `mallory` is admin of the shop.
    Keys have their owner's name; `eve-read` and `eve-log` have smaller scopes, and `lab` is a service key.
    `prepare` gets the connection on which all this is made.
    """
    storage = open_storage(directory)
    database = AccessDatabase(storage.engine)
    keys, sessions = {}, {}
    with database.changing() as connection:
        for name in ("ada", "bob", "eve", "vic", "mallory"):
            account = accounts.add(connection, COMMAND_LINE, name, admin=name == "ada", password="none")
            sessions[name] = account_sessions.begin(connection, account.id, "127.0.0.1", "test")
            keys[name] = api_keys.add(connection, COMMAND_LINE, name, "test", "all").key
        for team in ("lab", "shop"):
            teams.add(connection, COMMAND_LINE, team)
            keys[team] = api_keys.add(connection, COMMAND_LINE, team, "test", "log").key
        for team, name, role in (("lab", "bob", "admin"), ("lab", "eve", "member"), ("lab", "vic", "viewer")):
            teams.set_member(connection, COMMAND_LINE, team, name, role)
        teams.set_member(connection, COMMAND_LINE, "shop", "mallory", "admin")
        for scope in ("read", "log"):
            keys[f"eve-{scope}"] = api_keys.add(connection, COMMAND_LINE, "eve", "test", scope).key
        if prepare is not None:
            prepare(connection)
        assert accounts.listed(connection, Part()).total == 5
    storage.close()
    opened: list[AccessDatabase] = []

    def keep(storage: Any) -> None:
        opened.append(AccessDatabase(storage.engine))

    with running(directory, keep, **settings) as client:
        yield Team(client.url, keys, sessions, opened[0])
