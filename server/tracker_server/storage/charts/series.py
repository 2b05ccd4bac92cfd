"""Read the points of series for line charts: keys over steps, time or another key, as points or blocks of points."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import sqlalchemy as sa

from tracker_server.storage.columnar import chunks, columns, scan
from tracker_server.storage.columnar.chunks import BLOCK, STEP, TIME
from tracker_server.storage.columnar.scan import END, Column
from tracker_server.storage.interface import Array, Kind
from tracker_server.storage.query_budget import checked
from tracker_server.storage.run_state import MANY, Stream, streams_of_all
from tracker_server.storage.schema import keys as key_table

from .envelope import Points, together

_BLOCKS_PER_BUCKET = 16
"""With fewer blocks in a bucket, exact points are cheap, and blocks would blur the edges of buckets."""


_MAX_WINDOWS = 4
"""Windows of rows that are kept for the next key: the first, the middle, the last and the unmerged rows."""

_VALUES_AT_ONCE = 1_000_000
"""Values that are read together: a segment holds all keys of its rows, so one read serves many keys."""


class Query(NamedTuple):
    """A checked `wire.ChartQuery`, for any run."""

    kind: Kind
    keys: list[str]
    x: str
    buckets: int
    low: float
    high: float

    @property
    def unlimited(self) -> bool:
        """Whether the query has no limits on x."""
        return self.low == -math.inf and self.high == math.inf


def of_runs(
    connection: sa.Connection, runs: Mapping[str, sa.Row[Any]], query: Query
) -> Iterator[tuple[str, str, Points]]:
    """Yield name, key and points for each run in `runs` (rows of the database by name) and each key of the query.

    Points are in order of x; very many points come as blocks. Keys without points in the range are omitted.
    """
    ids = [row.id for row in runs.values()]
    streams = streams_of_all(connection, ids, query.kind)
    keys: dict[int, dict[str, tuple[int, int]]] = {}
    for some in (ids[i : i + MANY] for i in range(0, len(ids), MANY)):
        values = {"runs_": some, "kind_": query.kind, "names_": [*query.keys, query.x]}
        for run, name, id_, count in connection.execute(_KEYS, values):
            keys.setdefault(run, {})[name] = id_, count
    for name, row in runs.items():
        found = _of_run(connection, row.id, row.created, query, streams[row.id], keys.get(row.id, {}))
        yield from ((name, key, points) for key, points in found.items())


_KEYS = sa.select(key_table.c.run, key_table.c.name, key_table.c.id, key_table.c.n).where(
    key_table.c.run.in_(sa.bindparam("runs_", expanding=True)),
    key_table.c.kind == sa.bindparam("kind_"),
    key_table.c.name.in_(sa.bindparam("names_", expanding=True)),
)


def _of_run(
    connection: sa.Connection,
    run: int,
    started: float,
    query: Query,
    streams: list[Stream],
    ids: Mapping[str, tuple[int, int]],
) -> dict[str, Points]:
    """Return the points by key; `ids` holds number and approximate count of values of each key by name."""
    axes = {"_step": STEP, "_timestamp": TIME, "_runtime": TIME}
    x = axes[query.x] if query.x in axes else ids.get(query.x, (None,))[0]
    if x is None or (x == STEP and query.kind == "system"):
        return {}
    shift = started if query.x == "_runtime" else 0.0
    rows = sum(s.rows for s in streams)
    wanted = {key: (axes[key], rows) if key in axes else ids[key] for key in query.keys if key in axes or key in ids}
    parts: dict[str, list[Points]] = {key: [] for key in wanted}
    for stream in streams:
        reader = _Reader(connection, run, query, stream, x, shift, [id_ for id_, _ in wanted.values()])
        for key, (id_, count) in checked(wanted.items()):
            parts[key] += [points for points in reader.points(id_, count) if len(points.x)]
    result = {key: together(found) for key, found in parts.items() if found}
    if "_runtime" in result:
        points = result["_runtime"]
        total = points.total - started * (1 if points.n is None else points.n)
        result["_runtime"] = points._replace(low=points.low - started, high=points.high - started, total=total)
    return result


class _Reader:
    """Reads the points of the keys `wanted`, in this order, from one stream of a run, over one x."""

    def __init__(
        self, connection: sa.Connection, run: int, query: Query, stream: Stream, x: int, shift: float, wanted: list[int]
    ) -> None:
        self._connection, self._run, self._query = connection, run, query
        self._stream, self._x, self._shift = stream, x, shift
        self._wanted = wanted
        self._low, self._high = query.low + shift, query.high + shift
        self._natural = x == (STEP if query.kind == "history" else TIME)  # the x whose extent chunks store
        self._kept: dict[tuple[int, int], _Kept] = {}

    def points(self, key: int, count: int) -> list[Points]:
        """Return the points of a key, in pieces; `count` is the approximate number of them in the run."""
        many = count >= _BLOCKS_PER_BUCKET * chunks.BLOCK_SIZE * self._query.buckets
        if self._x == TIME and not self._natural and (many or not self._query.unlimited):
            found = self._by_time(key, many)
            if found is not None:
                return found
        if not self._natural or (self._query.unlimited and not many):
            return [self._exact(key, 0, END)]
        parts = scan.extents(self._connection, self._run, self._stream.id, key)
        merged = parts[-1].row1 + 1 if parts else 0
        parts = [p for p in parts if p.x1 >= self._low and p.x0 <= self._high]
        if many and self._usable(parts):
            inner = [p for p in parts if p.x0 >= self._low and p.x1 <= self._high]
            edges = [p for p in parts if p.x0 < self._low or p.x1 > self._high]
            pieces = [self._exact(key, p.row0, p.row1 + 1) for p in edges]
            if inner:
                pieces.append(self._blocks(key, inner[0].row0, inner[-1].row0 + 1))
            return [*pieces, *self._rest(key, merged)]
        start = parts[0].row0 if parts else merged
        stop = parts[-1].row1 + 1 if parts else merged
        if stop == merged:
            return [self._exact(key, start, END)]
        return [self._exact(key, start, stop), *self._rest(key, merged)]

    def _by_time(self, key: int, many: bool) -> list[Points] | None:
        """Return the points of a key over time, or None if its chunks do not have the same rows as those of the time.

        Chunks of a history store only the extent of steps. The extent of times follows from the blocks of the time.
        """
        parts = scan.extents(self._connection, self._run, self._stream.id, key)
        clocks = scan.extents(self._connection, self._run, self._stream.id, TIME)[: len(parts)]
        if not parts or [(p.row0, p.row1, p.n) for p in parts] != [(c.row0, c.row1, c.n) for c in clocks]:
            return None
        merged, end = parts[-1].row1 + 1, parts[-1].row0 + 1
        clock = self._records(TIME, parts[0].row0, end)
        counts = [-(-p.n // chunks.BLOCK_SIZE) for p in parts]
        starts = np.cumsum([0, *counts[:-1]])
        low, high = np.minimum.reduceat(clock["low"], starts), np.maximum.reduceat(clock["high"], starts)
        touched = np.flatnonzero((high >= self._low) & (low <= self._high)).tolist()
        if not touched:
            return self._rest(key, merged)
        some = [parts[i] for i in touched]
        in_order = bool((clock["low"][1:] >= clock["high"][:-1]).all())
        pays = sum(p.n for p in some) >= _BLOCKS_PER_BUCKET * chunks.BLOCK_SIZE * self._query.buckets
        if not (many and pays and in_order and all(p.type != columns.JSON for p in some)):
            return [self._exact(key, some[0].row0, some[-1].row1 + 1), *self._rest(key, merged)]
        inner = [i for i in touched if low[i] >= self._low and high[i] <= self._high]
        pieces = [self._exact(key, parts[i].row0, parts[i].row1 + 1) for i in touched if i not in set(inner)]
        if inner:
            first, last = inner[0], inner[-1]
            found = self._records(key, parts[first].row0, parts[last].row0 + 1)
            x = clock["high"][starts[first] : starts[last] + counts[last]]
            pieces.append(self._summed(found, x))
        return [*pieces, *self._rest(key, merged)]

    def _rest(self, key: int, merged: int) -> list[Points]:
        """Return the points that are not in chunks yet."""
        return [self._exact(key, merged, END)] if merged < self._stream.rows else []

    def _usable(self, parts: list[sa.Row[tuple[int, ...]]]) -> bool:
        """Return whether blocks can replace points: x never decreases, all values are numbers, and it saves time."""
        in_order = all(bool(p.ordered) and p.type != columns.JSON for p in parts)
        in_order = in_order and all(b.x0 >= a.x1 for a, b in pairwise(parts))
        return in_order and sum(p.n for p in parts) >= _BLOCKS_PER_BUCKET * chunks.BLOCK_SIZE * self._query.buckets

    def _blocks(self, key: int, low: int, high: int) -> Points:
        found = self._records(key, low, high)
        return self._summed(found, found["x"])

    def _records(self, key: int, low: int, high: int) -> Array:
        records = scan.blocks(self._connection, self._run, self._stream.id, key, low, high)
        return np.frombuffer(b"".join(records), BLOCK)

    def _summed(self, found: Array, x: Array) -> Points:
        n, finite = found["n"].astype(np.float64), found["finite"].astype(np.float64)
        return Points(x - self._shift, n, finite, found["low"], found["high"], found["total"])

    def _exact(self, key: int, low: int, high: int) -> Points:
        axis, found = self._columns(key, low, high)
        if axis is None or found is None:
            return _NOTHING
        rows, values = _numbers(found)
        x_rows, x = _numbers(axis)
        if len(rows) != len(x_rows) or not np.array_equal(rows, x_rows):
            rows, values, x = _on_both(rows, values, x_rows, x)
        if not self._query.unlimited or not np.isfinite(x).all():
            inside = np.isfinite(x) & (x >= self._low) & (x <= self._high)
            x, values = x[inside], values[inside]
        return Points.from_values(x - self._shift if self._shift else x, values)

    def _columns(self, key: int, low: int, high: int) -> tuple[Column | None, Column | None]:
        """Return the x and the values of the rows; data that the next keys need is kept."""
        window = low, high
        kept = self._kept.get(window)
        if kept is None or key not in kept.known:
            at = self._wanted.index(key)
            some = self._wanted[at : at + max(1, _VALUES_AT_ONCE // max(1, min(self._stream.rows, high) - low))]
            unread = {*some, self._x} if kept is None else {*some} - {self._x}
            found = scan.read(self._connection, self._run, self._stream.id, unread, low, high)
            axis = found.get(self._x) if kept is None else kept.axis
            if len(self._kept) >= _MAX_WINDOWS:
                self._kept.clear()
            kept = self._kept[window] = _Kept(axis, found, {*some})
        return kept.axis, kept.axis if key == self._x else kept.found.get(key)


class _Kept(NamedTuple):
    """The data read of a window: the x, and the columns of the `known` keys that have values there."""

    axis: Column | None
    found: dict[int, Column]
    known: set[int]


_NOTHING = Points.from_values(np.zeros(0), np.zeros(0))


def _numbers(column: Column) -> tuple[Array, Array]:
    rows, values = column
    numbers, at = columns.as_floats(values)
    return (rows, numbers) if at is None else (rows[at], numbers)


def _on_both(rows: Array, values: Array, x_rows: Array, x: Array) -> tuple[Array, Array, Array]:
    """Return the rows that have both a value and an x."""
    if not len(rows) or not len(x_rows):
        return rows[:0], values[:0], x[:0]
    if x_rows[-1] - x_rows[0] == len(x_rows) - 1:  # every row has an x, so its index follows from the row number
        place = rows - x_rows[0]
        there = (place >= 0) & (place < len(x_rows))
    else:
        place = np.searchsorted(x_rows, rows)
        there = place < len(x_rows)
        there[there] = x_rows[place[there]] == rows[there]
    if there.all():
        return rows, values, x[place]
    return rows[there], values[there], x[place[there]]
