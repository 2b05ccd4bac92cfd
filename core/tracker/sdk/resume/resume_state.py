"""Find what a resumed run already has, in its directory or on the server."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from tracker.errors import SettingsError, Unreachable, contained, warn_once
from tracker.runlog.fold import RunState
from tracker.runlog.reader import last_step, read_stream, scan_stream, stream_paths
from tracker.runlog.records import MAX_STEP
from tracker.runlog.stats import Stats, sum_up
from tracker.sdk.agent_launch import run_helper
from tracker.settings import Settings

_KINDS = ("run", "meta", "config", "summary", "metric")

StatsOf = Callable[[bool], dict[str, Stats]]
"""Returns the stats of a run's earlier rows by key; with False, only `last` of each is right."""


class ResumeState(NamedTuple):
    """What a resumed run already has."""

    step: int
    """The step after its last one."""
    fold: RunState
    """Its meta, config, explicit summary values and metric definitions."""
    stats: StatsOf
    ended: tuple[str, ...] = ()
    """Streams of processes that have ended, as the server knows."""


def find(settings: Settings, directory: Path, given: bool) -> ResumeState | None:
    """Return what the run that `settings` resume already has, or None if it is new.

    The server is asked only for a run that is not in this directory and whose id was `given`, for at most
    `resume_timeout` seconds. Raises `SettingsError` if the setting `resume` forbids to continue.
    """
    how, name = settings.resume, f"run {settings.id}"
    if how is None:
        return None
    if os.path.isdir(directory):  # unlike Path.is_dir it never raises
        if how == "never":
            raise SettingsError(f"resume='never': {name} is in {directory.parent} already; choose another id")
        return from_directory(directory)
    if not given:
        return None
    nowhere = f"resume='must': there is no {name} in {directory.parent}"
    if settings.mode != "online" or settings.base_url is None:
        if how == "must":
            why = "mode is offline" if settings.mode != "online" else "no server is known"
            raise SettingsError(f"{nowhere}, and a server is not asked: {why}")
        return None
    try:
        known = from_server(settings, f"{settings.entity}/{settings.project}/{settings.id}")
    except Unreachable as error:
        if how == "must":
            raise SettingsError(f"{nowhere}, and the server cannot be asked: {error}") from None
        consequence = "" if how == "never" else "; its steps begin at 0 here, its config and summary are empty"
        warn_once(f"cannot find out whether {name} is on the server: {error}{consequence}")
        return None
    if known is None and how == "must":
        raise SettingsError(f"{nowhere}, nor on {settings.base_url}")
    if known is not None and how == "never":
        raise SettingsError(f"resume='never': {name} is on {settings.base_url} already; choose another id")
    return known


def from_directory(directory: Path) -> ResumeState:
    """Return what a run has in its directory. Rows are read only on demand."""
    step, fold, history = 0, RunState(), []
    for path in stream_paths(directory):
        if path.name.startswith("history"):
            history.append(path)
            last = last_step(path)
            step = max(step, min(last + 1, MAX_STEP)) if last is not None else step
        for record in scan_stream(path, _KINDS):
            fold.apply(path.name, record)
    return ResumeState(step, fold, lambda whole: _stats(history, whole))


def from_server(settings: Settings, run: str) -> ResumeState | None:
    """Return what a run (`entity/project/id`) has on the server; None if it is not there.

    Raises `Unreachable` if the server does not answer within `resume_timeout` seconds.
    """
    answer = ask(settings, "resumption", run, timeout=settings.resume_timeout)
    if answer is None:
        return None
    try:
        fold = RunState.from_json({"updated": 0.0, **answer})
        step = 0 if answer["step"] is None else max(0, min(int(answer["step"]) + 1, MAX_STEP))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Unreachable(f"{settings.base_url} sent an unreadable response: {error!r}") from None
    ended = answer.get("ended")
    names = tuple(n for n in ended if isinstance(n, str)) if isinstance(ended, list) else ()
    return ResumeState(step, fold, lambda _whole: fold.stats, names)


def ask(settings: Settings, *arguments: str, timeout: float | None) -> dict[str, Any] | None:
    """Return what a helper (`tracker.api.init_helper`) learns from the server; None if the run is not there.

    The helper is a process of its own: it ends in time whatever the network does, and training needs no HTTP client.
    Raises `Unreachable`.
    """
    done = run_helper("tracker.api.init_helper", arguments, settings.environment(), timeout)
    try:
        answer: dict[str, Any] = json.loads(done)
    except ValueError:
        raise Unreachable(f"no answer from {settings.base_url} within {timeout} seconds") from None
    if "error" in answer:
        raise Unreachable(answer["error"])
    found: dict[str, Any] | None = answer["found"]
    return found


def _stats(paths: list[Path], whole: bool) -> dict[str, Stats]:
    found: dict[str, Stats] = {}
    with contained("reading the earlier rows of the run"):
        for path in paths:
            for parsed in read_stream(path):
                sum_up(found, parsed.records, whole)
    return found
