"""Decide what `init` returns while a run is active: that run, or another one. Arguments without effect are reported."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tracker.errors import warn_once
from tracker.machine.paths import absolute
from tracker.runlog.records import jsonable
from tracker.settings import SETTINGS, Settings

from .config import Config
from .run import Run
from .values.config_values import Members, to_config

_NAMING = ("id", "entity", "project", "name", "group", "job_type", "dir", "mode")
"""Settings that say which run is meant."""


def is_named(run: Run, settings: Settings) -> bool:
    """Tell whether the settings name this run by its id."""
    if settings.id is None or settings.id != run.id:
        return False
    return all(not _given(run, settings, name) or _fits(run, settings, name) for name in ("entity", "project", "dir"))


def others(run: Run, settings: Settings, members: Mapping[str, Any]) -> list[str]:
    """Return the names of settings and config members that show that another run is meant.

    These are arguments, and variables that were set since the run began, with another value than the run has.
    """
    found = [name for name in _NAMING if _given(run, settings, name) and not _fits(run, settings, name)]
    return found + [f"config.{name}" for name in differing(run.config, members)]


def differing(config: Config, members: Mapping[str, Any]) -> list[str]:
    """Return the names of those `members` that the config has with another value."""
    return [name for name, value in members.items() if name in config and jsonable(to_config(config[name])) != value]


def take_up(run: Run, settings: Settings, members: Members) -> Run:
    """Add the config members that the active run lacks, warn of arguments without effect, and return the run."""
    ignored = others(run, settings, members.values)
    rest = [s.name for s in SETTINGS if s.name not in (*_NAMING, "reinit")]
    ignored += [name for name in rest if settings.sources[name] == "argument" and not _fits(run, settings, name)]
    if ignored:
        warn_once(
            f"tracker.init() returned run {run.name}, which is active; {', '.join(ignored)} had no effect "
            "(finish() it first, or pass reinit='create_new')"
        )
    run.config._take(members.without(run.config))
    return run


def warn_still_open(run: Run, others: list[str]) -> None:
    """Warn that a run stays open while another one starts."""
    warn_once(
        f"run {run.name} is still open and stays so; tracker.init() starts another run, since it names another "
        f"{', '.join(others)}. To end the open one first, call its finish() or pass reinit='finish_previous'",
        "beside",
    )


def _given(run: Run, settings: Settings, name: str) -> bool:
    source = settings.sources[name]
    return source == "argument" or (source.startswith("variable") and run.settings.sources.get(name) != "argument")


def _fits(run: Run, settings: Settings, name: str) -> bool:
    value = getattr(settings, name)
    if name == "dir":
        return absolute(value) == (run.dir if run.mode == "disabled" else str(Path(run.dir).parents[2]))
    now = getattr(run, name, None)
    return value in (getattr(run.settings, name), list(now) if isinstance(now, tuple) else now)
