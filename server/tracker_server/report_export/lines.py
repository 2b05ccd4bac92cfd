"""Make the lines of charts from what the storage returns."""

from __future__ import annotations

import math
from typing import Any

from tracker.wire import RunGroup, Series
from tracker_server.storage import interface

from .content import Line
from .numbers import shown
from .panels import Panel, column_title
from .smoothing import smooth


def of_run(one: Series, name: str, color: str, panel: Panel) -> Line:
    """Return the line of a run; what stands for several points has a band from the least to the greatest."""
    y = smooth(one["x"], one["mean"], one["n"], *panel.smoothing)
    buckets = one["points"] > len(one["x"])
    low, high = (one["min"], one["max"]) if panel.envelope else (one["mean"], one["mean"])
    return Line(name, color, 0, one["x"], y, one["mean"], low, high, buckets)


def of_group(one: interface.Line, name: str, color: str, panel: Panel) -> Line:
    """Return the line of a group: the mean of its runs, within their standard deviation, extremes, or nothing."""
    n = [1.0] * len(one.x) if one.n is None else one.n.tolist()
    there = [i for i, count in enumerate(n) if count > 0]
    x, mean = ([column.tolist()[i] for i in there] for column in (one.x, one.mean))
    ones = [1.0] * len(x)

    def smoothed(values: list[float]) -> list[float]:
        return smooth(x, values, ones, *panel.smoothing)

    if panel.band == "minmax":
        low, high = ([column.tolist()[i] for i in there] for column in (one.low, one.high))
    else:
        spread = [0.0] * len(x) if one.std is None or panel.band != "std" else [one.std.tolist()[i] for i in there]
        low = [value - by for value, by in zip(mean, spread, strict=True)]
        high = [value + by for value, by in zip(mean, spread, strict=True)]
    return Line(name, color, 0, x, smoothed(mean), mean, smoothed(low), smoothed(high), panel.band in ("std", "minmax"))


def of_histogram(value: Any, name: str, color: str) -> Line | None:
    """Return the outline of a logged histogram: the share of values in each bin, by its width; None if it is odd."""
    bins, counts = value.get("bins"), value.get("counts")
    if not (isinstance(bins, list) and isinstance(counts, list) and len(bins) == len(counts) + 1 > 1):
        return None
    if not all(isinstance(one, (int, float)) and math.isfinite(one) for one in [*bins, *counts]):
        return None
    total = sum(counts) or 1
    x: list[float] = [bins[0]]
    y: list[float] = [0.0]
    for left, right, count in zip(bins[:-1], bins[1:], counts, strict=True):
        height = count / total / (right - left) if right > left else 0.0
        x += [left, right]
        y += [height, height]
    x.append(bins[-1])
    y.append(0.0)
    return Line(name, color, 0, x, y, y, y, y, False)


def group_name(group: RunGroup) -> str:
    """Return a name from the values that the runs of a group share."""
    parts = [f"{column_title(column)}: {shown(value)}" for column, value in group["key"].items()]
    return ", ".join(parts)[:300] or "all"


def dash(lines: list[Line]) -> None:
    """Give lines of one color different dashes."""
    seen: dict[str, int] = {}
    for line in lines:
        line.dash = seen.get(line.color, 0)
        seen[line.color] = line.dash + 1
