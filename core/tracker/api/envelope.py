"""Draw the points of series together into buckets, without losing an extreme, in bounded memory."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import itemgetter
from typing import Any

from tracker.wire import Series

_LARGEST = sys.float_info.max

Points = Callable[[], Iterator[tuple[str, float, float]]]
"""Returns the points of some keys anew each time it is called: key, x, y."""


def points_of(rows: Iterable[dict[str, Any]], keys: Iterable[str], x: str) -> Iterator[tuple[str, float, float]]:
    """Yield the points in rows: the numbers of some keys, at what their row has as `x`."""
    wanted = frozenset(keys)
    for row in rows:
        for key in row.keys() & wanted:
            value = row[key]
            if type(value) is float or type(value) is int:
                yield key, row[x], value


Span = list[float]
"""How many points a key has, and their lowest and highest x."""


def note(spans: dict[str, Span], key: str, x: float) -> None:
    """Take a point into the span of its key."""
    span = spans.get(key)
    if span is None:
        spans[key] = [1, x, x]
        return
    span[0] += 1
    if x < span[1]:
        span[1] = x
    elif x > span[2]:
        span[2] = x


def envelopes(
    run: str, points: Points, keys: Sequence[str], buckets: int, spans: dict[str, Span] | None = None
) -> Iterator[Series]:
    """Yield the series of each key that has points: all of them, by x, if they are no more than `buckets`, else that
    many buckets of equal width in x.

    Each bucket has the exact min and max and the mean of its finite points; NaN where it has none. Points are asked for
    once, and once more if a key has more of them than buckets and `spans` are not known. No more than `buckets` are
    held of a key.
    """
    series = {key: _Points(buckets) for key in keys}
    many: dict[str, _Buckets] = {}
    if spans is not None:
        many = {key: _Buckets(low, high, buckets) for key, (n, low, high) in spans.items() if n > buckets}
        for key, x, y in points():
            (many[key] if key in many else series[key]).add(x, y)
    else:
        for key, x, y in points():
            series[key].add(x, y)
        many = {key: found.drawn_together() for key, found in series.items() if found.n > buckets}
    if many and spans is None:
        for key, x, y in points():
            if key in many:
                many[key].add(x, y)
    for key, found in series.items():
        if found.n or key in many:
            yield many[key].series(run, key) if key in many else found.series(run, key)


def envelope(run: str, key: str, points: Iterable[tuple[float, float]], buckets: int) -> Series:
    """Return the series of one key; see `envelopes`."""
    held = [(key, x, y) for x, y in points]
    empty: Series = {"run": run, "key": key, "points": 0, "x": [], "mean": [], "min": [], "max": [], "n": []}
    return next(envelopes(run, lambda: iter(held), [key], buckets), empty)


class _Points:
    """Points of one key, the first of them as they are."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._first: list[tuple[float, float]] = []
        self.n = 0
        self._low, self._high = math.inf, -math.inf

    def add(self, x: float, y: float) -> None:
        self.n += 1
        if self.n <= self._most:
            self._first.append((x, y))
        if x < self._low:
            self._low = x
        if x > self._high:
            self._high = x

    def drawn_together(self) -> _Buckets:
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
    """Points of one key, drawn together."""

    def __init__(self, low: float, high: float, count: int) -> None:
        self._low, self._last = low, count - 1
        self._width = (high - low) / count or 1.0
        self._x = [-math.inf] * count  # the last in each
        self._n, self._finite, self._sum = [0] * count, [0] * count, [0.0] * count
        self._min, self._max = [math.inf] * count, [-math.inf] * count

    def add(self, x: float, y: float) -> None:
        at = int((x - self._low) / self._width)
        if at > self._last:
            at = self._last
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
