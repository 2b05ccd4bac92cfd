from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.media.memory_store import MemoryStore
from tracker.media import Histogram


def test_a_histogram_counts_like_numpy(store: MemoryStore) -> None:
    values = np.random.default_rng(0).normal(size=10_000)
    record = Histogram(values).record(store)
    counts, edges = np.histogram(values, bins=64)
    assert record["_type"] == "histogram"
    assert record["counts"] == counts.tolist()
    assert record["bins"] == pytest.approx(edges.tolist(), abs=1e-12)
    assert set(record) == {"_type", "bins", "counts"}
    assert not store


@pytest.mark.parametrize(
    "sequence", [[1, 2, 2, 3], (1, 2, 2, 3), iter([1, 2, 2, 3]), np.array([[1, 2], [2, 3]], dtype=np.uint8)]
)
def test_sequences_of_any_kind_and_shape_are_counted(sequence: Any, store: MemoryStore) -> None:
    record = Histogram(sequence, num_bins=2).record(store)
    assert (record["bins"], record["counts"]) == ([1.0, 2.0, 3.0], [1, 3])


def test_non_finite_values_are_counted_separately(store: MemoryStore) -> None:
    record = Histogram([math.nan, math.inf, -math.inf, 0.0, 1.0], num_bins=2).record(store)
    assert (record["bins"], record["counts"], record["nonfinite"]) == ([0.0, 0.5, 1.0], [1, 1], 3)


def test_equal_values_fill_one_bin_in_the_middle(store: MemoryStore) -> None:
    record = Histogram([3.0] * 5, num_bins=3).record(store)
    assert (record["bins"][0], record["bins"][-1], record["counts"]) == (2.5, 3.5, [0, 5, 0])


@pytest.mark.parametrize("sequence", [[], np.zeros(0), [math.nan]])
def test_no_values_give_empty_bins(sequence: Any) -> None:
    histogram = Histogram(sequence, num_bins=4)
    assert histogram.counts == [0, 0, 0, 0]
    assert len(histogram.bins) == 5
    assert histogram.nonfinite == len(sequence)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.floats(), max_size=20), st.integers(1, 70))
def test_every_value_is_in_one_ascending_bin_or_counted_as_not_finite(values: Any, bins: Any) -> None:
    for sequence in (values, np.array(values)):
        histogram = Histogram(sequence, num_bins=bins)
        assert len(histogram.counts) == bins == len(histogram.bins) - 1
        assert all(a < b for a, b in zip(histogram.bins, histogram.bins[1:], strict=False))
        assert all(map(math.isfinite, histogram.bins))
        finite = [v for v in values if math.isfinite(v)]
        assert sum(histogram.counts) == len(finite)
        assert histogram.nonfinite == len(values) - len(finite)
        if finite:
            assert histogram.bins[0] <= min(finite)
            assert max(finite) <= histogram.bins[-1]


def test_numpy_histograms_are_kept_unchanged(store: MemoryStore) -> None:
    counts, edges = np.histogram([1, 2, 2, 3], bins=2)
    record = Histogram(np_histogram=(counts, edges)).record(store)
    assert (record["counts"], record["bins"]) == ([1, 3], [1.0, 2.0, 3.0])


@pytest.mark.parametrize(
    ("np_histogram", "message"),
    [
        (([1, 2], [0, 1]), "one edge more"),
        (([1], [1, 1]), "ascend"),
        (([1], [0, math.nan]), "ascend"),
        (([-1], [0, 1]), "negative"),
        (([1] * 10_001, range(10_002)), "10,000"),
        (([], [0]), "from 1"),
    ],
)
def test_invalid_numpy_histograms_are_refused(np_histogram: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Histogram(np_histogram=np_histogram)


@pytest.mark.parametrize("arguments", [{}, {"sequence": [1], "np_histogram": ([1], [0, 1])}])
def test_one_of_data_and_histogram_is_needed(arguments: Any) -> None:
    with pytest.raises(ValueError, match="either"):
        Histogram(**arguments)


@pytest.mark.parametrize("bins", [0, -1, 10_001])
def test_the_number_of_bins_is_limited(bins: int) -> None:
    with pytest.raises(ValueError, match="num_bins"):
        Histogram([1], num_bins=bins)


@pytest.mark.parametrize("value", ["abc", 3, None, ["a"], np.array([1j])])
def test_values_without_real_numbers_are_refused(value: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        Histogram(value)


def test_bfloat16_tensors_with_gradient_are_counted() -> None:
    torch = pytest.importorskip("torch")
    tensor = torch.tensor([0.0, 0.5, 1.0], dtype=torch.bfloat16, requires_grad=True)
    assert Histogram(tensor, num_bins=2).counts == [1, 2]


def test_a_million_numbers_are_counted_exactly() -> None:
    values = np.random.default_rng(1).normal(size=1_000_000).astype(np.float32)
    histogram = Histogram(values)
    assert sum(histogram.counts) == 1_000_000
