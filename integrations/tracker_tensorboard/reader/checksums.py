"""CRC-32C (Castagnoli; RFC 3720, appendix B.4): of one piece with the C library, of many at once with tables.

The checksum is affine over GF(2). So the checksum of a record is the one of the same record with zeros in some places,
xor what the bytes in these places contribute. The contribution of a byte depends only on how many bytes follow it.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from google_crc32c import extend, value
from numpy.typing import NDArray

__all__ = ["CONTRIBUTIONS", "REACH", "append", "extend", "masked", "unmasked", "value"]

_POLYNOMIAL = 0x82F63B78  # bits reversed
_DELTA = 0xA282EAD8

REACH = 512
"""The table has contributions of bytes that are followed by fewer bytes than this."""


def masked(crc: int) -> int:
    """Return a checksum in the form of event files: rotated by 15 bits, plus a constant (`crc32c::Mask`)."""
    return ((crc >> 15 | crc << 17) + _DELTA) & 0xFFFFFFFF


def unmasked(stored: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Return the checksums whose form in event files is `stored`."""
    turned = stored - np.uint32(_DELTA)
    result: NDArray[np.uint32] = turned >> np.uint32(17) | turned << np.uint32(15)
    return result


def append(first: int, second: int, length: int) -> int:
    """Return the checksum of two joined pieces from their checksums and the length of the second (< 2^40)."""
    power = 0
    while length:
        if length & 1:
            columns = _zeros(power)
            first = _product(columns, first)
        length >>= 1
        power += 1
    return first ^ second


@cache
def _zeros(power: int) -> tuple[int, ...]:
    """Return the matrix that applies 2^power zero bytes to a checksum, as the images of its 32 bits."""
    if power:
        half = _zeros(power - 1)
        return tuple(_product(half, column) for column in half)
    columns = tuple(_POLYNOMIAL if bit == 0 else 1 << bit - 1 for bit in range(32))  # one zero bit
    for _ in range(3):
        columns = tuple(_product(columns, column) for column in columns)
    return columns


def _product(columns: tuple[int, ...], vector: int) -> int:
    total, bit = 0, 0
    while vector:
        if vector & 1:
            total ^= columns[bit]
        vector >>= 1
        bit += 1
    return total


def _contributions() -> NDArray[np.uint32]:
    table = np.empty((REACH, 256), np.uint32)
    last = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        last = np.where(last & 1, last >> np.uint32(1) ^ np.uint32(_POLYNOMIAL), last >> np.uint32(1))
    table[0] = first = last
    for row in range(1, REACH):
        table[row] = last = first[last & np.uint32(255)] ^ last >> np.uint32(8)
    return table


CONTRIBUTIONS = _contributions()
"""[n, b] is what a byte b, followed by n bytes, changes by xor in the checksum of a piece with 0 in its place."""
