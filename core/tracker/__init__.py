"""Experiment tracking that training never notices.

    import tracker

    tracker.init(project="digits", config={"lr": 1e-3})
    for batch in data:
        tracker.log({"loss": …})

`init` starts a run; `log`, `config`, `summary`, `save`, `alert`, `watch`, `define_metric` and `finish` act on the
current one; `run` is the current run or None. `Api` and `read_run` read runs back; `Sync` uploads run directories.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal

from .errors import NoRun, NotARun, ServerError, SettingsError, TrackerError, Unreachable
from .sdk.run import AlertLevel, Run, SavePolicy, SummaryKind, WatchKind
from .sdk.session import config, init, summary
from .sdk.session import current as _current
from .sdk.session import require as _require

if TYPE_CHECKING:
    from pathlib import Path

    from .agent.sync import Sync
    from .api import Api, read_run
    from .media import Audio, Histogram, Html, Image, Plotly, Table, Text, Video

    run: Run | None

__version__ = "0.1.0"
__all__ = [
    "Api",
    "Audio",
    "Histogram",
    "Html",
    "Image",
    "NoRun",
    "NotARun",
    "Plotly",
    "Run",
    "ServerError",
    "SettingsError",
    "Sync",
    "Table",
    "Text",
    "TrackerError",
    "Unreachable",
    "Video",
    "alert",
    "config",
    "define_metric",
    "finish",
    "init",
    "log",
    "log_code",
    "read_run",
    "restore",
    "run",
    "save",
    "summary",
    "unwatch",
    "watch",
]

# Imported on first use: reading runs back needs an HTTP client, which a training process never does.
_LAZY = {
    "Api": ".api",
    "read_run": ".api",
    "Sync": ".agent.sync",
    **dict.fromkeys(("Audio", "Histogram", "Html", "Image", "Plotly", "Table", "Text", "Video"), ".media"),
}


def log(data: Mapping[str, Any], step: int | None = None, commit: bool | None = None) -> None:
    """Append one row to the current run; see `Run.log`. Raises `NoRun` if there is none."""
    _require().log(data, step, commit)


def define_metric(
    name: str,
    step_metric: str | None = None,
    summary: SummaryKind | None = None,
    goal: Literal["minimize", "maximize"] | None = None,
) -> None:
    """Say how metrics of the current run are read; see `Run.define_metric`."""
    _require().define_metric(name, step_metric, summary, goal)


def save(
    glob_or_path: str | os.PathLike[str] | None = None,
    base_path: str | os.PathLike[str] | None = None,
    policy: SavePolicy = "now",
) -> list[str]:
    """Keep files with the current run; see `Run.save`."""
    return _require().save(glob_or_path, base_path, policy)


def restore(name: str, run_path: str | None = None, root: str | os.PathLike[str] = ".", replace: bool = False) -> Path:
    """Fetch one saved file of a run (`entity/project/id`; by default the current one) and return its path under `root`.

    The current run's files come from its directory if they are there, else from the server. A file that is there
    already is left alone if it is the same. Raises FileExistsError if it is another one and `replace` is not set,
    KeyError with the names there are, and what `Api` raises.
    """
    from .api.saved_file import fetch

    run = _require() if run_path is None else None
    return fetch(name, run_path, run, root, replace)


def alert(title: str, text: str = "", level: AlertLevel = "info") -> None:
    """Call something out; see `Run.alert`."""
    _require().alert(title, text, level)


def watch(model: Any, log: WatchKind = "gradients", log_freq: int = 100) -> None:
    """Log histograms of a torch model while it trains; see `Run.watch`."""
    _require().watch(model, log, log_freq)


def unwatch(model: Any = None) -> None:
    """End what `watch` began; see `Run.unwatch`."""
    _require().unwatch(model)


def log_code(root: str | os.PathLike[str] = ".", globs: Iterable[str] = ("*.py",)) -> None:
    """Have source files kept with the current run; see `Run.log_code`."""
    _require().log_code(root, globs)


def finish(exit_code: int | None = None) -> None:
    """End the current run; see `Run.finish`. Without a current run it does nothing."""
    run = _current()
    if run is not None:
        run.finish(exit_code)


def __getattr__(name: str) -> Any:
    if name == "run":
        return _current()
    if name in _LAZY:
        import importlib

        value = getattr(importlib.import_module(_LAZY[name], __name__), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'tracker' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
