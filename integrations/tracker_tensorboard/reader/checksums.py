"""CRC-32C (Castagnoli; RFC 3720, appendix B.4), of one piece by the C library and of many at once by tables.

The checksum is affine over GF(2). So that of a record is the one of the same record with zeros in some places, xor what
the bytes in these places contribute; and what a byte contributes depends only on how many bytes follow it.
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
"""How many bytes may follow a byte whose contribution is in the table, and itself."""


def masked(crc: int) -> int:
    """Return a checksum as event files hold it: turned by 15 bits, plus a constant (TensorFlow's `crc32c::Mask`)."""
    return ((crc >> 15 | crc << 17) + _DELTA) & 0xFFFFFFFF


def unmasked(stored: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Return the checksums that event files hold as `stored`."""
    turned = stored - np.uint32(_DELTA)
    result: NDArray[np.uint32] = turned >> np.uint32(17) | turned << np.uint32(15)
    return result


def append(first: int, second: int, length: int) -> int:
    """Return the checksum of two pieces, one behind the other, from theirs and the length of the second (< 2^40)."""
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
    """The matrix by which 2^power zero bytes act on a checksum, as the images of its 32 bits."""
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
"""[n, b] is what a byte b with n bytes behind it adds by xor to the checksum of a piece that has 0 in its place."""
