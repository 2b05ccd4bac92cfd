"""Compress arrays and JSON, and decompress them exactly, including NaN and -0.0.

Numbers are compressed with pcodec. In measurements its results were smaller than byte-shuffled zstd (1.1 instead of 3.0
bytes for a clock time in milliseconds, 2.1 instead of 6.7 for a value rounded to four digits, 3.2 instead of 3.4 for a
float32 value in float64), and decoding was twice as fast (8 µs instead of 16 µs for 4,096 values). It detects doubles
that hold float32 values or decimals.
"""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager
from typing import Any, BinaryIO

import numpy as np
import orjson
import zstandard
from pcodec import ChunkConfig, standalone

from tracker_server.storage.interface import Array

_LEVEL = ChunkConfig(compression_level=4)  # the default, 8, takes six times as long and saves 2 %
_local = threading.local()  # zstandard's (de)compressors must not be shared between threads


def pack_numbers(values: Array) -> bytes:
    """Compress a one-dimensional int64 or float64 array."""
    return bytes(standalone.simple_compress(np.require(values, requirements=["C", "A"]), _LEVEL))


def unpack_numbers(data: bytes) -> Array:
    """Undo `pack_numbers` for arrays that are not empty."""
    return np.asarray(standalone.simple_decompress(data))


def pack(data: bytes) -> bytes:
    """Compress bytes."""
    compressor = getattr(_local, "compressor", None)
    if compressor is None:
        compressor = _local.compressor = zstandard.ZstdCompressor(level=1)
    return bytes(compressor.compress(data))


def unpack(data: bytes) -> bytes:
    """Undo `pack`."""
    decompressor = getattr(_local, "decompressor", None)
    if decompressor is None:
        decompressor = _local.decompressor = zstandard.ZstdDecompressor()
    return bytes(decompressor.decompress(data))


def reading(data: bytes) -> AbstractContextManager[BinaryIO]:
    """Return a stream that decompresses only as much as is read."""
    return zstandard.ZstdDecompressor().stream_reader(data)


def pack_json(value: Any) -> bytes:
    """Compress a value as JSON."""
    return pack(orjson.dumps(value))


def unpack_json(data: bytes) -> Any:
    """Undo `pack_json`."""
    return orjson.loads(unpack(data))


def pack_rows(rows: Array) -> tuple[int | None, bytes | None]:
    """Encode ascending row numbers as (stride, None) if they are evenly spaced, else as (None, bytes)."""
    count = len(rows)
    if count == 1:
        return 1, None
    stride = int(rows[1] - rows[0])
    if rows[-1] - rows[0] == stride * (count - 1) and bool((np.diff(rows) == stride).all()):
        return stride, None
    return None, pack_numbers(rows)


def unpack_rows(first: int, count: int, stride: int | None, data: bytes | None) -> Array:
    """Undo `pack_rows`; `first` is the first row number."""
    if stride is not None:
        return np.arange(first, first + stride * count, stride, dtype=np.int64)
    assert data is not None
    return unpack_numbers(data)
