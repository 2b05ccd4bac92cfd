"""Draw the points of a series together into buckets, without losing an extreme."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from tracker.runlog.stats import Stats
from tracker.wire import Series


def envelopes(run: str, rows: Iterable[dict[str, Any]], keys: Sequence[str], x: str, buckets: int) -> Iterator[Series]:
    """Yield the `envelope` of each key that has numbers in the rows; `x` is the member that says where they stand."""
    points: dict[str, list[tuple[float, float]]] = {key: [] for key in keys}
    for row in rows:
        for key in row.keys() & points.keys():
            value = row[key]
            if isinstance(value, (int, float)) and not isinstance(value, bool):
                points[key].append((row[x], value))
    for key, found in points.items():
        if found:
            yield envelope(run, key, found, buckets)


def envelope(run: str, key: str, points: list[tuple[float, float]], buckets: int) -> Series:
    """Return `points` (x, y) whole if they are no more than `buckets`, else in that many buckets of equal width in x.

    Each bucket has the exact min and max and the mean of its finite points; NaN where it has none.
    """
    points = sorted(points, key=itemgetter(0))
    series: Series = {"run": run, "key": key, "points": len(points), "x": [], "mean": [], "min": [], "max": [], "n": []}
    if len(points) <= buckets:
        for x, y in points:
            _add(series, x, y, y, y, 1)
        return series
    first, last = points[0][0], points[-1][0]
    width = (last - first) / buckets or 1.0
    for _, bucket in groupby(points, lambda point: min(int((point[0] - first) / width), buckets - 1)):
        stats, n, x = Stats(), 0, first
        for x, y in bucket:  # noqa: B007 - x is the bucket's last
            stats.add(y)
            n += 1
        mean = stats.sum / stats.n if stats.n else math.nan
        low, high = (stats.min, stats.max) if stats.n else (math.nan, math.nan)
        _add(series, x, mean, low, high, n)
    return series


def _add(series: Series, x: float, mean: float, low: float, high: float, n: int) -> None:
    series["x"].append(x)
    series["mean"].append(mean)
    series["min"].append(low)
    series["max"].append(high)
    series["n"].append(n)
