"""Write PNG images and animations (PNG specification, third edition, W3C 2025), which every browser shows."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from zlib import compressobj, crc32

MAX_SIDE = 65_535
"""Pixels of a side; browsers draw no larger images."""

_COLOUR_TYPE = {1: 0, 3: 2, 4: 6}  # by channels: grey, RGB, RGBA
_LEVEL = 3  # on photographs and plots 2–12 % larger than level 6 and up to three times faster


def encode_png(pixels: bytes | memoryview, width: int, height: int, channels: int) -> bytes:
    """Return a PNG file of 8-bit pixels in rows from the top, with 1 (grey), 3 (RGB) or 4 (RGBA) interleaved channels.

    Raises ValueError for sides that are not from 1 to `MAX_SIDE`.
    """
    return b"".join(
        [
            _start(width, height, channels),
            _chunk(b"IDAT", _compressed(pixels, width * channels)),
            _chunk(b"IEND", b""),
        ]
    )


def encode_apng(frames: Sequence[bytes | memoryview], width: int, height: int, channels: int, fps: float) -> bytes:
    """Return an animated PNG file that repeats forever; frames are as in `encode_png`, each shown for 1 / `fps` s.

    The duration is rounded to 1/1000 s. Programs without support for animation show the first frame.
    """
    parts = [_start(width, height, channels), _chunk(b"acTL", struct.pack(">II", len(frames), 0))]
    number = 0
    for frame in frames:
        control = struct.pack(">IIIIIHHBB", number, width, height, 0, 0, round(1000 / fps), 1000, 0, 0)
        parts.append(_chunk(b"fcTL", control))
        data = _compressed(frame, width * channels)
        if number == 0:
            parts.append(_chunk(b"IDAT", data))
        else:
            number += 1
            parts.append(_chunk(b"fdAT", struct.pack(">I", number) + data))
        number += 1
    return b"".join([*parts, _chunk(b"IEND", b"")])


def _start(width: int, height: int, channels: int) -> bytes:
    if not (1 <= width <= MAX_SIDE and 1 <= height <= MAX_SIDE):
        raise ValueError(f"an image of {width} x {height} pixels; sides must be from 1 to {MAX_SIDE:,}")
    header = struct.pack(">IIBBBBB", width, height, 8, _COLOUR_TYPE[channels], 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header)


def _compressed(pixels: bytes | memoryview, stride: int) -> bytes:
    rows = bytearray(len(pixels) // stride * (stride + 1))  # each row after a zero: it is stored unfiltered
    for to, at in zip(range(1, len(rows), stride + 1), range(0, len(pixels), stride), strict=True):
        rows[to : to + stride] = pixels[at : at + stride]
    deflate = compressobj(_LEVEL)
    return deflate.compress(rows) + deflate.flush()


def _chunk(name: bytes, data: bytes) -> bytes:
    return b"".join([struct.pack(">I", len(data)), name, data, struct.pack(">I", crc32(data, crc32(name)))])
