"""Line charts: the points of keys over steps, time or another key, whole or as envelopes."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import sqlalchemy as sa

from . import chunks, columns, scan
from .chunks import BLOCK, STEP, TIME
from .codec import Array
from .envelope import Points, together
from .interface import Kind
from .scan import END, Column
from .schema import keys as key_table
from .state import Stream, streams_of

_BLOCKS_PER_BUCKET = 16
"""With fewer blocks than this in a bucket, exact points are cheap, and blocks would blur where buckets begin."""


_KEPT = 4
"""Windows whose x is kept for the next key: one each for the first, the middle, the last and the unmerged rows."""


class Query(NamedTuple):
    """A `wire.ChartQuery` of one run, checked."""

    kind: Kind
    keys: list[str]
    x: str
    buckets: int
    low: float
    high: float

    @property
    def whole(self) -> bool:
        """Whether all x are asked for."""
        return self.low == -math.inf and self.high == math.inf


def of_run(connection: sa.Connection, run: int, started: float, query: Query) -> dict[str, Points]:
    """Return by key its points in order of x, as blocks where they are very many; keys without a point in the range are
    left out."""
    names = key_table.c.name.in_([*query.keys, query.x])
    found = connection.execute(
        sa.select(key_table.c.name, key_table.c.id, key_table.c.n).where(
            key_table.c.run == run, key_table.c.kind == query.kind, names
        )
    ).all()
    ids = {name: (id_, count) for name, id_, count in found}
    axes = {"_step": STEP, "_timestamp": TIME, "_runtime": TIME}
    x = axes.get(query.x, ids.get(query.x, (None,))[0])
    if x is None or (x == STEP and query.kind == "system"):
        return {}
    shift = started if query.x == "_runtime" else 0.0
    streams = streams_of(connection, run, query.kind)
    result = {}
    reader = _Reader(connection, run, query, x, shift)
    for key in query.keys:
        if key in axes:
            id_, count = axes[key], sum(s.rows for s in streams)
        elif key in ids:
            id_, count = ids[key]
        else:
            continue
        parts = [p for s in streams for p in reader.points(s, id_, count)]
        parts = [p for p in parts if len(p.x)]
        if parts:
            points = together(parts)
            if key == "_runtime":
                total = points.total - started * (1 if points.n is None else points.n)
                points = points._replace(low=points.low - started, high=points.high - started, total=total)
            result[key] = points
    return result


class _Reader:
    """Reads the points of one run's keys against one x."""

    def __init__(self, connection: sa.Connection, run: int, query: Query, x: int, shift: float) -> None:
        self._connection, self._run, self._query, self._x, self._shift = connection, run, query, x, shift
        self._low, self._high = query.low + shift, query.high + shift
        self._natural = x == (STEP if query.kind == "history" else TIME)  # what chunks know the extent of
        self._kept: dict[tuple[int, int, int], Column | None] = {}

    def points(self, stream: Stream, key: int, count: int) -> list[Points]:
        """Return the points of a key in a stream, in pieces; `count` is about how many the run has."""
        many = count >= _BLOCKS_PER_BUCKET * chunks.BLOCK_SIZE * self._query.buckets
        if not self._natural or (self._query.whole and not many):
            return [self._exact(stream, key, 0, END)]
        parts = scan.extents(self._connection, self._run, stream.id, key)
        merged = parts[-1].row1 + 1 if parts else 0
        parts = [p for p in parts if p.x1 >= self._low and p.x0 <= self._high]
        if many and self._usable(parts):
            inner = [p for p in parts if p.x0 >= self._low and p.x1 <= self._high]
            edges = [p for p in parts if p.x0 < self._low or p.x1 > self._high]
            pieces = [self._exact(stream, key, p.row0, p.row1 + 1) for p in edges]
            if inner:
                pieces.append(self._blocks(stream, key, inner[0].row0, inner[-1].row0 + 1))
            return [*pieces, *self._rest(stream, key, merged)]
        start = parts[0].row0 if parts else merged
        stop = parts[-1].row1 + 1 if parts else merged
        if stop == merged:
            return [self._exact(stream, key, start, END)]
        return [self._exact(stream, key, start, stop), *self._rest(stream, key, merged)]

    def _rest(self, stream: Stream, key: int, merged: int) -> list[Points]:
        """The points that are not in chunks yet."""
        return [self._exact(stream, key, merged, END)] if merged < stream.rows else []

    def _usable(self, parts: list[sa.Row[tuple[int, ...]]]) -> bool:
        """Whether blocks can stand for the points: x never goes back, all values are numbers, and it pays here."""
        in_order = all(bool(p.ordered) and p.type != columns.JSON for p in parts)
        in_order = in_order and all(b.x0 >= a.x1 for a, b in pairwise(parts))
        return in_order and sum(p.n for p in parts) >= _BLOCKS_PER_BUCKET * chunks.BLOCK_SIZE * self._query.buckets

    def _blocks(self, stream: Stream, key: int, low: int, high: int) -> Points:
        found = np.frombuffer(b"".join(scan.blocks(self._connection, self._run, stream.id, key, low, high)), BLOCK)
        n, finite = found["n"].astype(np.float64), found["finite"].astype(np.float64)
        return Points(found["x"] - self._shift, n, finite, found["low"], found["high"], found["total"])

    def _exact(self, stream: Stream, key: int, low: int, high: int) -> Points:
        axis, found = self._columns(stream, key, low, high)
        if axis is None or found is None:
            return _NOTHING
        rows, values = _numbers(found)
        x_rows, x = _numbers(axis)
        if len(rows) != len(x_rows) or not np.array_equal(rows, x_rows):
            rows, values, x = _on_both(rows, values, x_rows, x)
        if not self._query.whole or not np.isfinite(x).all():
            inside = np.isfinite(x) & (x >= self._low) & (x <= self._high)
            x, values = x[inside], values[inside]
        return Points.of(x - self._shift if self._shift else x, values)

    def _columns(self, stream: Stream, key: int, low: int, high: int) -> tuple[Column | None, Column | None]:
        """The x and the values of the rows. The x is kept for the next key."""
        window = stream.id, low, high
        known = window in self._kept
        found = scan.read(self._connection, self._run, stream.id, [key] if known else [key, self._x], low, high)
        if not known:
            if len(self._kept) >= _KEPT:
                self._kept.clear()
            self._kept[window] = found.get(self._x)
        return self._kept[window], self._kept[window] if key == self._x else found.get(key)


_NOTHING = Points.of(np.zeros(0), np.zeros(0))


def _numbers(column: Column) -> tuple[Array, Array]:
    rows, values = column
    numbers, at = columns.as_floats(values)
    return (rows, numbers) if at is None else (rows[at], numbers)


def _on_both(rows: Array, values: Array, x_rows: Array, x: Array) -> tuple[Array, Array, Array]:
    """Leave the rows that have a value and an x."""
    if not len(rows) or not len(x_rows):
        return rows[:0], values[:0], x[:0]
    if x_rows[-1] - x_rows[0] == len(x_rows) - 1:  # every row has an x, so its place follows from the row number
        place = rows - x_rows[0]
        there = (place >= 0) & (place < len(x_rows))
    else:
        place = np.searchsorted(x_rows, rows)
        there = place < len(x_rows)
        there[there] = x_rows[place[there]] == rows[there]
    if there.all():
        return rows, values, x[place]
    return rows[there], values[there], x[place[there]]
