"""Merge the segments of a stream into chunks, each of one key and about 4,000 values."""

from __future__ import annotations

import math
from time import monotonic
from typing import Any, NamedTuple

import numpy as np
import orjson
import sqlalchemy as sa

from tracker_server.storage.interface import Array
from tracker_server.storage.schema import chunks, keys, streams
from tracker_server.storage.schema import segments as segment_table

from . import codec, columns, segments
from .columns import FLOAT, INT, JSON, Values

STEP, TIME, FIRST_KEY = 0, 1, 2
"""Keys of every run: step and time of each row, stored once for each stream. Logged keys begin at `FIRST_KEY`."""

BLOCK_SIZE = 128
BLOCK = np.dtype([("n", "<u4"), ("finite", "<u4"), ("low", "<f8"), ("high", "<f8"), ("total", "<f8"), ("x", "<f8")])
"""Aggregates of each 128 values of a chunk: number, number of finite ones, their extremes (NaN if none) and sum, and
the x of the last value."""

CHUNK = 4096
_OPEN = 3072  # chunks with fewer values are extended, so that a sparse key does not get many tiny ones
_KEYS_AT_ONCE = 100
_NO_KEY = 2**31
_JSON_SIZE = 1 << 20  # JSON chunks are also cut by size: a page of rows must not unpack gigabytes

NUMBER, MEDIA, OTHER = 1, 2, 4
"""Bits of `keys.types`."""


class _Axis(NamedTuple):
    """The range of x in a chunk, and whether x never decreases in it."""

    low: float
    high: float
    ordered: bool

    @classmethod
    def from_x(cls, x: Array) -> _Axis:
        return cls(float(x.min()), float(x.max()), bool((x[1:] >= x[:-1]).all()))

    def then(self, later: _Axis, first: float) -> _Axis:
        ordered = self.ordered and later.ordered and first >= self.high
        return _Axis(min(self.low, later.low), max(self.high, later.high), ordered)


_run: sa.BindParameter[int] = sa.bindparam("run_")
_stream: sa.BindParameter[int] = sa.bindparam("stream_")
_of_stream = (segment_table.c.run == _run) & (segment_table.c.stream == _stream)
_SEGMENTS = sa.select(segment_table.c.row0, segment_table.c.data).where(_of_stream).order_by(segment_table.c.row0)
_DROP_SEGMENTS = segment_table.delete().where(_of_stream, segment_table.c.row0 < sa.bindparam("until_"))
_BEGUN = sa.select(streams.c.merging, streams.c.merged_key).where(
    streams.c.id == _stream, streams.c.merging.is_not(None)
)
_MARK = (
    streams.update()
    .where(streams.c.id == sa.bindparam("stream_"))
    .values(merging=sa.bindparam("merging"), merged_key=sa.bindparam("merged_key"))
)
_DROP_CHUNK = chunks.delete().where(
    chunks.c.run == _run,
    chunks.c.key == sa.bindparam("key_"),
    chunks.c.stream == _stream,
    chunks.c.row0 == sa.bindparam("row_"),
)
_last = (
    sa.select(sa.func.max(chunks.c.row0))
    .where(chunks.c.run == keys.c.run, chunks.c.key == keys.c.id, chunks.c.stream == _stream)
    .correlate(keys)
    .scalar_subquery()
)
_TAILS = (
    sa.select(chunks)
    .select_from(keys.join(chunks, (chunks.c.run == keys.c.run) & (chunks.c.key == keys.c.id)))
    .where(keys.c.run == _run, keys.c.id.in_(sa.bindparam("ids_", expanding=True)))
    .where(chunks.c.stream == _stream, chunks.c.row0 == _last, chunks.c.n < _OPEN)
)


class Merge:
    """Moves the rows of a stream from segments into chunks, some keys at a time.

    It can be prepared with any connection, in parallel with the writer, since rows in segments never change. After each
    piece readers find each value exactly once (`scan.pending`), and the next merge continues an interrupted one.
    """

    def __init__(self, connection: sa.Connection, run: int, stream: int) -> None:
        self._this = {"run_": run, "stream_": stream}
        begun = connection.execute(_BEGUN, self._this).one_or_none()
        limit, first = (None, None) if begun is None else begun
        found = [row for row in connection.execute(_SEGMENTS, self._this).all() if limit is None or row.row0 < limit]
        pile = segments.Pile()
        times, steps = [], []
        for row0, data in found:
            batch = segments.decode(data)
            pile.add(row0, batch)
            times.append(batch.times)
            if batch.steps is not None:
                steps.append(batch.steps)
        self._columns: dict[int, tuple[Array, Values]] = {}
        self._left: list[int] = []
        if not found:
            return
        self._base = found[0].row0
        self._axis = time = np.concatenate(times)
        self._until = self._base + len(time)
        rows = np.arange(self._base, self._until)
        self._columns = {key: column for key, column in pile.columns().items() if first is None or key >= first}
        last = {TIME: (rows, Values(FLOAT, time))}
        if steps:
            step = np.concatenate(steps)
            last[STEP] = rows, Values(INT, step)
            self._axis = step.astype(np.float64)
        # Step and time come last: until then the rows of all keys are read from the segments.
        self._left = [*sorted(last), *sorted(self._columns, reverse=True)]
        self._columns |= last

    def work(self, connection: sa.Connection, seconds: float = math.inf) -> bool:
        """Merge keys for about `seconds`, in a transaction of the writer; return whether all is done."""
        end = monotonic() + seconds
        while self._left:
            some = self._left[-_KEYS_AT_ONCE:]
            if len(some) < len(self._left):
                some = [key for key in some if key >= FIRST_KEY]
            self._merge(connection, some[::-1])
            del self._left[-len(some) :]
            if self._left and monotonic() > end:
                following = self._left[-1] if self._left[-1] >= FIRST_KEY else _NO_KEY
                connection.execute(_MARK, {**self._this, "merging": self._until, "merged_key": following})
                return False
        if self._columns:
            connection.execute(_DROP_SEGMENTS, {**self._this, "until_": self._until})
            connection.execute(_MARK, {**self._this, "merging": None, "merged_key": None})
            self._columns = {}
        return True

    def _merge(self, connection: sa.Connection, some: list[int]) -> None:
        tails = _tails(connection, self._this, some)
        stale, fresh = [], []
        for key in some:
            at, values = self._columns[key]
            tail = tails.get(key)
            made, replaced = _extend(tail, at, values, self._axis[at - self._base])
            if replaced and tail is not None:
                stale.append({**self._this, "key_": key, "row_": tail.row0})
            run, stream = self._this["run_"], self._this["stream_"]
            fresh += [{"run": run, "key": key, "stream": stream, **chunk} for chunk in made]
        _replace(connection, stale, fresh)
        connection.execute(_COUNT_KEYS, [_counts(self._this["run_"], key, self._columns[key][1]) for key in some])


def _replace(connection: sa.Connection, stale: list[dict[str, int]], fresh: list[dict[str, Any]]) -> None:
    if stale:
        connection.execute(_DROP_CHUNK, stale)
    if fresh:
        connection.execute(chunks.insert(), fresh)


def _tails(connection: sa.Connection, this: dict[str, int], ids: list[int]) -> dict[int, Any]:
    """Return the last chunk of each key in the stream, if it is small enough to be extended."""
    found = {}
    for some in (ids[i : i + 500] for i in range(0, len(ids), 500)):
        for chunk in connection.execute(_TAILS, {**this, "ids_": some}):
            found[chunk.key] = chunk
    return found


def _extend(tail: Any, rows: Array, values: Values, x: Array) -> tuple[list[dict[str, Any]], bool]:
    """Return the chunks to store, and whether the first of them replaces `tail`."""
    axis, known = None, 0
    block_x = x[:0]
    if tail is not None:
        before = columns.decode(tail.type, tail.data)
        if before.items is not None and len(orjson.dumps(before.items)) >= _JSON_SIZE // 2:
            return _extend(None, rows, values, x)
        known = len(before)
        rows = np.concatenate([codec.unpack_rows(tail.row0, known, tail.stride, tail.rows), rows])
        values = columns.join([before, values])
        axis = _Axis(tail.x0, tail.x1, bool(tail.ordered))
        if tail.blocks is not None:
            block_x = np.frombuffer(tail.blocks, BLOCK)["x"]
    made = []
    start = 0
    for end in _cuts(values):
        part = columns.select(values, slice(start, end))
        new_x = x[max(start - known, 0) : end - known]
        axis = _Axis.from_x(new_x) if axis is None else axis.then(_Axis.from_x(new_x), new_x[0])
        ends = np.minimum(np.arange(start + BLOCK_SIZE, end + BLOCK_SIZE, BLOCK_SIZE), end) - 1
        blocks = None
        if part.type != JSON:
            last_x = np.where(ends < known, _padded(block_x, len(ends)), x[np.maximum(ends - known, 0)])
            blocks = _blocks(part, last_x).tobytes()
        made.append(_chunk(rows[start:end], part, axis, blocks))
        axis, start = None, end
    return made, tail is not None


def _padded(values: Array, count: int) -> Array:
    return np.concatenate([values, np.zeros(count)])[:count]


def _cuts(values: Values) -> list[int]:
    """Return where the chunks end. Chunks of numbers end at whole blocks."""
    count = len(values)
    if values.items is None:
        size = -(-count // max(1, round(count / CHUNK)))
        size = -(-size // BLOCK_SIZE) * BLOCK_SIZE
        return [*range(size, count, size), count]
    cuts, start, bytes_ = [], 0, 0
    for i, item in enumerate(values.items):
        length = len(orjson.dumps(item))
        if i > start and (bytes_ + length > _JSON_SIZE or i - start >= CHUNK):
            cuts.append(i)
            start, bytes_ = i, 0
        bytes_ += length
    return [*cuts, count]


def _blocks(values: Values, last_x: Array) -> Array:
    numbers, _ = columns.as_floats(values)
    starts = np.arange(0, len(numbers), BLOCK_SIZE)
    blocks = np.empty(len(starts), BLOCK)
    blocks["n"] = np.diff(starts, append=len(numbers))
    blocks["x"] = last_x
    finite = np.isfinite(numbers)
    with np.errstate(over="ignore", invalid="ignore"):
        if finite.all():
            blocks["finite"] = blocks["n"]
            blocks["low"] = np.minimum.reduceat(numbers, starts)
            blocks["high"] = np.maximum.reduceat(numbers, starts)
            blocks["total"] = np.add.reduceat(numbers, starts)
        else:
            some = np.where(finite, numbers, np.nan)
            blocks["finite"] = np.add.reduceat(finite, starts, dtype=np.int64)
            blocks["low"] = np.fmin.reduceat(some, starts)
            blocks["high"] = np.fmax.reduceat(some, starts)
            blocks["total"] = np.add.reduceat(np.where(finite, numbers, 0.0), starts)
    return blocks


def _chunk(rows: Array, values: Values, axis: _Axis, blocks: bytes | None) -> dict[str, Any]:
    stride, packed = codec.pack_rows(rows)
    return {
        "row0": int(rows[0]),
        "row1": int(rows[-1]),
        "n": len(rows),
        "stride": stride,
        "x0": axis.low,
        "x1": axis.high,
        "ordered": int(axis.ordered),
        "type": values.type,
        "blocks": blocks,
        "rows": packed,
        "data": columns.encode(values),
    }


# -- statistics of the values in chunks, in the table `keys` -----------------------------------------------------

_low, _high = sa.bindparam("low_", type_=sa.Float), sa.bindparam("high_", type_=sa.Float)
_COUNT_KEYS = (
    keys.update()
    .where(keys.c.run == sa.bindparam("run_"), keys.c.id == sa.bindparam("id_"))
    .values(
        n=keys.c.n + sa.bindparam("n_", type_=sa.Integer),
        low=sa.case((keys.c.low.is_(None) | (_low < keys.c.low), _low), else_=keys.c.low),
        high=sa.case((keys.c.high.is_(None) | (_high > keys.c.high), _high), else_=keys.c.high),
        types=keys.c.types.bitwise_or(sa.bindparam("types_", type_=sa.Integer)),
        last=sa.bindparam("last_", type_=sa.LargeBinary),
    )
)


class Summary(NamedTuple):
    """Statistics of values of a key: number, extremes of the finite numbers, types, and the last value."""

    n: int
    low: float | None
    high: float | None
    types: int
    last: Any

    def then(self, later: Summary) -> Summary:
        """Return the statistics of these values and later ones."""
        lows = [v for v in (self.low, later.low) if v is not None]
        highs = [v for v in (self.high, later.high) if v is not None]
        return Summary(
            self.n + later.n, min(lows, default=None), max(highs, default=None), self.types | later.types, later.last
        )


def summarise(values: Values) -> Summary:
    """Return the statistics of a column."""
    numbers, at = columns.as_floats(values)
    types = NUMBER if len(numbers) else 0
    if at is not None and len(at) < len(values):
        for i in np.setdiff1d(np.arange(len(values)), at).tolist():
            item = (values.items or [])[i]
            types |= MEDIA if isinstance(item, dict) and "_type" in item else OTHER
    finite = numbers[np.isfinite(numbers)]
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (None, None)
    return Summary(
        len(values), low, high, types, columns.plain(columns.select(values, slice(len(values) - 1, None)))[0]
    )


def _counts(run: int, key: int, values: Values) -> dict[str, Any]:
    s = summarise(values)
    return {
        "run_": run,
        "id_": key,
        "n_": s.n,
        "low_": s.low,
        "high_": s.high,
        "types_": s.types,
        "last_": orjson.dumps(s.last),
    }
