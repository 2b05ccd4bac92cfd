"""Log distributions of numbers."""

from __future__ import annotations

import math
import sys
from bisect import bisect_right
from itertools import pairwise
from typing import Any

from .arrays import Array, numpy_if_loaded, plain
from .base import Media, Store
from .scale import finite_range

MAX_BINS = 10_000
"""Bins of one histogram."""

_HUGE = sys.float_info.max


class Histogram(Media):
    """The distribution of numbers: how many are in each of `num_bins` bins of equal width.

        run.log({"weights": tracker.Histogram(weights)})

    The bins go from the least to the greatest number. Each contains its lower edge and not its upper one; the last
    contains both. NaN and ±Infinity are in no bin; `nonfinite` counts them. If all numbers equal v, the bins span
    v − 0.5 … v + 0.5; if there are none, the bins span 0 … 1 and are empty.

    Args:
        sequence: An array of any library and shape, or a sequence of numbers.
        np_histogram: Instead of a sequence, what `numpy.histogram` returns: the counts and the n + 1 edges.
        num_bins: How many bins, from 1 to 10,000.

    Raises:
        TypeError: The value does not hold real numbers.
        ValueError: Edges do not ascend, counts are negative, lengths do not match, or there are too many bins.
    """

    def __init__(self, sequence: Any = None, np_histogram: tuple[Any, Any] | None = None, num_bins: int = 64) -> None:
        if (sequence is None) == (np_histogram is None):
            raise ValueError("give either a sequence of numbers or np_histogram=(counts, edges)")
        self.counts: list[float]
        self.bins: list[float]
        self.nonfinite = 0
        if np_histogram is not None:
            self.counts, self.bins = _given(np_histogram)
            return
        if not 1 <= num_bins <= MAX_BINS:
            raise ValueError(f"num_bins is {num_bins!r}; it must be from 1 to {MAX_BINS:,}")
        data = plain(sequence)
        numpy = numpy_if_loaded()
        count = _counted if numpy is None else _counted_by_numpy
        self.bins = _edges(*finite_range(data), num_bins) if len(data.values) else _edges(0.0, 1.0, num_bins)
        counts = count(data, self.bins)
        self.counts, self.nonfinite = list(counts), len(data.values) - sum(counts)

    def record(self, store: Store) -> dict[str, Any]:  # noqa: ARG002 -- small enough for the row itself
        """Return `_type` histogram; it has `nonfinite` if that is not zero."""
        record: dict[str, Any] = {"_type": "histogram", "bins": self.bins, "counts": self.counts}
        return record | {"nonfinite": self.nonfinite} if self.nonfinite else record


def _edges(low: float, high: float, bins: int) -> list[float]:
    """Return `bins` + 1 ascending edges, whatever the floating-point distance of `low` and `high`."""
    least = bins * 4 * math.ulp(max(abs(low), abs(high)))
    if high - low < least:
        margin = max(0.5, least) if low == high else least
        low, high = max(low - margin, -_HUGE), min(high + margin, _HUGE)
    step = (high - low) / bins
    if math.isinf(step):  # the distance is beyond the greatest float
        inner = [low * (1 - i / bins) + high * (i / bins) for i in range(1, bins)]
    else:
        inner = [low + i * step for i in range(1, bins)]
    return [low, *inner, high]


def _counted(data: Array, edges: list[float]) -> list[int]:
    counts, last = [0] * (len(edges) - 1), len(edges) - 2
    for value in data.values:
        if math.isfinite(value):
            counts[min(bisect_right(edges, value) - 1, last)] += 1
    return counts


def _counted_by_numpy(data: Array, edges: list[float]) -> list[int]:
    numpy: Any = numpy_if_loaded()
    values = numpy.asarray(data.values).astype(numpy.float64)
    if data.kind == "f":
        values = values[numpy.isfinite(values)]
    if 1e-300 < edges[-1] - edges[0] < 1e300:  # numpy's fast arithmetic for bins of equal width is safe here
        counts, _ = numpy.histogram(values, bins=len(edges) - 1, range=(edges[0], edges[-1]))
    else:
        counts, _ = numpy.histogram(values, bins=numpy.array(edges))
    return [int(count) for count in counts]


def _given(np_histogram: tuple[Any, Any]) -> tuple[list[float], list[float]]:
    counts: list[float] = list(plain(np_histogram[0]).values)
    edges = [float(edge) for edge in plain(np_histogram[1]).values]
    if len(edges) != len(counts) + 1:
        raise ValueError(
            f"np_histogram has {len(counts)} counts and {len(edges)} edges; it is (counts, edges) with one edge more"
        )
    if not 1 <= len(counts) <= MAX_BINS:
        raise ValueError(f"{len(counts):,} bins; a histogram has from 1 to {MAX_BINS:,}")
    if not all(map(math.isfinite, edges)) or any(a >= b for a, b in pairwise(edges)):
        raise ValueError("the edges of a histogram must be finite and ascend")
    if not all(math.isfinite(count) and count >= 0 for count in counts):
        raise ValueError("the counts of a histogram must be finite and not negative")
    return counts, edges
