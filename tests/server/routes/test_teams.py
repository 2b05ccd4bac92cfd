from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.server.conftest import Client
from tests.server.team import Team, team_server


@pytest.fixture
def team(tmp_path: Any) -> Iterator[Team]:
    with team_server(tmp_path) as made:
        yield made


def names(response: Any) -> list[str]:
    return [one["name"] for one in response["teams"]]


def test_everybody_sees_their_own_teams(team: Team) -> None:
    assert names(team["ada"].json("/api/teams")) == ["lab", "shop"]
    assert names(team["eve"].json("/api/teams")) == ["lab"]
    assert team["eve"].json("/api/teams")["teams"][0]["role"] == "member"
    assert names(team["eve-log"].json("/api/teams")) == []  # that key reads nothing
    assert team["ada"].json("/api/teams?search=HOP")["total"] == 1


def test_members_may_see_the_members(team: Team) -> None:
    for who in ("ada", "bob", "eve", "vic", "eve-read"):
        page = team[who].json("/api/teams/Lab/members")
        assert [(one["account"], one["role"]) for one in page["members"]] == [
            ("bob", "admin"),
            ("eve", "member"),
            ("vic", "viewer"),
        ]
    page = team["eve"].json("/api/teams/lab/members?limit=2")
    assert page["total"] == 3
    rest = team["eve"].json(f"/api/teams/lab/members?limit=2&cursor={page['cursor']}")
    assert [one["account"] for one in rest["members"]] == ["vic"]
    assert rest["cursor"] is None


@pytest.mark.parametrize(("method", "path"), [("GET", "/members"), ("PATCH", ""), ("DELETE", ""), ("GET", "/keys")])
def test_another_team_is_like_one_that_is_not_there(team: Team, method: str, path: str) -> None:
    body: dict[str, Any] = {"json": {}} if method == "PATCH" else {}
    texts = []
    for name in ("lab", "nothing"):
        response = team["mallory"](method, f"/api/teams/{name}{path}", **body)
        assert response.status_code == 404
        texts.append(response.text.replace(name, "…"))
    assert texts[0] == texts[1]


def test_admins_change_members(team: Team) -> None:
    bob = team["bob"]
    made = bob("PUT", "/api/teams/lab/members/mallory", json={"role": "viewer", "was": "none"})
    assert made.status_code == 200
    assert (made.json()["account"], made.json()["role"]) == ("mallory", "viewer")
    assert names(team["mallory"].json("/api/teams")) == ["lab", "shop"]
    again = bob("PUT", "/api/teams/lab/members/mallory", json={"role": "admin", "was": "none"})
    assert again.status_code == 409
    assert bob("DELETE", "/api/teams/lab/members/mallory?was=viewer").status_code == 204
    assert names(team["mallory"].json("/api/teams")) == ["shop"]
    assert bob("PUT", "/api/teams/lab/members/nobody1", json={"role": "viewer"}).status_code == 404
    assert bob("PUT", "/api/teams/lab/members/eve", json={"role": "boss"}).status_code == 400
    assert bob("DELETE", "/api/teams/lab/members/bob").status_code == 409  # the last admin


@pytest.mark.parametrize("who", ["eve", "vic", "lab", "eve-read"])
def test_others_do_not(team: Team, who: str) -> None:
    expected = 404 if who == "lab" else 403  # the service key of scope log does not read
    for method, path, body in (
        ("PUT", "/members/vic", {"role": "admin"}),
        ("DELETE", "/members/vic", None),
        ("PATCH", "", {"name": "ours"}),
        ("PATCH", "", {"quota": 1}),
        ("DELETE", "", None),
        ("GET", "/keys", None),
        ("POST", "/keys", {"name": "x", "scope": "all"}),
        ("DELETE", "/keys/abcdefgh", None),
    ):
        response = team[who](method, "/api/teams/lab" + path, json=body)
        assert response.status_code == expected, (method, path)
    assert team[who]("POST", "/api/teams", json={"name": "own"}).status_code == 403


def test_a_renamed_team_is_found_by_both_names(team: Team) -> None:
    bob = team["bob"]
    assert bob("PATCH", "/api/teams/lab", json={"name": "vision"}).json()["name"] == "vision"
    assert bob.json("/api/teams/lab/members") == bob.json("/api/teams/vision/members")
    assert bob.json("/api/whoami")["roles"]["vision"] == "admin"
    assert bob("PATCH", "/api/teams/vision", json={"quota": 10}).status_code == 403  # only server admins
    assert team["ada"]("PATCH", "/api/teams/vision", json={"quota": 10}).json()["quota"] == 10
    assert team["ada"]("PATCH", "/api/teams/vision", json={"quota": None}).json()["quota"] is None


def test_teams_are_added_and_removed(team: Team) -> None:
    ada = team["ada"]
    assert ada("POST", "/api/teams", json={"name": "new"}).status_code == 201
    assert ada("POST", "/api/teams", json={"name": "NEW"}).status_code == 409
    assert ada("POST", "/api/teams", json={"name": "a/b"}).status_code == 400
    assert ada("DELETE", "/api/teams/new").status_code == 204
    assert names(ada.json("/api/teams")) == ["lab", "shop"]


def test_service_keys(team: Team) -> None:
    bob = team.browser("bob")
    made = bob("POST", "/api/teams/lab/keys", json={"name": "cluster", "scope": "read", "expires_days": 1})
    assert made.status_code == 201
    key = made.json()
    machine = Client(team.url, key["key"])
    assert machine.json("/api/whoami")["roles"] == {"lab": "member"}
    listed = bob.json("/api/teams/lab/keys")
    assert listed["total"] == 2
    assert listed["keys"][0]["id"] == key["id"]
    assert key["key"] not in str(listed)
    assert team["mallory"]("DELETE", f"/api/teams/shop/keys/{key['id']}").status_code == 404
    assert bob("DELETE", f"/api/teams/lab/keys/{key['id']}").status_code == 204
    assert machine.get("/api/whoami").status_code == 401


def test_a_personal_server_has_no_teams(client: Any) -> None:
    assert client.json("/api/teams") == {"teams": [], "cursor": None, "total": 0}
    assert client("POST", "/api/teams", json={"name": "lab"}).status_code == 409
    assert client.get("/api/teams/lab/members").status_code == 404
