"""Find the beginnings and ends of records in bytes.

A record is its payload's length (8 bytes, little-endian), the masked CRC-32C of these 8 bytes, the payload, and the
masked CRC-32C of the payload.
"""

from __future__ import annotations

from itertools import repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .checksums import masked, value

HEADER = 12
FRAME = 16
"""Bytes of a record besides its payload."""

Offsets = NDArray[np.int64]

_SHORT_CHECKSUMS = np.array([masked(value(length.to_bytes(8, "little"))) for length in range(256)], "<u4")
_FEWEST, _MOST = 32, 1 << 15  # records that are checked together
_PERIODS = 512  # records in which a cycle must show
_NONE = np.empty(0, np.int64)


def length_at(data: bytes, at: int) -> int | None:
    """Return the length of the payload of the record at `at`; None if its header is damaged or incomplete."""
    header = data[at : at + HEADER]
    if len(header) < HEADER or masked(value(header[:8])) != int.from_bytes(header[8:], "little"):
        return None
    return int.from_bytes(header[:8], "little")


def checksum_holds(data: bytes, at: int, length: int) -> bool:
    """Tell whether the payload of the complete record at `at` matches its checksum."""
    end = at + HEADER + length
    return masked(value(data[at + HEADER : end])) == int.from_bytes(data[end : end + 4], "little")


def whole_records(data: bytes) -> tuple[Offsets, Offsets]:
    """Return the offsets and payload lengths of the complete records in `data`, from its first byte on.

    It stops at the first record that is incomplete or has a damaged header. It does not check payloads.
    """
    starts: list[Offsets] = []
    lengths: list[Offsets] = []
    at, burst, cycle = 0, _FEWEST, b""
    while True:
        sizes = _repeated(cycle, burst, len(data) - at) if cycle else _follow(data, at, burst)
        some_starts, some_lengths = _sound(data, at, sizes)
        if len(some_starts):
            starts.append(some_starts)
            lengths.append(some_lengths)
            at = int(some_starts[-1] + some_lengths[-1]) + FRAME
        if len(some_starts) == burst:
            burst = min(4 * burst, _MOST)
            cycle = _cycle(sizes)
        elif cycle:
            burst, cycle = _PERIODS, b""
        else:
            burst = _FEWEST
            length = length_at(data, at)
            if length is None or at + FRAME + length > len(data):
                return np.concatenate([_NONE, *starts]), np.concatenate([_NONE, *lengths])
            starts.append(np.array([at]))
            lengths.append(np.array([length]))
            at += FRAME + length


def gather(data: bytes, dtype: str, at: Offsets) -> NDArray[Any]:
    """Return the values of a type at offsets, aligned or not. Raises IndexError beyond the end."""
    size = np.dtype(dtype).itemsize
    found: NDArray[Any] = np.ndarray((max(0, len(data) - size + 1),), dtype, data, strides=(1,))[at]
    return found


def _follow(data: bytes, at: int, most: int) -> bytes:
    """Return the lengths of up to `most` records from `at` on, judging only by the first byte of each length."""
    sizes: list[int] = []
    add = sizes.append
    end = len(data) - FRAME
    for _ in repeat(None, most):
        if at > end:
            break
        size = data[at]
        add(size)
        at += size + FRAME
    return bytes(sizes)


def _cycle(sizes: bytes) -> bytes:
    """Return the lengths that repeat throughout `sizes`: a loop often logs the same tags at each step."""
    if len(sizes) < _PERIODS:
        return b""
    tail = sizes[-_FEWEST:]
    period = len(sizes) - _FEWEST - sizes.rfind(tail, 0, len(sizes) - 1)
    return sizes[-period:] if sizes[period:] == sizes[:-period] and period <= len(sizes) // 2 else b""


def _repeated(cycle: bytes, most: int, room: int) -> bytes:
    """Return up to `most` lengths that repeat a cycle, few more than fit into `room`."""
    rounds = room // (sum(cycle) + FRAME * len(cycle)) + 1
    return (cycle * min(rounds, most // len(cycle) + 1))[:most]


def _sound(data: bytes, at: int, sizes: bytes) -> tuple[Offsets, Offsets]:
    """Return offsets and lengths of the records from `at` on, as long as they are complete and have these sizes.

    This checks the guessed sizes.
    """
    lengths = np.frombuffer(sizes, np.uint8).astype(np.int64)
    starts = np.cumsum(lengths + FRAME) - (lengths + FRAME) + at
    room = int(starts.searchsorted(len(data) - FRAME, "right"))
    starts, lengths = starts[:room], lengths[:room]
    right = gather(data, "<u8", starts) == lengths.astype(np.uint64)
    right &= gather(data, "<u4", starts + 8) == _SHORT_CHECKSUMS[lengths]
    right &= starts + lengths <= len(data) - FRAME
    count = room if right.all() else int(right.argmin())
    return starts[:count], lengths[:count]
