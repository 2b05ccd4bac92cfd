"""Parse the lines of an upload into columns; this needs no lock and no database."""

from __future__ import annotations

from array import array
from itertools import chain
from math import isfinite
from typing import Any, NamedTuple

import numpy as np

from tracker.runlog.records import DIGEST, STREAM_NAME, VERSION, Points, Record, is_piece, parse
from tracker.runlog.stats import Stats
from tracker_server.storage.interface import MAX_LINES, Array, TooManyLines

from . import columns
from .columns import FLOAT, Batch, Group, Values
from .sums import stats

_ROW_KINDS = {"history": "log", "system": "system", "console": "console", "edits": None}
_MANY_SHAPES = 16


class Upload(NamedTuple):
    """The parsed lines of one upload."""

    kind: str
    """The kind of the stream."""
    n: int
    """Number of rows or console lines."""
    depth: int
    """About the largest number of values of a single key."""
    batch: Batch | None
    lines: list[list[Any]]
    """Lines of console output: time, stdout or stderr, text."""
    events: list[tuple[int, Record]]
    """All other records, each with the number of rows before it."""
    times: Array
    """The times of the rows."""
    opened: float | None
    """The time of the first record."""
    corrupt: int
    digests: list[str]
    size: int
    """Size of the lines in bytes."""
    sums: dict[str, Stats]
    """Statistics of the rows of a history by key."""


def read(stream: str, data: bytes) -> Upload:
    """Parse whole lines of a stream.

    Raises `TooManyLines`, and ValueError for lines that no server of this version accepts: an invalid stream name, a
    last line without newline, a newer version of the run log.
    """
    match = STREAM_NAME.fullmatch(stream)
    if match is None:
        raise ValueError(f"{stream!r} is not a valid stream name; an example is history-ab12.jsonl")
    if not data.endswith(b"\n") and not is_piece(data):
        raise ValueError("the last line has no newline: send only whole lines")
    count = data.count(b"\n")
    if count > MAX_LINES:
        raise TooManyLines(f"the upload has {count:,} lines: send at most {MAX_LINES:,} at a time")
    kind = match[1]
    row_kind = _ROW_KINDS[kind]
    records, corrupt, _ = parse(data)
    rows: list[Record] = []
    points: list[Points] = []
    before: list[int] = []  # number of single rows before each line of points
    many = 0  # number of rows in lines of points
    events: list[tuple[int, Record]] = []
    for record in records:
        if record.kind == row_kind and type(record.payload) is dict and isfinite(record.time):
            rows.append(record)
        elif record.kind == row_kind or not isfinite(record.time):
            corrupt += 1
        elif record.kind == "points" and kind == "history":
            points.append(record.payload)
            before.append(len(rows))
            many += len(record.payload.times)
        else:
            _check_version(record)
            events.append((len(rows) + many, record))
    opened = next((r.time for r in records if isfinite(r.time)), None)
    batch, lines, depth = None, [], len(rows)
    if kind == "console":
        lines = [[r.time, str(r.payload.get("stream", "stdout")), str(r.payload.get("text", ""))] for r in rows]
    elif rows:
        batch = _columns(rows, kind)
    if points:
        some = _of_points(points)
        depth += max(len(group.values[0]) for group in some.groups)
        batch = some if batch is None else _interleaved(batch, some, before, [len(p.times) for p in points])
    times = np.array([r.time for r in rows]) if batch is None else batch.times
    digests = _digests(batch, events)
    sums = stats(batch) if batch is not None and kind == "history" else {}
    return Upload(kind, len(rows) + many, depth, batch, lines, events, times, opened, corrupt, digests, len(data), sums)


def _check_version(record: Record) -> None:
    if record.kind == "run" and isinstance(record.payload, dict):
        version = record.payload.get("version", VERSION)
        if version != VERSION:
            raise ValueError(
                f"this run log has version {version}, but the server supports version {VERSION}: install a newer "
                "tracker-runs on the server"
            )


def _columns(rows: list[Record], kind: str) -> Batch:
    times = np.array([r.time for r in rows], dtype=np.float64)
    steps = np.array([r.step for r in rows], dtype=np.int64) if kind == "history" else None
    payloads = [r.payload for r in rows]
    shapes: dict[tuple[str, ...], list[int]] = {}
    for i, payload in enumerate(payloads):
        shapes.setdefault(tuple(payload), []).append(i)
    if len(shapes) > _MANY_SHAPES:
        return Batch(times, steps, _by_key(payloads))
    groups = []
    for keys, at in shapes.items():
        if keys:
            everywhere = len(at) == len(rows)
            some = payloads if everywhere else [payloads[i] for i in at]
            index = None if everywhere else np.array(at, dtype=np.int64)
            groups.append(Group(index, list(keys), _transpose(some, len(keys))))
    return Batch(times, steps, groups)


def _transpose(payloads: list[dict[str, Any]], width: int) -> list[Values]:
    flat = list(chain.from_iterable([p.values() for p in payloads]))
    if set(map(type, flat)) == {float}:
        matrix = np.array(flat, dtype=np.float64).reshape(len(payloads), width).T.copy()
        return [Values(FLOAT, column) for column in matrix]
    return [columns.typed(flat[i::width]) for i in range(width)]


def _by_key(payloads: list[dict[str, Any]]) -> list[Group]:
    """Return a group for each key, for rows with too many different sets of keys to group by these."""
    found: dict[str, tuple[list[int], list[Any]]] = {}
    for i, payload in enumerate(payloads):
        for key, value in payload.items():
            at, values = found.setdefault(key, ([], []))
            at.append(i)
            values.append(value)
    return [Group(np.array(at), [key], [columns.typed(values)]) for key, (at, values) in found.items()]


def _of_points(lines: list[Points]) -> Batch:
    """Return the rows of `points` lines, with a group for each key, without creating an object for each point."""
    names: dict[str, int] = {}
    parts = []
    for line in lines:
        numbers = np.array([names.setdefault(key, len(names)) for key in line.keys])
        parts.append(numbers[np.asarray(line.which)])
    which = np.concatenate(parts)
    order = np.argsort(which, kind="stable")
    starts = np.flatnonzero(np.diff(which[order], prepend=-1))
    keys = list(names)
    spans = list(zip(starts.tolist(), [*starts[1:].tolist(), len(order)], which[order[starts]].tolist(), strict=True))
    if all(isinstance(line.values, array) for line in lines):
        numbers = np.concatenate([np.asarray(line.values) for line in lines])[order]
        values = [Values(FLOAT, numbers[start:end]) for start, end, _ in spans]
    else:
        flat = list(chain.from_iterable(line.values for line in lines))
        values = [columns.typed([flat[i] for i in order[start:end].tolist()]) for start, end, _ in spans]
    groups = [Group(order[s:e], [keys[key]], [column]) for (s, e, key), column in zip(spans, values, strict=True)]
    times = np.concatenate([np.asarray(line.times) for line in lines])
    steps = np.concatenate([np.asarray(line.steps) for line in lines])
    return Batch(times, steps, groups)


def _interleaved(rows: Batch, points: Batch, before: list[int], lengths: list[int]) -> Batch:
    """Return single rows and points in the order of their lines.

    `before` holds the number of single rows before each line of points, `lengths` the number of points in it.
    """
    ends = np.cumsum([0, *lengths])
    single = np.arange(len(rows.times))
    single += ends[np.searchsorted(before, single, side="right")]
    pointed = np.arange(len(points.times)) + np.repeat(before, lengths)
    times, steps = np.empty(len(single) + len(pointed)), np.empty(len(single) + len(pointed), dtype=np.int64)
    times[single], times[pointed] = rows.times, points.times
    steps[single], steps[pointed] = np.asarray(rows.steps), np.asarray(points.steps)
    groups = [g._replace(rows=single if g.rows is None else single[g.rows]) for g in rows.groups]
    groups += [g._replace(rows=pointed[g.rows]) for g in points.groups]
    return Batch(times, steps, groups)


def _digests(batch: Batch | None, events: list[tuple[int, Record]]) -> list[str]:
    found: dict[str, None] = {}
    for group in batch.groups if batch else ():
        for values in group.values:
            for item in values.items or ():
                if type(item) is dict:
                    _find_digests(item, found)
    for _, record in events:
        if record.kind in ("file", "summary") and isinstance(record.payload, dict):
            _find_digests({"_type": "list", "items": [record.payload, *record.payload.values()]}, found)
        if record.kind in ("config", "summary"):
            _find_kept(record.payload, found)
    return list(found)


def _find_kept(payload: Any, found: dict[str, None]) -> None:
    """Find values, at any depth, whose content is stored as a file."""
    waiting = [payload]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if value.get("_type") == "file":
                _find_digests(value, found)
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value


def _find_digests(item: dict[str, Any], found: dict[str, None]) -> None:
    digest = item.get("digest")
    if isinstance(digest, str) and DIGEST.fullmatch(digest):
        found[digest] = None
    inner = item.get("items") if item.get("_type") == "list" else None
    for part in inner if isinstance(inner, list) else ():
        if type(part) is dict:
            _find_digests(part, found)
