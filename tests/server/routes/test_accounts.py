from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.server.routes.test_sign_in import Browser, page_of
from tests.server.team import Team, team_server
from tests.waiting import eventually
from tracker_server.access import accounts, passwords
from tracker_server.access.audit_log import COMMAND_LINE
from tracker_server.storage import access_schema as tables
from tracker_server.storage.schema import projects

OLD, NEW = "seven green lamps", "eight yellow lamps"


def prepare(connection: sa.Connection) -> None:
    accounts.set_password(connection, COMMAND_LINE, "eve", passwords.hashed(OLD, "eve"))
    for entity, name in (("eve", "digits"), ("lab", "digits")):
        connection.execute(projects.insert().values(entity=entity, name=name, created=0, deletions=0))


@pytest.fixture
def team(tmp_path: Path) -> Iterator[Team]:
    with team_server(tmp_path, prepare) as made:
        yield made


def names(page: Any) -> list[str]:
    return [one["name"] for one in page["accounts"]]


def test_server_admins_see_all_accounts(team: Team) -> None:
    page = team["ada"].json("/api/accounts?limit=2")
    assert (names(page), page["total"]) == (["ada", "bob"], 5)
    assert names(team["ada"].json(f"/api/accounts?limit=2&cursor={page['cursor']}")) == ["eve", "mallory"]
    (eve,) = team["ada"].json("/api/accounts?search=EVE")["accounts"]
    assert (eve["state"], eve["admin"], eve["has_password"], eve["email"]) == ("active", False, True, None)


def test_others_see_only_those_of_their_teams(team: Team) -> None:
    page = team["vic"].json("/api/accounts")
    assert (names(page), page["total"]) == (["bob", "eve", "vic"], 3)
    assert {one["email"] for one in page["accounts"]} == {one["admin"] for one in page["accounts"]} == {None}
    assert names(team["mallory"].json("/api/accounts")) == ["mallory"]
    assert team["mallory"].json("/api/accounts?search=eve")["total"] == 0
    assert names(team["eve-log"].json("/api/accounts")) == []  # that key reads nothing
    assert team.nobody().get("/api/accounts").status_code == 401


@pytest.mark.parametrize("who", ["bob", "eve-read", "lab"])
def test_only_server_admins_change_accounts(team: Team, who: str) -> None:
    texts = set()
    for name in ("eve", "nobody1"):
        for method, path, body in (
            ("POST", "/api/accounts", {"name": name}),
            ("PATCH", f"/api/accounts/{name}", {"admin": True}),
            ("DELETE", f"/api/accounts/{name}", None),
            ("POST", f"/api/accounts/{name}/reset", None),
        ):
            response = team[who](method, path, json=body)
            assert response.status_code == 403
            texts.add(response.text)
    assert texts == {'{"error":"only server admins may do this"}'}


def test_an_invited_person_sets_the_password_and_signs_in(team: Team) -> None:
    made = team["ada"]("POST", "/api/accounts", json={"name": "Grace", "email": "grace@example.org"})
    assert made.status_code == 201
    assert made.json()["account"]["state"] == "invited"
    link = made.json()["link"]
    assert link.startswith(team.url + "/welcome/")
    browser = Browser(team.url)
    path = link.removeprefix(team.url)
    assert browser.get(path).status_code == 200
    page = page_of(browser.post(path, password=NEW, again=NEW, repeated=NEW))
    me = browser.api("GET", "/api/whoami", page).json()
    assert (me["kind"], me["name"], me["roles"]) == ("account", "Grace", {"Grace": "admin"})
    (grace,) = team["ada"].json("/api/accounts?search=grace")["accounts"]
    assert grace["state"] == "active"
    assert grace["seen"] is not None


def test_changing_an_account(team: Team) -> None:
    ada = team["ada"]
    path = "/api/accounts/eve"
    assert ada("PATCH", path, json={"state": "disabled"}).json()["state"] == "disabled"
    assert team["eve"].get("/api/whoami").status_code in (401, 403)
    assert ada("PATCH", path, json={"state": "active", "quota": 10}).json()["quota"] == 10
    assert team["eve"].json("/api/whoami")["name"] == "eve"
    renamed = ada("PATCH", path, json={"name": "Evelyn", "email": "e@example.org", "quota": None}).json()
    assert (renamed["name"], renamed["email"], renamed["quota"]) == ("Evelyn", "e@example.org", None)
    assert team["eve"].json("/api/whoami")["name"] == "Evelyn"  # the key goes on
    assert ada("PATCH", path, json={"name": "lab"}).status_code == 409
    assert ada("PATCH", "/api/accounts/nobody1", json={}).status_code == 404
    assert ada("PATCH", path, json={"role": "boss"}).status_code == 400


def test_the_last_server_admin_stays(team: Team) -> None:
    ada = team["ada"]
    for response in (
        ada("PATCH", "/api/accounts/ada", json={"admin": False}),
        ada("PATCH", "/api/accounts/ada", json={"state": "disabled"}),
        ada("DELETE", "/api/accounts/ada"),
    ):
        assert response.status_code == 409
        assert "last active server admin" in response.text
    assert ada("PATCH", "/api/accounts/bob", json={"admin": True}).json()["admin"]
    assert ada("PATCH", "/api/accounts/ada", json={"admin": False}).status_code == 200
    assert ada("PATCH", "/api/accounts/ada", json={"admin": True}).status_code == 403  # no admin any more


def test_removing_an_account(team: Team) -> None:
    ada = team["ada"]
    assert ada("DELETE", "/api/accounts/eve").status_code == 400  # it has projects
    response = ada("DELETE", "/api/accounts/eve?runs_to=lab")
    assert response.json() == {"moved": {"eve/digits": "lab/digits-eve"}}
    assert team["eve"].get("/api/whoami").status_code == 401
    assert team["vic"].get("/api/projects/lab/digits-eve").status_code == 200
    assert ada("POST", "/api/accounts", json={"name": "eve"}).status_code == 409


def test_changing_the_own_password(team: Team) -> None:
    browser, other = Browser(team.url), Browser(team.url)
    page, page_of_other = (page_of(one.sign_in("eve", OLD)) for one in (browser, other))

    def change(old: str, new: str, browser: Browser = browser, page: str = page) -> Any:
        headers = {"X-Tracker-Page": page, "Accept": "application/json"}
        url = team.url + "/api/account/password"
        return browser.session.put(url, json={"old": old, "new": new}, headers=headers, timeout=60)

    assert change("wrong", NEW).status_code == 403
    assert change(OLD, "short").status_code == 400
    assert change(OLD, NEW).status_code == 204
    assert browser.api("GET", "/api/whoami", page).status_code == 200
    assert other.api("GET", "/api/whoami", page_of_other).status_code == 401  # the other browser is signed out
    assert Browser(team.url).sign_in("eve", OLD).status_code != 303
    assert Browser(team.url).sign_in("eve", NEW).status_code == 303
    refused = [change("wrong", NEW).status_code for _ in range(20)]
    assert refused[0] == 403
    assert refused[-1] == 429


def test_a_key_changes_no_password(team: Team) -> None:
    assert team["eve"]("PUT", "/api/account/password", json={"old": OLD, "new": NEW}).status_code == 403


def test_a_personal_server_gets_its_first_account_by_the_command(client: Any) -> None:
    response = client("POST", "/api/accounts", json={"name": "ada", "admin": True})
    assert response.status_code == 409
    assert "tracker server account add ada --admin" in response.text
    assert client.json("/api/accounts") == {"accounts": [], "cursor": None, "total": 0}


def test_old_entries_of_the_audit_log_go_when_the_server_starts(tmp_path: Path) -> None:
    def old(connection: sa.Connection) -> None:
        connection.execute(tables.audit_log.update().where(tables.audit_log.c.id == 1).values(time=1.0))

    with team_server(tmp_path, old) as team:

        def oldest() -> float:
            return float(min(entry["time"] for entry in team["ada"].json("/api/audit?limit=1000")["entries"]))

        eventually(lambda: oldest() > 1.0)
