from __future__ import annotations

import json
from typing import Any

import pytest

from tracker.runlog.records import encode
from tracker.wire import run_path

NAN = {"_type": "float", "value": "NaN"}


@pytest.fixture(scope="module")
def filled(client: Any, lines: Any) -> Any:
    start = 1_700_000_000.0
    console = [("console", {"stream": "stdout", "text": f"line {n}"}) for n in range(3)]
    client.append("one", lines("one", rows=50, more=[("config", {"lr": 0.1})], name="first", tags=["a"]))
    client.append("one", b"".join(encode(*record, start) for record in console), stream="console.jsonl")
    client.append("one", encode("system", {"cpu": 12.5}, start), stream="system.jsonl")
    client.append("two", lines("two", rows=2, name="second") + encode("log", {"loss": NAN}, start, 9))
    return client


def test_projects_are_listed(filled: Any) -> None:
    (project,) = filled.json("/api/projects")["projects"]
    assert (project["entity"], project["project"], project["runs"]) == ("me", "digits", 2)


def test_runs_are_filtered_ordered_and_paged(filled: Any) -> None:
    page = filled.json("/api/runs/me/digits?order=name&limit=1")
    assert ([run["name"] for run in page["runs"]], page["total"]) == (["first"], 2)
    page = filled.json(f"/api/runs/me/digits?order=name&limit=1&cursor={page['cursor']}")
    assert [run["name"] for run in page["runs"]] == ["second"]
    page = filled.json("/api/runs/me/digits", params={"filters": json.dumps({"config.lr": {"$gt": 0.01}})})
    assert [run["id"] for run in page["runs"]] == ["one"]


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("filters=[]", "filters must be a JSON object"),
        ("filters={", "filters is not valid JSON"),
        ('filters={"name":{"$like":"x"}}', "'$like' is not an operator: use one of $eq"),
        ("limit=0", "limit: Input should be greater than or equal to 1"),
        ("limit=9999", "limit: Input should be less than or equal to 1000"),
        ("limit=x", "limit: Input should be a valid integer"),
        ("order=;drop", "runs have no ';drop'"),
    ],
)
def test_invalid_queries_are_refused_with_a_reason(filled: Any, query: str, reason: str) -> None:
    answer = filled.get(f"/api/runs/me/digits?{query}")
    assert answer.status_code == 400
    assert reason in answer.json()["error"]


def test_a_run_is_described(filled: Any) -> None:
    run = filled.json(run_path("me", "digits", "one"))
    assert (run["name"], run["tags"], run["config"], run["rows"]) == ("first", ["a"], {"lr": 0.1}, 50)
    assert run["summary"]["acc"] == 49


def test_nan_and_infinity_are_written_as_in_the_run_log(filled: Any) -> None:
    assert filled.json(run_path("me", "digits", "two"))["summary"]["loss"] == NAN


@pytest.mark.parametrize("part", ["", "/keys", "/history", "/console", "/files"])
def test_an_unknown_run_is_not_found(filled: Any, part: str) -> None:
    answer = filled.get(run_path("me", "digits", "nowhere") + part)
    assert answer.status_code == 404
    assert "no such run" in answer.json()["error"]


def test_keys_are_listed_by_kind(filled: Any) -> None:
    path = run_path("me", "digits", "one") + "/keys"
    assert {key["key"] for key in filled.json(path)["keys"]} == {"loss", "acc"}
    assert {key["key"] for key in filled.json(path + "?kind=system")["keys"]} == {"cpu"}
    assert filled.get(path + "?kind=other").status_code == 400


def test_keys_of_several_runs_are_listed_together(filled: Any) -> None:
    runs = ["me/digits/one", "me/digits/nowhere", "me/digits/two"]
    keys = filled("POST", "/api/keys", json={"runs": runs}).json()["keys"]
    expected = [{"key": key, "type": "number", "x": None, "runs": None} for key in ("acc", "loss")]
    assert sorted(keys, key=lambda one: one["key"]) == expected
    assert filled("POST", "/api/keys", json={"runs": ["digits/one"]}).status_code == 400


def test_rows_are_returned_in_pages_by_column(filled: Any) -> None:
    path = run_path("me", "digits", "one") + "/history"
    page = filled.json(path + "?keys=acc&limit=30")
    values = page["columns"]["acc"]["values"]
    page = filled.json(path + f"?keys=acc&limit=30&cursor={page['cursor']}")
    assert values + page["columns"]["acc"]["values"] == list(range(50))
    assert page["cursor"] is None


def test_console_lines_are_returned_in_pages(filled: Any) -> None:
    path = run_path("me", "digits", "one") + "/console"
    page = filled.json(path + "?limit=2")
    assert [line["text"] for line in page["lines"]] == ["line 0", "line 1"]
    page = filled.json(path + f"?limit=2&cursor={page['cursor']}")
    assert [(line["stream"], line["text"]) for line in page["lines"]] == [("stdout", "line 2")]


def test_the_console_is_read_from_a_line_number_on_and_searched(filled: Any) -> None:
    path = run_path("me", "digits", "one") + "/console"
    page = filled.json(path + "?start=-2&limit=1")
    assert ([line["text"] for line in page["lines"]], page["start"], page["total"]) == (["line 1"], 1, 3)
    assert filled.json(path + "?start=0&stream=stderr")["total"] == 0
    assert filled.json(path + "/search", params={"q": "LINE", "after": 0, "limit": 1}) == {"matches": [1], "next": 1}
    assert filled.json(path + "/search", params={"q": "[12]$", "regex": True}) == {"matches": [1, 2], "next": None}
    for bad in ("q=", "q=(&regex=true", "q=a&stream=both", "q=a&after=x"):
        assert filled.get(f"{path}/search?{bad}").status_code == 400


def test_a_query_past_a_megabyte_is_refused(filled: Any) -> None:
    answer = filled("POST", "/api/charts", data=b"[" + b" " * 1_100_000)
    assert answer.status_code == 413


def test_unknown_routes_and_methods_are_refused(filled: Any) -> None:
    assert "/api/nothing" in filled.get("/api/nothing").json()["error"]
    assert filled("PATCH", run_path("me", "digits", "one")).status_code == 405
