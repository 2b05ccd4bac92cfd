from __future__ import annotations

import json
import math
import random
from typing import Any

import orjson
import pytest

from tracker.names import RunKey
from tracker_server.storage.sql import open_storage
from tracker_server.storage.table import cache


def ask(store: Any, **query: Any) -> Any:
    """Query the table; return what a client gets, with lists instead of arrays."""
    page = store.storage.table("me", "digits", query)
    return orjson.loads(orjson.dumps(page, option=orjson.OPT_SERIALIZE_NUMPY))


def column(store: Any, name: str, **query: Any) -> list[Any]:
    found: list[Any] = ask(store, columns=[name], sort=[{"column": "id"}], **query)["columns"][name]
    return found


def info(store: Any, name: str) -> Any:
    return next((c for c in store.storage.columns("me", "digits")["columns"] if c["name"] == name), None)


@pytest.fixture
def three(store: Any) -> Any:
    environment = {
        "stream": "history-a.jsonl", "started": 100.0, "command": ["python", "my train.py"], "git": {"commit": "abc"},
        "variables": {"USER": "ann"},
    }  # fmt: skip
    a = store.stream(key=RunKey("me", "digits", "a"), opened=100.0, name="Alpha", tags=["base"], host="box")
    a.add("config", {"lr": 0.1, "opt": {"name": "adam", "wd": 0}, "layers": [1, 2]})
    a.log(0, {"loss": 4.0, "acc": 1}).log(1, {"loss": 1.0, "acc": 3, "note": "x"}).log(2, {"loss": 2.0, "acc": 2})
    a.add("summary", {"best": math.nan}).send()
    store.stream("system-a.jsonl", a.key, opened=100.0).add("environment", environment).send()
    b = store.stream(key=RunKey("me", "digits", "b"), opened=200.0, group="g", notes="alpha, too")
    b.add("config", {"lr": 0.01, "opt": {"name": "sgd"}, "flag": True}).log(0, {"loss": 3.0}).send()
    b.add("finish", {"state": "failed", "error": "boom"}).send()
    store.stream(key=RunKey("me", "digits", "c"), opened=300.0).add("config", {"lr": "auto"}).send()
    return store


def test_the_columns_of_some_runs_tell_nothing_of_others(three: Any) -> None:
    all_columns, of_b = (three.storage.columns("me", "digits", ids=ids) for ids in (None, ["b"]))
    assert (all_columns["total"], of_b["total"]) == (3, 1)
    found = {column["name"]: column for column in of_b["columns"]}
    assert {name for name in found if name.startswith(("config.", "summary."))} == {
        *("config.lr", "config.opt.name", "config.flag", "summary.loss"),
    }
    assert found["config.opt.name"]["values"] == ["sgd"]
    assert (found["config.lr"]["type"], found["config.lr"]["min"], found["config.lr"]["max"]) == ("number", 0.01, 0.01)
    assert not any(column["differs"] for column in found.values())
    wanted = three.storage.columns("me", "digits", "wd", ["config.opt.wd", "config.layers"], ids=["b"])
    assert wanted["columns"] == []
    assert three.storage.columns("me", "digits", ids=[])["total"] == 0


def test_rows_are_returned_by_column_the_newest_first(three: Any) -> None:
    page = ask(three, columns=["name", "config.opt.name", "summary.loss", "nothing", "tags"])
    assert page["total"] == 3
    assert page["runs"] == ["c", "b", "a"]
    assert page["columns"] == {
        "name": ["c", "b", "Alpha"],
        "config.opt.name": [None, "sgd", "adam"],
        "summary.loss": [None, 3.0, 2.0],
        "nothing": [None, None, None],
        "tags": [[], [], ["base"]],
    }


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("state", ["running", "failed", "running"]),
        ("error", [None, "boom", None]),
        ("duration", [0.625, 0.375, 0.125]),
        ("last_step", [2, 0, None]),
        ("user", ["ann", None, None]),
        ("commit", ["abc", None, None]),
        ("command", ["python 'my train.py'", None, None]),
        ("host", ["box", None, None]),
        ("lr", [0.1, 0.01, "auto"]),
        ("loss", [2.0, 3.0, None]),
        ("config.layers", [[1, 2], None, None]),
        ("summary.best", [{"_type": "float", "value": "NaN"}, None, None]),
        ("summary.loss@min", [1.0, 3.0, None]),
        ("summary.loss@max", [4.0, 3.0, None]),
        ("summary.loss@mean", [7 / 3, 3.0, None]),
        ("summary.loss@last", [2.0, 3.0, None]),
        ("loss@min", [1.0, 3.0, None]),
        ("summary.note@last", ["x", None, None]),
        ("summary.note@max", [None, None, None]),
        ("summary.loss@step=1", [1.0, 3.0, None]),
        ("summary.loss@step=0", [4.0, 3.0, None]),
        ("summary.loss@step=-1", [None, None, None]),
        ("summary.acc@step=999", [2, None, None]),
    ],
)
def test_a_column_name_leads_to_these_values(three: Any, name: str, expected: list[Any]) -> None:
    assert column(three, name) == expected


def test_runs_are_sorted_by_several_columns(three: Any) -> None:
    def order(*sort: tuple[str, bool]) -> str:
        return "".join(ask(three, sort=[{"column": c, "descending": d} for c, d in sort])["runs"])

    assert order(("summary.loss", False)) == "abc"
    assert order(("summary.loss", True)) == "bac"  # runs without the value come last in both directions
    assert order(("config.lr", False)) == "bac"  # numbers before texts
    assert order(("group", False), ("id", True)) == "bca"
    assert order(("summary.loss@step=0", True)) == "abc"
    assert order(("name", False)) == "abc"


def test_pages_ids_and_search_select_runs(three: Any) -> None:
    assert ask(three, limit=1, offset=1)["runs"] == ["b"]
    assert ask(three, limit=0)["runs"] == []
    assert ask(three, offset=9)["runs"] == []
    assert ask(three, ids=["a", "c", "nothing"])["runs"] == ["c", "a"]
    assert ask(three, search="ALPHA")["runs"] == ["b", "a"]
    assert ask(three, search="BASE")["runs"] == ["a"]
    assert ask(three, search="/^alpha$/")["runs"] == ["a"]
    assert ask(three, search="/[bc]$/", filter="group is null")["runs"] == ["c"]
    with pytest.raises(ValueError, match="pattern"):
        ask(three, search="/(/")
    assert three.storage.table("me", "nothing", {})["total"] == 0


def test_the_list_of_columns_describes_each_column(three: Any) -> None:
    loss = info(three, "summary.loss")
    assert loss == {
        "name": "summary.loss", "kind": "summary", "type": "number", "count": 2, "distinct": 2, "differs": True,
        "min": 2.0, "max": 3.0,
    }  # fmt: skip
    assert info(three, "config.opt.name")["values"] == ["adam", "sgd"]
    assert info(three, "tags")["values"] == ["base"]
    kinds = {c["name"]: c["type"] for c in three.storage.columns("me", "digits")["columns"] if c["count"]}
    assert {"config.lr": "mixed", "config.flag": "boolean", "config.layers": "list", "created": "time"}.items() <= (
        kinds.items()
    )
    assert info(three, "summary.note")["differs"]  # two runs do not have it
    assert not info(three, "job_type")["differs"]
    assert info(three, "config.opt") is None


def test_media_are_distinguished_from_other_objects(store: Any) -> None:
    image = {"_type": "image", "digest": "0" * 64, "size": 3}
    store.run("a", {"odd": {}}, {"image": image, "nested": {"x": 1}})
    assert info(store, "summary.image")["type"] == "media"
    assert info(store, "summary.nested.x")["type"] == "number"
    assert info(store, "config.odd")["type"] == "mixed"
    assert column(store, "summary.image") == [image]


def test_the_table_follows_every_change(store: Any) -> None:
    """After any change of runs, columns in memory equal columns that are read again."""
    rng = random.Random(4)
    streams: dict[str, Any] = {}
    names = ["name", "state", "config.n", "config.t", "summary.s", "summary.s@min", "summary.s@step=3", "tags"]
    for turn in range(60):
        what, id_ = rng.choice(["log", "log", "config", "edit", "delete", "trash", "restore"]), f"r{rng.randrange(8)}"
        key = RunKey("me", "digits", id_)
        if id_ not in streams:
            streams[id_] = store.stream(key=key, opened=float(turn)).send()
        elif what == "log":
            streams[id_].log(rng.randrange(6), {"s": rng.choice([rng.random(), 2**60, math.nan, "text"])}).send()
        elif what == "config":
            value = rng.choice([1, 1.5, "x", [1], True])
            streams[id_].add("config", {"n": rng.random(), "t": value}).send()
        elif what == "edit":
            store.stream(f"edits-{turn}.jsonl", key).add("meta", {"name": f"n{turn}", "tags": [f"t{turn % 3}"]}).send()
        elif what == "delete":
            store.storage.delete(key)
            store.storage.readmit(key)
            del streams[id_]
        else:
            store.storage.trash([key], 5.0 if what == "trash" else None)
        sort = [{"column": rng.choice(names), "descending": rng.random() < 0.5}]
        text = rng.choice(["", 'config.t == "x"', "summary.s > 0.5", 'tags has "t1"', "config.t != 1"])
        query = {"columns": names, "sort": sort, "filter": text}
        fresh = open_storage(store.directory)
        reread = fresh.table("me", "digits", query)  # type: ignore[arg-type]
        catalog = fresh.columns("me", "digits")
        fresh.close()
        kept = ask(store, **query)
        del kept["version"]
        del reread["version"]  # type: ignore[misc]
        assert kept == json.loads(orjson.dumps(reread, option=orjson.OPT_SERIALIZE_NUMPY))
        mine = store.storage.columns("me", "digits")
        assert mine["total"] == catalog["total"]
        assert [c for c in mine["columns"] if c["count"]] == [c for c in catalog["columns"] if c["count"]]


def test_a_change_with_the_version_of_a_deleted_run_is_seen(store: Any) -> None:
    a, b = (store.stream(key=RunKey("me", "digits", id_)).send() for id_ in "ab")
    assert column(store, "x") == [None, None]
    store.storage.delete(b.key)
    a.log(0, {"x": 1}).send()
    assert column(store, "x") == [1]
    assert column(store, "x", trashed=True) == []


def test_an_unknown_project_has_an_empty_table(store: Any) -> None:
    query = {"columns": ["name", "summary.a@step=3"], "filter": "summary.a@step=3 > 1"}
    assert store.storage.table("me", "nothing", query)["total"] == 0
    assert store.storage.columns("me", "nothing")["total"] == 0
    assert store.storage.groups("me", "nothing", {"by": ["id"]})["groups"] == []


def test_the_version_grows_with_each_change_and_only_with_changes(three: Any) -> None:
    versions = [ask(three)["version"], ask(three)["version"]]
    assert versions[0] == versions[1]
    three.storage.trash([RunKey("me", "digits", "a")], 1.0)
    versions.append(ask(three)["version"])
    three.storage.delete(RunKey("me", "digits", "b"))
    versions.append(ask(three)["version"])
    assert versions[1] < versions[2] < versions[3]


def test_long_columns_have_the_same_values_as_short_ones(store: Any) -> None:
    for i in range(600):
        store.run(f"r{i:03}", {"n": i} if i % 3 else {}, {"v": math.inf if i == 7 else i / 7})
    whole = ask(store, columns=["config.n", "summary.v"], sort=[{"column": "id"}], limit=10_000)["columns"]
    parts = [
        ask(store, columns=["config.n", "summary.v"], sort=[{"column": "id"}], limit=100, offset=o)["columns"]
        for o in range(0, 600, 100)
    ]
    for name in ("config.n", "summary.v"):
        assert whole[name] == [value for part in parts for value in part[name]]


def test_values_at_a_step_are_read_from_merged_and_fresh_rows_and_all_streams(store: Any) -> None:
    stream = store.stream()
    for step in range(9000):
        stream.log(step, {"x": step * 2, **({"rare": step} if step % 1000 == 0 else {})})
    stream.send(2000)
    store.stream("history-b.jsonl", opened=2000.0).log(8500, {"x": -1}).log(8499, {"x": -2}).send()
    for step, expected in [(0, 0), (4100, 8200), (8499, -2), (8500, -1), (8501, 17002), (10**6, 17998)]:
        assert column(store, f"summary.x@step={step}") == [expected]
    assert column(store, "summary.rare@step=4999") == [4000]
    stream.log(9500, {"rare": "text"}).send()
    assert column(store, "summary.rare@step=9999") == ["text"]
    assert column(store, "summary.rare@step=9499") == [8000]


def test_the_value_at_a_step_is_right_if_steps_go_back(store: Any) -> None:
    stream = store.stream()
    for step in [5, 9, 2, 7, 7, 3]:
        stream.log(step, {"x": step * 10 + len(stream.rows)})
    stream.add("finish", {"state": "finished"}).send()
    for step, expected in [(1, None), (2, 22), (6, 50), (7, 74), (8, 74), (9, 91)]:
        assert column(store, f"summary.x@step={step}") == [expected]


def test_sorting_by_values_at_a_step_is_bounded(three: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "MAX_AT_STEP", 1)
    with pytest.raises(ValueError, match="with at most 1 runs"):
        ask(three, filter="summary.loss@step=1 > 0")


def test_a_key_that_looks_like_an_aggregate_is_found(store: Any) -> None:
    stream = store.stream(key=RunKey("me", "digits", "a"))
    stream.log(0, {"iou@mean": 5, "iou": 1, "f@step=1": 8, "f": 2}).send()
    assert column(store, "summary.iou@mean") == [5]
    assert column(store, "summary.iou@max") == [1.0]
    assert column(store, "summary.f@step=1") == [8]
    assert column(store, "summary.f@step=2") == [2]


def test_requests_for_too_much_are_refused_with_a_reason(three: Any) -> None:
    for query, reason in (
        ({"columns": [f"c{i}" for i in range(1001)]}, "request at most 1,000 columns"),
        ({"sort": [{"column": "id"}] * 11}, "sorted by at most 10 columns"),
    ):
        with pytest.raises(ValueError, match=reason):
            ask(three, **query)


def test_a_column_of_odd_values_can_be_sorted_filtered_and_grouped(store: Any) -> None:
    odd = [2**70, -(2**70), 10**400, 2**53 + 1, 0.5, True, "x", [1], {"_type": "odd"}, None, "\ud7ff", -0.0]
    for i, value in enumerate(odd):
        store.run(f"r{i:02}", {"v": value})
    assert len(ask(store, sort=[{"column": "config.v"}], columns=["config.v"])["runs"]) == len(odd)
    assert ask(store, filter=f"config.v == {2**53 + 1}")["runs"] == ["r03"]
    assert ask(store, filter=f"config.v == {2**53}")["runs"] == []
    assert ask(store, filter=f"config.v > {2**69}", sort=[{"column": "config.v"}])["runs"] == ["r00", "r02"]
    assert info(store, "config.v")["type"] == "mixed"
    assert store.storage.groups("me", "digits", {"by": ["config.v"]})["total"] == len(odd)


def test_runs_in_the_trash_are_in_no_list_and_no_count(three: Any) -> None:
    a = RunKey("me", "digits", "a")
    assert three.storage.trash([a, RunKey("me", "digits", "none")], 7.0) == 1
    assert three.storage.trash([a], 8.0) == 0
    assert ask(three)["runs"] == ["c", "b"]
    assert ask(three, trashed=True, columns=["name"])["columns"] == {"name": ["Alpha"]}
    assert three.storage.columns("me", "digits")["total"] == 2
    assert info(three, "tags")["distinct"] == 1
    assert three.storage.groups("me", "digits", {"by": ["id"]})["total"] == 2
    assert three.storage.runs("me", "digits", {}, "", 10, None).total == 2
    assert three.storage.projects()[0]["runs"] == 2
    assert three.storage.run(a)["trashed"] == 7.0
    assert three.storage.trashed(7.5) == [a]
    assert three.storage.trashed(7.0) == []
    three.stream("history-b.jsonl", a, opened=900.0).log(3, {"loss": 9.0}).send()
    assert ask(three)["runs"] == ["c", "b"]  # later uploads do not restore it
    assert column(three, "summary.loss", trashed=True) == [9.0]
    assert three.storage.trash([a], None) == 1
    assert ask(three)["runs"] == ["c", "b", "a"]
