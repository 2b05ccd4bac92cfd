from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tracker.runlog.records import encode


@pytest.fixture
def two(tmp_path: Path, run_server: Any, lines: Any) -> Any:
    with run_server(tmp_path) as client:
        client.append("one", lines("one", name="first", tags=["a", "b"], allow_stop=True))
        client.append("two", lines("two", more=[("finish", {"state": "finished"})]))
        yield client


def edit(client: Any, *runs: str, **body: Any) -> Any:
    return client("POST", "/api/edits", json={"runs": [f"me/digits/{run}" for run in runs], **body})


def info(client: Any, run: str) -> Any:
    return client.json(f"/api/runs/me/digits/{run}")


def test_many_runs_are_edited_at_once(two: Any) -> None:
    assert edit(two, "one", "two", set={"notes": "# Hi", "group": "g", "color": "#ff0010"}).json() == {"changed": 2}
    assert edit(two, "one", add_tags=["c", "a"], remove_tags=["b"], set={"name": "renamed"}).json() == {"changed": 1}
    one, other = info(two, "one"), info(two, "two")
    assert (one["name"], one["tags"], one["notes"], one["color"]) == ("renamed", ["a", "c"], "# Hi", "#ff0010")
    assert (other["notes"], other["group"], other["tags"], other["state"]) == ("# Hi", "g", [], "finished")
    assert edit(two, "one", set={"color": None, "notes": None, "name": None}).json() == {"changed": 1}
    one = info(two, "one")
    assert (one["name"], one["notes"], one["color"], one["group"]) == ("one", None, None, "g")


def test_setting_an_equal_value_changes_nothing(two: Any) -> None:
    assert edit(two, "one", set={"name": "first"}, add_tags=["a"]).json() == {"changed": 0}
    assert edit(two, "one", "two", set={"tags": ["a", "b"]}).json() == {"changed": 1}
    assert edit(two, "one").json() == {"changed": 0}


def test_edits_have_their_own_streams_as_in_the_python_api(two: Any) -> None:
    updated = info(two, "one")["updated"]
    edit(two, "one", set={"notes": "x"})
    edit(two, "one", set={"notes": "y"})
    streams = two.json("/api/runs/me/digits/one/streams")["offsets"]
    assert sum(name.startswith("edits-") for name in streams) == 2
    assert info(two, "one")["updated"] == updated  # an edit is not an activity of the run


def test_if_one_run_is_unknown_no_run_is_changed(two: Any) -> None:
    assert edit(two, "one", "none", set={"notes": "x"}).status_code == 404
    assert info(two, "one")["notes"] is None


def test_running_runs_are_asked_to_stop(two: Any) -> None:
    assert edit(two, "one", "two", stop=True).json() == {"changed": 1}
    assert two.json("/api/runs/me/digits/one/stop")["requested"] is not None
    refused = edit(two, "two", stop=True)
    assert (refused.status_code, "finished" in refused.json()["error"]) == (409, True)
    head = {"version": 1, "id": "three", "entity": "me", "project": "digits"}
    two.append("three", encode("run", head, 5.0))
    assert "allow_stop" in edit(two, "three", stop=True).json()["error"]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"runs": []}, "runs: List should have at least 1 item"),
        ({"runs": ["one"]}, "the run 'one' must have the form entity/project/id"),
        ({"runs": ["me/digits/../x"]}, "the run 'me/digits/../x' must have the form entity/project/id"),
        ({"set": {"color": "red"}}, "set.color: String should match pattern"),
        ({"set": {"color": "#ff0000;x"}}, "set.color: String should match pattern"),
        ({"set": {"state": "finished"}}, "set.state: Extra inputs are not permitted"),
        ({"set": {"tags": "a"}}, "set.tags: Input should be a valid list"),
        ({"set": {"name": "x" * 1001}}, "set.name: String should have at most 1000 characters"),
        ({"delete": True}, "delete: Extra inputs are not permitted"),
    ],
)
def test_invalid_edits_are_refused_with_a_reason(two: Any, body: Any, reason: str) -> None:
    answer = two("POST", "/api/edits", json={"runs": ["me/digits/one"], **body})
    assert answer.status_code == 400
    assert reason in answer.json()["error"]


def test_an_invalid_color_in_a_record_is_ignored(two: Any) -> None:
    two.append("bad", encode("run", {"version": 1, "id": "bad", "color": 'red"><script>'}, 5.0))
    assert info(two, "bad")["color"] is None


def test_the_edits_of_a_run_are_listed(two: Any) -> None:
    edit(two, "one", set={"notes": "x"}, add_tags=["c"])
    edit(two, "one", stop=True)
    path = "/api/runs/me/digits/one/edits"
    page = two.json(path)
    assert (page["total"], page["cursor"]) == (2, None)
    assert [one["changes"] for one in page["edits"]] == [
        {"stop": {}},
        {"meta": {"notes": "x", "tags": ["a", "b", "c"]}},
    ]
    assert [one["user"] for one in page["edits"]] == [None, None]
    first = two.json(f"{path}?limit=1")
    assert two.json(f"{path}?limit=1&cursor={first['cursor']}")["edits"] == page["edits"][1:]
    assert two.json("/api/runs/me/digits/two/edits") == {"edits": [], "cursor": None, "total": 0}
    assert two.get("/api/runs/me/digits/none/edits").status_code == 404
    assert two.get(f"{path}?cursor=x").status_code == 400
