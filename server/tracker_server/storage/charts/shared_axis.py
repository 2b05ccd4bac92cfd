"""Charts of many runs: what is too long to be drawn whole is drawn on one x that all of it shares.

Series wait until the last one is read, since only then the common x is known. What waits is bounded: past some number
of points, long series are thinned to cells much finer than buckets. The cells' widths are powers of two and the edges
of buckets multiples of the widest, so cells lie within buckets and each bucket still has exactly the points of its
interval.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from tracker_server.storage.interface import Array, Chart, Line

from .envelope import Buckets, Points, gathered, summed

_FINE = 8
"""Cells in a bucket, at least."""

_MUCH = 4_000_000
"""Points that wait as they are."""

_SHARED = 1.25
"""Runs of a group are drawn point by point if all their x together are at most so many times those of one run."""


class Held(NamedTuple):
    """The points of a key of a run, thinned if they are many, and how wide the cells are (0: they are points)."""

    run: str
    key: str
    points: Points
    cell: float


class Waiting:
    """Takes what is read for one chart."""

    def __init__(self, buckets: int) -> None:
        self._buckets = buckets
        self._entries = 0

    def take(self, found: Iterable[tuple[str, str, Points]]) -> list[Held]:
        """Return what is to be drawn: run, key and points each. Long series are thinned once there is much of it."""
        held = []
        for run, key, points in found:
            one = Held(run, key, points, 0.0)
            if self._entries > _MUCH:
                one = _thinned(one, self._buckets)
            self._entries += len(one.points.x)
            held.append(one)
        return held


def _thinned(one: Held, buckets: int) -> Held:
    x = one.points.x
    span = float(x[-1]) - float(x[0])
    if len(x) <= 2 * _FINE * buckets or not 0 < span < math.inf:
        return one
    cell = 2.0 ** math.floor(math.log2(span / (_FINE * buckets)))
    starts = np.flatnonzero(np.diff(np.floor(x / cell), prepend=-math.inf))
    return one._replace(points=Points(*gathered(one.points, starts)), cell=cell)


def of_runs(held: list[Held], buckets: int) -> Chart:
    """Draw each run and key. Series of no more points than buckets come whole, all others share one x."""
    long = [one for one in held if len(one.points.x) > buckets]
    grid = _Grid(_edges(long, buckets))
    placed = {id(one): grid.place(one.points) for one in long}
    lines = []
    for one in held:
        points = one.points
        if id(one) in placed:
            found = grid.spread(*placed[id(one)])
            lines.append(Line(one.run, one.key, points.points, grid.x, found.mean, found.low, found.high, found.n))
        elif points.n is None:
            values = points.total
            lines.append(Line(one.run, one.key, points.points, points.x, values, values, values, None))
        else:
            found = summed(points, np.arange(len(points.x)))
            n = None if points.points == len(points.x) else found.n
            lines.append(Line(one.run, one.key, points.points, found.x, found.mean, found.low, found.high, n))
    return Chart(lines, grid.x if long else None)


def of_groups(groups: list[tuple[str, list[Held]]], buckets: int) -> Chart:
    """Draw each group and key: the mean over the runs, and how they spread, in buckets that all groups share."""
    every = [one for _, held in groups for one in held]
    grid = _Grid(_common_x(every, buckets))
    placed = {id(one): grid.place(one.points) for one in every}
    lines = []
    for name, held in groups:
        for key in dict.fromkeys(one.key for one in held):
            mine = [one for one in held if one.key == key]
            found = [grid.spread(*placed[id(one)]) for one in mine]
            lines.append(_together(name, key, sum(one.points.points for one in mine), grid.x, found))
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
    """Buckets between `edges`, the inner ones. Its x is that of the last point of any run in each bucket; buckets in
    which no run has one are left out. So first all is placed, then spread.
    """

    def __init__(self, edges: Array) -> None:
        self._edges = edges
        self._last = np.full(len(edges) + 1, -math.inf)

    def place(self, points: Points) -> tuple[Array, Buckets]:
        """Return what there is in the buckets that have points, and which ones those are."""
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
        """Return the same with an entry for each x of the grid: NaN and n = 0 where there is nothing."""
        used = self._used
        at = np.searchsorted(used, filled)

        def spread(column: Array, empty: float) -> Array:
            whole = np.full(len(used), empty)
            whole[at] = column
            return whole

        mean, low, high = (spread(column, np.nan) for column in (found.mean, found.low, found.high))
        return Buckets(found.points, self.x, mean, low, high, spread(found.n, 0.0))


def _edges(held: list[Held], buckets: int) -> Array:
    """The inner edges of buckets of equal width over the x of all of `held`."""
    if not held:
        return np.zeros(0)
    low, high = min(one.points.x[0] for one in held) / 2, max(one.points.x[-1] for one in held) / 2
    if not high > low:
        return np.zeros(0)
    edges = 2 * (low + (high - low) * (np.arange(1, buckets) / buckets))  # by halves: their span is always finite
    cell = max(one.cell for one in held)
    return np.unique(np.ceil(edges / cell) * cell) if cell else edges


def _common_x(held: list[Held], buckets: int) -> Array:
    """The inner edges for groups: one bucket for each x where the runs have much the same ones and these are few."""
    longest = max((len(one.points.x) for one in held), default=0)
    union: Array = np.zeros(0)
    for one in held:
        union = np.union1d(union, one.points.x)
        if one.cell or len(union) > min(buckets, _SHARED * longest):
            return _edges(held, min(buckets, longest))
    return union[1:]
