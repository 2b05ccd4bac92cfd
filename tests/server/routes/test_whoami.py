from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.server.team import Team, team_server


@pytest.fixture(scope="module")
def team(tmp_path_factory: Any) -> Iterator[Team]:
    with team_server(tmp_path_factory.mktemp("team")) as made:
        yield made


def test_the_owner_of_a_personal_server(client: Any) -> None:
    assert client.json("/api/whoami") == {
        "kind": "owner",
        "name": "",
        "mode": "personal",
        "is_admin": False,
        "roles": {},
        "scope": "all",
        "shared": None,
        "key": None,
    }


def test_a_key_of_an_account(team: Team) -> None:
    me = team["bob"].json("/api/whoami")
    assert me["kind"] == "key"
    assert (me["name"], me["mode"], me["is_admin"], me["scope"]) == ("bob", "team", False, "all")
    assert me["roles"] == {"bob": "admin", "lab": "admin"}
    assert team["ada"].json("/api/whoami")["is_admin"]
    assert team["eve-log"].json("/api/whoami")["scope"] == "log"
    assert team.keys["eve-log"][4:12] == team["eve-log"].json("/api/whoami")["key"]["id"]
    assert me["key"]["expires"] is None


def test_a_service_key_of_a_team(team: Team) -> None:
    me = team["lab"].json("/api/whoami")
    assert (me["kind"], me["name"], me["roles"]) == ("key", "lab", {"lab": "member"})


def test_nobody(team: Team) -> None:
    assert team.nobody().get("/api/whoami").status_code == 401
