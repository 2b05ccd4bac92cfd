from __future__ import annotations

from typing import Any

import pytest

from tracker.runlog.records import encode


@pytest.fixture(scope="module")
def filled(client: Any, lines: Any) -> Any:
    client.append("one", lines("one", rows=5, more=[("config", {"lr": 0.1})], name="first", tags=["a"]))
    client.append("two", lines("two", rows=2, more=[("config", {"lr": 0.01})], name="second"))
    return client


def post(client: Any, path: str, **body: Any) -> Any:
    return client("POST", path, json=body)


def test_the_table_is_returned_by_column(filled: Any) -> None:
    sort = [{"column": "summary.loss", "descending": False}]
    answer = post(filled, "/api/table/me/digits", columns=["name", "loss"], sort=sort, filter="lr < 1", limit=10).json()
    assert answer["columns"] == {"name": ["first", "second"], "loss": [0.2, 0.5]}
    assert (answer["total"], answer["runs"]) == (2, ["one", "two"])
    assert isinstance(answer["version"], int)


def test_columns_and_groups_are_returned(filled: Any) -> None:
    columns = {c["name"]: c for c in filled.json("/api/columns/me/digits")["columns"]}
    assert columns["config.lr"]["max"] == 0.1
    groups = post(filled, "/api/groups/me/digits", **{"except": ["config.seed"]}, columns=["loss"]).json()
    assert [g["key"] for g in groups["groups"]] == [{"config.lr": 0.01}, {"config.lr": 0.1}]
    assert post(filled, "/api/groups/me/digits", by=["state"]).json()["groups"][0]["count"] == 2


@pytest.mark.parametrize("path", ["table", "groups"])
def test_an_invalid_filter_is_refused_with_the_position_of_the_error(filled: Any, path: str) -> None:
    answer = post(filled, f"/api/{path}/me/digits", filter="config.lr <> 3")
    assert answer.status_code == 400
    assert answer.json() == {
        "error": "a value is missing here: a number, a text in quotes, true, false or null",
        "position": 11, "length": 1,
    }  # fmt: skip


def test_the_list_of_runs_accepts_expressions_and_marks_an_error_in_the_text(filled: Any) -> None:
    runs = filled.json("/api/runs/me/digits", params={"filters": 'config.lr < 0.1 and name ~ "^s"'})
    assert [run["id"] for run in runs["runs"]] == ["two"]
    answer = filled.get("/api/runs/me/digits", params={"filters": "config.lr < x"})
    assert answer.status_code == 400
    assert answer.json()["error"].endswith("\n  config.lr < x\n              ^")


@pytest.mark.parametrize(
    ("path", "body", "reason"),
    [
        ("table/me/digits", {"limit": 10_001}, "limit: Input should be less than or equal to 10000"),
        ("table/me/digits", {"offset": -1}, "offset: Input should be greater than or equal to 0"),
        ("table/me/digits", {"colunms": []}, "colunms: Extra inputs are not permitted"),
        ("table/me/digits", {"sort": ["loss"]}, "sort.0: Input should be a valid dictionary"),
        ("table/me/digits", {"search": "/(/"}, "the pattern is invalid"),
        ("table/me/.hidden", {}, "the project '.hidden' must be"),
        ("groups/me/digits", {}, "give either `by`"),
        ("groups/me/digits", {"by": ["id"], "except": []}, "give either `by`"),
    ],
)
def test_an_invalid_request_is_refused_with_a_reason(filled: Any, path: str, body: Any, reason: str) -> None:
    answer = post(filled, f"/api/{path}", **body)
    assert answer.status_code == 400
    assert reason in answer.json()["error"]


def test_markup_in_names_and_values_is_returned_as_json(client: Any) -> None:
    evil = "<img src=x onerror=alert(1)>"
    records = [("run", {"version": 1, "id": "evil", "name": evil, "tags": [evil]}), ("config", {evil: evil})]
    path = "/api/runs/me/other/evil/streams/history.jsonl?offset=0"
    client("POST", path, data=b"".join(encode(kind, payload, 5.0) for kind, payload in records))
    for answer in (
        post(client, "/api/table/me/other", columns=["name", "tags", f"config.{evil}"]),
        client.get("/api/columns/me/other"),
        post(client, "/api/groups/me/other", by=[f"config.{evil}"]),
        post(client, "/api/table/me/other", filter=evil),
    ):
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["x-content-type-options"] == "nosniff"
