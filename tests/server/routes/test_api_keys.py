from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.conftest import Client
from tests.server.team import Team, team_server

KEYS = "/api/account/keys"


@pytest.fixture
def team(tmp_path: Path) -> Iterator[Team]:
    with team_server(tmp_path) as made:
        yield made


def test_a_key_is_shown_once_works_and_is_revoked(team: Team) -> None:
    eve = team.browser("eve")
    made = eve("POST", KEYS, json={"name": "laptop", "scope": "read", "expires_days": 30})
    assert made.status_code == 201
    id, key = made.json()["id"], made.json()["key"]
    laptop = Client(team.url, key)
    assert laptop.json("/api/whoami")["scope"] == "read"
    listed = eve.json(KEYS)
    assert listed["total"] == 4
    assert (listed["keys"][0]["id"], listed["keys"][0]["creator"]) == (id, "eve")
    assert key not in str(listed)
    assert eve.json(KEYS + "?search=LAPTOP")["total"] == 1
    assert eve("DELETE", f"{KEYS}/{id}").status_code == 204
    assert laptop.get("/api/whoami").status_code == 401
    assert eve.json(KEYS)["keys"][0]["revoked"] is not None


def test_keys_of_others_are_not_there(team: Team) -> None:
    id = team["eve"].json(KEYS)["keys"][0]["id"]
    for who in ("mallory", "bob", "ada"):
        for some in (id, "abcdefgh"):
            response = team[who]("DELETE", f"{KEYS}/{some}")
            assert response.status_code == 404
            assert response.json() == {"error": f"there is no key '{some}'"}


@pytest.mark.parametrize("who", ["eve-read", "eve-log", "lab"])
def test_keys_of_a_smaller_scope_manage_no_keys(team: Team, who: str) -> None:
    for method, path, body in (
        ("GET", KEYS, None),
        ("POST", KEYS, {"name": "x", "scope": "all"}),
        ("DELETE", f"{KEYS}/abcdefgh", None),
    ):
        assert team[who](method, path, json=body).status_code == 403


def test_a_key_makes_no_key_that_would_outlive_it(team: Team) -> None:
    for who, path in (("eve", KEYS), ("bob", "/api/teams/lab/keys"), ("ada", "/api/teams/lab/keys")):
        response = team[who]("POST", path, json={"name": "x", "scope": "all"})
        assert response.status_code == 403
        assert "outlive" in response.text
    id = team["eve"].json(KEYS)["keys"][0]["id"]
    assert team["eve"]("DELETE", f"{KEYS}/{id}").status_code == 204


def test_odd_requests(team: Team) -> None:
    eve = team.browser("eve")
    for body in (
        {"name": "x", "scope": "write"},
        {"name": "x", "scope": "all", "expires_days": 0},
        {"name": "x", "scope": "all", "expires_days": 1e300},
        {"name": "x" * 150, "scope": "all"},
        {"scope": "all"},
    ):
        assert eve("POST", KEYS, json=body).status_code == 400
    assert eve.get(KEYS + "?cursor=x").status_code == 400
    assert eve.get(KEYS + "?limit=0").status_code == 400
