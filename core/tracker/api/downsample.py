"""Summarize the points of series in buckets, without losing an extreme, in bounded memory."""

from __future__ import annotations

import math
import sys
from bisect import bisect_right
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import compress, islice
from operator import itemgetter
from typing import Any

from tracker.runlog.stats import summed
from tracker.wire import Series

_LARGEST = sys.float_info.max
_NUMBERS = {float, int}
_FEW = 12
"""With fewer points per bucket, it is faster to add them one by one."""

Columns = dict[str, tuple[list[Any], list[Any]]]
"""The x values and the values of each key, in order."""

Points = Callable[[], Iterator[Columns]]
"""Returns the points of some keys in batches, from the first one at each call. Only numbers are points."""


def columns_of(xs: list[Any], rows: Sequence[dict[str, Any]], wanted: Container[str] | None = None) -> Columns:
    """Return the values in rows by key, keys in order of first appearance.

    `xs` are the x values of the rows; `wanted` are the keys to return, by default all.
    """
    if len(set(map(len, rows))) == 1:
        with suppress(KeyError):  # raised unless all rows have the same keys
            found = [key for key in rows[0] if wanted is None or key in wanted]
            return {key: (xs, list(map(itemgetter(key), rows))) for key in found}
    columns: Columns = {}
    for x, row in zip(xs, rows, strict=True):
        for key, value in row.items():
            if wanted is None or key in wanted:
                gather(columns, key, x, value)
    return columns


def gather(columns: Columns, key: str, x: float, value: Any) -> None:
    """Add one value to its column."""
    column = columns.get(key)
    if column is None:
        column = columns[key] = [], []
    column[0].append(x)
    column[1].append(value)


def numbers(column: tuple[list[Any], list[Any]]) -> tuple[list[Any], list[Any]]:
    """Return the points of a column: those of its values that are numbers."""
    xs, values = column
    if set(map(type, values)) <= _NUMBERS:
        return column
    kept = [type(value) in _NUMBERS for value in values]
    return list(compress(xs, kept)), list(compress(values, kept))


Span = list[float]
"""How many points a key has, and their lowest and highest x."""


def note(spans: dict[str, Span], key: str, xs: Sequence[float]) -> None:
    """Extend the span of a key by points."""
    if xs:
        low, high = min(xs), max(xs)
        span = spans.get(key)
        spans[key] = (
            [len(xs), low, high] if span is None else [span[0] + len(xs), min(span[1], low), max(span[2], high)]
        )


def envelopes(
    run: str, points: Points, keys: Sequence[str], buckets: int, spans: dict[str, Span] | None = None
) -> Iterator[Series]:
    """Yield the series of each key that has points.

    A series has all points of its key, by x, or, if they are more than `buckets`, that many buckets of equal width in
    x. Each bucket has the exact min and max and the mean of its finite points, NaN if it has none. At most `buckets`
    points of a key are in memory.

    Args:
        run: The path of the run.
        points: Called once, and again if a key has more points than buckets and `spans` is not given.
        keys: The keys.
        buckets: The greatest number of points or buckets of a series.
        spans: The number of points of each key, and their lowest and highest x.
    """
    series = {key: _Points(buckets) for key in keys}
    many: dict[str, _Buckets] = {}
    if spans is not None:
        known = {key: spans[key] for key in series.keys() & spans.keys()}
        many = {key: _Buckets(low, high, buckets) for key, (n, low, high) in known.items() if n > buckets}
    for columns in points():
        for key in series.keys() & columns.keys():
            (many[key] if key in many else series[key]).add(*numbers(columns[key]))
    if spans is None:
        many = {key: found.buckets() for key, found in series.items() if found.n > buckets}
        for columns in points() if many else ():
            for key in many.keys() & columns.keys():
                many[key].add(*numbers(columns[key]))
    for key, found in series.items():
        if found.n or key in many:
            yield many[key].series(run, key) if key in many else found.series(run, key)


def envelope(run: str, key: str, points: Iterable[tuple[float, float]], buckets: int) -> Series:
    """Return the series of one key; see `envelopes`."""
    held = list(points)
    columns: Columns = {key: ([x for x, _ in held], [y for _, y in held])}
    empty: Series = {"run": run, "key": key, "points": 0, "x": [], "mean": [], "min": [], "max": [], "n": []}
    return next(envelopes(run, lambda: iter([columns]), [key], buckets), empty)


class _Points:
    """The first points of one key, and the span of all."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._first: list[tuple[float, float]] = []
        self.n = 0
        self._low, self._high = math.inf, -math.inf

    def add(self, xs: list[float], ys: list[float]) -> None:
        if xs:
            self.n += len(xs)
            self._first.extend(islice(zip(xs, ys, strict=True), max(self._most - len(self._first), 0)))
            low, high = min(xs), max(xs)
            self._low, self._high = min(self._low, low), max(self._high, high)

    def buckets(self) -> _Buckets:
        return _Buckets(self._low, self._high, self._most)

    def series(self, run: str, key: str) -> Series:
        found = sorted(self._first, key=itemgetter(0))
        x, y = [x for x, _ in found], [y for _, y in found]
        return {
            "run": run,
            "key": key,
            "points": self.n,
            "x": x,
            "mean": y,
            "min": y[:],
            "max": y[:],
            "n": [1] * self.n,
        }


class _Buckets:
    """The points of one key in buckets."""

    def __init__(self, low: float, high: float, count: int) -> None:
        self._low, self._last = low, count - 1
        self._width = (high - low) / count or 1.0
        self._x = [-math.inf] * count  # the last x in each
        self._n, self._finite, self._sum = [0] * count, [0] * count, [0.0] * count
        self._min, self._max = [math.inf] * count, [-math.inf] * count

    def add(self, xs: list[float], ys: list[float]) -> None:
        """Add points. If x ascends, as steps usually do, the points of a bucket are added at once."""
        if sorted(xs) != xs or (xs and len(xs) < _FEW * (1 + self._at(xs[-1]) - self._at(xs[0]))):
            for x, y in zip(xs, ys, strict=True):
                self._add_one(self._at(x), x, y)
            return
        start = 0
        while start < len(xs):
            at = self._at(xs[start])
            end = bisect_right(xs, at, start + 1, key=self._at)
            if (found := summed(self._sum[at], ys[start:end])) is None:
                for x, y in zip(xs[start:end], ys[start:end], strict=True):
                    self._add_one(at, x, y)
            else:
                self._n[at] += end - start
                self._x[at] = max(self._x[at], xs[end - 1])
                self._finite[at] += end - start
                self._sum[at], low, high = found
                self._min[at], self._max[at] = min(self._min[at], low), max(self._max[at], high)
            start = end

    def _at(self, x: float) -> int:
        return min(int((x - self._low) / self._width), self._last)

    def _add_one(self, at: int, x: float, y: float) -> None:
        self._n[at] += 1
        if x > self._x[at]:
            self._x[at] = x
        if -_LARGEST <= y <= _LARGEST:
            self._finite[at] += 1
            self._sum[at] += y
            if y < self._min[at]:
                self._min[at] = y
            if y > self._max[at]:
                self._max[at] = y

    def series(self, run: str, key: str) -> Series:
        used = [at for at, n in enumerate(self._n) if n]

        def of_finite(values: list[float]) -> list[float]:
            return [values[at] if self._finite[at] else math.nan for at in used]

        return {
            "run": run,
            "key": key,
            "points": sum(self._n),
            "x": [self._x[at] for at in used],
            "mean": of_finite([total / max(n, 1) for total, n in zip(self._sum, self._finite, strict=True)]),
            "min": of_finite(self._min),
            "max": of_finite(self._max),
            "n": [self._n[at] for at in used],
        }
