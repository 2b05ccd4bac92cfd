"""Line charts, and arrays of numbers as they travel."""

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
    """In place of `runs`: one series for each group and key. Only as a frame."""
    keys: list[str]
    kind: Literal["history", "system"]
    x: str
    """`_step` (default), `_timestamp`, `_runtime`, or a logged key."""
    buckets: int
    """At most this many points a series, 1 to 10,000 (default 1,000). Series with no more points come whole."""
    min: float
    max: float


class ChartGroup(TypedDict):
    """Runs that are drawn as one."""

    name: str
    runs: list[str]
    """`entity/project/id`"""


class ChartHeader(TypedDict):
    """What the header of a chart's frame says; `encode_frame` adds `lengths` and `types`."""

    series: list[FrameSeries]
    grid: int | None
    """The array of x that is common to all series which are buckets; None if there is none."""


class FrameSeries(TypedDict, total=False):
    """Like `Series`, or the same for a group: `mean` is then over the means of its runs, `min` and `max` over their
    extremes, `std` the standard deviation (n - 1) of their means, and `n` the number of runs in the bucket.

    `x`, `mean`, `min`, `max`, `n` and `std` say which arrays of the frame these are; equal arrays are sent once. Series
    that are buckets share one x, on which a run that has no point in a bucket has NaN, and 0 in `n`.
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
    """None where each bucket is one point."""
    std: int | None


class Series(TypedDict):
    """One key of one run, points or buckets in order of x. Buckets carry the exact extremes of their points, so no
    spike is lost; a non-finite point counts in `n` and never in min, max or mean (NaN where a bucket has no finite
    point).
    """

    run: str
    key: str
    points: int
    """How many points the key has in the range; more than len(x) means that x, mean are buckets."""
    x: list[float]
    """The x of the point, or of the bucket's last point."""
    mean: list[float]
    min: list[float]
    max: list[float]
    n: list[float]


def encode_frame(header: Mapping[str, Any], arrays: Sequence[Any]) -> bytes:
    """Pack a JSON header and arrays: objects with a buffer of float64 (`d`) or float32 (`f`).

    Layout: uint32 header length, the header padded with spaces so that what follows is 8-byte aligned, the arrays as
    little-endian numbers one after the other, each padded with zeros to 8 bytes. Two members are added to the header:
    `lengths`, how many numbers each array has, and `types`, their letters in one string.
    """
    views = [memoryview(array) for array in arrays]
    text = orjson.dumps({**header, "lengths": [len(v) for v in views], "types": "".join(v.format for v in views)})
    text += b" " * (-(len(text) + 4) % 8)
    parts: list[Any] = [struct.pack("<I", len(text)), text]
    for view in views:
        parts += [view.cast("B"), b"\0" * (-view.nbytes % 8)]
    return b"".join(parts)


def decode_frame(data: bytes) -> tuple[dict[str, Any], list[memoryview[float]]]:
    """Undo `encode_frame`; the arrays are views of `data` (on little-endian machines, which are all there are)."""
    (size,) = struct.unpack_from("<I", data)
    header = orjson.loads(data[4 : 4 + size])
    arrays, at, view = [], 4 + size, memoryview(data)
    for length, letter in zip(header["lengths"], header["types"], strict=True):
        end = at + length * struct.calcsize(letter)
        arrays.append(view[at:end].cast(letter))
        at = end + -end % 8
    return header, arrays
