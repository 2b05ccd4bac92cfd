from __future__ import annotations

import math
import random
from typing import Any

import pytest

from tracker.names import RunKey
from tracker.runlog.records import jsonable
from tracker_server.storage.interface import NoSuchRun

ODD = [
    0.1, -0.0, 5e-324, 1.7976931348623157e308, math.nan, math.inf, -math.inf, 0, 1, -1, 2**53 + 1, -(2**63),
    2**63 - 1, 2**63,
    2**64 - 1, 2**64, -(10**400), True, False, None, "", "text é 💡", [], [1, [2.5, None]], {}, {"a": {"b": math.nan}},
    {"_type": "image", "digest": "ab" * 32, "size": 3, "format": "png"}, {"_type": "histogram", "bins": [0, 1,
    2], "counts": [3, 4]},
]  # fmt: skip


def same(a: Any, b: Any) -> bool:
    """Return whether two values are equal to the bit and in type. NaN equals NaN; the order of keys does not count."""
    return repr(in_order(a)) == repr(in_order(b))


def in_order(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: in_order(value[k]) for k in sorted(value)}
    return [in_order(v) for v in value] if isinstance(value, (list, tuple)) else value


def expect(rows: list[Any]) -> list[Any]:
    return [(step, time, jsonable(row)) for step, time, row in rows]


def random_value(rng: random.Random, key: int) -> Any:
    kind = key % 8
    if kind == 0:
        return rng.random()
    if kind == 1:
        return rng.randrange(1000)
    if kind == 2:
        return rng.choice([0, 1, 0.5, rng.random()])  # ints among floats
    if kind == 3:
        return rng.choice([math.nan, math.inf, -math.inf, 1.5, -0.0])
    if kind == 4:
        return rng.choice([2**60 + rng.randrange(9), 0.5])  # ints that no float holds among floats
    if kind == 5:
        return round(rng.random(), 3)
    return rng.choice(ODD)


def random_rows(rng: random.Random, count: int) -> list[tuple[int, float, dict[str, Any]]]:
    """Yield rows with late, duplicate and unordered steps, keys that come and go, and clocks that jump."""
    rows = []
    step, time = 0, 1000.0
    for i in range(count):
        step += rng.choice([1, 1, 1, 0, 7, -3])
        time = round(time + rng.choice([0.1, 0.0, -5.0, 1.25]), 3)
        keys = [k for k in range(12) if rng.random() < (0.9 if k < 6 else 0.05)]
        if rng.random() < 0.02:
            keys.append(100 + i)  # a key of this row alone
        rng.shuffle(keys)
        rows.append((step, time, {f"group/{k}": random_value(rng, k) for k in keys}))
    return rows


@pytest.mark.parametrize("seed", range(6))
def test_rows_are_read_exactly_as_logged_for_any_split_into_uploads(store: Any, seed: int) -> None:
    rng = random.Random(seed)
    rows = random_rows(rng, rng.choice([1, 50, 700, 5000]))
    at_once, cut = RunKey("me", "digits", "once"), RunKey("me", "digits", "cut")
    for key in (at_once, cut):
        stream = store.stream(key=key)
        for step, time, row in rows:
            stream.log(step, row, time)
        if key == at_once:
            stream.send()
        while stream.lines:
            lines, stream.lines = stream.lines, []
            many = rng.choice([1, 2, 30, 400, 6000])
            stream.lines, rest = lines[:many], lines[many:]
            stream.send()
            stream.lines = rest
    assert same(store.read(key=at_once), expect(rows))
    assert same(store.read(key=cut, limit=rng.choice([137, 1000, 10_000])), expect(rows))
    some = ["group/0", "group/7", "group/8"]
    wanted = [(s, t, {k: v for k, v in row.items() if k in some}) for s, t, row in rows if row.keys() & set(some)]
    for key in (at_once, cut):
        assert same(store.read(key=key, keys=some, limit=97), expect(wanted))
    one, two = (store.storage.keys(key, "history") for key in (at_once, cut))
    assert same(sorted(one, key=lambda k: k["key"]), sorted(two, key=lambda k: k["key"]))
    a, b = store.storage.run(at_once), store.storage.run(cut)
    assert same(sorted(a["summary"].items()), sorted(b["summary"].items()))
    assert a["rows"] == b["rows"] == len(rows)


def random_points(rng: random.Random, count: int, keys: int) -> list[tuple[int, float, dict[str, Any]]]:
    """Return rows of one number each: floats and, for some keys, integers and non-finite numbers."""
    rows = []
    for i in range(count):
        key = rng.randrange(keys)
        step = rng.choice([i, i, i, i // 2, -i, 2**63 - 1, -(2**63)])
        odd = [i, 0.5, math.nan, -math.inf, 2**60 + 1] if key % 5 == 4 else [rng.random()]
        rows.append((step, round(1000 + rng.random() * 1e6, 3), {f"group/{key}": rng.choice(odd)}))
    return rows


@pytest.mark.parametrize("seed", range(8))
def test_points_are_the_same_as_rows_logged_one_by_one(store: Any, seed: int) -> None:
    rng = random.Random(seed)
    count, keys = rng.choice([(3, 1), (300, 20), (6000, 4), (6000, 500), (12_000, 20)])
    rows = random_points(rng, count, keys)
    runs = one_by_one, in_points = (
        store.stream(key=RunKey("me", "digits", "a")),
        store.stream(key=RunKey("me", "digits", "b")),
    )
    start = 0
    while start < len(rows):
        some = rows[start : start + rng.choice([1, 2, 40, 700, 4096])]
        start += len(some)
        for step, time, row in some:
            one_by_one.log(step, row, time)
        if rng.random() < 0.2:
            for step, time, row in some:
                in_points.log(step, row, time)
        else:
            in_points.points(some)
        if seed % 2 and rng.random() < 0.3:
            for stream in runs:
                stream.log(start, {"text": "x", "group/0": 1, "group/4": 0.25}, 5e5)
                stream.add("finish", {"state": "finished"}, 4e5)
    one_by_one.send(rng.choice([301, 5000]))
    in_points.send(rng.choice([1, 3, 10_000]))
    assert same(store.read(key=in_points.key, limit=rng.choice([137, 10_000])), expect(in_points.rows))
    some_keys = ["group/0", "text", "group/4"]
    found = [(s, t, {k: v for k, v in row.items() if k in some_keys}) for s, t, row in in_points.rows]
    assert same(store.read(key=in_points.key, keys=some_keys, limit=137), expect([row for row in found if row[2]]))
    one, other = (sorted(store.storage.keys(s.key, "history"), key=lambda k: k["key"]) for s in runs)
    assert same(one, other)
    own = {"id": "", "name": "", "seen": 0, "ordinal": 0}
    one, other = ({**store.storage.run(s.key), **own} for s in runs)  # type: ignore[assignment]
    assert same(one, other)
    one, other = (
        store.chart(["group/0", "group/1", "group/4"], runs=[f"me/digits/{s.key.id}"], buckets=50) for s in runs
    )
    assert same([{**c, "run": ""} for c in one], [{**c, "run": ""} for c in other])


def test_points_keep_their_exact_times(store: Any) -> None:
    times = [1.7e9 + i / 7 for i in range(5)]
    store.stream().points([(i, time, {"a": 1.0}) for i, time in enumerate(times)]).send()
    assert [time for _, time, _ in store.read()] == times


@pytest.mark.parametrize("value", ODD, ids=repr)
def test_every_value_is_kept_exactly_alone_and_among_numbers(store: Any, value: Any) -> None:
    stream = store.stream()
    for i in range(40):
        stream.log(i, {"alone": value, "mixed": value if i % 7 == 3 else i * 0.5, "ints": value if i % 5 else i})
    stream.send(11)
    before = store.read()
    assert same(before, expect(stream.rows))
    stream.add("finish", {"state": "finished"}).send()  # merges
    assert same(store.read(), expect(stream.rows))


def test_streams_are_ordered_by_their_first_lines_and_then_by_name(store: Any) -> None:
    for name, opened in [
        ("history-c.jsonl", 10.0),
        ("history-b.jsonl", 20.0),
        ("history-a.jsonl", 20.0),
        ("history-d.jsonl", 5.0),
    ]:
        store.stream(name, opened=opened).log(1, {"from": name}).log(0, {"from": name}).send()
    names = [row["from"] for _, _, row in store.read(limit=3)]
    assert names == [f"history-{x}.jsonl" for x in "ddccaabb"]


def test_a_cursor_continues_with_rows_that_arrived_after_its_page(store: Any) -> None:
    stream = store.stream()
    for i in range(10):
        stream.log(i, {"a": i})
    stream.send()
    page = store.storage.rows(stream.key, "history", None, 6, None)
    for i in range(10, 5000):
        stream.log(i, {"a": i})
    stream.send(500)
    rest = store.storage.rows(stream.key, "history", None, 10, page["cursor"])
    assert rest["columns"]["a"]["values"] == list(range(6, 16))


def test_a_rare_key_is_found_among_many_rows(store: Any) -> None:
    stream = store.stream()
    for i in range(20_000):
        stream.log(i, {"dense": i, **({"rare": i} if i in (3, 9_000, 19_999) else {})})
    stream.send(3000)
    assert store.read(keys=["rare"], limit=2) == [
        (i, time, {"rare": i}) for i, time, _ in stream.rows if i in (3, 9_000, 19_999)
    ]
    assert store.read(keys=["never"]) == []


def test_runtime_counts_from_the_start_of_the_run(store: Any) -> None:
    store.stream(opened=100.0).log(0, {"a": 1}, time=102.5).send()
    columns = store.storage.rows(RunKey("me", "digits", "r1"), "history", None, 10, None)["columns"]
    assert columns["_runtime"] == {"rows": None, "values": [2.5]}
    assert columns["_timestamp"]["values"] == [102.5]


def test_system_samples_have_times_and_no_steps(store: Any) -> None:
    stream = store.stream("system-x.jsonl")
    for i in range(5000):
        stream.sample({"cpu": i / 7, "memory": i})
    stream.send(800)
    assert same(store.read("system"), expect(stream.rows))
    columns = store.storage.rows(stream.key, "system", None, 10, None)["columns"]
    assert list(columns) == ["_timestamp", "_runtime", "cpu", "memory"]
    assert store.read("history") == []


def test_large_texts_are_paged_by_size(store: Any) -> None:
    stream = store.stream()
    for i in range(150):
        stream.log(i, {"text": str(i) * 400_000})
    stream.send(15)
    page = store.storage.rows(stream.key, "history", None, 1000, None)
    assert page["count"] < 150
    assert [len(row["text"]) for _, _, row in store.read()] == [len(str(i)) * 400_000 for i in range(150)]


def test_invalid_cursors_limits_and_runs_are_refused_with_a_reason(store: Any) -> None:
    key = store.stream().send().key
    for cursor in ("x", "WyJhIl0=", "e30=", "é"):
        with pytest.raises(ValueError, match="omit it"):
            store.storage.rows(key, "history", None, 10, cursor)
    with pytest.raises(ValueError, match="at least 1"):
        store.storage.rows(key, "history", None, 0, None)
    with pytest.raises(NoSuchRun, match="me/digits/gone"):
        store.storage.rows(key._replace(id="gone"), "history", None, 10, None)
