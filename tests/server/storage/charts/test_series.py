from __future__ import annotations

import math
import random
from typing import Any

import numpy as np
import pytest

from tracker.names import RunKey
from tracker.runlog.records import encode
from tracker_server.storage.columnar import scan

RUN = "me/digits/r1"


def upload(
    store: Any, rows: list[dict[str, Any]], name: str = "history-a.jsonl", step: int = 0, batch: int = 5000
) -> None:
    key, offset = RunKey("me", "digits", "r1"), 0
    for start in range(0, len(rows), batch):
        some = [encode("log", row, 1000.0 + i, step + i) for i, row in enumerate(rows[start : start + batch], start)]
        offset, *_ = store.storage.append(key, name, offset, b"".join(some))


@pytest.fixture(scope="module")
def spike(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """200,000 points of noise with a peak and a hole of one point each."""
    from tracker_server.storage.sql import open_storage

    storage = open_storage(tmp_path_factory.mktemp("spike"))
    values = np.random.default_rng(0).random(200_001).astype(np.float32).astype(float)
    values[123_456], values[77_777] = 1e6, -1e6
    offset = 0
    for start in range(0, len(values), 20_000):
        some = [
            encode("log", {"a": v}, 1000.0 + i, i) for i, v in enumerate(values[start : start + 20_000].tolist(), start)
        ]
        offset, *_ = storage.append(RunKey("me", "digits", "r1"), "history-a.jsonl", offset, b"".join(some))
    yield storage, values
    storage.close()


@pytest.mark.parametrize("x", ["_step", "_timestamp"])
@pytest.mark.parametrize("buckets", [1, 2, 7, 60, 97, 98, 1000, 9999])
def test_an_envelope_keeps_a_spike_of_one_point_at_any_number_of_buckets(spike: Any, buckets: int, x: str) -> None:
    storage, values = spike
    (series,) = storage.series({"runs": [RUN], "keys": ["a"], "buckets": buckets, "x": x})
    assert len(series["x"]) <= buckets
    assert series["points"] == sum(series["n"]) == len(values)
    assert max(series["max"]) == 1e6
    assert min(series["min"]) == -1e6
    assert np.average(series["mean"], weights=series["n"]) == pytest.approx(values.mean())
    assert series["x"] == sorted(series["x"])
    peak = np.searchsorted(series["x"], 123_456 + (1000 if x == "_timestamp" else 0))
    assert series["max"][peak] == 1e6
    width = 200_000 / buckets
    assert (np.diff(series["x"]) <= 2.2 * width + 2).all()


def test_buckets_hold_exactly_the_points_of_their_interval(spike: Any) -> None:
    storage, values = spike
    (series,) = storage.series({"runs": [RUN], "keys": ["a"], "buckets": 500})
    start = 0
    for end, mean, low, high, n in zip(*(series[m] for m in ("x", "mean", "min", "max", "n")), strict=True):
        part = values[start : int(end) + 1]
        assert (low, high, n) == (part.min(), part.max(), len(part))
        assert mean == pytest.approx(part.mean())
        start = int(end) + 1
    assert start == len(values)


@pytest.mark.parametrize(
    ("low", "high"), [(123_000, 124_000), (1, 199_999), (5_000, 195_123), (4096, 4096), (-5, 10**9)]
)
@pytest.mark.parametrize("buckets", [3, 1000])
def test_a_range_counts_exactly_the_points_in_it(spike: Any, low: int, high: int, buckets: int) -> None:
    storage, values = spike
    part = values[max(low, 0) : high + 1]
    (series,) = storage.series({"runs": [RUN], "keys": ["a"], "buckets": buckets, "min": low, "max": high})
    assert series["points"] == sum(series["n"]) == len(part)
    assert (min(series["min"]), max(series["max"])) == (part.min(), part.max())
    assert storage.series({"runs": [RUN], "keys": ["a"], "min": 200_001, "max": 300_000}) == []


def test_series_with_no_more_points_than_buckets_are_returned_whole(store: Any) -> None:
    upload(store, [{"a": v} for v in (3.0, 1, 2.5)], step=10)
    (series,) = store.chart(["a"], buckets=3)
    assert series == {
        "run": RUN, "key": "a", "points": 3, "x": [10.0, 11.0, 12.0], "mean": [3.0, 1.0, 2.5], "min": [3.0, 1.0, 2.5],
        "max": [3.0, 1.0, 2.5], "n": [1.0, 1.0, 1.0],
    }  # fmt: skip


def test_non_finite_values_are_counted_but_are_no_extremes(store: Any) -> None:
    odd = [{"_type": "float", "value": name} for name in ("NaN", "Infinity", "-Infinity")]
    rows = [{"a": odd[i % 3] if i % 2 else i * 0.5, "never": odd[i % 3]} for i in range(10_000)]
    upload(store, rows, batch=3000)
    for buckets in (1, 10, 4999, 10_000):
        (series, never) = store.chart(["a", "never"], buckets=buckets)
        assert sum(series["n"]) == series["points"] == 10_000
        finite = [v for v in series["max"] if not math.isnan(v)]
        assert max(finite) == 4999.0
        assert min(v for v in series["min"] if not math.isnan(v)) == 0.0
        assert not any(map(math.isinf, series["mean"] + series["min"] + series["max"]))
        assert all(map(math.isnan, never["mean"] + never["min"] + never["max"]))
    assert store.storage.keys(RunKey("me", "digits", "r1"), "history")[1]["min"] is None


@pytest.mark.parametrize("count", [500, 60_000])
def test_steps_in_any_order_are_drawn_in_order_of_x(store: Any, count: int) -> None:
    rng = random.Random(3)
    stream = store.stream()
    points = [(rng.randrange(count // 2), float(i)) for i in range(count)]
    for step, value in points:
        stream.log(step, {"a": value})
    stream.send(7000)
    (series,) = store.chart(["a"], buckets=10)
    assert series["x"] == sorted(series["x"])
    assert series["points"] == count
    assert (min(series["min"]), max(series["max"])) == (0.0, count - 1.0)
    inside = [v for s, v in points if 100 <= s <= 120]
    (series,) = store.chart(["a"], min=100, max=120, buckets=2)
    assert (series["points"], min(series["min"]), max(series["max"])) == (len(inside), min(inside), max(inside))


def test_all_streams_of_a_run_are_one_series(store: Any) -> None:
    for n in range(3):
        upload(store, [{"a": float(i * 3 + n)} for i in range(5000)], f"history-{n}.jsonl")
    (series,) = store.chart(["a"], buckets=2)
    assert (series["points"], min(series["min"]), max(series["max"])) == (15_000, 0.0, 14_999.0)
    (series,) = store.chart(["a"], buckets=10_000, max=1)
    assert (series["x"], series["mean"]) == ([0, 0, 0, 1, 1, 1], [0, 1, 2, 3, 4, 5])


@pytest.mark.parametrize("rows", [300, 9000])
def test_any_logged_key_can_be_the_x_of_rows_that_have_both(store: Any, rows: int) -> None:
    stream = store.stream()
    for i in range(rows):
        row: dict[str, Any] = {"loss": -float(i)} if i % 3 else {}
        if i % 2:
            row["epoch"] = math.nan if i == 1 else rows - i
        stream.log(i, row)
    stream.send(777)
    both = sorted((rows - i, -float(i)) for i in range(2, rows) if i % 2 and i % 3)
    (series,) = store.chart(["loss"], x="epoch", buckets=10_000)
    assert list(zip(series["x"], series["mean"], strict=True)) == both
    (series,) = store.chart(["loss"], x="epoch", buckets=10_000, min=50, max=60)
    assert list(zip(series["x"], series["mean"], strict=True)) == [p for p in both if 50 <= p[0] <= 60]
    assert store.chart(["loss"], x="nothing") == []


def test_time_can_be_the_x(store: Any) -> None:
    stream = store.stream(opened=1000.0)
    for i in range(4):
        stream.log(i, {"a": i}, time=1001.0 + i * 0.5)
    stream.send()
    assert store.chart(["a"], x="_timestamp")[0]["x"] == [1001.0, 1001.5, 1002.0, 1002.5]
    assert store.chart(["a"], x="_runtime")[0]["x"] == [1.0, 1.5, 2.0, 2.5]
    assert store.chart(["a"], x="_runtime", min=1.5, max=2.0)[0]["mean"] == [1.0, 2.0]
    assert store.chart(["_step"], x="_runtime")[0]["mean"] == [0.0, 1.0, 2.0, 3.0]


@pytest.mark.parametrize("count", [10, 100_000])
def test_system_metrics_are_drawn_over_time(store: Any, count: int) -> None:
    stream = store.stream("system-a.jsonl", opened=0.0)
    for i in range(count):
        stream.sample({"cpu": float(i)})
    stream.send(9000)
    (series,) = store.chart(["cpu"], kind="system", buckets=20)
    assert series["points"] == count
    assert (series["x"][-1], max(series["max"])) == (count * 0.125, count - 1.0)
    assert store.chart(["cpu"]) == []


def test_numbers_among_other_values_are_drawn(store: Any) -> None:
    stream = store.stream()
    for i, value in enumerate([1, None, 2.5, "x", True, 2**70, {"_type": "text", "value": "t"}, 10**400]):
        stream.log(i, {"a": value})
    stream.send()
    (series,) = store.chart(["a"])
    assert series["x"] == [0.0, 2.0, 5.0, 7.0]
    assert series["mean"][:3] == [1.0, 2.5, float(2**70)]
    assert math.isnan(series["mean"][3])  # larger than any float


def test_unknown_runs_and_keys_are_omitted(store: Any) -> None:
    upload(store, [{"a": 1.0, "text": "x"}])
    found = store.chart(["b", "a", "text", "a"], runs=["me/digits/gone", RUN, RUN])
    assert [(s["run"], s["key"]) for s in found] == [(RUN, "a")]


@pytest.mark.parametrize(
    "query",
    [{"buckets": 0}, {"buckets": 10_001}, {"kind": "console"}, {"runs": ["a/b"]}, {"keys": ["k"] * 2, "runs": ["x"]}],
)
def test_invalid_charts_are_refused(store: Any, query: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"chart|form entity"):
        store.storage.series({"runs": [RUN], "keys": ["a"], **query})


@pytest.mark.parametrize("together", [1, 900, 1_000_000])
def test_many_keys_together_give_the_same_as_each_alone(store: Any, monkeypatch: Any, together: int) -> None:
    monkeypatch.setattr("tracker_server.storage.charts.series._VALUES_AT_ONCE", together)
    for name in ("history-a.jsonl", "history-b.jsonl", "history-c.jsonl"):
        stream = store.stream(name)
        for step in range(300):
            stream.log(step, {f"m{i}": step * i for i in range(7) if step % (i + 1) == 0})
        stream.send(50)
    keys = ["m3", "_step", "nothing", *(f"m{i}" for i in range(7)), "_runtime"]
    for query in ({}, {"x": "m1"}, {"x": "_runtime", "buckets": 40}, {"min": 20, "max": 200, "buckets": 30}):
        alone = [store.chart([key], **query) for key in dict.fromkeys(keys)]
        assert store.chart(keys, **query) == [one for found in alone for one in found]


@pytest.mark.parametrize("what", ["in order", "late", "sparse"])
def test_charts_over_time_have_exact_extremes_and_read_no_points_if_blocks_suffice(
    store: Any, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    rng = np.random.default_rng(11)
    count = 20_000
    times = 1e9 + np.cumsum(rng.random(count)).round(3)
    if what == "late":
        times[7000:7500] -= 3000
    values = rng.normal(size=count)
    stream = store.stream()
    rows = [(step, times[step], {"a": values[step]}) for step in range(count) if what != "sparse" or step % 3]
    for start in range(0, len(rows), 2500):
        stream.points(rows[start : start + 2500]).send()
    stream.log(count, {"b": 1.0}, time=times[-1] + 1).send()
    if what == "sparse":  # between them are rows without the key
        store.stream("history-b.jsonl", added=True).log(0, {"b": 2.0}, time=times[5]).send()
    read: list[int] = []
    real = scan.read

    def counted(connection: Any, run: int, stream_: int, ids: Any, low: int = 0, high: int = scan.END) -> Any:
        read.append(min(high, count) - low)
        return real(connection, run, stream_, ids, low, high)

    monkeypatch.setattr(scan, "read", counted)
    t = np.array([time for _, time, _ in rows])
    v = np.array([row["a"] for _, _, row in rows])
    for low, high in ((-np.inf, np.inf), (t[len(t) // 6], t[len(t) * 3 // 4])):
        read.clear()
        bounds = {} if np.isinf(low) else {"min": float(low), "max": float(high)}
        (chart,) = store.chart(["a"], x="_timestamp", buckets=4, **bounds)
        inside = (t >= low) & (t <= high)
        assert chart["points"] == inside.sum() == sum(chart["n"])
        assert (min(chart["min"]), max(chart["max"])) == (v[inside].min(), v[inside].max())
        assert np.isclose(np.dot(chart["mean"], chart["n"]), v[inside].sum())
        assert chart["x"] == sorted(chart["x"])
        assert chart["x"][-1] == t[inside].max()
        if what == "in order":
            assert sum(read) <= count / 2  # only blocks cut by a window, and rows that are not in chunks yet
