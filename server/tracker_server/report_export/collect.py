"""Read what a report shows, as whoever asks for the file may read it.

Everything is read through the storage of the request, so a report shows nothing that its reader could not open.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Iterable, Sequence
from typing import Any, Literal, Protocol
from urllib.parse import unquote

import re2

from tracker.names import RunKey
from tracker.runlog.records import DIGEST
from tracker.wire import (
    ChartGroup,
    ChartQuery,
    CommonKey,
    GroupQuery,
    Report,
    RowPage,
    Series,
    TableGroups,
    TablePage,
    TableQuery,
)
from tracker_server.storage.interface import Chart, ExpressionError, NoSuchRun

from . import panels
from .content import (
    BarChart,
    Blob,
    Content,
    Gallery,
    Line,
    LineChart,
    Mark,
    Medium,
    Notice,
    Piece,
    ScatterChart,
    Sides,
    Table,
    Text,
)
from .lines import dash, group_name, of_group, of_histogram, of_run
from .numbers import moment, shown
from .panels import BadPanel, Panel

BUCKETS = 400
"""Most points of a line in a file."""

MAX_RUNS, MAX_POINTS = 100, 1000
"""Most lines or bars, and most points, of one chart."""

MAX_MEDIA, MAX_HISTOGRAMS = 24, 10
"""Most media and histograms of one panel."""

_PAGES = 20
_ROWS = 1000
_COLORS = (
    ("#2a8efe", "#aa0000", "#4ea05e", "#800d90", "#c68100", "#3d93a8", "#862f4b"),
    ("#0088f2", "#d46503", "#497c4f", "#bf3492", "#f1d311", "#15dcff", "#ffb3af"),
)
_STROKE = ["name", "color", "ordinal"]
_TIMES = ("created", "updated", "seen")
_IMAGE = re.compile(r"/api/runs/([^/\s()?#]+)/([^/\s()?#]+)/([^/\s()?#]+)/(?:blobs|media)/([0-9a-f]{64})")

Kind = Literal["history", "system"]


class Reader(Protocol):
    """What of the storage is needed, as the reader may use it."""

    def table(self, entity: str, project: str, query: TableQuery) -> TablePage: ...
    def common_keys(self, runs: Sequence[RunKey], kind: Kind) -> list[CommonKey]: ...
    def rows(self, run: RunKey, kind: Kind, keys: list[str] | None, limit: int, cursor: str | None) -> RowPage: ...
    def series(self, query: ChartQuery) -> list[Series]: ...
    def groups(self, entity: str, project: str, query: GroupQuery) -> TableGroups: ...
    def chart(self, query: ChartQuery) -> Chart: ...


class _Run:
    """A run as it is drawn."""

    def __init__(self, id: str, name: Any, color: Any, ordinal: Any) -> None:
        self.id = id
        self.name = name if isinstance(name, str) else id
        self.color = _color(color, ordinal)


def collect(storage: Reader, report: Report, address: str) -> Content:
    """Return the report with its data; contents of images are still missing."""
    collector = _Collector(storage, report["entity"], report["project"])
    content = Content(
        title=report["title"], entity=report["entity"], project=report["project"], version=report["version"],
        author=report["editor"] or report["author"], saved=report["updated"], exported=time.time(), address=address,
    )  # fmt: skip
    for block in report["blocks"]:
        content.pieces += collector.pieces(block)
    content.images = collector.images
    return content


class _Collector:
    def __init__(self, storage: Reader, entity: str, project: str) -> None:
        self.storage, self.entity, self.project = storage, entity, project
        self.images: dict[str, Blob] = {}

    def pieces(self, block: dict[str, Any]) -> list[Piece]:
        """Return what a block shows. An error in it becomes a notice."""
        kind = block["kind"]
        if kind == "columns":
            left, right = ([piece for one in block[side] for piece in self.pieces(one)] for side in ("left", "right"))
            return [Sides(left, right)]
        if kind == "markdown":
            return list(self._text(block["text"]))
        try:
            if kind == "panel":
                return [self._panel(panels.of_block(block))]
            return [self._table(block) if kind == "table" else self._media(block)]
        except (BadPanel, ExpressionError, ValueError) as error:
            return [Notice("This block cannot be shown", str(error))]

    def _text(self, text: str) -> Iterable[Piece]:
        """Yield the text and the panels that are fenced in it."""
        for found in _IMAGE.finditer(text):
            run = RunKey(*map(unquote, found.groups()[:3]))
            self.images[unquote(found[0])] = Blob(run, found[4])
        for i, part in enumerate(panels.FENCE.split(text)):
            if i % 2:
                try:
                    yield self._panel(panels.of_text(part))
                except (BadPanel, ExpressionError, ValueError) as error:
                    yield Notice("This panel cannot be shown", str(error))
            elif part.strip():
                yield Text(part)

    # -- panels ---------------------------------------------------------------------------------------------------

    def _panel(self, panel: Panel) -> Piece:
        if panel.kind == "line":
            return self._lines(panel)
        if panel.kind == "bar":
            return self._bars(panel)
        if panel.kind == "scatter":
            return self._scatter(panel)
        if panel.kind == "histogram":
            return self._histograms(panel)
        if panel.kind == "parallel":
            block = {"title": panel.title, "columns": panel.keys, "runs": panel.runs, "filter": panel.filter}
            return self._table({**block, "sort": panel.sort, "limit": MAX_RUNS})
        if panel.kind in ("media", "text", "table"):
            runs, _ = self._runs(panel)
            items = [item for run in runs for item in self._items(run, panel.keys[0], None)]
            return _gallery(panel.title, items)
        return Notice(panel.title, f"A file cannot show panels of the kind “{panel.kind[:40]}”: open the report.")

    def _lines(self, panel: Panel) -> Piece:
        kind: Kind = "system" if panel.system else "history"
        runs, total = self._runs(panel)
        paths = [RunKey(self.entity, self.project, run.id) for run in runs]
        known = self.storage.common_keys(paths, kind) if panel.regex or not panel.x else []
        keys = _matching(panel, known)
        x = panel.x or ("_runtime" if panel.system else _own_x(keys, known))
        if not runs or not keys:
            return Notice(panel.title, "No runs match." if not runs else "No metrics match.")
        query: ChartQuery = {"keys": keys, "kind": kind, "x": x, "buckets": BUCKETS}
        lines = self._group_lines(panel, query) if panel.by and not panel.runs else self._run_lines(panel, query, runs)
        if not lines:
            return Notice(panel.title, "These runs have no data to draw.")
        dash(lines)
        note = "" if panel.by else _more(len(runs), total)
        return LineChart(panel.title, x, panel.log_x and x != "_timestamp", panel.log_y, lines, note)

    def _run_lines(self, panel: Panel, query: ChartQuery, runs: list[_Run]) -> list[Line]:
        paths = [f"{self.entity}/{self.project}/{run.id}" for run in runs]
        found = {(one["run"], one["key"]): one for one in self.storage.series({**query, "runs": paths})}
        several = len(query["keys"]) > 1
        return [
            of_run(found[path, key], f"{run.name} · {key}" if several else run.name, run.color, panel)
            for key in query["keys"]
            for path, run in zip(paths, runs, strict=True)
            if (path, key) in found
        ]

    def _group_lines(self, panel: Panel, query: ChartQuery) -> list[Line]:
        wanted = GroupQuery(filter=panel.filter, columns=[], offset=0, limit=min(panel.limit, MAX_RUNS))
        if panel.by_rest:
            wanted["except"] = panel.by
        else:
            wanted["by"] = panel.by
        found = self.storage.groups(self.entity, self.project, wanted)["groups"]
        colors = {f"{i} {group_name(group)}": str(i % len(_COLORS[0])) for i, group in enumerate(found)}
        groups = [
            ChartGroup(name=name, runs=[f"{self.entity}/{self.project}/{run}" for run in group["runs"]])
            for name, group in zip(colors, found, strict=True)
        ]
        chart = self.storage.chart({**query, "groups": groups})
        several = len(query["keys"]) > 1
        lines = []
        for one in chart.lines:
            name = one.source.partition(" ")[2]
            lines.append(of_group(one, f"{name} · {one.key}" if several else name, colors[one.source], panel))
        return lines

    def _histograms(self, panel: Panel) -> Piece:
        runs, total = self._runs(panel)
        logged = [(run, self._latest(run, panel.keys[0], None)) for run in runs[:MAX_HISTOGRAMS]]
        found = [
            of_histogram(value, f"{run.name}, step {shown(latest[0])}", run.color)
            for run, latest in logged
            if latest is not None
            for value in _flat(latest[1])
        ]
        lines = [line for line in found if line is not None]
        if not lines:
            return Notice(panel.title, "Nothing was logged here.")
        dash(lines)
        return LineChart(panel.title, "value", False, False, lines, _more(len(logged), total))

    def _bars(self, panel: Panel) -> Piece:
        runs, (values,), total = self._values(panel, [panel.x])
        bars = [Mark(run.name, run.color, value, 0) for run, value in zip(runs, values, strict=True)]
        bars = [bar for bar in bars if math.isfinite(bar.x)]
        if not bars:
            return Notice(panel.title, "These runs have no numbers to draw.")
        return BarChart(panel.title, panels.column_title(panel.x), bars, _more(len(runs), total))

    def _scatter(self, panel: Panel) -> Piece:
        panel.limit = MAX_POINTS  # the limit is for lines
        runs, (xs, ys), total = self._values(panel, [panel.x, panel.y], MAX_POINTS)
        points = [Mark(run.name, run.color, x, y) for run, x, y in zip(runs, xs, ys, strict=True)]
        points = [
            point
            for point in points
            if math.isfinite(point.x) and math.isfinite(point.y)
            and (point.x > 0 or not panel.log_x) and (point.y > 0 or not panel.log_y)
        ]  # fmt: skip
        if not points:
            return Notice(panel.title, "No run has both values.")
        names = panels.column_title(panel.x), panels.column_title(panel.y)
        return ScatterChart(panel.title, *names, panel.log_x, panel.log_y, points, _more(len(runs), total))

    # -- tables ---------------------------------------------------------------------------------------------------

    def _table(self, block: dict[str, Any]) -> Piece:
        names = block["columns"] if "name" in block["columns"] else ["name", *block["columns"]]
        query = TableQuery(columns=names, limit=block["limit"], offset=0)
        query["sort"] = block["sort"] or [{"column": "created", "descending": True}]
        if block["runs"]:
            query["ids"] = block["runs"]
        else:
            query["filter"] = block["filter"]
        page = self.storage.table(self.entity, self.project, query)
        values = [_values(page["columns"].get(column), len(page["runs"])) for column in names]
        numbers = {i for i, column in enumerate(values) if _is_numeric(column) and names[i] not in _TIMES}
        texts = [[_cell(name, value) for value in column] for name, column in zip(names, values, strict=True)]
        rows = [list(row) for row in zip(*texts, strict=True)] if texts else []
        titles = [panels.column_title(name) for name in names]
        return Table(block["title"], titles, rows, numbers, _more(len(rows), page["total"]))

    def _runs(self, panel: Panel) -> tuple[list[_Run], int]:
        runs, _, total = self._read(panel, [], MAX_RUNS)
        return runs, total

    def _values(
        self, panel: Panel, columns: list[str], most: int = MAX_RUNS
    ) -> tuple[list[_Run], list[list[float]], int]:
        runs, values, total = self._read(panel, columns, most)
        return runs, [[_number(value) for value in column] for column in values], total

    def _read(self, panel: Panel, columns: list[str], most: int) -> tuple[list[_Run], list[list[Any]], int]:
        """Return the runs of a panel with their values in some columns, and how many there are."""
        query = TableQuery(columns=[*_STROKE, *columns], limit=min(panel.limit, most), offset=0)
        query["sort"] = panel.sort or [{"column": "created", "descending": True}]
        if panel.runs:
            query["ids"] = panel.runs
        else:
            query["filter"] = panel.filter
        page = self.storage.table(self.entity, self.project, query)
        count = len(page["runs"])
        about = [_values(page["columns"].get(name), count) for name in [*_STROKE, *columns]]
        runs = [_Run(id, *(column[i] for column in about[:3])) for i, id in enumerate(page["runs"])]
        return runs, about[3:], page["total"]

    # -- media ----------------------------------------------------------------------------------------------------

    def _media(self, block: dict[str, Any]) -> Piece:
        runs, _ = self._runs(Panel("media", "", runs=[block["run"]]))
        if not runs:
            return Notice(block["key"], "The run is not there.")
        return _gallery(block["caption"] or block["key"], self._items(runs[0], block["key"], block["step"]))

    def _items(self, run: _Run, key: str, step: int | None) -> list[Medium]:
        latest = self._latest(run, key, step)
        if latest is None:
            return []
        path = RunKey(self.entity, self.project, run.id)
        return [_medium(path, run.name, latest[0], one) for one in _flat(latest[1])][:MAX_MEDIA]

    def _latest(self, run: _Run, key: str, step: int | None) -> tuple[float, Any] | None:
        """Return step and value of what a run logged with a key, at or before a step; without a step the latest."""
        path = RunKey(self.entity, self.project, run.id)
        best: tuple[float, Any] | None = None
        cursor: str | None = None
        for _ in range(_PAGES):
            try:
                page = self.storage.rows(path, "history", [key], _ROWS, cursor)
            except NoSuchRun:
                return None
            column = page["columns"].get(key)
            steps = page["columns"].get("_step", {"rows": None, "values": []})["values"]
            if column is not None:
                at = column["rows"] if column["rows"] is not None else range(page["count"])
                for i, value in zip(at, column["values"], strict=True):
                    here = steps[i] if i < len(steps) and steps[i] is not None else i
                    if (step is None or here <= step) and (best is None or here >= best[0]):
                        best = here, value
            cursor = page["cursor"]
            if cursor is None:
                break
        return best


def _medium(run: RunKey, name: str, step: float, value: dict[str, Any]) -> Medium:
    about = f"{name}, step {shown(step)}"
    caption = value.get("caption")
    if isinstance(caption, str) and caption:
        about = f"{caption[:1000]} ({about})"
    kind, digest = value.get("_type"), value.get("digest")
    if kind == "text" and isinstance(value.get("value"), str):
        return Medium(about, text=value["value"][:20_000])
    if kind == "image" and isinstance(digest, str) and DIGEST.fullmatch(digest):
        return Medium(about, blob=Blob(run, digest))
    return Medium(about, text=f"A file cannot show media of the kind “{str(kind)[:40]}”: open the report.")


def _flat(value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, dict):
        return []
    if value.get("_type") != "list":
        return [value]
    items = value.get("items")
    return [one for one in items if isinstance(one, dict)] if isinstance(items, list) else []


def _gallery(title: str, items: list[Medium]) -> Piece:
    if not items:
        return Notice(title, "Nothing was logged here.")
    note = f"The first {MAX_MEDIA} of {len(items)}." if len(items) > MAX_MEDIA else ""
    return Gallery(title, items[:MAX_MEDIA], note)


def _matching(panel: Panel, known: list[CommonKey]) -> list[str]:
    if not panel.regex:
        return panel.keys
    options = re2.Options()
    options.log_errors = False
    try:
        pattern = re2.compile(panel.regex, options)
    except re2.error:
        raise BadPanel("the regular expression is invalid") from None
    found = [one["key"] for one in known if one["type"] == "number" and pattern.search(one["key"])]
    return list(dict.fromkeys([*panel.keys, *found]))[: panels.MAX_KEYS]


def _own_x(keys: list[str], known: list[CommonKey]) -> str:
    """Return the x that the runs defined for the first metric, if it has numbers; else the step."""
    numbers = {one["key"] for one in known if one["type"] == "number"}
    defined = next((one["x"] for one in known if keys and one["key"] == keys[0]), None)
    return defined if defined is not None and defined in numbers else "_step"


def _color(color: Any, ordinal: Any) -> str:
    if isinstance(color, str) and re.fullmatch(r"#([0-9a-fA-F]{3}|[0-9a-fA-F]{6})", color):
        for palette in _COLORS:
            if color.lower() in palette:
                return str(palette.index(color.lower()))
        return color
    number = _number(ordinal)
    return str(int(number) % len(_COLORS[0])) if math.isfinite(number) else "0"


def _values(column: Any, count: int) -> list[Any]:
    """Return a column of a table page as a list; NaN in an array means that there is no value."""
    if column is None:
        return [None] * count
    if isinstance(column, list):
        return column
    return [None if isinstance(value, float) and math.isnan(value) else value for value in column.tolist()]


def _number(value: Any) -> float:
    return float(value) if isinstance(value, (int, float)) else math.nan


def _is_numeric(values: list[Any]) -> bool:
    there = [value for value in values if value is not None]
    return bool(there) and all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in there)


def _cell(column: str, value: Any) -> str:
    return moment(value) if column in _TIMES and isinstance(value, (int, float)) else shown(value)


def _more(count: int, total: int) -> str:
    return f"{count:,} of {total:,} runs" if total > count else ""
