"""From the lines of an upload to columns, before anything is locked or looked up."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from itertools import chain
from math import isfinite
from typing import Any, NamedTuple

import numpy as np

from tracker.runlog.fold import Stats
from tracker.runlog.records import STREAM_NAME, VERSION, Record, parse, restore

from . import columns
from .codec import Array
from .columns import FLOAT, INT, MIXED, Values

_ROW_KINDS = {"history": "log", "system": "system", "console": "console", "edits": ""}
_MANY_SHAPES = 16
_DIGEST = re.compile(r"[0-9a-f]{64}")


class Group(NamedTuple):
    """Some rows of a batch and the values of keys that all of them have. `rows` are positions, None for all rows."""

    rows: Array | None
    keys: list[Any]
    values: list[Values]


class Batch(NamedTuple):
    """Rows by column. `steps` (int64) is None in system streams. A key may stand in several groups, once for a row."""

    times: Array
    steps: Array | None
    groups: list[Group]


class Upload(NamedTuple):
    """What the lines of one upload say."""

    kind: str
    """The kind of the stream."""
    n: int
    """Rows, or lines of the console."""
    batch: Batch | None
    lines: list[list[Any]]
    """Of the console: time, stdout or stderr, text."""
    events: list[tuple[int, Record]]
    """All other records, each with the number of rows before it."""
    times: list[float]
    """Of the rows."""
    opened: float | None
    """The time of the first record."""
    corrupt: int
    digests: list[str]


def read(stream: str, data: bytes) -> Upload:
    """Parse whole lines of a stream.

    Raises ValueError for what no server of this version will ever accept: a bad stream name, a last line without
    newline, a newer version of the run log.
    """
    match = STREAM_NAME.fullmatch(stream)
    if match is None:
        raise ValueError(f"{stream!r} is not the name of a stream; names look like history-ab12.jsonl")
    if not data.endswith(b"\n"):
        raise ValueError("the last line lacks its newline; send whole lines only")
    kind = match[1]
    row_kind = _ROW_KINDS[kind]
    records, corrupt, _ = parse(data)
    rows: list[Record] = []
    events: list[tuple[int, Record]] = []
    for record in records:
        if record.kind == row_kind and type(record.payload) is dict and isfinite(record.time):
            rows.append(record)
        elif record.kind == row_kind or not isfinite(record.time):
            corrupt += 1
        else:
            _check_version(record)
            events.append((len(rows), record))
    opened = next((r.time for r in records if isfinite(r.time)), None)
    times = [r.time for r in rows]
    batch, lines = None, []
    if kind == "console":
        lines = [[r.time, str(r.payload.get("stream", "stdout")), str(r.payload.get("text", ""))] for r in rows]
    elif rows:
        batch = _columns(rows, kind)
    digests = _digests(batch, events)
    return Upload(kind, len(rows), batch, lines, events, times, opened, corrupt, digests)


def _check_version(record: Record) -> None:
    if record.kind == "run" and isinstance(record.payload, dict):
        version = record.payload.get("version", VERSION)
        if version != VERSION:
            raise ValueError(
                f"this run log has version {version}, and this server reads version {VERSION}: "
                "install a newer tracker-runs on the server"
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
    """One group per key, for rows of so many shapes that grouping by shape would not pay."""
    found: dict[str, tuple[list[int], list[Any]]] = {}
    for i, payload in enumerate(payloads):
        for key, value in payload.items():
            at, values = found.setdefault(key, ([], []))
            at.append(i)
            values.append(value)
    return [Group(np.array(at), [key], [columns.typed(values)]) for key, (at, values) in found.items()]


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
    return list(found)


def _find_digests(item: dict[str, Any], found: dict[str, None]) -> None:
    digest = item.get("digest")
    if isinstance(digest, str) and _DIGEST.fullmatch(digest):
        found[digest] = None
    inner = item.get("items") if item.get("_type") == "list" else None
    for part in inner if isinstance(inner, list) else ():
        if type(part) is dict:
            _find_digests(part, found)


def stats(batch: Batch) -> dict[str, Stats]:
    """Sum up each key, as `Stats.add` over the rows in order would (up to the rounding of sums)."""
    found: dict[str, Stats] = {}
    last_row: dict[str, int] = {}
    for group in batch.groups:
        until = len(batch.times) - 1 if group.rows is None else int(group.rows[-1])
        for key, more in zip(group.keys, _group_stats(group.values), strict=True):
            have = found.get(key)
            if have is None:
                found[key] = more
            elif until > last_row[key]:
                have.merge(more)
            else:
                more.merge(have)
                found[key] = more
            last_row[key] = max(until, last_row.get(key, 0))
    return found


def _group_stats(group: list[Values]) -> Sequence[Stats]:
    floats = [v.numbers for v in group if v.type == FLOAT]
    if len(floats) == len(group):
        return _float_stats(np.array(floats))
    return [_column_stats(v) for v in group]


def _float_stats(matrix: Array) -> list[Stats]:
    """`matrix` is keys × rows."""
    finite = np.isfinite(matrix)
    with np.errstate(over="ignore", invalid="ignore"):
        if finite.all():
            n = [matrix.shape[1]] * len(matrix)
            low, high, total = matrix.min(axis=1), matrix.max(axis=1), matrix.sum(axis=1)
        else:
            n = finite.sum(axis=1).tolist()
            low = np.where(finite, matrix, math.inf).min(axis=1)
            high = np.where(finite, matrix, -math.inf).max(axis=1)
            total = np.where(finite, matrix, 0.0).sum(axis=1)
    return list(map(Stats, n, low.tolist(), high.tolist(), total.tolist(), matrix[:, -1].tolist()))


def _column_stats(values: Values) -> Stats:
    if values.type in (FLOAT, MIXED) and values.numbers is not None:
        (result,) = _float_stats(values.numbers[None, :])
        result.last = restore(columns.plain(columns.select(values, slice(len(values) - 1, None)))[0])
        return result
    if values.type == INT and values.numbers is not None:
        numbers = values.numbers
        return Stats(
            len(numbers), int(numbers.min()), int(numbers.max()), float(numbers.sum(dtype=np.float64)), int(numbers[-1])
        )
    result = Stats()
    for item in values.items or ():
        result.add(restore(item))
    return result
