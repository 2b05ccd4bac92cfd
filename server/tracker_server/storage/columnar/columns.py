"""Columns of values: typed arrays for numbers, JSON for anything else."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, NamedTuple

import numpy as np

from tracker.runlog.records import decode_special, jsonable
from tracker_server.storage.interface import Array

from . import codec

FLOAT, INT, MIXED, JSON = "d", "i", "m", "j"
_EXACT = 2**53
"""float64 holds every integer up to this one exactly."""


@dataclass(slots=True)
class Values:
    """A value for each row, exactly as logged.

    FLOAT: `numbers` is float64. INT: int64. MIXED: float64, and `ints` marks those that were logged as integers.
    JSON: `items` holds the values in the form of `records.jsonable`; `numbers` is None.
    """

    type: str
    numbers: Array | None = None
    ints: Array | None = None
    items: list[Any] | None = None

    def __len__(self) -> int:
        return len(self.items or ()) if self.numbers is None else len(self.numbers)


class Group(NamedTuple):
    """Some rows of a batch, and the keys that all of them have. `rows` are positions, None for all rows."""

    rows: Array | None
    keys: list[Any]
    values: list[Values]


class Batch(NamedTuple):
    """Rows by column. `steps` (int64) is None in system streams. A key may be in several groups, but once for a row."""

    times: Array
    steps: Array | None
    groups: list[Group]


def typed(values: Sequence[Any]) -> Values:
    """Convert Python values to the smallest type that stores them exactly."""
    types = set(map(type, values))
    if types == {float}:
        return Values(FLOAT, np.array(values, dtype=np.float64))
    if types == {int}:
        try:
            return Values(INT, np.array(values, dtype=np.int64))
        except OverflowError:
            pass
    elif types == {int, float}:
        ints = np.array([type(v) is int for v in values])
        if all(abs(v) <= _EXACT for v in values if type(v) is int):
            return Values(MIXED, np.array(values, dtype=np.float64), ints)
    return Values(JSON, items=[jsonable(v) for v in values])


def select(values: Values, index: Any) -> Values:
    """Return the values at a slice or an array of positions."""
    if values.items is not None:
        items = values.items[index] if isinstance(index, slice) else [values.items[i] for i in index]
        return Values(JSON, items=items)
    assert values.numbers is not None
    return Values(values.type, values.numbers[index], None if values.ints is None else values.ints[index])


def join(parts: list[Values]) -> Values:
    """Concatenate the parts in a type that stores all of them exactly."""
    types = {p.type for p in parts}
    if len(parts) == 1:
        return parts[0]
    if JSON not in types:
        numbers = [p.numbers for p in parts if p.numbers is not None]
        if types == {FLOAT} or types == {INT}:
            return Values(parts[0].type, np.concatenate(numbers))
        if not any(p.type == INT and _too_large(p.numbers) for p in parts):
            marks = [_int_marks(p) for p in parts]
            return Values(MIXED, np.concatenate(numbers).astype(np.float64), np.concatenate(marks))
    return Values(JSON, items=list(chain.from_iterable(plain(p) for p in parts)))


def _too_large(numbers: Array | None) -> bool:
    return numbers is not None and bool(((numbers > _EXACT) | (numbers < -_EXACT)).any())


def _int_marks(values: Values) -> Array:
    if values.ints is not None:
        return values.ints
    return np.full(len(values), values.type == INT)


def plain(values: Values) -> list[Any]:
    """Return the values for JSON, with non-finite numbers and huge integers in the run log's `_type` form."""
    if values.items is not None:
        return values.items
    assert values.numbers is not None
    result: list[Any] = values.numbers.tolist()
    if values.type == INT:
        return result
    if values.ints is not None:
        for i in np.flatnonzero(values.ints).tolist():
            result[i] = int(result[i])
    for i in np.flatnonzero(~np.isfinite(values.numbers)).tolist():
        result[i] = jsonable(result[i])
    return result


def as_floats(values: Values) -> tuple[Array, Array | None]:
    """Return the numbers as float64, and their positions, or None if every value is a number.

    Integers are rounded to the nearest float64. Bools are not numbers.
    """
    if values.numbers is not None:
        return values.numbers.astype(np.float64, copy=False), None
    found: list[float] = []
    at: list[int] = []
    for i, item in enumerate(values.items or ()):
        value = decode_special(item) if type(item) is dict else item
        if type(value) is int or type(value) is float:
            try:
                found.append(float(value))
            except OverflowError:
                found.append(np.inf if value > 0 else -np.inf)
            at.append(i)
    return np.array(found, dtype=np.float64), np.array(at, dtype=np.int64)


def encode(values: Values) -> bytes:
    """Compress the values; `decode` with the same type restores them."""
    if values.items is not None:
        return codec.pack_json(values.items)
    assert values.numbers is not None
    data = codec.pack_numbers(values.numbers)
    if values.ints is None:
        return data
    return struct.pack("<I", len(data)) + data + codec.pack(np.packbits(values.ints).tobytes())


def decode(type_: str, data: bytes) -> Values:
    """Undo `encode`."""
    if type_ == JSON:
        return Values(JSON, items=codec.unpack_json(data))
    if type_ != MIXED:
        return Values(type_, codec.unpack_numbers(data))
    (size,) = struct.unpack_from("<I", data)
    numbers = codec.unpack_numbers(data[4 : 4 + size])
    bits = np.frombuffer(codec.unpack(data[4 + size :]), dtype=np.uint8)
    return Values(MIXED, numbers, np.unpackbits(bits, count=len(numbers)).astype(bool))
