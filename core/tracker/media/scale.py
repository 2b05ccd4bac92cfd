"""Scale numbers of any type to the ranges of pixels and audio samples."""

from __future__ import annotations

import math
from array import array
from typing import Any

from .arrays import Array, numpy_if_loaded

_BLOCK = 1 << 16  # values per block, whose float64 copies stay in the processor's cache


def to_uint8(data: Array) -> memoryview[Any]:
    """Return one byte per value, for pixels.

    | values | become |
    |---|---|
    | truth values | 0 and 255 |
    | integers, all in 0…255 | themselves |
    | floats, all in 0…1 | v · 255, rounded |
    | floats, all in −1…1 | (v + 1) · 127.5, rounded |
    | floats, all in 0…255 | themselves, rounded |
    | others | stretched linearly, their minimum to 0 and their maximum to 255 |

    The finite values of the whole array decide which row applies. NaN becomes 0, −∞ 0 and +∞ 255.
    """
    if data.kind == "i" and data.values.format == "B":
        return data.values
    numpy = numpy_if_loaded()
    low, high = finite_range(data)
    factor, offset = _pixel_scale(data.kind, low, high)
    if numpy is None:
        return memoryview(bytes(_byte(value * factor + offset) for value in data.values))
    return _blocks(numpy, data, numpy.uint8, factor, offset, 0, 255)


def to_int16(data: Array) -> memoryview[Any]:
    """Return one 16-bit sample per value, for sound.

    Floats are amplitudes: clipped to −1…1 and multiplied by 32,767; NaN becomes silence. Integers stay as they
    are. Raises ValueError for integers that do not fit.
    """
    if data.values.format == "h":
        return data.values
    numpy = numpy_if_loaded()
    if data.kind == "f":
        if numpy is None:
            return memoryview(array("h", [round(_clip(value) * 32767) for value in data.values]))
        return _blocks(numpy, data, numpy.int16, 32767.0, 0.0, -32767, 32767)
    low, high = finite_range(data)
    if not -32768 <= low <= high <= 32767:
        raise ValueError(
            f"samples from {low:.0f} to {high:.0f} do not fit into 16 bits; scale them to int16, or to floats in -1…1"
        )
    if numpy is None:
        return memoryview(array("h", data.values.tolist()))
    return memoryview(numpy.asarray(data.values).astype(numpy.int16))


def finite_range(data: Array) -> tuple[float, float]:
    """Return the least and the greatest finite value; (0, 0) if there is none."""
    numpy = numpy_if_loaded()
    if len(data.values) == 0:
        return 0.0, 0.0
    if numpy is None:
        finite = [value for value in data.values if math.isfinite(value)] or [0.0]
        return float(min(finite)), float(max(finite))
    values = numpy.asarray(data.values)
    low, high = float(values.min()), float(values.max())
    if not (math.isfinite(low) and math.isfinite(high)):
        values = values[numpy.isfinite(values)]
        low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 0.0)
    return low, high


def _pixel_scale(kind: str, low: float, high: float) -> tuple[float, float]:
    if kind == "b":
        return 255.0, 0.0
    if kind == "f" and low >= 0 and high <= 1:
        return 255.0, 0.0
    if kind == "f" and low >= -1 and high <= 1:
        return 127.5, 127.5
    if low >= 0 and high <= 255:
        return 1.0, 0.0
    half = high / 2 - low / 2  # halves, because the difference of two huge numbers is infinite
    factor = 127.5 / half if half > 0 else 1.0
    return factor, -low * factor


def _blocks(numpy: Any, data: Array, dtype: Any, factor: float, offset: float, low: int, high: int) -> memoryview[Any]:
    values = numpy.asarray(data.values)
    result = numpy.empty(len(values), dtype)
    with numpy.errstate(all="ignore"):
        for at in range(0, len(values), _BLOCK):
            block = values[at : at + _BLOCK].astype(numpy.float64)
            block *= factor
            block += offset
            numpy.clip(block, low, high, out=block)
            block[numpy.isnan(block)] = 0
            result[at : at + _BLOCK] = numpy.rint(block, out=block)
    return memoryview(result)


def _byte(value: float) -> int:
    return 0 if value != value else round(min(255.0, max(0.0, value)))


def _clip(value: float) -> float:
    return 0.0 if value != value else min(1.0, max(-1.0, value))
