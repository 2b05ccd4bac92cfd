from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.server.team import Team, team_server


@pytest.fixture(scope="module")
def team(tmp_path_factory: Any) -> Iterator[Team]:
    directory: Path = tmp_path_factory.mktemp("team")
    with team_server(directory) as made:
        yield made


def test_each_change_is_written_down_with_who_and_from_where(team: Team) -> None:
    assert team["bob"]("PUT", "/api/teams/lab/members/ada", json={"role": "viewer"}).status_code == 200
    (entry,) = team["ada"].json("/api/audit?entity=Lab&limit=1")["entries"]
    assert entry.pop("id") > 0
    assert entry.pop("time") > 0
    actor = entry.pop("actor")
    assert actor.startswith("bob (key ")
    assert entry == {"action": "member added", "entity": "lab", "subject": "ada as viewer", "address": "127.0.0.1"}


def test_admins_see_what_concerns_their_entities(team: Team) -> None:
    everything = team["ada"].json("/api/audit?limit=1000")
    assert {entry["entity"] for entry in everything["entries"]} >= {"ada", "bob", "lab", "shop"}
    assert {entry["entity"] for entry in team["bob"].json("/api/audit")["entries"]} == {"bob", "lab"}
    assert {entry["entity"] for entry in team["eve"].json("/api/audit")["entries"]} == {"eve"}
    assert {entry["entity"] for entry in team["bob"].json("/api/audit?entity=lab")["entries"]} == {"lab"}


def test_others_learn_nothing(team: Team) -> None:
    for who in ("eve", "vic", "mallory", "lab"):
        texts = {(r.status_code, r.text) for e in ("lab", "nothing") for r in [team[who].get(f"/api/audit?entity={e}")]}
        assert len(texts) == 1
        assert texts.pop()[0] == 403
    assert team["lab"].get("/api/audit").status_code == 403
    assert team["eve-read"].get("/api/audit").status_code == 403


def test_the_log_is_paged_and_searched(team: Team) -> None:
    first = team["ada"].json("/api/audit?limit=3")
    second = team["ada"].json(f"/api/audit?limit=3&cursor={first['cursor']}")
    ids = [entry["id"] for entry in first["entries"] + second["entries"]]
    assert ids == sorted(set(ids), reverse=True)
    found = team["ada"].json("/api/audit?search=MALLORY&limit=1000")
    assert 0 < found["total"] < first["total"]


def test_it_has_no_secrets(team: Team) -> None:
    made = team.browser("eve")("POST", "/api/account/keys", json={"name": "x", "scope": "all"}).json()
    entries = str(team["ada"].json("/api/audit?limit=1000"))
    assert made["id"] in entries
    for key in [made["key"], *team.keys.values()]:
        assert key[13:] not in entries
