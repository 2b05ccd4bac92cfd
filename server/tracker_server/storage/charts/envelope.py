"""Aggregate many points in few buckets, without losing an extreme."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tracker_server.storage.interface import Array


class Points(NamedTuple):
    """Points, or blocks of points, in order of x (float64 arrays of equal length).

    `n` is the number of points in each entry, `finite` the number of finite ones. `low`, `high` and `total` are over
    the finite ones (NaN, NaN and 0 if there are none).
    """

    x: Array
    n: Array | None
    finite: Array | None
    low: Array
    high: Array
    total: Array

    @classmethod
    def from_values(cls, x: Array, values: Array) -> Points:
        """Return single points; `n` and `finite` are None if all of them are finite."""
        finite = np.isfinite(values)
        if finite.all():
            return cls(x, None, None, values, values, values)
        values = np.where(finite, values, np.nan)
        return cls(x, np.ones(len(x)), finite.astype(np.float64), values, values, np.where(finite, values, 0.0))

    @property
    def points(self) -> int:
        """How many points there are."""
        return len(self.x) if self.n is None else int(self.n.sum())

    def counted(self) -> Points:
        """Return the same with `n` and `finite` as arrays."""
        if self.n is not None:
            return self
        ones = np.ones(len(self.x))
        return self._replace(n=ones, finite=ones)


class Blocks(NamedTuple):
    """`Points` with `n` and `finite` as arrays."""

    x: Array
    n: Array
    finite: Array
    low: Array
    high: Array
    total: Array


class Buckets(NamedTuple):
    """The aggregates of a series that a chart shows; see `tracker.wire.Series`."""

    points: int
    x: Array
    mean: Array
    low: Array
    high: Array
    n: Array


def together(parts: list[Points]) -> Points:
    """Merge the points of several streams in order of x; points with equal x keep the order of streams and rows."""
    points = parts[0]
    if len(parts) > 1:
        if any(p.n is not None for p in parts):
            parts = [p.counted() for p in parts]
        members = [None if column[0] is None else np.concatenate(column) for column in zip(*parts, strict=True)]
        points = Points(*members)  # type: ignore[arg-type]
    if (points.x[1:] >= points.x[:-1]).all():
        return points
    order = np.argsort(points.x, kind="stable")
    return Points(*(None if member is None else member[order] for member in points))  # type: ignore[arg-type]


def envelope(points: Points, buckets: int) -> Buckets:
    """Aggregate points (at least one, in order of x) in `buckets` intervals of equal width; empty ones are omitted.

    With at most `buckets` points, every point is a bucket of its own.
    """
    if len(points.x) <= buckets:
        return summed(points, np.arange(len(points.x)))
    edges = (
        2 * np.linspace(points.x[0] / 2, points.x[-1] / 2, buckets + 1)[1:-1]
    )  # halved, so that their difference is finite
    starts = np.unique(np.concatenate([[0], np.searchsorted(points.x, edges)]))
    return summed(points, starts[starts < len(points.x)])


def summed(points: Points, starts: Array) -> Buckets:
    """Aggregate points in buckets that begin at the positions `starts`, which ascend from 0."""
    x, n, finite, low, high, total = gathered(points, starts)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(finite > 0, total / finite, np.nan)
    return Buckets(points.points, x, mean, low, high, n)


def gathered(points: Points, starts: Array) -> Blocks:
    """Return blocks of points that begin at the positions `starts`, which ascend from 0."""
    ends = np.append(starts[1:], len(points.x))
    with np.errstate(over="ignore", invalid="ignore"):
        total = np.add.reduceat(points.total, starts)
        if points.n is None or points.finite is None:
            n = finite = (ends - starts).astype(np.float64)
            low, high = np.minimum.reduceat(points.low, starts), np.maximum.reduceat(points.high, starts)
        else:
            n, finite = np.add.reduceat(points.n, starts), np.add.reduceat(points.finite, starts)
            low, high = np.fmin.reduceat(points.low, starts), np.fmax.reduceat(points.high, starts)
    return Blocks(points.x[ends - 1], n, finite, low, high, total)
