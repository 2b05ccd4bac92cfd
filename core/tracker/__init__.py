"""Experiment tracking that training never notices.

    import tracker

    tracker.init(project="digits", config={"lr": 1e-3})
    for batch in data:
        tracker.log({"loss": …})

`init` starts a run. `log`, `config`, `summary`, `save`, `alert`, `watch`, `define_metric` and `finish` act on the
current run, which is `run` (None if there is none). `Api` and `read_run` read runs back; `Sync` uploads run
directories.
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

# Imported on first use: reading runs back needs an HTTP client, and training does not.
_LAZY = {
    "Api": ".api",
    "read_run": ".api",
    "Sync": ".agent.sync",
    **dict.fromkeys(("Audio", "Histogram", "Html", "Image", "Plotly", "Table", "Text", "Video"), ".media"),
}


def log(data: Mapping[str, Any], step: int | None = None, commit: bool | None = None) -> None:
    """Append one row of values to the current run.

        tracker.log({"loss": 0.5, "val": {"accuracy": 0.9}})  # val/accuracy

    When the call has returned, the row survives the death of every process. Rows are never merged, reordered or
    rejected for their step: repeated and earlier steps are rows like any other.

    Args:
        data: Names and values. Values are numbers of any kind (Python, numpy, torch and jax scalars; NaN and ±Infinity
            included), text, media, or lists of them. Nested dicts flatten to `a/b`. Anything else is kept as text, with
            one warning. What is too long for a line is kept as a file. The names `_step`, `_timestamp` and `_runtime`
            are refused with a warning, because every row has them anyway.
        step: The row's step, which also sets the run's step counter. By default the row gets the counter's value.
        commit: Whether the counter then advances by one. By default it does unless `step` is given; False means that
            more of this step follows.

    Raises:
        NoRun: There is no current run.
        TypeError: `data` is not a mapping.
    """
    _require().log(data, step, commit)


def define_metric(
    name: str,
    step_metric: str | None = None,
    summary: SummaryKind | None = None,
    goal: Literal["minimize", "maximize"] | None = None,
) -> None:
    """Set the x axis, the summary and the goal of one or more metrics of the current run.

        tracker.define_metric("val/*", step_metric="epoch", summary="min")

    Args:
        name: The metric's name, or a glob in which `*` and `?` match any characters. Exact names win over globs.
        step_metric: The logged key that is the x axis of these metrics.
        summary: Which value stands for the whole run in tables: "last" (the default), "min", "max", "mean", "best"
            (which follows `goal`) or "none".
        goal: "minimize" or "maximize".

    Raises:
        NoRun: There is no current run.
        ValueError: `name` is empty, or `summary` or `goal` is not one of these words.
    """
    _require().define_metric(name, step_metric, summary, goal)


def save(
    glob_or_path: str | os.PathLike[str] | None = None,
    base_path: str | os.PathLike[str] | None = None,
    policy: SavePolicy = "now",
) -> list[str]:
    """Save files with the current run, and return the names of those that exist now.

        tracker.save("checkpoints/best.pt")

    Args:
        glob_or_path: A file or a glob; `~` is expanded. Without it nothing is saved.
        base_path: The directory that names are relative to; by default the working directory.
        policy: "now" keeps the files as they are, "end" as they are when the run ends, "live" a version after each
            change; see `Run.save`.

    Returns:
        The names of the files in the run.

    Raises:
        NoRun: There is no current run.
        ValueError: `policy` is not one of these words.
    """
    return _require().save(glob_or_path, base_path, policy)


def restore(name: str, run_path: str | None = None, root: str | os.PathLike[str] = ".", replace: bool = False) -> Path:
    """Fetch one saved file of a run and return its path.

        path = tracker.restore("checkpoints/best.pt", run_path="me/digits/k3v9x2m1")

    Files of the current run come from its directory if they are there, or else from the server. A file that exists
    already is left alone if it has the same content.

    Args:
        name: The file's name in the run.
        run_path: `entity/project/id`; by default the current run.
        root: The directory to write to.
        replace: Whether to replace another file of that name.

    Returns:
        The path of the file, under `root`.

    Raises:
        NoRun: There is no current run, and no `run_path`.
        KeyError: The run has no such file; the message lists those it has.
        FileExistsError: Another file of that name exists, and `replace` is False.
        ServerError: The server refused, or did not answer (`Unreachable`).
    """
    from .api.saved_file import fetch

    run = _require() if run_path is None else None
    return fetch(name, run_path, run, root, replace)


def alert(title: str, text: str = "", level: AlertLevel = "info") -> None:
    """Send an alert: it is stored with the current run and forwarded to the server's webhook, if one is configured.

        tracker.alert("Loss is NaN", level="error")

    Repeats of a title within `alert_interval` seconds are dropped.

    Args:
        title: At most 200 characters.
        text: At most 2,000 characters.
        level: "info", "warn" or "error".

    Raises:
        NoRun: There is no current run.
        ValueError: `level` is not one of these words.
    """
    _require().alert(title, text, level)


def watch(model: Any, log: WatchKind = "gradients", log_freq: int = 100) -> None:
    """Log histograms of a torch model's gradients, parameters or both while it trains.

        tracker.watch(model, log="all", log_freq=500)

    Args:
        model: A torch module.
        log: "gradients", "parameters" or "all".
        log_freq: How many backward passes lie between two histograms.

    Raises:
        NoRun: There is no current run.
        TypeError: `model` is not a torch module.
        ValueError: `log` is not one of these words, or `log_freq` is less than 1.
    """
    _require().watch(model, log, log_freq)


def unwatch(model: Any = None) -> None:
    """Stop logging histograms of `model`, or of all watched models. Raises `NoRun` if there is no current run."""
    _require().unwatch(model)


def log_code(root: str | os.PathLike[str] = ".", globs: Iterable[str] = ("*.py",)) -> None:
    """Save source files with the current run; see `Run.log_code`.

    Args:
        root: The directory to search.
        globs: Patterns that a file's name, or its path from `root`, has to match; `*` matches any characters.

    Raises:
        NoRun: There is no current run.
        TypeError: `globs` is a string.
    """
    _require().log_code(root, globs)


def finish(exit_code: int | None = None) -> None:
    """End the current run; see `Run.finish`. Without a current run it does nothing.

    Args:
        exit_code: 0 ends the run as `finished`, another one as `failed`.
    """
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
