"""Convert histograms: HistogramProto (version 1), and k x 3 tensors of left edge, right edge and count (version 2).

Charts read `bins` and `counts`, which are what TensorBoard shows. The payload also has the rest of the original, so
that the same histogram can be written again.
"""

from __future__ import annotations

import math
import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tensorboard.compat.proto import types_pb2

from .lines import ConversionError, Store, Value, with_origin
from .tensors import numbers

MAX_BUCKETS = 50_000
_HUGE = sys.float_info.max
_EXACT = 2.0**53

Edges = list[float]
Counts = list[float]


def from_proto(value: Value) -> dict[str, Any]:
    """Return the payload for a HistogramProto.

    Its buckets end at `bucket_limit`. The first one may begin at the least float, and the last one end at the greatest.
    As in TensorBoard, empty buckets at both ends are dropped, and `min` and `max` are the outermost edges.
    The member `tensorboard` has the proto's other numbers, and its buckets if `bins` and `counts` do not show them.
    """
    histo = value.histo
    if len(histo.bucket) != len(histo.bucket_limit):
        raise ConversionError("a histogram whose numbers of buckets and limits differ")
    limits, counts = _column(histo.bucket_limit), _column(histo.bucket)
    filled = np.flatnonzero(counts > 0)
    start, end = (filled[0], filled[-1]) if len(filled) else (0, -1)
    inner = limits[start:end] if len(filled) else limits[:0]
    edges = np.array([histo.min, *inner, histo.max]) if len(filled) else limits[:0]
    kept = counts[start : end + 1]
    payload, exact = _payload(edges[:-1], edges[1:], kept)
    return with_origin(
        payload,
        value,
        min=histo.min,
        max=histo.max,
        num=histo.num,
        sum=histo.sum,
        sum_squares=histo.sum_squares,
        bucket_limit=None if exact else limits.tolist(),
        bucket=None if exact else counts.tolist(),
    )


def from_tensor(value: Value, _store: Store) -> dict[str, Any]:
    """Return the payload for a k x 3 tensor.

    TensorFlow also writes tensors that are not proper histograms: k empty buckets for no data, k buckets of no width
    for equal data, and NaN edges for data with NaN. For these, the member `tensorboard` has the rows as `buckets`.
    """
    rows = numbers(value.tensor).astype(np.float64)
    if rows.size == 0:
        rows = rows.reshape(0, 3)
    if rows.ndim != 2 or rows.shape[1] != 3:
        raise ConversionError("a histogram that is not a tensor of k x 3 numbers")
    payload, exact = _payload(rows[:, 0], rows[:, 1], rows[:, 2])
    return with_origin(payload, value, buckets=None if exact else rows.tolist())


def to_proto(payload: dict[str, Any], value: Value) -> None:
    """Write a payload into a value, as the original proto or tensor; a payload that has neither becomes a tensor."""
    origin = payload.get("tensorboard", {})
    bins, counts = payload["bins"], payload["counts"]
    if "num" in origin:
        for name in ("min", "max", "num", "sum", "sum_squares"):
            setattr(value.histo, name, origin[name])
        value.histo.bucket_limit.extend(origin.get("bucket_limit", bins[1:]))
        value.histo.bucket.extend(origin.get("bucket", counts))
        return
    rows = origin.get("buckets", list(zip(bins, bins[1:], counts, strict=False)))
    value.metadata.plugin_data.plugin_name = "histograms"
    value.tensor.dtype = types_pb2.DT_DOUBLE
    value.tensor.tensor_shape.dim.add(size=len(rows))
    value.tensor.tensor_shape.dim.add(size=3)
    value.tensor.tensor_content = np.array(rows, "<f8").tobytes()


def _payload(lefts: NDArray[Any], rights: NDArray[Any], counts: NDArray[Any]) -> tuple[dict[str, Any], bool]:
    """Return the payload of buckets, and whether it has exactly these buckets."""
    if len(counts) > MAX_BUCKETS:
        raise ConversionError(f"a histogram of more than {MAX_BUCKETS:,} buckets")
    finite = np.isfinite(lefts) & np.isfinite(rights) & np.isfinite(counts) & (counts >= 0)
    proper = len(counts) > 0 and finite.all() and (rights > lefts).all() and (lefts[1:] == rights[:-1]).all()
    if proper:
        bins, kept = [float(lefts[0]), *rights.tolist()], counts.tolist()
    else:
        bins, kept = _ascending(lefts[finite].tolist(), rights[finite].tolist(), counts[finite].tolist())
    payload: dict[str, Any] = {"_type": "histogram", "bins": bins, "counts": _plain(kept)}
    outside = counts[~finite]
    nonfinite = float(outside[np.isfinite(outside) & (outside > 0)].sum())
    if nonfinite:
        payload["nonfinite"] = _plain([nonfinite])[0]
    return payload, bool(proper)


def _ascending(lefts: list[float], rights: list[float], counts: list[float]) -> tuple[Edges, Counts]:
    """Turn any buckets into one row of buckets with ascending edges, with the same sum of counts.

    Empty buckets without width are dropped; the counts of others without width go to a neighbour. As in
    `tracker.Histogram`, a single value v gets the bucket v − 0.5 … v + 0.5, and no value the empty bucket 0 … 1.
    """
    edges: Edges = []
    result: Counts = []
    waiting = 0.0
    for left, right, count in sorted(zip(lefts, rights, counts, strict=True)):
        if right <= left and count == 0:
            continue
        if not edges:
            edges.append(left)
        elif left > edges[-1]:
            edges.append(left)
            result.append(waiting)
            waiting = 0.0
        if right > edges[-1]:
            edges.append(right)
            result.append(count + waiting)
            waiting = 0.0
        elif result:
            result[-1] += count
        else:
            waiting += count
    if not edges:
        return [0.0, 1.0], [0.0]
    if not result:
        margin = max(0.5, 4 * math.ulp(edges[0]))
        return [max(edges[0] - margin, -_HUGE), min(edges[0] + margin, _HUGE)], [waiting]
    return edges, result


def _plain(counts: Counts) -> list[Any]:
    """Return counts as integers, if all of them are whole numbers."""
    exact = all(count.is_integer() and count < _EXACT for count in counts)
    return [int(count) for count in counts] if exact else counts


def _column(values: Any) -> NDArray[np.float64]:
    return np.fromiter(values, np.float64, len(values))
