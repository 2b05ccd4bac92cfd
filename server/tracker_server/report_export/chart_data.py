"""Write the data of charts as CSV."""

from __future__ import annotations

import csv
import io
import math
from typing import Any

from .content import BarChart, LineChart, ScatterChart


def csv_of(chart: LineChart | BarChart | ScatterChart) -> str:
    """Return the drawn data: a row for each point. Texts cannot become formulas in a spreadsheet."""
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\r\n")
    if isinstance(chart, LineChart):
        rows.writerow(["line", _safe(chart.x), "value", "min", "max"])
        for line in chart.lines:
            for x, mean, low, high in zip(line.x, line.mean, line.low, line.high, strict=True):
                rows.writerow([_safe(line.name), *map(_cell, (x, mean, low, high))])
    elif isinstance(chart, BarChart):
        rows.writerow(["run", _safe(chart.value)])
        for bar in chart.bars:
            rows.writerow([_safe(bar.name), _cell(bar.x)])
    else:
        rows.writerow(["run", _safe(chart.x), _safe(chart.y)])
        for point in chart.points:
            rows.writerow([_safe(point.name), _cell(point.x), _cell(point.y)])
    return out.getvalue()


def _cell(value: float) -> Any:
    if not math.isfinite(value):
        return "" if math.isnan(value) else value
    return int(value) if value == int(value) and abs(value) < 2**53 else value


def _safe(text: str) -> str:
    return "'" + text if text[:1] in tuple("=+-@\t\r") else text
