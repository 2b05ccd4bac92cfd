from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from tracker.runlog.records import decode_special, encode, encode_points
from tracker.wire import FRAME_TYPE, decode_frame

NAN = {"_type": "float", "value": "NaN"}


def _log(client: Any, run: str, rows: list[dict[str, Any]], first: int = 0) -> None:
    offset = 0
    for start in range(0, len(rows), 20_000):
        some = enumerate(rows[start : start + 20_000], first + start)
        data = b"".join(encode("log", row, 1e9 + step, step) for step, row in some)
        answer = client.append(run, data, offset)
        assert answer.status_code == 200, answer.text
        offset = answer.json()["offset"]


@pytest.fixture(scope="module")
def filled(client: Any, lines: Any) -> Any:
    client.append("one", lines("one", rows=50))
    client.append("two", lines("two", rows=2) + encode("log", {"loss": NAN}, 1_700_000_000.0, 9))
    noise = np.random.default_rng(0)
    for number in range(3):
        values = noise.random(3000)
        _log(client, f"long{number}", [{"loss": float(v), "acc": step} for step, v in enumerate(values)])
    _log(client, "late", [{"loss": 0.5 + step} for step in range(1000)], first=2500)
    return client


def _ask(client: Any, accept: str = "application/json", **query: Any) -> Any:
    return client("POST", "/api/charts", json=query, headers={"Accept": accept})


def _json(client: Any, **query: Any) -> list[dict[str, Any]]:
    answer = _ask(client, **query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = decode_special(answer.json()["series"])
    return found


def _frame(client: Any, **query: Any) -> tuple[dict[str, Any], list[Any]]:
    answer = _ask(client, FRAME_TYPE, **query)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == FRAME_TYPE
    header, arrays = decode_frame(answer.content)
    return header, [np.array(array) for array in arrays]


def test_short_series_are_the_same_as_json_and_as_a_frame(filled: Any) -> None:
    query = {"runs": ["me/digits/one", "me/digits/two"], "keys": ["loss", "acc"], "buckets": 100}
    header, arrays = _frame(filled, **query)
    for plain, entry in zip(_json(filled, **query), header["series"], strict=True):
        assert [entry[part] for part in ("run", "key", "points")] == [plain[part] for part in ("run", "key", "points")]
        assert entry["n"] is None
        assert entry["mean"] == entry["min"] == entry["max"]
        for part in ("x", "mean", "min", "max"):
            np.testing.assert_array_equal(arrays[entry[part]], plain[part])
    assert header["grid"] is None


def test_equal_arrays_are_sent_once(filled: Any) -> None:
    runs = [f"me/digits/long{n}" for n in range(3)]
    header, arrays = _frame(filled, runs=runs, keys=["loss", "acc"], buckets=3000)
    assert {entry["x"] for entry in header["series"]} == {0}
    assert {entry["mean"] for entry in header["series"] if entry["key"] == "acc"} == {0}  # acc is the step
    assert len(arrays) == 1 + 3


def test_bucketed_series_share_one_x_and_each_bucket_has_exactly_its_points(filled: Any) -> None:
    runs = ["me/digits/one", *(f"me/digits/long{n}" for n in range(3)), "me/digits/late"]
    header, arrays = _frame(filled, runs=runs, keys=["loss"], buckets=100)
    x = arrays[header["grid"]]
    assert len(x) == 100
    assert (np.diff(x) > 0).all()
    whole, *long, late = header["series"]
    assert (whole["n"], len(arrays[whole["x"]])) == (None, 50)
    exact = {one["run"]: one for one in _json(filled, runs=runs, keys=["loss"], buckets=10_000)}
    for entry in [*long, late]:
        assert entry["x"] == header["grid"]
        steps, values = (np.array(exact[entry["run"]][part]) for part in ("x", "mean"))
        bucket = np.searchsorted(x, steps)
        for at in range(100):
            inside = values[bucket == at]
            assert arrays[entry["n"]][at] == len(inside)
            found = [arrays[entry[part]][at] for part in ("mean", "min", "max")]
            if len(inside):
                assert found == pytest.approx([inside.mean(), inside.min(), inside.max()], abs=2e-3)
                assert found[1] <= inside.min()
                assert found[2] >= inside.max()
            else:
                assert all(map(math.isnan, found))
    assert arrays[late["n"]][:70].sum() == 0
    assert sum(arrays[late["n"]]) == late["points"] == 1000


def test_a_group_has_the_mean_and_standard_deviation_of_its_runs(filled: Any) -> None:
    runs = [f"me/digits/long{n}" for n in range(3)]
    groups = [{"name": "all", "runs": runs}, {"name": "one", "runs": runs[:1]}]
    plain = np.array([one["mean"] for one in _json(filled, runs=runs, keys=["loss"], buckets=3000)])
    header, arrays = _frame(filled, groups=groups, keys=["loss"], buckets=3000)
    every, single = header["series"]
    assert [every["group"], every["points"], single["group"]] == ["all", 9000, "one"]
    np.testing.assert_array_equal(arrays[header["grid"]], np.arange(3000))
    np.testing.assert_allclose(arrays[every["mean"]], plain.mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(arrays[every["std"]], plain.std(axis=0, ddof=1), atol=1e-6)
    np.testing.assert_allclose(arrays[every["min"]], plain.min(axis=0), atol=1e-6)
    np.testing.assert_allclose(arrays[every["max"]], plain.max(axis=0), atol=1e-6)
    assert set(arrays[every["n"]]) == {3}
    assert set(arrays[single["std"]]) == {0}
    header, arrays = _frame(filled, groups=groups, keys=["loss"], buckets=100)
    every = header["series"][0]
    bucketed = plain.reshape(3, 100, 30)
    np.testing.assert_allclose(arrays[every["mean"]], bucketed.mean(axis=(0, 2)), atol=1e-2)
    assert arrays[every["max"]].max() >= plain.max()


def test_a_group_counts_its_runs_in_each_bucket(filled: Any) -> None:
    group = {"name": "all", "runs": ["me/digits/long0", "me/digits/late", "me/digits/nowhere"]}
    header, arrays = _frame(filled, groups=[group], keys=["loss"], buckets=50)
    (entry,) = header["series"]
    n = arrays[entry["n"]]
    assert (n[0], n[-1], n.max()) == (1, 1, 2)
    assert np.isfinite(arrays[entry["std"]]).all()


SPIKE = 654_321


@pytest.fixture(scope="module")
def spike(client: Any) -> Any:
    values = [0.5] * 1_000_000
    values[SPIKE] = 3e5 + 0.1
    offset, some = 0, 50_000
    for start in range(0, len(values), some):
        steps = list(range(start, start + some))
        times = [1e9 + step for step in steps]
        data = encode_points(["loss"], [0] * some, times, steps, values[start : start + some])
        answer = client.append("spike", data, offset)
        assert answer.status_code == 200, answer.text
        offset = answer.json()["offset"]
    return client


@pytest.mark.parametrize("x", ["_step", "_timestamp"])
def test_a_spike_of_one_point_in_a_million_is_in_the_envelope_at_every_zoom(spike: Any, x: str) -> None:
    at, first, width = SPIKE, 1e9 if x == "_timestamp" else 0.0, 1e6
    while width > 1:
        low, high = first + max(0.0, at - 0.37 * width), first + at + 0.63 * width
        for buckets in (500, 37):
            query = {"runs": ["me/digits/spike"], "keys": ["loss"], "x": x, "buckets": buckets, "min": low, "max": high}
            header, arrays = _frame(spike, **query)
            (entry,) = header["series"]
            highest = arrays[entry["max"]]
            peak = int(highest.argmax())
            assert highest[peak] == pytest.approx(3e5 + 0.1, abs=0.4)
            assert highest[peak] >= 3e5 + 0.1
            assert (np.delete(highest, peak) < 1).all()
            assert abs(arrays[entry["x"]][peak] - first - at) <= 2.5 * width / buckets + 2
            (plain,) = _json(spike, **query)
            assert max(plain["max"]) == 3e5 + 0.1
        width /= 7


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ({"runs": []}, "a chart shows either runs or groups"),
        ({"runs": ["me/digits"]}, "the run 'me/digits' must have the form entity/project/id"),
        ({"runs": ["me/digits/.."]}, "the run id '..' is not allowed"),
        ({"runs": ["me/digits/one"], "buckets": 0}, "buckets: Input should be greater than or equal to 1"),
        ({"runs": ["me/digits/one"], "bucket": 5}, "bucket: Extra inputs are not permitted"),
        ({"runs": ["me/digits/one"] * 1000, "keys": ["loss"] * 1000}, "more than 10,000 series"),
        ({"runs": ["me/digits/one"] * 1000, "buckets": 10_000}, "more than 4,000,000 buckets"),
        ({"groups": [{"name": "a", "runs": ["me/digits/one"]}]}, "only available as frames"),
        ({"groups": [{"name": "a", "runs": []}]}, "groups.0.runs: List should have at least 1 item"),
        (
            {"groups": [{"name": "a", "runs": ["me/digits/one"]}], "runs": ["me/digits/one"]},
            "a chart shows either runs or groups",
        ),
    ],
)
def test_invalid_charts_are_refused_with_a_reason(filled: Any, query: dict[str, Any], reason: str) -> None:
    answer = _ask(filled, **{"keys": ["loss"], **query})
    assert answer.status_code == 400
    assert reason in answer.json()["error"]
