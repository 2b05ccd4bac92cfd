from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from tracker.runlog.records import encode


@pytest.fixture
def project(tmp_path: Path, run_server: Any, lines: Any) -> Any:
    with run_server(tmp_path) as client:
        client.append("one", lines("one"))
        yield client


PROJECT = "/api/projects/me/digits"


def test_projects_have_the_number_of_running_runs_and_of_starts_by_day(project: Any, lines: Any) -> None:
    now = time.time()
    for i, age in enumerate([0, 86400, 86400, 29 * 86400, 40 * 86400]):
        finish = encode("finish", {"state": "finished"}, now + 1)
        project.append(f"r{i}", encode("run", {"version": 1, "id": f"r{i}"}, now - age) + finish)
    (found,) = project.json("/api/projects")["projects"]
    assert (found["runs"], found["active"]) == (6, 1)
    assert len(found["activity"]) == 30
    assert sum(found["activity"]) == 4
    assert found["activity"][-2:] == [2, 1]
    assert found["activity"][0] == 1
    assert project.json(PROJECT).items() >= found.items()


def test_a_project_whose_runs_have_no_times_was_updated_when_it_was_made(tmp_path: Path, run_server: Any) -> None:
    with run_server(tmp_path) as client:
        before = time.time()
        client.append(
            "imported", encode("run", {"version": 1, "id": "imported"}, 0.0) + encode("log", {"x": 1}, 0.0, 0)
        )
        assert before <= client.json(PROJECT)["updated"] <= time.time()
        assert client.json("/api/runs/me/digits/imported")["updated"] == 0


def test_a_run_that_was_only_edited_was_updated_when_it_was_edited(project: Any) -> None:
    edited = encode("run", {"version": 1, "stream": "edits", "id": "new"}, 99.0) + encode("meta", {"notes": "n"}, 99.0)
    project.append("new", edited, stream="edits-a.jsonl")
    assert project.json("/api/runs/me/digits/new")["updated"] == 99.0


def test_deleted_and_trashed_runs_are_not_counted(project: Any, lines: Any) -> None:
    project.append("two", lines("two"))
    assert project.json(PROJECT)["active"] == 2
    project("DELETE", "/api/runs/me/digits/two")
    assert project.json(PROJECT)["active"] == 1
    project("POST", "/api/trash", json={"runs": ["me/digits/one"]})
    found = project.json(PROJECT)
    assert (found["runs"], found["active"], sum(found["activity"])) == (0, 0, 0)
    project("POST", "/api/trash/restore", json={"runs": ["me/digits/one"]})
    assert project.json(PROJECT)["active"] == 1


def test_views_are_saved_listed_replaced_and_deleted(project: Any) -> None:
    view = {"filter": "config.lr < 1", "nested": [1, None, {"x": "<b>"}]}
    assert project("PUT", f"{PROJECT}/views/my%20best%20%C3%BC", json={"view": view}).status_code == 204
    assert project("PUT", f"{PROJECT}/views/other", json={"view": 1}).status_code == 204
    assert project.json(f"{PROJECT}/views/my%20best%20%C3%BC") == {"view": view}
    assert [v["name"] for v in project.json(PROJECT)["views"]] == ["my best ü", "other"]
    project("PUT", f"{PROJECT}/views/other", json={"view": {"a": 2}})
    assert project.json(f"{PROJECT}/views/other") == {"view": {"a": 2}}
    assert project("DELETE", f"{PROJECT}/views/other").status_code == 204
    assert project("DELETE", f"{PROJECT}/views/other").status_code == 404
    assert project.get(f"{PROJECT}/views/other").status_code == 404


def test_invalid_views_are_refused_with_a_reason(project: Any) -> None:
    for method, path, body, status, reason in [
        ("GET", "/api/projects/me/none", None, 404, "there is no project me/none"),
        ("GET", "/api/projects/me/.x", None, 400, "the project '.x' must be"),
        ("PUT", "/api/projects/me/none/views/a", {"view": 1}, 404, "there is no project me/none"),
        ("PUT", f"{PROJECT}/views/a", {"view": "x" * 256 * 1024}, 413, "at most 262,144 are allowed"),
        ("PUT", f"{PROJECT}/views/{'a' * 101}", {"view": 1}, 400, "name: String should have at most 100"),
        ("PUT", f"{PROJECT}/views/a%00b", {"view": 1}, 400, "name: String should match pattern"),
        ("PUT", f"{PROJECT}/views/a", {}, 400, "view: Field required"),
    ]:
        answer = project(method, path, json=body)
        assert answer.status_code == status, (method, path)
        assert reason in answer.json()["error"]


def test_the_number_of_views_of_a_project_is_limited(project: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from tracker_server.storage import projects

    monkeypatch.setattr(projects, "MAX_VIEWS", 1)
    assert project("PUT", f"{PROJECT}/views/a", json={"view": 1}).status_code == 204
    assert project("PUT", f"{PROJECT}/views/a", json={"view": 2}).status_code == 204
    answer = project("PUT", f"{PROJECT}/views/b", json={"view": 1})
    assert (answer.status_code, "delete some" in answer.json()["error"]) == (400, True)
