"""Read panels of reports: objects of the dashboard's views, or text that is fenced as `panel`.

A panel comes from whoever wrote the report, so each member is checked here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from tracker.wire import Sort

FENCE = re.compile(r"^```panel[ \t]*\n(.*?)^```[ \t]*$", re.MULTILINE | re.DOTALL)
"""A panel within a text; the group is what describes it."""

MAX_KEYS = 20
"""Most keys of one chart, as in the dashboard."""


class BadPanel(ValueError):
    """The panel cannot be read."""


@dataclass
class Panel:
    """A panel, and which runs it shows."""

    kind: str
    title: str
    keys: list[str] = field(default_factory=list)
    regex: str = ""
    x: str = ""
    y: str = ""
    log_x: bool = False
    log_y: bool = False
    smoothing: tuple[str, float] = ("none", 0.0)
    envelope: bool = True
    system: bool = False
    runs: list[str] = field(default_factory=list)
    filter: str = ""
    limit: int = 10
    sort: list[Sort] = field(default_factory=list)
    """The order of the runs; by default the newest first."""
    by: list[str] = field(default_factory=list)
    """Columns by which runs are grouped, or with `by_rest` all config but these."""
    by_rest: bool = False
    band: str = "std"
    """What surrounds the mean of a group: `std`, `minmax` or `none`."""


def of_block(block: Mapping[str, Any]) -> Panel:
    """Return the panel of a block of kind `panel`. Raises `BadPanel`."""
    spec, view = block.get("panel"), block.get("view", {})
    panel = _read(spec, view)
    panel.runs, panel.filter = list(block["runs"]), block["filter"]
    panel.limit = max(block["limit"], len(panel.runs))
    return panel


def of_text(source: str) -> Panel:
    """Return the panel that fenced text describes, as JSON or as `name: value` lines. Raises `BadPanel`."""
    said = _json(source) if source.lstrip().startswith("{") else _lines(source)
    spec: dict[str, Any] = {**said, "keys": [*_list(said.get("key")), *_list(said.get("keys"))]}
    if "kind" not in said:
        spec["kind"] = "scatter" if said.get("x") and said.get("y") else "line"
    if spec["kind"] == "bar" and said.get("key"):
        spec["column"] = said["key"]
    weight = _number(said.get("smoothing"), 0.0)
    spec["smoothing"] = {"kind": "ema" if weight else "none", "weight": weight}
    panel = _read(spec, {})
    panel.runs, panel.filter = _list(said.get("runs")), _text(said.get("filter"))
    panel.limit = max(1, min(int(_number(said.get("limit"), 10.0)), 1000))
    return panel


def _read(spec: Any, view: Any) -> Panel:
    if not isinstance(spec, dict):
        raise BadPanel("a panel must be an object")
    if not isinstance(view, dict):
        view = {}
    kind = _text(spec.get("kind")) or "line"
    panel = Panel(kind, _text(spec.get("title")))
    panel.keys = [key for key in _list(spec.get("keys")) if key][:MAX_KEYS]
    panel.x = _text(spec.get("x")) or (_text(view.get("x")) if kind == "line" else "")
    panel.log_x, panel.log_y = _flag(spec, view, "logX"), _flag(spec, view, "logY")
    panel.smoothing = _smoothing(spec.get("smoothing") or view.get("smoothing"))
    panel.envelope = view.get("envelope") is not False
    panel.system = view.get("system") is True
    panel.sort = _sort(view.get("sort"))
    group = view.get("group")
    if isinstance(group, dict):
        panel.by_rest = "except" in group
        panel.by = _list(group.get("except") if panel.by_rest else group.get("by"))
        panel.band = _text(view.get("band")) or "std"
        if panel.band == "runs":  # draw the runs of the groups one by one
            panel.by = []
    if kind == "line":
        panel.regex = _text(spec.get("regex"))
        if not panel.keys and not panel.regex:
            raise BadPanel("key is missing")
    elif kind == "bar":
        panel.x = _needed(spec, "column")
    elif kind == "scatter":
        panel.x, panel.y = _needed(spec, "x"), _needed(spec, "y")
    elif kind == "parallel":
        panel.keys = _list(spec.get("columns"))[:MAX_KEYS]
    else:
        panel.keys = [_text(spec.get("key")) or (panel.keys[0] if panel.keys else "")]
        if not panel.keys[0]:
            raise BadPanel("key is missing")
    panel.title = panel.title or _title(panel)
    return panel


def _title(panel: Panel) -> str:
    if panel.kind == "scatter":
        return f"{column_title(panel.y)} over {column_title(panel.x)}"
    if panel.kind == "bar":
        return column_title(panel.x)
    return ", ".join(map(column_title, panel.keys)) or f"/{panel.regex}/"


def column_title(column: str) -> str:
    """Return the readable name of a column."""
    return re.sub(r"^(summary|config)\.", "", column)


def _json(source: str) -> dict[str, Any]:
    try:
        said = orjson.loads(source)
    except ValueError:
        raise BadPanel("the JSON is invalid") from None
    if not isinstance(said, dict):
        raise BadPanel("a panel must be an object")
    return said


def _lines(source: str) -> dict[str, Any]:
    said: dict[str, Any] = {}
    for line in source.splitlines():
        if line.strip():
            found = re.fullmatch(r"\s*(\w+)\s*:\s*(.*?)\s*", line)
            if found is None:
                raise BadPanel(f"write “name: value” instead of “{line.strip()[:100]}”")
            said[found[1]] = found[2]
    return said


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _list(value: Any) -> list[str]:
    items = [one for one in value if isinstance(one, str)] if isinstance(value, list) else _text(value).split(",")
    return [item.strip() for item in items if item.strip()][:1000]


def _number(value: Any, default: float) -> float:
    if isinstance(value, (int, float, str)) and not isinstance(value, bool):
        try:
            number = float(value)
        except (ValueError, OverflowError):
            return default
        return number if 0 <= number <= 1e6 else default
    return default


def _flag(spec: dict[str, Any], view: dict[str, Any], name: str) -> bool:
    return (spec[name] if name in spec else view.get(name)) in (True, "true", "yes")


def _smoothing(value: Any) -> tuple[str, float]:
    if isinstance(value, dict) and value.get("kind") in ("ema", "time-ema", "mean"):
        weight = _number(value.get("weight"), 0.0)
        return value["kind"], weight if value["kind"] == "mean" else min(weight, 0.999)
    return "none", 0.0


def _sort(value: Any) -> list[Sort]:
    levels = [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
    return [
        {"column": one["column"], "descending": one.get("descending") is True}
        for one in levels[:10]
        if isinstance(one.get("column"), str) and one["column"]
    ]


def _needed(spec: dict[str, Any], name: str) -> str:
    value = _text(spec.get(name))
    if not value:
        raise BadPanel(f"{name} is missing")
    return value
