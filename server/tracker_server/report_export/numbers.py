"""Format values, and choose ticks of axes."""

from __future__ import annotations

import math
from datetime import datetime, timezone
from typing import Any

import orjson

MAX_CELL = 300
"""Most characters of one cell."""


def number(value: float, digits: int = 4) -> str:
    """Return a number with at most `digits` significant digits."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if value == int(value) and abs(value) < 1e7:
        return f"{int(value):,}".replace("-", "−")
    return f"{value:.{digits}g}".replace("e+0", "e").replace("e+", "e").replace("e-0", "e-").replace("-", "−")


def shown(value: Any) -> str:
    """Return any value of a table in one line."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return number(value)
    if isinstance(value, dict) and isinstance(value.get("_type"), str):
        if value["_type"] == "float":
            return {"NaN": "NaN", "Infinity": "∞", "-Infinity": "−∞"}.get(str(value.get("value")), "NaN")
        return str(value["_type"])
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        value = ", ".join(value)
    text = value if isinstance(value, str) else orjson.dumps(value, default=str).decode()
    text = " ".join(text.split())
    return text if len(text) <= MAX_CELL else text[: MAX_CELL - 1] + "…"


def moment(time: float) -> str:
    """Return a Unix time as text, in UTC."""
    try:
        return datetime.fromtimestamp(time, timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
    except (OverflowError, OSError, ValueError):
        return "–"


def ticks(low: float, high: float, most: int, log: bool = False) -> list[tuple[float, str]]:
    """Return positions and labels of at most about `most` ticks between two numbers."""
    if log:
        first, last = math.ceil(math.log10(low)), math.floor(math.log10(high))
        if last - first >= 1:
            every = max(1, math.ceil((last - first + 1) / most))
            return [(10.0**power, number(10.0**power)) for power in range(first, last + 1, every)]
    rough = (high - low) / max(1, most)
    if not rough > 0 or not math.isfinite(rough):
        return [(low, number(low))]
    unit = 10.0 ** math.floor(math.log10(rough))
    step = next((unit * factor for factor in (1, 2, 5) if unit * factor >= rough), unit * 10)
    start, found = math.ceil(low / step), []
    for i in range(start, start + most + 3):
        at = i * step
        if at > high + step * 1e-9:
            break
        found.append((at, _label(at, step)))
    return found


def time_ticks(low: float, high: float, most: int) -> list[tuple[float, str]]:
    """Return ticks of an axis of Unix times, in UTC."""
    spans = (1, 5, 15, 60, 300, 900, 3600, 6 * 3600, 86400, 7 * 86400, 30 * 86400, 365 * 86400)
    step = next((span for span in spans if (high - low) / span <= most), None)
    if step is None:
        return ticks(low, high, most)
    form = "%H:%M:%S" if step < 60 else "%H:%M" if step < 86400 else "%Y-%m-%d"
    found = []
    for i in range(math.ceil(low / step), math.floor(high / step) + 1):
        try:
            found.append((float(i * step), datetime.fromtimestamp(i * step, timezone.utc).strftime(form)))
        except (OverflowError, OSError, ValueError):
            break
    return found


def duration_ticks(low: float, high: float, most: int) -> list[tuple[float, str]]:
    """Return ticks of an axis of seconds."""
    for name, seconds in (("d", 86400.0), ("h", 3600.0), ("min", 60.0)):
        if high - low > 3 * seconds:
            found = ticks(low / seconds, high / seconds, most)
            return [(at * seconds, f"{label} {name}" if at else "0") for at, label in found]
    return [(at, f"{label} s" if at else "0") for at, label in ticks(low, high, most)]


def _label(at: float, step: float) -> str:
    if at == 0 or abs(at) < step * 1e-9:
        return "0"
    for unit, suffix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(at) >= unit and step >= unit / 1e3:
            return number(at / unit, 6) + suffix
    decimals = max(0, -math.floor(math.log10(step))) if step < 1 else 0
    if decimals > 6 or abs(at) >= 1e12:
        return number(at, 6)
    return f"{at:.{decimals}f}".replace("-", "−")
