"""Draw charts of many runs: series with too many points are aggregated in buckets on one shared x.

The shared x is known only after the last series is read, so all series wait in memory until then. The memory is
bounded: past some number of points, long series are thinned to cells that are much finer than buckets. Widths of cells
are powers of two, and edges of buckets are multiples of the widest cell. So cells lie within buckets, and each bucket
has exactly the points of its interval.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from tracker_server.storage.interface import Array, Chart, Line

from .envelope import Buckets, Points, gathered, summed

_CELLS_PER_BUCKET = 8
"""Fewest cells in a bucket."""

_MAX_POINTS = 4_000_000
"""Points in memory after which long series are thinned."""

_MAX_UNION = 1.25
"""A group is drawn point by point if its runs together have at most this many times the x values of one run."""


class ThinnedSeries(NamedTuple):
    """The points of a key of a run. `cell` is the width of the cells to which they are thinned, 0 if they are not."""

    run: str
    key: str
    points: Points
    cell: float


class SeriesBuffer:
    """Collects the series that are read for one chart, with bounded memory."""

    def __init__(self, buckets: int) -> None:
        self._buckets = buckets
        self._entries = 0

    def take(self, found: Iterable[tuple[str, str, Points]]) -> list[ThinnedSeries]:
        """Return the series to draw. Long ones are thinned once the buffer holds many points."""
        all_series = []
        for run, key, points in found:
            series = ThinnedSeries(run, key, points, 0.0)
            if self._entries > _MAX_POINTS:
                series = _thinned(series, self._buckets)
            self._entries += len(series.points.x)
            all_series.append(series)
        return all_series


def _thinned(series: ThinnedSeries, buckets: int) -> ThinnedSeries:
    x = series.points.x
    span = float(x[-1]) - float(x[0])
    if len(x) <= 2 * _CELLS_PER_BUCKET * buckets or not 0 < span < math.inf:
        return series
    cell = 2.0 ** math.floor(math.log2(span / (_CELLS_PER_BUCKET * buckets)))
    starts = np.flatnonzero(np.diff(np.floor(x / cell), prepend=-math.inf))
    return series._replace(points=Points(*gathered(series.points, starts)), cell=cell)


def draw_runs(all_series: list[ThinnedSeries], buckets: int) -> Chart:
    """Draw each run and key. Series with at most `buckets` points are drawn whole, all others share one x."""
    long = [series for series in all_series if len(series.points.x) > buckets]
    grid = _Grid(_edges(long, buckets))
    placed = {id(series): grid.place(series.points) for series in long}
    lines = []
    for series in all_series:
        points = series.points
        if id(series) in placed:
            found = grid.spread(*placed[id(series)])
            lines.append(
                Line(series.run, series.key, points.points, grid.x, found.mean, found.low, found.high, found.n)
            )
        elif points.n is None:
            values = points.total
            lines.append(Line(series.run, series.key, points.points, points.x, values, values, values, None))
        else:
            found = summed(points, np.arange(len(points.x)))
            n = None if points.points == len(points.x) else found.n
            lines.append(Line(series.run, series.key, points.points, found.x, found.mean, found.low, found.high, n))
    return Chart(lines, grid.x if long else None)


def draw_groups(groups: list[tuple[str, list[ThinnedSeries]]], buckets: int) -> Chart:
    """Draw each group and key: mean and standard deviation over its runs, in buckets that all groups share."""
    every = [series for _, all_series in groups for series in all_series]
    grid = _Grid(_common_x(every, buckets))
    placed = {id(series): grid.place(series.points) for series in every}
    lines = []
    for name, all_series in groups:
        for key in dict.fromkeys(series.key for series in all_series):
            mine = [series for series in all_series if series.key == key]
            found = [grid.spread(*placed[id(series)]) for series in mine]
            lines.append(_together(name, key, sum(series.points.points for series in mine), grid.x, found))
    return Chart(lines, grid.x if lines else None)


def _together(name: str, key: str, points: int, x: Array, runs: list[Buckets]) -> Line:
    means = np.array([run.mean for run in runs])
    there = np.isfinite(means)
    n = there.sum(axis=0).astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        mean = np.where(there, means, 0.0).sum(axis=0) / n
        spread = np.where(there, (means - mean) ** 2, 0.0).sum(axis=0)
        std = np.where(n > 1, np.sqrt(spread / (n - 1)), np.where(n > 0, 0.0, np.nan))
    low = np.fmin.reduce([run.low for run in runs])
    high = np.fmax.reduce([run.high for run in runs])
    return Line(name, key, points, x, mean, low, high, n, std)


class _Grid:
    """Buckets with the given inner edges.

    The x of a bucket is that of the last point of any run in it. Buckets without points are omitted. So all series are
    placed first, and then spread over the x.
    """

    def __init__(self, edges: Array) -> None:
        self._edges = edges
        self._last = np.full(len(edges) + 1, -math.inf)

    def place(self, points: Points) -> tuple[Array, Buckets]:
        """Return which buckets have points of this series, and the aggregates in them."""
        starts = np.concatenate([[0], np.searchsorted(points.x, self._edges)])
        filled = np.flatnonzero(np.diff(starts, append=len(points.x)))
        found = summed(points, starts[filled])
        self._last[filled] = np.maximum(self._last[filled], found.x)
        return filled, found

    @property
    def _used(self) -> Array:
        return np.flatnonzero(self._last > -math.inf)

    @property
    def x(self) -> Array:
        return self._last[self._used]

    def spread(self, filled: Array, found: Buckets) -> Buckets:
        """Return the same with an entry for each x of the grid: NaN and n = 0 where the series has no points."""
        used = self._used
        at = np.searchsorted(used, filled)

        def spread(column: Array, empty: float) -> Array:
            filled = np.full(len(used), empty)
            filled[at] = column
            return filled

        mean, low, high = (spread(column, np.nan) for column in (found.mean, found.low, found.high))
        return Buckets(found.points, self.x, mean, low, high, spread(found.n, 0.0))


def _edges(all_series: list[ThinnedSeries], buckets: int) -> Array:
    """Return the inner edges of buckets of equal width over the x of all series."""
    if not all_series:
        return np.zeros(0)
    low, high = (
        min(series.points.x[0] for series in all_series) / 2,
        max(series.points.x[-1] for series in all_series) / 2,
    )
    if not high > low:
        return np.zeros(0)
    edges = 2 * (
        low + (high - low) * (np.arange(1, buckets) / buckets)
    )  # halved, so that their difference is always finite
    cell = max(series.cell for series in all_series)
    return np.unique(np.ceil(edges / cell) * cell) if cell else edges


def _common_x(all_series: list[ThinnedSeries], buckets: int) -> Array:
    """Return the inner edges for groups: a bucket for each x if the runs have few and mostly the same x values."""
    longest = max((len(series.points.x) for series in all_series), default=0)
    union: Array = np.zeros(0)
    for series in all_series:
        union = np.union1d(union, series.points.x)
        if series.cell or len(union) > min(buckets, _MAX_UNION * longest):
            return _edges(all_series, min(buckets, longest))
    return union[1:]
