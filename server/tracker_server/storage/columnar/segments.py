"""Encode the rows of an upload as one compressed blob, from which single columns can be read."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import orjson

from tracker_server.storage.interface import Array

from . import codec, columns
from .columns import INT, JSON, MIXED, Batch, Group, Values

# The blob is compressed with zstd. It holds the uint32 length of the header, the header (JSON), times, steps if any,
# then for each group the positions of its rows, unless it has all rows, and its columns. Arrays are little-endian with
# 8 bytes a value. The marks of MIXED columns follow their numbers, one byte each.


def encode(batch: Batch) -> tuple[int, bytes]:
    """Return the size before compression, and the blob. Keys are numbers (`keys.id`)."""
    parts = [batch.times.tobytes()]
    if batch.steps is not None:
        parts.append(batch.steps.tobytes())
    header: list[Any] = [len(batch.times), batch.steps is not None, []]
    for group in batch.groups:
        if group.rows is not None:
            parts.append(group.rows.astype(np.int64, copy=False).tobytes())
        lengths = []
        for values in group.values:
            data = _raw(values)
            lengths.append(len(data))
            parts.append(data)
        types = "".join([v.type for v in group.values])
        header[2].append([None if group.rows is None else len(group.rows), group.keys, types, lengths])
    head = orjson.dumps(header)
    raw = b"".join([struct.pack("<I", len(head)), head, *parts])
    return len(raw), codec.pack(raw)


def _raw(values: Values) -> bytes:
    if values.items is not None:
        return orjson.dumps(values.items)
    assert values.numbers is not None
    marks = b"" if values.ints is None else values.ints.tobytes()
    return values.numbers.tobytes() + marks


def types(blob: bytes) -> list[tuple[int, str]]:
    """Return the keys of a segment and the types of their values, without reading the values."""
    with codec.reading(blob) as content:
        (size,) = struct.unpack("<I", content.read(4))
        _, _, shapes = orjson.loads(content.read(size))
    return [pair for _, keys, types_, _ in shapes for pair in zip(keys, types_, strict=True)]


def decode(blob: bytes, only: set[int] | None = None) -> Batch:
    """Undo `encode`; with `only`, other keys are omitted. Arrays are read-only views."""
    raw = codec.unpack(blob)
    (size,) = struct.unpack_from("<I", raw)
    count, has_steps, shapes = orjson.loads(raw[4 : 4 + size])
    at = 4 + size

    def take(length: int, dtype: Any = np.float64) -> Array:
        nonlocal at
        found = np.frombuffer(raw, dtype, length, at)
        at += found.nbytes
        return found

    times = take(count)
    steps = take(count, np.int64) if has_steps else None
    groups = []
    for rows, keys, types, lengths in shapes:
        index = None if rows is None else take(rows, np.int64)
        n = count if rows is None else rows
        wanted_keys, wanted = [], []
        for key, type_, length in zip(keys, types, lengths, strict=True):
            if only is None or key in only:
                wanted_keys.append(key)
                wanted.append(_view(raw, at, length, n, type_))
            at += length
        groups.append(Group(index, wanted_keys, wanted))
    return Batch(times, steps, groups)


def _view(raw: bytes, at: int, length: int, n: int, type_: str) -> Values:
    if type_ == JSON:
        return Values(JSON, items=orjson.loads(raw[at : at + length]))
    numbers = np.frombuffer(raw, np.int64 if type_ == INT else np.float64, n, at)
    if type_ != MIXED:
        return Values(type_, numbers)
    return Values(MIXED, numbers, np.frombuffer(raw, np.bool_, n, at + 8 * n))


class Pile:
    """Collects columns of one stream from several segments in the order of rows."""

    def __init__(self) -> None:
        self._parts: dict[int, list[tuple[Array, Values]]] = {}
        self._shuffled: set[int] = set()

    def add(self, row0: int, batch: Batch) -> None:
        """Add the rows of a segment that starts at row `row0`."""
        for group in batch.groups:
            if not group.keys:
                continue
            rows = np.arange(row0, row0 + len(batch.times)) if group.rows is None else group.rows + row0
            for key, values in zip(group.keys, group.values, strict=True):
                self.put(key, rows, values)

    def put(self, key: int, rows: Array, values: Values) -> None:
        """Add values of one key."""
        parts = self._parts.setdefault(key, [])
        if parts and parts[-1][0][-1] > rows[0]:
            self._shuffled.add(key)  # the rows of one batch's groups interleave
        parts.append((rows, values))

    def columns(self) -> dict[int, tuple[Array, Values]]:
        """Return ascending row numbers and values by key."""
        return {key: self._column(key, parts) for key, parts in self._parts.items()}

    def _column(self, key: int, parts: list[tuple[Array, Values]]) -> tuple[Array, Values]:
        rows = np.concatenate([r for r, _ in parts])
        values = columns.join([v for _, v in parts])
        if key in self._shuffled:
            order = np.argsort(rows, kind="stable")
            return rows[order], columns.select(values, order)
        return rows, values
