from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.api.downsample import envelope

points = st.lists(st.tuples(st.integers(-50, 50) | st.floats(-1e9, 1e9), st.floats()), max_size=60)


@given(points, st.integers(1, 20))
def test_buckets_hold_all_points_and_no_extreme_is_lost(given: list[tuple[float, float]], buckets: int) -> None:
    series = envelope("me/p/r", "x", given, buckets)
    assert series["points"] == len(given)
    assert sum(series["n"]) == len(given)
    assert len(series["x"]) <= buckets
    assert series["x"] == sorted(series["x"])
    finite = [y for _, y in given if math.isfinite(y)]
    if finite and len(given) > buckets:
        assert min(v for v in series["min"] if v == v) == min(finite)
        assert max(v for v in series["max"] if v == v) == max(finite)
    if given:
        assert series["x"][-1] == max(x for x, _ in given)


def test_few_points_are_returned_completely_and_in_order() -> None:
    series = envelope("me/p/r", "x", [(2, 5.0), (1, math.nan), (2, 4.0)], 3)
    assert series["x"] == [1, 2, 2]
    assert series["mean"][1:] == series["min"][1:] == series["max"][1:] == [5.0, 4.0]
    assert math.isnan(series["mean"][0])


def test_a_bucket_covers_only_its_finite_points() -> None:
    series = envelope("me/p/r", "x", [(0, 1.0), (0, math.inf), (0, 3.0), (1, math.nan), (1, -math.inf)], 2)
    assert (series["n"], series["x"]) == ([3, 2], [0, 1])
    assert (series["mean"][0], series["min"][0], series["max"][0]) == (2.0, 1.0, 3.0)
    assert math.isnan(series["mean"][1])
    assert math.isnan(series["min"][1])


@pytest.mark.parametrize("x", [0.1, 7, -3])
def test_points_with_one_x_are_one_bucket(x: float) -> None:
    series = envelope("me/p/r", "x", [(x, float(i)) for i in range(100)], 10)
    assert (series["n"], series["x"], series["min"], series["max"]) == ([100], [x], [0.0], [99.0])
