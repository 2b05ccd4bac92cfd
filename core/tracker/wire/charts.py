"""Define the shapes of line charts, and the binary frames that carry their numbers."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypedDict

import orjson

FRAME_TYPE = "application/x-tracker-frame"


class ChartQuery(TypedDict, total=False):
    """Line charts of several runs and keys."""

    runs: list[str]
    """`entity/project/id`"""
    groups: list[ChartGroup]
    """Instead of `runs`: one series for each group and key. Only as a frame."""
    keys: list[str]
    kind: Literal["history", "system"]
    x: str
    """`_step` (default), `_timestamp`, `_runtime`, or a logged key."""
    buckets: int
    """The most points of a series, 1 to 10,000 (default 1,000). Series with no more points are complete."""
    min: float
    max: float


class ChartGroup(TypedDict):
    """Runs that are drawn as one line."""

    name: str
    runs: list[str]
    """`entity/project/id`"""


class ChartHeader(TypedDict):
    """The header of a chart's frame; `encode_frame` adds `lengths` and `types`."""

    series: list[FrameSeries]
    grid: int | None
    """The array of x that all series in buckets share; None if there is none."""


class FrameSeries(TypedDict, total=False):
    """A `Series` in a frame. `x`, `mean`, `min`, `max`, `n` and `std` are indices of arrays of the frame; equal arrays
    are sent once.

    For a group, `mean` is the mean of the means of its runs, `min` and `max` are over their extremes, `std` is the
    standard deviation (n - 1) of their means, and `n` is the number of runs in the bucket. Series in buckets share one
    x; where a run has no point in a bucket, it has NaN, and 0 in `n`.
    """

    run: str
    group: str
    key: str
    points: int
    x: int
    mean: int
    min: int
    max: int
    n: int | None
    """None if each bucket is one point."""
    std: int | None


class Series(TypedDict):
    """One key of one run: points or buckets, in order of x. Buckets have the exact extremes of their points, so no
    spike is lost. Points that are not finite count in `n`, but not in min, max and mean, which are NaN if no point of
    the bucket is finite.
    """

    run: str
    key: str
    points: int
    """How many points the key has in the range; if more than len(x), the series has buckets."""
    x: list[float]
    """The x of the point, or of the bucket's last point."""
    mean: list[float]
    min: list[float]
    max: list[float]
    n: list[float]


def encode_frame(header: Mapping[str, Any], arrays: Sequence[Any]) -> bytes:
    """Pack a JSON header and arrays: objects with a buffer of float64 (`d`) or float32 (`f`).

    Layout: the length of the header as uint32; the header, padded with spaces to align what follows to 8 bytes; the
    arrays as little-endian numbers, each padded with zeros to 8 bytes. The header gets two members: `lengths`, how many
    numbers each array has, and `types`, their letters in one string.
    """
    views = [memoryview(array) for array in arrays]
    text = orjson.dumps({**header, "lengths": [len(v) for v in views], "types": "".join(v.format for v in views)})
    text += b" " * (-(len(text) + 4) % 8)
    parts: list[Any] = [struct.pack("<I", len(text)), text]
    for view in views:
        parts += [view.cast("B"), b"\0" * (-view.nbytes % 8)]
    return b"".join(parts)


def decode_frame(data: bytes) -> tuple[dict[str, Any], list[memoryview[float]]]:
    """Return the header and the arrays of a frame. The arrays are views of `data`, on little-endian machines."""
    (size,) = struct.unpack_from("<I", data)
    header = orjson.loads(data[4 : 4 + size])
    arrays, at, view = [], 4 + size, memoryview(data)
    for length, letter in zip(header["lengths"], header["types"], strict=True):
        end = at + length * struct.calcsize(letter)
        arrays.append(view[at:end].cast(letter))
        at = end + -end % 8
    return header, arrays
