"""Draw the points of a series together into buckets, without losing an extreme."""

from __future__ import annotations

import math

from tracker.runlog.fold import Stats
from tracker.wire import Series


def envelope(run: str, key: str, points: list[tuple[float, float]], buckets: int) -> Series:
    """Return `points` (x, y) whole if they are no more than `buckets`, else in that many buckets of equal width in x.

    Each bucket has the exact min and max and the mean of its finite points; NaN where it has none.
    """
    points = sorted(points, key=lambda point: point[0])
    series: Series = {"run": run, "key": key, "points": len(points), "x": [], "mean": [], "min": [], "max": [], "n": []}
    if len(points) <= buckets:
        for x, y in points:
            _add(series, x, y, y, y, 1)
        return series
    first, last = points[0][0], points[-1][0]
    width = (last - first) / buckets or 1.0
    at, start = 0, 0
    while start < len(points):
        at = min(int((points[start][0] - first) / width), buckets - 1)
        edge = math.inf if at == buckets - 1 else first + (at + 1) * width
        stats, end = Stats(), start
        while end < len(points) and (points[end][0] < edge or end == start):
            stats.add(points[end][1])
            end += 1
        mean = stats.sum / stats.n if stats.n else math.nan
        low, high = (stats.min, stats.max) if stats.n else (math.nan, math.nan)
        _add(series, points[end - 1][0], mean, low, high, end - start)
        start = end
    return series


def _add(series: Series, x: float, mean: float, low: float, high: float, n: int) -> None:
    series["x"].append(x)
    series["mean"].append(mean)
    series["min"].append(low)
    series["max"].append(high)
    series["n"].append(n)
