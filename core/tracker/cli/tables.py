"""How runs are shown in a terminal."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from rich.markup import escape
from rich.table import Table

from tracker.api import RunReader

_COLOURS = {"running": "cyan", "finished": "green", "failed": "red", "crashed": "red", "killed": "yellow"}
_MOST = 8  # config and summary columns


def runs_table(runs: Iterable[RunReader], title: str | None = None) -> Table:
    """Return a table of runs: what they are, what differs in their config, and their summary."""
    runs = list(runs)
    config = _differing([_flat(run.config) for run in runs])
    summary = _numbers([run.summary for run in runs])
    table = Table(title=title, title_justify="left", header_style="bold", box=None, pad_edge=False)
    for name in ("name", "id", "state", "age", "rows"):
        table.add_column(name, no_wrap=name != "name", justify="right" if name in ("age", "rows") else "left")
    for name in (*config, *summary):
        table.add_column(escape(name), justify="right", overflow="fold")
    for run in runs:
        flat = _flat(run.config)
        table.add_row(
            escape(run.name),
            run.id,
            f"[{_COLOURS.get(run.state, 'default')}]{run.state}[/]",
            duration(time.time() - run.info["created"]),
            str(run.info["rows"]),
            *(_cell(flat.get(name)) for name in config),
            *(_cell(run.summary.get(name)) for name in summary),
        )
    return table


def duration(seconds: float) -> str:
    """Return a duration in one or two units, such as `3m 20s`."""
    seconds = int(max(0, seconds))
    for size, unit, smaller_size, smaller in ((86400, "d", 3600, "h"), (3600, "h", 60, "m"), (60, "m", 1, "s")):
        if seconds >= size:
            return f"{seconds // size}{unit} {seconds % size // smaller_size}{smaller}"
    return f"{seconds}s"


def _differing(configs: list[dict[str, Any]]) -> list[str]:
    """Names of config members that are not the same in all runs (all members, if there is only one run)."""
    names = list(dict.fromkeys(name for config in configs for name in config))
    if len(configs) > 1:
        names = [n for n in names if len({repr(config.get(n)) for config in configs}) > 1]
    return names[:_MOST]


def _numbers(summaries: list[dict[str, Any]]) -> list[str]:
    names = dict.fromkeys(n for s in summaries for n, v in s.items() if isinstance(v, (int, float)))
    return list(names)[:_MOST]


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
    return f"{value:.4g}" if isinstance(value, float) else escape(str(value))[:40]
