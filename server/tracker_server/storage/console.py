"""What runs printed, in blocks of lines."""

from __future__ import annotations

from typing import Any

import orjson
import sqlalchemy as sa

from . import codec, cursors, state
from .interface import Page
from .schema import console

_LINES = 256
_SIZE = 64 * 1024


def append_lines(connection: sa.Connection, run: int, stream: int, row0: int, lines: list[list[Any]]) -> None:
    """Store lines (time, stdout or stderr, text) that follow the `row0` lines there are."""
    mine = (console.c.run == run) & (console.c.stream == stream)
    last = connection.execute(sa.select(console).where(mine).order_by(console.c.row0.desc()).limit(1)).one_or_none()
    if last is not None and last.n < _LINES and last.size < _SIZE:  # or output in drops would make a block a line
        lines = [*codec.unpack_json(last.data), *lines]
        row0 = last.row0
        connection.execute(console.delete().where(mine, console.c.row0 == row0))
    fresh, block, size = [], [], 0
    for line in lines:
        block.append(line)
        size += len(line[2])
        if len(block) >= _LINES or size >= _SIZE:
            fresh.append((block, size))
            block, size = [], 0
    if block:
        fresh.append((block, size))
    values = []
    for block, size in fresh:
        data = codec.pack_json(block)
        values.append({"run": run, "stream": stream, "row0": row0, "n": len(block), "size": size, "data": data})
        row0 += len(block)
    connection.execute(console.insert(), values)


def page(connection: sa.Connection, run: int, limit: int, cursor: str | None) -> Page:
    """Return lines as {"time", "stream", "text"}, in the order of streams and their lines; at most about 16 MiB."""
    streams = state.streams_of(connection, run, "console")
    total = sum(s.rows for s in streams)
    rest = cursors.after(streams, cursor)
    found: list[dict[str, Any]] = []
    size = 0
    for stream, position in rest:
        query = sa.select(console).where(
            console.c.run == run, console.c.stream == stream.id, console.c.row0 + console.c.n > position
        )
        for block in connection.execute(query.order_by(console.c.row0)):
            size += block.size
            for row, (time, name, text) in enumerate(orjson.loads(codec.unpack(block.data)), block.row0):
                if row < position:
                    continue
                if len(found) >= limit:
                    return Page(found, cursors.encode(stream, row), total)
                found.append({"time": time, "stream": name, "text": text})
            if size > 16 * 1024 * 1024:
                return Page(found, cursors.encode(stream, block.row0 + block.n), total)
    return Page(found, None, total)
