"""Draw charts as SVG without scripts. Every text is escaped; colors are classes, which follow the reader's theme."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Sequence
from html import escape

from .content import BarChart, Line, LineChart, ScatterChart
from .numbers import duration_ticks, number, ticks, time_ticks

WIDTH, NARROW, HEIGHT = 760, 380, 290
"""Pixels of a chart, and the width of one beside something else."""

_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 14, 10, 42
_DASHES = ("", "8 4", "2 3", "10 3 2 3", "16 4", "5 2 2 2 2 2")
_X_NAMES = {"_step": "Step", "_runtime": "Runtime", "_timestamp": "Time"}

_Ticks = list[tuple[float, str]]


class _Axis:
    """Maps values to pixels."""

    def __init__(self, low: float, high: float, log: bool, start: float, end: float) -> None:
        self.low, self.high, self.log = low, high, log
        self._start, self._end = start, end
        first, last = (math.log10(low), math.log10(high)) if log else (low, high)
        self._first, self._factor = first, (end - start) / (last - first)

    def __call__(self, value: float) -> float:
        """Return the pixel of a value; NaN if it has none."""
        if not math.isfinite(value) or (self.log and value <= 0):
            return math.nan
        at = self._start + ((math.log10(value) if self.log else value) - self._first) * self._factor
        low, high = sorted((self._start, self._end))
        return min(max(at, low - 50), high + 50)


def line_chart(chart: LineChart, width: int = WIDTH) -> str:
    """Return the chart as an SVG element; empty if there is nothing to draw."""
    x_range = _range((x for line in chart.lines for x in line.x), chart.log_x, 0)
    values = [*(y for line in chart.lines for y in line.y)]
    values += [y for line in chart.lines if line.buckets for y in (*line.low, *line.high)]
    y_range = _range(values, chart.log_y, 0.06)
    if x_range is None or y_range is None:
        return ""
    x = _Axis(*x_range, chart.log_x, _LEFT, width - _RIGHT)
    y = _Axis(*y_range, chart.log_y, HEIGHT - _BOTTOM, _TOP)
    most = width // 105
    if chart.x == "_timestamp":
        x_ticks = time_ticks(*x_range, most)
    elif chart.x == "_runtime" and not chart.log_x:
        x_ticks = duration_ticks(*x_range, most)
    else:
        x_ticks = ticks(*x_range, most, chart.log_x)
    parts = [_frame(x, y, x_ticks, ticks(*y_range, 6, chart.log_y), _X_NAMES.get(chart.x, chart.x), width)]
    parts.append("<g>")
    parts += [_area(line, x, y) for line in chart.lines if line.buckets]
    parts += [_line(line, x, y) for line in chart.lines]
    parts.append("</g>")
    return _svg(width, HEIGHT, f"{chart.title}: {', '.join(line.name for line in chart.lines)}", parts)


def bar_chart(chart: BarChart, width: int = WIDTH) -> str:
    """Return the chart as an SVG element."""
    row, left = 26, 190 if width == WIDTH else 130
    longest = left // 8
    height = _TOP + row * len(chart.bars) + _BOTTOM
    low, high = min(0.0, *(bar.x for bar in chart.bars)), max(0.0, *(bar.x for bar in chart.bars))
    if low == high:
        high = low + 1
    x = _Axis(low, high, False, left, width - 80)
    zero = x(0)
    parts = [_grid_x(x, ticks(low, high, width // 130), _TOP, height - _BOTTOM), _x_name(chart.value, width, height)]
    for i, bar in enumerate(chart.bars):
        top, at = _TOP + i * row + 4, x(bar.x)
        name = bar.name if len(bar.name) <= longest else bar.name[: longest - 1] + "…"
        parts.append(f'<text class="label" x="{left - 8}" y="{top + 13}" text-anchor="end">{escape(name)}</text>')
        parts.append(
            f'<rect {_fill(bar.color)} x="{_px(min(zero, at))}" y="{top}" width="{_px(abs(at - zero))}" height="18">'
            f"<title>{escape(bar.name)}: {number(bar.x, 6)}</title></rect>"
        )
        parts.append(f'<text class="label" x="{_px(max(zero, at) + 6)}" y="{top + 13}">{number(bar.x)}</text>')
    return _svg(width, height, f"{chart.title}: {chart.value} of {len(chart.bars)} runs", parts)


def scatter_chart(chart: ScatterChart, width: int = WIDTH) -> str:
    """Return the chart as an SVG element; empty if there is nothing to draw."""
    x_range = _range((point.x for point in chart.points), chart.log_x, 0.04)
    y_range = _range((point.y for point in chart.points), chart.log_y, 0.06)
    if x_range is None or y_range is None:
        return ""
    x = _Axis(*x_range, chart.log_x, _LEFT, width - _RIGHT)
    y = _Axis(*y_range, chart.log_y, HEIGHT - _BOTTOM, _TOP)
    parts = [_frame(x, y, ticks(*x_range, width // 105, chart.log_x), ticks(*y_range, 6, chart.log_y), chart.x, width)]
    for point in chart.points:
        text = f"{escape(point.name)}: {number(point.x, 6)}, {number(point.y, 6)}"
        place = f'cx="{_px(x(point.x))}" cy="{_px(y(point.y))}"'
        parts.append(f'<circle {_fill(point.color)} {place} r="4.5"><title>{text}</title></circle>')
    return _svg(width, HEIGHT, f"{chart.title}: {len(chart.points)} runs", parts)


def key_of(color: str, dash: int) -> str:
    """Return a short line in a run's color, for a legend."""
    return (
        f'<svg class="key" width="26" height="10" aria-hidden="true"><path {_stroke(color, dash)} d="M1 5H25"/></svg>'
    )


def _svg(width: int, height: int, label: str, parts: Iterable[str]) -> str:
    text = escape(label[:500])
    return (
        f'<svg class="chart" viewBox="0 0 {width} {height}" role="img" aria-label="{text}" '
        f'xmlns="http://www.w3.org/2000/svg"><title>{text}</title>{"".join(parts)}</svg>'
    )


def _range(values: Iterable[float], log: bool, room: float) -> tuple[float, float] | None:
    """Return the range that shows the values, with some room; None without any."""
    there = [value for value in values if math.isfinite(value) and (value > 0 or not log)]
    if not there:
        return None
    low, high = min(there), max(there)
    if log:
        factor = (high / low) ** room if high > low * (1 + 1e-9) else 2.0
        return max(low / factor, sys.float_info.min), min(high * factor, sys.float_info.max)
    if high - low <= 1e-9 * max(abs(low), abs(high)) or not math.isfinite(high - low):
        pad = abs(low) * 0.1 or 1.0
        return low - pad, low + pad
    pad = (high - low) * room
    return low - pad, high + pad


def _frame(x: _Axis, y: _Axis, x_ticks: _Ticks, y_ticks: _Ticks, name: str, width: int) -> str:
    parts = [_grid_x(x, x_ticks, _TOP, HEIGHT - _BOTTOM)]
    for value, label in y_ticks:
        at = _px(y(value))
        parts.append(f'<path class="grid" d="M{_LEFT} {at}H{width - _RIGHT}"/>')
        parts.append(
            f'<text class="label" x="{_LEFT - 8}" y="{at}" dy="0.35em" text-anchor="end">{escape(label)}</text>'
        )
    parts.append(_x_name(name, width, HEIGHT))
    return "".join(parts)


def _grid_x(x: _Axis, found: _Ticks, top: float, bottom: float) -> str:
    return "".join(
        f'<path class="grid" d="M{_px(x(value))} {top}V{bottom}"/>'
        f'<text class="label" x="{_px(x(value))}" y="{bottom + 16}" text-anchor="middle">{escape(label)}</text>'
        for value, label in found
    )


def _x_name(name: str, width: int, height: int) -> str:
    place = f'x="{(width + _LEFT) // 2}" y="{height - 6}"'
    return f'<text class="label name" {place} text-anchor="middle">{escape(name[:100])}</text>'


def _line(line: Line, x: _Axis, y: _Axis) -> str:
    dots, parts = [], []
    for run in _unbroken(line.x, line.y, x, y):
        if len(run) == 1:
            dots.append(f'<circle {_fill(line.color)} cx="{_px(run[0][0])}" cy="{_px(run[0][1])}" r="2.5"/>')
        else:
            parts.append("M" + "L".join(f"{_px(a)} {_px(b)}" for a, b in run))
    title = f"<title>{escape(line.name)}</title>"
    return f'<path {_stroke(line.color, line.dash)} d="{"".join(parts)}">{title}</path>' + "".join(dots)


def _area(line: Line, x: _Axis, y: _Axis) -> str:
    def lower(value: float) -> float:
        return y(y.low) if y.log and value <= 0 else y(value)

    points = [(x(at), lower(low), y(high)) for at, low, high in zip(line.x, line.low, line.high, strict=True)]
    parts = []
    for run in _without_gaps(points):
        above = "L".join(f"{_px(a)} {_px(c)}" for a, _, c in run)
        below = "L".join(f"{_px(a)} {_px(b)}" for a, b, _ in reversed(run))
        parts.append(f"M{above}L{below}Z")
    return f'<path {_fill(line.color, "band")} d="{"".join(parts)}"/>'


def _unbroken(xs: Sequence[float], ys: Sequence[float], x: _Axis, y: _Axis) -> list[list[tuple[float, ...]]]:
    return _without_gaps([(x(a), y(b)) for a, b in zip(xs, ys, strict=True)])


def _without_gaps(points: Iterable[tuple[float, ...]]) -> list[list[tuple[float, ...]]]:
    found: list[list[tuple[float, ...]]] = [[]]
    for point in points:
        if any(math.isnan(value) for value in point):
            found.append([])
        else:
            found[-1].append(point)
    return [run for run in found if run]


def _stroke(color: str, dash: int) -> str:
    dashes = _DASHES[dash % len(_DASHES)]
    more = f' stroke-dasharray="{dashes}"' if dashes else ""
    if color.startswith("#"):
        return f'class="line" stroke="{escape(color)}"{more}'
    return f'class="line s{escape(color)}"{more}'


def _fill(color: str, more: str = "mark") -> str:
    if color.startswith("#"):
        return f'class="{more}" fill="{escape(color)}"'
    return f'class="{more} f{escape(color)}"'


def _px(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
