from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.server.conftest import TOKEN, Client
from tests.server.team import Team, team_server
from tests.waiting import eventually
from tracker_server.access import account_sessions, accounts
from tracker_server.access.audit_log import COMMAND_LINE
from tracker_server.access.session_cookie import name_for

ABOUT = {"user": "ada", "host": "gpu-box"}


@pytest.fixture(scope="module")
def team(tmp_path_factory: Any) -> Iterator[Team]:
    with team_server(tmp_path_factory.mktemp("team")) as made:
        yield made


class Browser:
    """A browser that is signed in to an account."""

    def __init__(self, team: Team, name: str) -> None:
        self.url = team.url
        with team.database.changing() as connection:
            account = accounts.get(connection, name)
            cookie, page = account_sessions.begin(connection, account.id, "127.0.0.1", "test")
        self.headers = {
            "Cookie": f"{name_for(TOKEN.encode())}={cookie}",
            "Origin": team.url,
            "X-Tracker-Page": page,
        }
        eventually(lambda: self("GET", "/api/whoami").status_code == 200)

    def __call__(self, method: str, path: str, **options: Any) -> requests.Response:
        headers = {**self.headers, **options.pop("headers", {})}
        return Client(self.url, None)(method, path, headers=headers, **options)


def begin(team: Team) -> Any:
    answer = team.nobody()("POST", "/api/login/device", json=ABOUT)
    assert answer.status_code == 200, answer.text
    return answer.json()


def ask(team: Team, started: Any) -> requests.Response:
    return team.nobody()("POST", "/api/login/device/token", json={"device_code": started["device_code"]})


def test_a_confirmed_program_gets_a_key_of_the_account_once(team: Team) -> None:
    started = begin(team)
    assert started["verification_url"] == f"{team.url}/login/device"
    browser = Browser(team, "eve")
    code = started["user_code"].lower().replace("-", " ")
    waiting = browser("GET", f"/api/login/device/{code}").json()
    assert waiting == {"code": started["user_code"], "name": "ada@gpu-box", "address": "127.0.0.1"}
    assert browser("POST", f"/api/login/device/{code}", json={"scope": "log"}).status_code == 204
    assert browser("POST", f"/api/login/device/{code}", json={"scope": "all"}).status_code == 404
    made = ask(team, started).json()
    assert made["name"] == "eve"
    key = Client(team.url, made["key"])
    who = key.json("/api/whoami")
    assert (who["name"], who["scope"], who["key"]["name"]) == ("eve", "log", "ada@gpu-box")
    assert ask(team, started).status_code == 410


def test_a_key_can_revoke_itself_and_no_other(team: Team) -> None:
    started = begin(team)
    Browser(team, "eve")("POST", f"/api/login/device/{started['user_code']}", json={"scope": "log"})
    text = ask(team, started).json()["key"]
    key = Client(team.url, text)
    assert key("DELETE", f"/api/login/{team.keys['eve'][4:12]}").status_code == 404
    assert key("DELETE", f"/api/login/{text[4:12]}").status_code == 204
    assert key.get("/api/whoami").status_code == 401
    assert team["eve"].get("/api/whoami").status_code == 200


def test_a_refused_program_gets_no_key(team: Team) -> None:
    started = begin(team)
    assert Browser(team, "eve")("DELETE", f"/api/login/device/{started['user_code']}").status_code == 204
    assert ask(team, started).status_code == 410


def test_only_a_person_in_a_browser_confirms(team: Team) -> None:
    started = begin(team)
    path = f"/api/login/device/{started['user_code']}"
    assert team.nobody()("POST", path, json={"scope": "all"}).status_code == 401
    assert team["eve"]("POST", path, json={"scope": "all"}).status_code == 403
    browser = Browser(team, "eve")
    for header in ("Origin", "X-Tracker-Page"):
        assert browser("POST", path, json={"scope": "all"}, headers={header: "http://evil.example"}).status_code in (
            401,
            403,
        )
    assert ask(team, started).status_code == 428


def test_wrong_codes_are_slowed_down(team: Team) -> None:
    browser = Browser(team, "vic")
    statuses = [browser("GET", "/api/login/device/BBBB-BBBB").status_code for _ in range(12)]
    assert statuses == [404] * 10 + [429] * 2


def test_a_program_that_asks_too_often_is_told(team: Team) -> None:
    started = begin(team)
    assert [ask(team, started).status_code for _ in range(2)] == [428, 429]


def test_the_account_that_is_disabled_meanwhile_gets_no_key(team: Team) -> None:
    started = begin(team)
    Browser(team, "mallory")("POST", f"/api/login/device/{started['user_code']}", json={"scope": "all"})
    with team.database.changing() as connection:
        accounts.disable(connection, COMMAND_LINE, "mallory")
    assert ask(team, started).status_code == 410


def test_a_server_without_accounts_has_no_such_way(client: Any) -> None:
    assert client("POST", "/api/login/device", json=ABOUT).status_code == 404
    assert Client(client.url, None)("POST", "/api/login/device", json=ABOUT).status_code == 401
