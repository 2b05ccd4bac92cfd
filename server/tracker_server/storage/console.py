"""Store, read and search the console output of runs, in blocks of lines."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import orjson
import re2
import sqlalchemy as sa

from . import console_escapes, cursors, run_state
from .columnar import codec
from .interface import ConsolePage
from .patterns import pattern
from .query_budget import checked
from .schema import console

ERRORS = "stderr"

SEARCH_SECONDS = 0.5
"""Seconds after which a search returns what it has found so far, and where to continue."""

_PAGE_SIZE = 16 * 1024 * 1024

_LINES = 256
_SIZE = 64 * 1024


def append_lines(connection: sa.Connection, run: int, stream: int, row0: int, lines: list[list[Any]]) -> None:
    """Store lines (time, stdout or stderr, text) after the `row0` lines that the stream has."""
    mine = (console.c.run == run) & (console.c.stream == stream)
    last = connection.execute(sa.select(console).where(mine).order_by(console.c.row0.desc()).limit(1)).one_or_none()
    if (
        last is not None and last.n < _LINES and last.size < _SIZE
    ):  # otherwise slow output would make a block of each line
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
        about = {"n": len(block), "size": size, "errors": _errors(block)}
        values.append({"run": run, "stream": stream, "row0": row0, "data": data, **about})
        row0 += len(block)
    connection.execute(console.insert(), values)


class _Place(NamedTuple):
    """Where reading continues: streams in order, each with its first row, and how many lines to skip in the first."""

    rest: list[tuple[run_state.Stream, int]]
    skip: int


def page(
    connection: sa.Connection, run: int, limit: int, cursor: str | None, start: int | None, only: str | None
) -> ConsolePage:
    """See `Storage.console`. A page has at most about 16 MiB."""
    streams = run_state.streams_of(connection, run, "console")
    total = sum(count for _, _, count in _counts(connection, run, streams, only))
    if start is not None:
        start = max(0, start + total if start < 0 else start)
        place = _place(connection, run, streams, start, only)
    else:
        if cursor is not None and only is not None:
            raise ValueError("a cursor covers the lines of all streams: with a stream, give `start` instead")
        rest = cursors.after(streams, cursor)
        place, start = _Place(rest, 0), total - sum(stream.rows - row for stream, row in rest)
    found: list[dict[str, Any]] = []
    size, skip = 0, place.skip
    for stream, block, data in _blocks(connection, run, place.rest):
        size += block.size
        for row, (when, name, text) in enumerate(orjson.loads(data), block.row0):
            if row < block.first or not _passes(name, only):
                continue
            if skip:
                skip -= 1
                continue
            if len(found) >= limit:
                return ConsolePage(found, None if only else cursors.encode(stream, row), total, start)
            found.append({"time": when, "stream": name, "text": text})
        if size > _PAGE_SIZE:
            return ConsolePage(found, None if only else cursors.encode(stream, block.row0 + block.n), total, start)
    return ConsolePage(found, None, total, start)


def search(
    connection: sa.Connection, run: int, wanted: str, regex: bool, after: int, limit: int, only: str | None
) -> tuple[list[int], int | None]:
    """See `Storage.console_search`."""
    test = pattern(wanted) if regex else pattern(re2.escape(wanted), "(?i)")
    # A text without characters that JSON escapes also occurs in the block's JSON, so most blocks need no parsing.
    plain = not regex and wanted.isprintable() and not set('"\\') & set(wanted)
    probe = console_escapes.probe(wanted) if plain else None
    streams = run_state.streams_of(connection, run, "console")
    place = _place(connection, run, streams, after + 1, only)
    number, skip = after + 1, place.skip
    matches: list[int] = []
    deadline = time.monotonic() + SEARCH_SECONDS
    for _, block, data in _blocks(connection, run, place.rest):
        if probe and not skip and block.first <= block.row0 and block.errors is not None and not probe(data.decode()):
            number += _of(block.n, block.errors, only)
        else:
            for row, (_time, name, text) in enumerate(orjson.loads(data), block.row0):
                if row < block.first or not _passes(name, only):
                    continue
                if skip:
                    skip -= 1
                    continue
                if test(console_escapes.readable(text)):
                    matches.append(number)
                    if len(matches) >= limit:
                        return matches, number
                number += 1
        if time.monotonic() > deadline:
            return matches, number - 1
    return matches, None


class _Block(NamedTuple):
    row0: int
    n: int
    size: int
    errors: int | None
    first: int
    """The first row to read."""


def _blocks(
    connection: sa.Connection, run: int, rest: list[tuple[run_state.Stream, int]]
) -> Iterator[tuple[run_state.Stream, _Block, bytes]]:
    for stream, first in rest:
        mine = (console.c.run == run) & (console.c.stream == stream.id)
        # The last block that begins at or before the row. A condition on the blocks' ends would visit all of them.
        begin = sa.select(sa.func.max(console.c.row0)).where(mine, console.c.row0 <= first).scalar_subquery()
        query = sa.select(console).where(mine, console.c.row0 >= sa.func.coalesce(begin, 0)).order_by(console.c.row0)
        with connection.execute(query.execution_options(yield_per=64)) as found:
            for block in checked(found):
                yield stream, _Block(block.row0, block.n, block.size, block.errors, first), codec.unpack(block.data)


def _counts(
    connection: sa.Connection, run: int, streams: list[run_state.Stream], only: str | None
) -> Iterator[tuple[run_state.Stream, int, int]]:
    """Yield stream, first row and number of lines, for each stream or, if only one kind of lines counts, each block."""
    if only is None:
        yield from ((stream, 0, stream.rows) for stream in streams)
        return
    for stream in streams:
        query = (
            sa.select(console.c.row0, console.c.n, console.c.errors)
            .where(console.c.run == run, console.c.stream == stream.id)
            .order_by(console.c.row0)
        )
        for row0, n, errors in connection.execute(query).all():
            if errors is None:  # an old block, stored without the count
                where = (console.c.run == run) & (console.c.stream == stream.id) & (console.c.row0 == row0)
                data = connection.execute(sa.select(console.c.data).where(where)).scalar_one()
                errors = _errors(codec.unpack_json(data))
            yield stream, row0, _of(n, errors, only)


def _place(
    connection: sa.Connection, run: int, streams: list[run_state.Stream], start: int, only: str | None
) -> _Place:
    """Return the place of the line number `start`."""
    for stream, row0, count in _counts(connection, run, streams, only):
        if start < count:
            later = [(other, 0) for other in streams[streams.index(stream) + 1 :]]
            return _Place([(stream, start), *later], 0) if only is None else _Place([(stream, row0), *later], start)
        start -= count
    return _Place([], 0)


def _errors(lines: list[list[Any]]) -> int:
    return sum(line[1] == ERRORS for line in lines)


def _of(n: int, errors: int, only: str | None) -> int:
    return n if only is None else errors if only == ERRORS else n - errors


def _passes(name: str, only: str | None) -> bool:
    return only is None or (name == ERRORS) == (only == ERRORS)
