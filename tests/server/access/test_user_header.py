"""A proxy that signs people in, and names them in a header."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.server.team import Team, team_server

HEADER = "X-Remote-User"


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    with team_server(tmp_path_factory.mktemp("proxied"), user_header=HEADER, user_proxies=("127.0.0.1",)) as made:
        yield made


def test_the_proxy_signs_an_account_in(team: Team) -> None:
    for name in ("eve", "EVE"):
        who = team.nobody().json("/api/whoami", headers={HEADER: name})
        assert (who["kind"], who["name"]) == ("account", "eve")
    page = {"Accept": "text/html", HEADER: "eve"}
    assert team.nobody().get("/", headers=page).status_code == 200
    assert team.nobody().get("/", headers={"Accept": "text/html"}).status_code == 303


def test_changes_need_the_own_origin(team: Team) -> None:
    client = team.nobody()
    body = {"name": "laptop", "scope": "read"}
    for origin in (None, "https://evil.example"):
        headers = {HEADER: "eve", **({} if origin is None else {"Origin": origin})}
        assert client("POST", "/api/account/keys", json=body, headers=headers).status_code == 403
    answer = client("POST", "/api/account/keys", json=body, headers={HEADER: "eve", "Origin": client.url})
    assert answer.status_code in (200, 201)
    embedded = {HEADER: "eve", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}
    assert client.get("/api/projects", headers=embedded).status_code == 403


def test_unknown_names_get_a_clear_page(team: Team) -> None:
    for name in ("stranger", "", "lab", "eve, bob"):
        answer = team.nobody().get("/api/whoami", headers={HEADER: name})
        assert answer.status_code == 403
        assert "ask a server admin for an account" in answer.json()["error"]
    page = team.nobody().get("/", headers={HEADER: "stranger", "Accept": "text/html"})
    assert page.status_code == 403
    assert "<h1>No account</h1>" in page.text


def test_a_proxy_that_adds_to_the_header_of_its_client_is_not_believed(team: Team) -> None:
    connection = http.client.HTTPConnection(team.url.removeprefix("http://"))
    try:
        connection.putrequest("GET", "/api/whoami")
        for name in ("ada", "eve"):
            connection.putheader(HEADER, name)
        connection.endheaders()
        assert connection.getresponse().status == 403
    finally:
        connection.close()


def test_a_key_counts_more_than_the_proxy(team: Team) -> None:
    assert team["bob"].json("/api/whoami", headers={HEADER: "eve"})["name"] == "bob"


def test_nobody_else_is_believed(tmp_path: Path) -> None:
    for settings in ({}, {"user_header": HEADER}, {"user_header": HEADER, "user_proxies": ("10.0.0.1",)}):
        with team_server(tmp_path / str(len(settings)), **settings) as made:  # type: ignore[arg-type]
            assert made.nobody().get("/api/whoami", headers={HEADER: "ada"}).status_code == 401
            # The address that a proxy forwards is no proxy.
            forwarded = {HEADER: "ada", "X-Forwarded-For": "10.0.0.1"}
            assert made.nobody().get("/api/whoami", headers=forwarded).status_code == 401


def test_a_personal_server_has_no_use_for_it(tmp_path: Path, run_server: Any) -> None:
    with run_server(tmp_path, user_header=HEADER, user_proxies=("127.0.0.1",)) as client:
        assert type(client)(client.url, None).get("/api/whoami", headers={HEADER: "ada"}).status_code == 401
        assert client.json("/api/whoami", headers={HEADER: "ada"})["kind"] == "owner"
