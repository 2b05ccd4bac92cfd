"""Read columns of a stream: some keys in a window of rows, from both chunks and segments.

All reads for one response must be in one transaction, or a merge in between could show rows twice or not at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import sqlalchemy as sa

from tracker_server.storage.interface import Array
from tracker_server.storage.query_budget import checked
from tracker_server.storage.schema import chunks, keys, streams
from tracker_server.storage.schema import segments as segment_table

from . import codec, columns, segments
from .chunks import STEP, TIME
from .columns import FLOAT, INT, Batch, Values

END = 2**62
"""A row number beyond all rows."""

MANY = 500
"""Most keys that are looked up one by one."""

Column = tuple[Array, Values]
"""Ascending row numbers, and the values in them."""

_run: sa.BindParameter[int] = sa.bindparam("run_")
_stream: sa.BindParameter[int] = sa.bindparam("stream_")
_low: sa.BindParameter[int] = sa.bindparam("low_")
_high: sa.BindParameter[int] = sa.bindparam("high_")
_ids: sa.BindParameter[Any] = sa.bindparam("ids_", expanding=True)

# The chunks of a key are in order of row0 and do not overlap, so the first one to read is the last that starts at or
# before the window. A look-up by row0 uses the primary key; a condition on row1 would visit every chunk.
_before = chunks.alias("before")
_first = (
    sa.select(sa.func.max(_before.c.row0))
    .where(_before.c.run == keys.c.run, _before.c.key == keys.c.id, _before.c.stream == _stream, _before.c.row0 <= _low)
    .correlate(keys)
    .scalar_subquery()
)
_chunks_of = (
    sa.select(chunks)
    .select_from(keys.join(chunks, (chunks.c.run == keys.c.run) & (chunks.c.key == keys.c.id)))
    .where(keys.c.run == _run, keys.c.id.in_(_ids), chunks.c.stream == _stream)
    .where(chunks.c.row0 >= sa.func.coalesce(_first, 0), chunks.c.row0 < _high)
    .order_by(chunks.c.key, chunks.c.row0)
)
_values_of = _chunks_of.with_only_columns(
    *(chunks.c[name] for name in ("key", "row0", "row1", "n", "stride", "type", "rows", "data"))
)
_values_in = (
    sa.select(*(chunks.c[name] for name in ("key", "row0", "row1", "n", "stride", "type", "rows", "data")))
    .where(chunks.c.run == _run, chunks.c.stream == _stream, chunks.c.row0 < _high, chunks.c.row1 >= _low)
    .order_by(chunks.c.key, chunks.c.row0)
)
_extents_of = _chunks_of.with_only_columns(
    *(chunks.c[name] for name in ("key", "row0", "row1", "n", "x0", "x1", "ordered", "type"))
)
_blocks_of = _chunks_of.with_only_columns(chunks.c.blocks)
_segments_of = (
    sa.select(segment_table.c.row0, segment_table.c.n, segment_table.c.data, streams.c.merging, streams.c.merged_key)
    .join(streams, streams.c.id == segment_table.c.stream)
    .where(segment_table.c.run == _run, segment_table.c.stream == _stream, segment_table.c.row0 < _high)
    .where(segment_table.c.row0 + segment_table.c.n > _low)
    .order_by(segment_table.c.row0)
)


def read(
    connection: sa.Connection, run: int, stream: int, ids: Iterable[int], low: int = 0, high: int = END
) -> dict[int, Column]:
    """Return the columns of keys in the rows `low` ≤ row < `high`; keys without values there are omitted."""
    wanted = set(ids)
    parts: dict[int, list[Column]] = {}
    for chunk in _select(connection, _values_of, run, stream, wanted, low, high):
        if chunk.row1 < low:
            continue
        rows = codec.unpack_rows(chunk.row0, chunk.n, chunk.stride, chunk.rows)
        column = rows, columns.decode(chunk.type, chunk.data)
        if chunk.row0 < low or chunk.row1 >= high:
            column = _cut(column, low, high)
        if len(column[0]):
            parts.setdefault(chunk.key, []).append(column)
    for key, column in pending(connection, run, stream, wanted, low, high).items():
        parts.setdefault(key, []).append(column)
    return {key: _joined(found) for key, found in parts.items()}


def _joined(parts: list[Column]) -> Column:
    if len(parts) == 1:
        return parts[0]
    return np.concatenate([rows for rows, _ in parts]), columns.join([values for _, values in parts])


def pending(
    connection: sa.Connection, run: int, stream: int, ids: set[int] | None, low: int = 0, high: int = END
) -> dict[int, Column]:
    """Return the same as `read`, but only rows that are still in segments; `ids` None means all keys."""
    pile = segments.Pile()
    values = {"run_": run, "stream_": stream, "low_": low, "high_": high}
    for row0, count, data, merging, merged_key in checked(connection.execute(_segments_of, values)):
        batch = segments.decode(data, ids)
        if merging is not None and row0 < merging:
            batch = _unmerged(batch, merged_key)
        pile.add(row0, batch)
        rows = np.arange(row0, row0 + count)
        if ids is not None and TIME in ids:
            pile.put(TIME, rows, Values(FLOAT, batch.times))
        if ids is not None and STEP in ids and batch.steps is not None:
            pile.put(STEP, rows, Values(INT, batch.steps))
    found = pile.columns()
    cut = {key: _cut(column, low, high) for key, column in found.items()}
    return {key: column for key, column in cut.items() if len(column[0])}


def _unmerged(batch: Batch, first: int) -> Batch:
    """Omit the keys that an unfinished merge has already moved into chunks."""
    groups = []
    for group in batch.groups:
        kept = [(key, values) for key, values in zip(group.keys, group.values, strict=True) if key >= first]
        groups.append(group._replace(keys=[key for key, _ in kept], values=[values for _, values in kept]))
    return batch._replace(groups=groups)


def extents(
    connection: sa.Connection, run: int, stream: int, key: int, low: int = 0, high: int = END
) -> list[sa.Row[Any]]:
    """Return the ranges of rows and x of a key's chunks, without their values."""
    return list(_select(connection, _extents_of, run, stream, {key}, low, high))


def blocks(connection: sa.Connection, run: int, stream: int, key: int, low: int, high: int) -> list[bytes]:
    """Return the blocks of a key's chunks that start in the rows `low` to `high`; a chunk must start at `low`."""
    return [data for (data,) in _select(connection, _blocks_of, run, stream, {key}, low, high)]


def _select(
    connection: sa.Connection, query: Any, run: int, stream: int, ids: set[int], low: int, high: int
) -> Iterator[sa.Row[Any]]:
    ordered = sorted(ids)
    if query is _values_of and len(ids) > MANY:
        # For so many keys, one look-up of all chunks is cheaper than one for each key.
        window = {"run_": run, "stream_": stream, "low_": low, "high_": high}
        for chunk in checked(connection.execute(_values_in, window)):
            if chunk.key in ids:
                yield chunk
        return
    for some in (ordered[i : i + 500] for i in range(0, len(ordered), 500)):
        values = {"run_": run, "stream_": stream, "low_": low, "high_": high, "ids_": some}
        yield from checked(connection.execute(query, values))


def _cut(column: Column, low: int, high: int) -> Column:
    rows, values = column
    start, stop = np.searchsorted(rows, [low, high])
    if start == 0 and stop == len(rows):
        return column
    return rows[start:stop], columns.select(values, slice(int(start), int(stop)))
