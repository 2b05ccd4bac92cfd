"""Links, running agents and keys go on when an account or a team is renamed, and when an account is removed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.server.conftest import Client
from tests.server.team import Team, team_server
from tests.waiting import eventually
from tracker.names import RunKey
from tracker.wire import run_path
from tracker_server.access import accounts, entities, take_over, teams
from tracker_server.access.audit_log import COMMAND_LINE
from tracker_server.access.database import AccessDatabase
from tracker_server.storage.interface import NamesChanged
from tracker_server.storage.sql import open_storage

Lines = Callable[..., bytes]


@pytest.fixture
def team(tmp_path: Path) -> Iterator[Team]:
    with team_server(tmp_path) as made:
        yield made


def append(client: Any, entity: str, run: str, data: bytes, offset: int = 0, project: str = "digits") -> Any:
    path = f"{run_path(entity, project, run)}/streams/history.jsonl?offset={offset}"
    return client("POST", path, data=data)


def losses(client: Any, entity: str, project: str, run: str) -> int:
    response = client.get(f"{run_path(entity, project, run)}/history")
    return int(response.json()["count"]) if response.status_code == 200 else -response.status_code


def listed(client: Any) -> set[str]:
    return {f"{one['entity']}/{one['project']}" for one in client.json("/api/projects")["projects"]}


def test_a_team_is_renamed_while_an_agent_uploads(team: Team, lines: Lines) -> None:
    eve, bob = team["eve"], team["bob"]
    data = lines("run1", 6, entity="lab")
    half = data.index(b"\n", len(data) // 2) + 1
    assert append(eve, "lab", "run1", data[:half]).status_code == 200
    before = losses(eve, "lab", "digits", "run1")
    assert before > 0
    assert bob("PATCH", "/api/teams/lab", json={"name": "vision"}).status_code == 200
    assert append(eve, "lab", "run1", data[half:], half).status_code == 200
    assert append(team["lab"], "lab", "run2", lines("run2", entity="lab")).status_code == 200  # the service key as well
    for name in ("lab", "LAB", "vision"):
        assert losses(eve, name, "digits", "run1") == 6
        assert losses(eve, name, "digits", "run2") == 3
    assert listed(bob) == {"vision/digits"}
    assert losses(team["mallory"], "lab", "digits", "run1") == losses(team["mallory"], "lab", "none", "run1") == -404


def test_a_command_renames_a_team_beside_the_server(team: Team, lines: Lines) -> None:
    eve = team["eve"]
    assert append(eve, "lab", "run1", lines("run1", entity="lab")).status_code == 200
    with team.database.changing() as connection:
        teams.rename(connection, COMMAND_LINE, "lab", "vision")
    eventually(lambda: listed(eve) == {"vision/digits"})
    assert append(eve, "lab", "run2", lines("run2", entity="lab")).status_code == 200
    assert losses(eve, "vision", "digits", "run2") == 3
    with team.database.reading() as connection:
        assert entities.get(connection, "lab").name == "vision"


def test_nothing_new_lies_under_a_name_that_was_left_a_moment_ago(tmp_path: Path, lines: Lines) -> None:
    """The server may not know yet what a command has renamed or removed; then it would make a project of nobody."""
    storage = open_storage(tmp_path)
    database = AccessDatabase(storage.engine)
    with database.changing() as connection:
        accounts.add(connection, COMMAND_LINE, "ada", admin=True, password="none")
        accounts.add(connection, COMMAND_LINE, "eve", password="none")
        teams.add(connection, COMMAND_LINE, "lab")
    data = lines("run1", 6, entity="lab")
    half = data.index(b"\n", len(data) // 2) + 1
    run = RunKey("lab", "digits", "run1")
    storage.append(run, "history.jsonl", 0, data[:half])
    with database.changing() as connection:
        teams.rename(connection, COMMAND_LINE, "lab", "vision")
        accounts.remove(connection, COMMAND_LINE, "eve", "lab")
    storage.append(run, "history.jsonl", half, data[half:])  # this run is known
    for entity in ("lab", "eve"):
        with pytest.raises(NamesChanged):
            storage.append(RunKey(entity, "digits", "run2"), "history.jsonl", 0, lines("run2", entity=entity))
    assert {(one["entity"], one["runs"]) for one in storage.projects()} == {("vision", 1)}
    storage.append(RunKey("vision", "digits", "run2"), "history.jsonl", 0, lines("run2", entity="lab"))
    storage.close()


def test_former_names_go_on_on_a_personal_server(tmp_path: Path, lines: Lines) -> None:
    with team_server(tmp_path) as team:
        assert append(team["eve"], "lab", "run1", lines("run1", entity="lab")).status_code == 200
        with team.database.changing() as connection:
            teams.rename(connection, COMMAND_LINE, "lab", "vision")
            take_over.remove_all(connection, COMMAND_LINE)
        owner = Client(team.url)
        eventually(lambda: owner.get("/api/projects").status_code == 200)
        assert append(owner, "lab", "run2", lines("run2", entity="lab")).status_code == 200
        assert listed(owner) == {"vision/digits"}


def test_the_projects_of_a_removed_account_go_on_elsewhere(team: Team, lines: Lines) -> None:
    eve, vic = team["eve"], team["vic"]
    for entity, run in (("eve", "run1"), ("lab", "run2")):
        assert append(eve, entity, run, lines(run, entity=entity)).status_code == 200
    assert append(eve, "eve", "run3", lines("run3", entity="eve"), project="words").status_code == 200
    moved = team["ada"]("DELETE", "/api/accounts/eve?runs_to=lab").json()["moved"]
    assert moved == {"eve/digits": "lab/digits-eve", "eve/words": "lab/words"}
    assert losses(vic, "lab", "digits-eve", "run1") == 3
    assert losses(vic, "eve", "digits", "run1") == 3  # by the former address
    assert losses(vic, "lab", "digits", "run2") == 3
    assert losses(vic, "lab", "words", "run3") == losses(vic, "eve", "words", "run3") == 3
    assert listed(vic) == {"lab/digits", "lab/digits-eve", "lab/words"}
    table = vic.json(run_path("lab", "words", "run3"))
    assert table["user"] == "eve"  # who made it is still known


def test_a_command_removes_an_account_beside_the_server(team: Team, lines: Lines) -> None:
    eve, vic = team["eve"], team["vic"]
    assert append(eve, "eve", "run1", lines("run1", entity="eve")).status_code == 200
    with team.database.changing() as connection:
        accounts.remove(connection, COMMAND_LINE, "eve", "lab")
    eventually(lambda: listed(vic) == {"lab/digits"})
    assert losses(vic, "lab", "digits", "run1") == 3
    eventually(lambda: losses(vic, "eve", "digits", "run1") == 3)
