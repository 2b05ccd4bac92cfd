"""Find the changing parts in the bytes of a scalar event.

Field numbers are those of tensorboard's event.proto, summary.proto and tensor.proto.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

MOST_STEP_BYTES = 7
"""The most bytes of a step's varint: up to 2^49."""

_TIME, _STEP, _SUMMARY = 0x09, 0x10, 0x2A  # the first byte of the fields wall_time, step and summary
_TAG, _SIMPLE_VALUE, _NODE_NAME, _TENSOR, _METADATA = 1, 2, 7, 8, 9
_DTYPE, _SHAPE, _VERSION, _CONTENT, _FLOAT_VAL, _DOUBLE_VAL = 1, 2, 3, 4, 5, 6


class ValuePosition(NamedTuple):
    """The first `head` bytes of a payload are time and step. In the rest, bytes `start` to `end` are the value.

    The value is a little-endian float32 or float64, depending on its length.
    """

    head: int
    start: int
    end: int

    def constant(self, payload: bytes) -> bytes:
        """Return the rest of a payload, with zeros for the value."""
        rest = payload[self.head :]
        return rest[: self.start] + bytes(self.end - self.start) + rest[self.end :]


def head_size(payload: bytes) -> int | None:
    """Return the offset of the summary in a payload of time, perhaps a step, and summary; else None."""
    if payload[:1] != b"\x09" or len(payload) < 11:
        return None
    at = 9
    if payload[at] == _STEP:
        at += 1
        while at < min(len(payload) - 1, 9 + MOST_STEP_BYTES) and payload[at] & 0x80:
            at += 1
        if payload[at] & 0x80:
            return None
        at += 1
    return at if payload[at : at + 1] == bytes((_SUMMARY,)) else None


def find_value_position(payload: bytes) -> ValuePosition | None:
    """Return the position of the value in an event with one scalar; None if it has another layout than this.

    The layout is time, perhaps a step, and a summary of one value, with each field once: tag, perhaps node_name and
    metadata, and a simple_value or a tensor of one float32 or float64. Any other bytes for the time, the value, and a
    step whose varint has the same length then make another event of the same tag.
    """
    head = head_size(payload)
    if head is None:
        return None
    try:
        ((number, start, end),) = _fields(payload, head, len(payload))
        ((number, start, end),) = _fields(payload, start, end)
        if number != _TAG:  # the field `value` of a summary has the same number
            return None
        fields = _unique_fields(payload, start, end, {_TAG, _SIMPLE_VALUE, _NODE_NAME, _TENSOR, _METADATA})
        if _SIMPLE_VALUE in fields and _TENSOR not in fields:
            start, end = fields[_SIMPLE_VALUE]
            size = 4
        else:
            tensor = _unique_fields(
                payload, *fields[_TENSOR], {_DTYPE, _SHAPE, _VERSION, _CONTENT, _FLOAT_VAL, _DOUBLE_VAL}
            )
            if _SIMPLE_VALUE in fields or len(tensor.keys() & {_CONTENT, _FLOAT_VAL, _DOUBLE_VAL}) != 1:
                return None
            dtype_at, dtype_end = tensor[_DTYPE]
            size = {b"\x01": 4, b"\x02": 8}[payload[dtype_at:dtype_end]]
            start, end = tensor[(tensor.keys() & {_CONTENT, _FLOAT_VAL, _DOUBLE_VAL}).pop()]
    except (KeyError, ValueError, IndexError):
        return None
    return ValuePosition(head, start - head, end - head) if end - start == size else None


def _unique_fields(payload: bytes, start: int, end: int, allowed: set[int]) -> dict[int, tuple[int, int]]:
    """Return the fields of a message by number. Raises ValueError if one is repeated or not allowed."""
    found: dict[int, tuple[int, int]] = {}
    for number, first, last in _fields(payload, start, end):
        if number in found or number not in allowed:
            raise ValueError
        found[number] = first, last
    return found


def _fields(payload: bytes, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Yield number and extent of each field of a message. Raises ValueError or IndexError if it is malformed."""
    while start < end:
        key, start = _varint(payload, start)
        kind = key & 7
        first = start
        if kind == 0:
            _, start = _varint(payload, start)
        elif kind == 1:
            start += 8
        elif kind == 2:
            size, first = _varint(payload, start)
            start = first + size
        elif kind == 5:
            start += 4
        else:
            raise ValueError
        if start > end:
            raise ValueError
        yield key >> 3, first, start


def _varint(payload: bytes, at: int) -> tuple[int, int]:
    result, shift = 0, 0
    while payload[at] & 0x80:
        result |= (payload[at] & 0x7F) << shift
        shift += 7
        at += 1
        if shift > 63:
            raise ValueError
    return result | payload[at] << shift, at + 1
