"""Show runs in a terminal."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterable
from typing import Any, Literal, NamedTuple

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tracker.api import RunReader
from tracker.terminal import clean

_COLOURS = {
    "running": "cyan",
    "finished": "green",
    "failed": "red",
    "crashed": "red",
    "killed": "yellow",
    "preempted": "yellow",
}
_MOST = 8  # config and summary columns


def print_runs(runs: Iterable[RunReader], title: str) -> None:
    """Print a table of runs, as wide as the terminal; complete if the output goes elsewhere."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=1000)
    console.print(runs_table(runs, title, console.width))


def runs_table(runs: Iterable[RunReader], title: str, width: int) -> Table:
    """Return a table of runs: what they are, what differs in their config, and their summary.

    Columns that do not fit into `width` characters are left out, and the caption says how many.
    """
    runs = list(runs)
    configs = [_flat(run.config) for run in runs]
    projects = [f"{run.entity}/{run.project}" for run in runs]
    columns = [
        _Column("name", [run.name for run in runs]),
        *([_Column("project", projects)] if set(projects) - {title} else []),
        _Column("id", [run.id for run in runs]),
        _Column("state", [run.state for run in runs]),
        _Column("age", [duration(time.time() - run.info["created"]) for run in runs], "right"),
        _Column("rows", [str(run.info["rows"]) for run in runs], "right"),
        *(_Column(_heading(n), [_cell(c.get(n)) for c in configs], "right") for n in _differing(configs)),
        *(
            _Column(_heading(n), [_cell(run.summary.get(n)) for run in runs], "right")
            for n in _numbers([run.summary for run in runs])
        ),
    ]
    shown = _fitting(columns, width)
    table = Table(title=Text(clean(title)), title_justify="left", title_style="bold", header_style="bold", box=None)
    table.pad_edge, table.caption_justify = False, "left"
    if len(shown) < len(columns):
        table.caption = f"columns left out for width: {len(columns) - len(shown)} (--json has all)"
    for column in shown:
        table.add_column(Text(clean(column.heading, lines=True)), no_wrap=True, justify=column.justify)
    state = next(i for i, column in enumerate(columns) if column.heading == "state")
    for i, run in enumerate(runs):
        cells = [Text(clean(column.cells[i])) for column in shown]
        cells[state].style = _COLOURS.get(run.state, "")
        table.add_row(*cells)
    return table


class _Column(NamedTuple):
    heading: str
    cells: list[str]
    justify: Literal["left", "right"] = "left"


def _fitting(columns: list[_Column], width: int) -> list[_Column]:
    """Return the first columns that fit into the width, at least four."""
    used = 0
    for i, column in enumerate(columns):
        used += max(len(text) for text in (*column.heading.split("\n"), *column.cells)) + (2 if i else 0)
        if used > width and i >= 4:
            return columns[:i]
    return columns


def duration(seconds: float) -> str:
    """Return a duration in one or two units, such as `3m 20s`."""
    seconds = int(max(0, seconds))
    for size, unit, smaller_size, smaller in ((86400, "d", 3600, "h"), (3600, "h", 60, "m"), (60, "m", 1, "s")):
        if seconds >= size:
            return f"{seconds // size}{unit} {seconds % size // smaller_size}{smaller}"
    return f"{seconds}s"


def _heading(name: str) -> str:
    """Break long names after their separators, so that columns stay as narrow as their values."""
    name = clean(name)
    return name if len(name) <= 8 else re.sub(r"([/_.])", r"\1\n", name)


def _differing(configs: list[dict[str, Any]]) -> list[str]:
    """Return the names of config members that differ between runs, or of all members of a single run."""
    names = _names(configs)
    if len(configs) > 1:
        names = [n for n in names if len({repr(config.get(n)) for config in configs}) > 1]
    return names[:_MOST]


def _numbers(summaries: list[dict[str, Any]]) -> list[str]:
    return _names([{n: v for n, v in s.items() if isinstance(v, (int, float))} for s in summaries])[:_MOST]


def _names(members: list[dict[str, Any]]) -> list[str]:
    """Return all names: first those that most runs have, then those that come first in their runs.

    So a run with many names of its own does not take all the room.
    """
    runs, place = Counter[str](), dict[str, int]()
    for one in members:
        for i, name in enumerate(one):
            runs[name] += 1
            place[name] = min(i, place.get(name, i))
    return sorted(place, key=lambda name: (-runs[name], place[name]))


def _flat(config: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in config.items():
        if isinstance(value, dict):
            flat.update(_flat(value, f"{prefix}{key}."))
        else:
            flat[prefix + key] = value
    return flat


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)[:40]
