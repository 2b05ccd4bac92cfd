from __future__ import annotations

import math
import random
import re
from typing import Any

import pytest

from tracker.names import RunKey
from tracker_server.storage.interface import NoSuchRun, RunDeleted
from tracker_server.storage.table import cache


def ids(store: Any, filters: dict[str, Any] | None = None, order: str = "id") -> list[str]:
    page = store.storage.runs("me", "digits", filters or {}, order, 1000, None)
    assert page.cursor is None
    assert page.total == len(page.items)
    return [run["id"] for run in page.items]


@pytest.fixture
def three(store: Any) -> Any:
    store.run(
        "a",
        {"lr": 0.1, "opt": {"name": "adam", "x/y": {"z.w": 1}}},
        {"val/acc": 0.9, "val.loss": 2},
        tags=["base", "v1"],
    )
    store.run(
        "b", {"lr": 0.01, "opt": {"name": "sgd"}, "opt.name": "flat"}, {"val/acc": math.nan}, name="Zeta", group="g"
    )
    store.run("c", {"lr": "0.1", "use_amp": True, "n": 1, "sizes": [1, 2]}, {}, name="beta (1)", notes="see a+b")
    return store


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, "abc"),
        ({"config.lr": 0.1}, "a"),
        ({"config.lr": {"$lt": 0.1}}, "b"),
        ({"config.lr": {"$gte": 0.01, "$lte": 0.1}}, "ab"),
        ({"config.lr": {"$ne": 0.1}}, "bc"),
        ({"config.lr": "0.1"}, "c"),
        ({"config.opt.name": "adam"}, "a"),
        ({"config.opt/name": "sgd"}, "b"),
        ({"config.opt.name": "flat"}, "b"),  # a key that matches as a whole takes precedence
        ({"config/opt/name": "adam"}, "a"),
        ({"config.opt.x/y.z.w": 1}, "a"),
        ({"config.use_amp": True}, "c"),
        ({"config.n": True}, ""),
        ({"config.use_amp": 1}, ""),
        ({"config.use_amp": {"$exists": True}}, "c"),
        ({"config.use_amp": {"$exists": False}}, "ab"),
        ({"config.use_amp": None}, "ab"),
        ({"config.sizes": 2}, "c"),
        ({"config.sizes": [1, 2]}, "c"),
        ({"summary.val/acc": {"$gt": 0.5}}, "a"),
        ({"summary.val/acc": {"$not": {"$gt": 0.5}}}, "bc"),
        ({"summary.val.loss": 2}, "a"),
        ({"tags": "base"}, "a"),
        ({"tags": {"$contains": "v1"}}, "a"),
        ({"tags": {"$in": ["v1", "v2"]}}, "a"),
        ({"tags": {"$nin": ["v1", "v2"]}}, "bc"),
        ({"name": {"$regex": "^[b-z].*\\(\\d\\)$"}}, "c"),
        ({"name": {"$regex": "(?i)ZETA|BETA"}}, "bc"),
        ({"tags": {"$regex": "^v[0-9]$"}}, "a"),
        ({"notes": {"$contains": "a+b"}}, "c"),
        ({"id": {"$in": ["a", "c", 7]}}, "ac"),
        ({"group": "g", "state": "running"}, "b"),
        ({"$or": [{"id": "a"}, {"group": "g"}]}, "ab"),
        ({"$and": [{"id": {"$ne": "a"}}, {"$not": {"id": "b"}}]}, "c"),
        ({"config.missing.deep": {"$exists": False}, "created": {"$gt": 0}}, "abc"),
    ],
)
def test_a_filter_selects_runs(three: Any, filters: dict[str, Any], expected: str) -> None:
    assert "".join(ids(three, filters)) == expected


@pytest.mark.parametrize(
    ("filters", "reason"),
    [
        ({"nonsense": 1}, "runs have no 'nonsense'"),
        ({"": 1}, "runs have no ''"),
        ({"__class__": 1}, "runs have no '__class__'"),
        ({"config.lr": {"$where": "1"}}, "'$where' is not an operator"),
        ({"$lt": 1}, "$lt is not allowed here"),
        ({"$or": {}}, "$or needs a list of filters, not {}"),
        ({"$and": [1]}, "a filter must be an object"),
        ({"config.lr": {"$lt": [1]}}, "$lt needs a number or a text, not [1]"),
        ({"id": {"$in": "a"}}, "$in and $nin need a list, not 'a'"),
        ({"id": {"$exists": 1}}, "$exists needs true or false, not 1"),
        ({"id": {"$regex": "("}}, "the pattern is invalid"),
        ({"id": {"$regex": 1}}, "$regex needs a text, not 1"),
        ({"id": {"$regex": "a" * 501}}, "the pattern has 501 characters"),
        ({"$or": [{"id": str(i)} for i in range(1000)]}, "the filter is too large"),
        ({"config.lr": {"$lt": 1, "x": 2}}, "'x' is not an operator"),
    ],
)
def test_an_invalid_filter_is_refused_with_a_reason(three: Any, filters: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=re.escape(reason)):
        three.storage.runs("me", "digits", filters, "", 10, None)


def test_a_filter_that_is_too_deep_is_refused(three: Any) -> None:
    deep: dict[str, Any] = {"id": "a"}
    for _ in range(500):
        deep = {"$not": deep}
    with pytest.raises(ValueError, match="too large"):
        three.storage.runs("me", "digits", deep, "", 10, None)


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("config.lr", "bac"),  # numbers before texts
        ("-config.lr", "cab"),
        ("summary.val/acc", "acb"),  # NaN and missing values come last, the newest first
        ("-summary.val/acc", "acb"),
        ("+name", "bac"),
        ("-group,id", "bac"),
        ("group,-id", "bca"),
        ("", "cba"),
        ("-created", "cba"),
    ],
)
def test_runs_are_sorted_and_those_without_the_value_come_last(three: Any, order: str, expected: str) -> None:
    assert "".join(ids(three, order=order)) == expected


@pytest.mark.parametrize(
    ("order", "reason"),
    [
        ("nonsense", "runs have no 'nonsense'"),
        ("-", "runs have no ''"),
        ("config.a," * 20, "runs can be sorted by at most 10 names"),
    ],
)
def test_an_order_by_an_unknown_name_is_refused(three: Any, order: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        three.storage.runs("me", "digits", {}, order, 10, None)


@pytest.mark.parametrize("order", ["-created", "summary.score,-name", "-summary.score", "config.mixed"])
def test_pages_show_every_run_once(store: Any, order: str) -> None:
    rng = random.Random(5)
    for i in range(60):
        summary = {"score": rng.choice([0.5, 1, math.inf, -math.inf])} if i % 3 else {}
        store.run(
            f"r{i}",
            {"mixed": rng.choice([1, "x", True, None, [1, "a"], {"a": 1}])},
            summary,
            opened=float(i % 7),
            name="n",
        )
    whole = ids(store, order=order)
    assert len(whole) == 60
    paged: list[str] = []
    cursor = None
    while True:
        page = store.storage.runs("me", "digits", {}, order, 7, cursor)
        assert page.total == 60
        paged += [run["id"] for run in page.items]
        cursor = page.cursor
        if cursor is None:
            break
    assert paged == whole


def test_a_cursor_stays_valid_when_runs_are_added_and_deleted(store: Any) -> None:
    for i in range(10):
        store.run(f"r{i}", opened=float(i))
    page = store.storage.runs("me", "digits", {}, "-created", 4, None)
    assert [r["id"] for r in page.items] == ["r9", "r8", "r7", "r6"]
    store.run("new", opened=100.0)
    store.storage.delete(RunKey("me", "digits", "r6"))
    store.storage.delete(RunKey("me", "digits", "r4"))
    page = store.storage.runs("me", "digits", {}, "-created", 4, page.cursor)
    assert [r["id"] for r in page.items] == ["r5", "r3", "r2", "r1"]
    for cursor in ("?", "WzFd", "WyIiLFtdLDFd"):
        with pytest.raises(ValueError, match="omit it"):
            store.storage.runs("me", "digits", {}, "-created", 4, cursor)


def test_a_run_is_described_from_its_records(store: Any) -> None:
    stream = store.stream(
        opened=50.0, host="box", program="train.py", group="g", job_type="eval", tags=["x"], notes="n"
    )
    stream.add("config", {"lr": 0.1}).add("metric", {"name": "acc", "summary": "max"})
    stream.log(0, {"acc": 0.9, "nan": math.nan}).log(1, {"acc": 0.5}).add("summary", {"best": 1})
    stream.add("lost", {"count": 3, "reason": "No space left on device"}).send(2)
    info = store.storage.run(stream.key)
    assert info["seen"] > 1e9
    assert {k: v for k, v in info.items() if k != "seen"} == {
        "id": "r1", "entity": "me", "project": "digits", "name": "r1", "state": "running", "group": "g",
        "job_type": "eval",
        "tags": ["x"], "notes": "n", "config": {"lr": 0.1},
        "summary": {"acc": 0.9, "nan": {"_type": "float", "value": "NaN"}, "best": 1},
        "metrics": [{"name": "acc", "summary": "max"}], "created": 50.0, "updated": stream.time, "host": "box",
        "program": "train.py", "event_files": {}, "rows": 2, "corrupt": 0, "lost": 3, "refused": 0,
        "suspect": False, "error": None,
        "environment": {}, "last_step": 1, "forked_from": None, "allow_stop": False, "stop_requested": None,
        "color": None, "trashed": None, "ordinal": 1, "user": None,
    }  # fmt: skip
    assert store.storage.runs("me", "digits", {}, "", 10, None).items == [info]
    system = store.stream("system-a.jsonl", opened=51.0).add("suspect", {"stream": stream.name, "reason": "EIO"})
    system.add("finish", {"state": "crashed", "stream": stream.name, "error": "it vanished"}).send()
    info = store.storage.run(stream.key)
    assert (info["state"], info["error"], info["suspect"]) == ("crashed", "it vanished", True)
    store.stream("edits-a.jsonl").add("meta", {"name": "renamed", "tags": ["y"]}).send()
    assert ids(store, {"name": "renamed", "tags": "y", "state": "crashed"}) == ["r1"]


def test_rows_after_the_end_of_their_stream_reopen_the_run(store: Any) -> None:
    stream = store.stream(opened=10.0).log(0, {"a": 1}).add("finish", {"state": "failed", "error": "boom"}).send()
    assert (store.storage.run(stream.key)["state"], store.storage.run(stream.key)["error"]) == ("failed", "boom")
    stream.log(1, {"a": 2}).send()
    assert (store.storage.run(stream.key)["state"], store.storage.run(stream.key)["error"]) == ("running", None)
    stream.add("finish", {"state": "finished"}).log(2, {"a": 3}).add("finish", {"state": "killed"}).send()
    assert store.storage.run(stream.key)["state"] == "killed"
    assert store.storage.run(stream.key)["summary"] == {"a": 3}


def test_the_table_follows_uploads_deletions_and_restarts(store: Any) -> None:
    store.run("a", {"n": 1})
    store.run("b", {"n": 2})
    assert ids(store, {"config.n": 2}) == ["b"]
    store.stream("edits-x.jsonl", RunKey("me", "digits", "a")).add("config", {"n": 2}).send()
    assert ids(store, {"config.n": 2}) == ["a", "b"]
    store.storage.delete(RunKey("me", "digits", "b"))
    store.storage.readmit(RunKey("me", "digits", "b"))
    assert ids(store) == ["a"]
    store.run("b", {"n": 3})
    assert ids(store, {"config.n": 3}) == ["b"]
    store.reopen()
    assert ids(store, {"config.n": {"$gte": 2}}) == ["a", "b"]


def test_queries_work_if_the_table_does_not_stay_in_memory(store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "MAX_CACHED", 100)
    for i in range(5):
        store.run(f"r{i}")
    assert ids(store) == ids(store) == [f"r{i}" for i in range(5)]


def test_projects_have_the_number_of_their_runs_and_the_time_of_the_last_change(store: Any) -> None:
    store.run("a", opened=10.0)
    store.run("b", opened=20.0)
    store.stream(key=RunKey("team", "other", "a"), opened=99.0).send()
    updated = store.storage.run(RunKey("me", "digits", "b"))["updated"]
    assert store.storage.projects() == [
        {"entity": "team", "project": "other", "runs": 1, "updated": 99.0, "active": 1, "activity": [0] * 30},
        {"entity": "me", "project": "digits", "runs": 2, "updated": updated, "active": 2, "activity": [0] * 30},
    ]
    assert store.storage.runs("me", "nothing", {}, "", 10, None) == ([], None, 0)


def test_a_deleted_run_is_gone_until_it_is_readmitted(store: Any) -> None:
    stream = store.stream()
    for i in range(5000):
        stream.log(i, {"a": i, "m": {"_type": "image", "digest": "a" * 64}})
    stream.send(1000)
    store.stream("console-a.jsonl").add("console", {"stream": "stdout", "text": "x"}).send()
    other = store.stream(key=RunKey("me", "digits", "other")).log(0, {"a": 7}).send()
    store.storage.delete(stream.key)
    for call in (store.storage.run, store.storage.delete, store.storage.files, store.storage.streams):
        with pytest.raises(NoSuchRun, match="no run me/digits/r1"):
            call(stream.key)
    assert store.storage.offsets(stream.key) == {}
    assert store.storage.digests(stream.key) == []
    assert store.storage.digests_in_use(["a" * 64]) == set()
    for _ in range(2):
        with pytest.raises(RunDeleted, match="me/digits/r1 was deleted on the server at 20"):
            store.stream().log(3, {"b": 1}).send()
        store.reopen()
        other.storage = store.storage
    with pytest.raises(RunDeleted):
        store.storage.is_deleted(stream.key)
    store.storage.readmit(stream.key)
    store.stream().log(3, {"b": 1}).send()
    assert store.read() == [(3, 1000.125, {"b": 1})]
    assert store.read(key=other.key) == [(0, 1000.125, {"a": 7})]


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|aa)+$", "(.*)(.*)(.*)(.*)(.*)x$", "^([ab]*a[ab]{12})+$"])
def test_no_regular_expression_takes_long(store: Any, pattern: str) -> None:
    """These keep Python's own `re` busy for longer than any test would wait."""
    store.run("a", {}, {}, notes=("a" * 30 + "b") * 300 + "!")
    assert store.storage.runs("me", "digits", {"notes": {"$regex": pattern}}, "", 10, None).total == 0
