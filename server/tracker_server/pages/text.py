"""How the pages write values, times and addresses."""

from __future__ import annotations

import math
from datetime import datetime, timezone
from typing import Any
from urllib.parse import quote

from tracker.wire import RunInfo

_UNITS = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))


def run_address(run: RunInfo) -> str:
    """Return the path of a run's page."""
    return "/runs/" + "/".join(quote(run[part], safe="") for part in ("entity", "project", "id"))


def short(value: Any) -> str | None:
    """A short text for numbers and short strings; None for what does not fit a table."""
    if isinstance(value, float):
        return f"{value:.4g}" if math.isfinite(value) else "NaN" if math.isnan(value) else "∞" if value > 0 else "−∞"
    if isinstance(value, (bool, int)):
        return str(value)
    if isinstance(value, str):
        return value if len(value) <= 40 else value[:39] + "…"
    return None


def ago(time: float, now: float) -> str:
    """How long ago, with the exact time (UTC) when pointed at."""
    try:
        exact = datetime.fromtimestamp(time, timezone.utc).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (OverflowError, ValueError, OSError):
        return "unknown"
    age = now - time
    text = "just now" if age < 5 else duration(age, parts=1) + " ago" if age < 30 * 86400 else exact[:10]
    return f'<time title="{exact}">{text}</time>'


def duration(seconds: float, parts: int = 2) -> str:
    """`3 h 12 min`, `45 s`; the largest `parts` units."""
    left = max(0, int(seconds)) if math.isfinite(seconds) else 0
    found: list[str] = []
    for unit, size in _UNITS:
        if left >= size or (unit == "s" and not found):
            found.append(f"{left // size} {unit}")
            left %= size
    return " ".join(found[:parts])
