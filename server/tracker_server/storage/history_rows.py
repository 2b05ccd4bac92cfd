"""Read rows of metrics as they were logged, page by page."""

from __future__ import annotations

from typing import Any

import numpy as np
import sqlalchemy as sa

from tracker.wire import RowColumn, RowPage, RowSpan

from . import cursors
from .columnar import columns, scan
from .columnar.chunks import STEP, TIME
from .columnar.scan import Column
from .interface import Array, Kind
from .run_state import streams_of
from .schema import chunks, keys

MAX_ROWS = 10_000
MAX_VALUES = 2_000_000
"""Values of one page. A page may have fewer rows than requested and still a cursor."""

_MAX_JSON_CHUNKS = 64  # of about a megabyte each, at most
_WINDOW = 4096


def page(
    connection: sa.Connection,
    run: int,
    kind: Kind,
    wanted: list[str] | None,
    started: float,
    limit: int,
    cursor: str | None,
) -> RowPage:
    """See `Storage.rows`; `_runtime` is 0 at the time `started`. Raises ValueError for a bad cursor or limit."""
    if limit < 1:
        raise ValueError("the limit of rows must be at least 1")
    names = _names(connection, run, kind, wanted)
    limit = max(1, min(limit, MAX_ROWS, MAX_VALUES // (len(names) + 1)))
    left = cursors.after(streams_of(connection, run, kind), cursor)
    pieces: list[tuple[Array, dict[int, Column]]] = []
    spans: list[RowSpan] = []
    count = 0
    next_page = None
    for stream, position in left:
        before = count
        width = limit - count if wanted is None else max(_WINDOW, limit)
        while position < stream.rows:
            if count >= limit:
                next_page = cursors.encode(stream, position)
                break
            allowed = _bounded(connection, run, stream.id, list(names), position, width)
            end = min(position + allowed, stream.rows)
            found = scan.read(connection, run, stream.id, [*names, STEP, TIME], position, end)
            rows = np.arange(position, end) if wanted is None else _rows_with(found, list(names))
            rows = rows[: limit - count]
            if len(rows):
                pieces.append((rows, found))
                count += len(rows)
            position = int(rows[-1]) + 1 if count >= limit else end
            if allowed < width and count:
                limit = count  # more would use too much memory
            width = min(width * 2, 16 * _WINDOW)
        if count > before:
            spans.append(RowSpan(stream=stream.name, count=count - before))
        if next_page is not None:
            break
    columns_ = _assemble(pieces, names, kind, started, count)
    return RowPage(count=count, columns=columns_, streams=spans, cursor=next_page)


def _names(connection: sa.Connection, run: int, kind: Kind, wanted: list[str] | None) -> dict[int, str]:
    """Return number and name of the wanted keys that the run has."""
    query = sa.select(keys.c.id, keys.c.name).where(keys.c.run == run, keys.c.kind == kind).order_by(keys.c.id)
    if wanted is None:
        return {key.id: key.name for key in connection.execute(query)}
    found: dict[int, str] = {}
    for some in (wanted[i : i + 500] for i in range(0, len(wanted), 500)):
        found.update((id_, name) for id_, name in connection.execute(query.where(keys.c.name.in_(some))))
    return found


def _rows_with(found: dict[int, Column], ids: list[int]) -> Array:
    """Return the rows that have one of the keys."""
    some = [found[i][0] for i in ids if i in found]
    return np.unique(np.concatenate(some)) if some else np.zeros(0, np.int64)


def _bounded(connection: sa.Connection, run: int, stream: int, ids: list[int], position: int, width: int) -> int:
    """Reduce `width` until no more JSON chunks start in it than fit in memory."""
    while width > 1:
        where = (chunks.c.run == run) & (chunks.c.stream == stream)
        where &= (chunks.c.row0 >= position) & (chunks.c.row0 < position + width) & (chunks.c.type == columns.JSON)
        if len(ids) <= scan.MANY:  # for more keys, one look-up of all chunks is cheaper
            where &= chunks.c.key.in_(ids)
        found = connection.execute(sa.select(sa.func.count()).where(where)).scalar_one()
        if found <= _MAX_JSON_CHUNKS:
            break
        width //= 2
    return width


def _assemble(
    pieces: list[tuple[Array, dict[int, Column]]], names: dict[int, str], kind: Kind, started: float, count: int
) -> dict[str, RowColumn]:
    times = _whole(pieces, TIME)
    result: dict[str, RowColumn] = {}
    if kind == "history":
        result["_step"] = RowColumn(rows=None, values=_whole(pieces, STEP).astype(np.int64).tolist())
    result["_timestamp"] = RowColumn(rows=None, values=times.tolist())
    result["_runtime"] = RowColumn(rows=None, values=(times - started).tolist())
    for key, name in names.items():
        positions: list[Array] = []
        values: list[Any] = []
        base = 0
        for rows, found in pieces:
            if key in found:
                at, column = found[key]
                place = np.searchsorted(rows, at)
                here = place < len(rows)
                here[here] = rows[place[here]] == at[here]
                positions.append(place[here] + base)
                values += columns.plain(column if here.all() else columns.select(column, np.flatnonzero(here)))
            base += len(rows)
        if values:
            everywhere = len(values) == count
            result[name] = RowColumn(rows=None if everywhere else np.concatenate(positions).tolist(), values=values)
    return result


def _whole(pieces: list[tuple[Array, dict[int, Column]]], key: int) -> Array:
    """Return a column that every row has."""
    parts = []
    for rows, found in pieces:
        at, values = found[key]
        numbers, _ = columns.as_floats(values) if key == TIME else (values.numbers, None)
        parts.append(np.asarray(numbers)[rows - at[0]])
    return np.concatenate(parts) if parts else np.zeros(0)
