"""The runs of loggers: started once in a process, continued by copies and after their end, and failed."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

import tracker
from tracker.settings import SETTINGS

STEP = "trainer/global_step"
"""The key under which each row has the step that Lightning gave it, and the x axis of all metrics."""

_runs: WeakValueDictionary[tuple[str, str], tracker.Run] = WeakValueDictionary()
"""Those of this process, by directory and id: copies of a logger share the run."""


def ended_run(arguments: dict[str, Any]) -> tracker.Run | None:
    """Return the run of this process that has these arguments, if it has ended."""
    run = _runs.get(_key(arguments))
    return run if run is not None and run.finished else None


def open_run(arguments: dict[str, Any], continues: bool) -> tracker.Run:
    """Return the run of this process that has these arguments of `tracker.init`, among them `dir` and `id`.

    It is started or, if it has ended, continued; what is still written to the ended one goes there as well.
    `continues`: it may have been started before, maybe elsewhere.
    """
    run = _runs.get(_key(arguments))
    if run is None or run.finished:
        again = {"resume": "allow", "config": None} if continues else {}
        run = tracker.init(**{"resume": "allow", "reinit": "create_new"} | arguments | again)
        if not run.resumed:
            run.define_metric("*", step_metric=STEP)
        share_run(run, arguments)
    return run


def share_run(run: tracker.Run, arguments: dict[str, Any]) -> None:
    """Let `open_run` return a run for these arguments."""
    _runs[_key(arguments)] = run
    run.continued = lambda: open_run(arguments, True)


def join_run(arguments: dict[str, Any]) -> tracker.Run:
    """Join a run that another node has started, in silence."""
    settings = {**(arguments.get("settings") or {}), "silent": True}
    own = {"settings": settings, "config": None, "resume": None, "reinit": "create_new"}
    return tracker.init(**arguments | own)


def _key(arguments: dict[str, Any]) -> tuple[str, str]:
    return arguments["dir"], arguments["id"]


def init_arguments(run: tracker.Run) -> dict[str, Any]:
    """Return the arguments of `tracker.init` with which another process joins a run."""
    settings = {setting.name: getattr(run.settings, setting.name) for setting in SETTINGS}
    members = {m: getattr(run, m) for m in ("id", "entity", "project", "name", "group", "job_type", "notes", "mode")}
    directory = None if run.mode == "disabled" else str(Path(run.dir).parents[2])
    return {**members, "tags": list(run.tags), "dir": directory, "settings": settings}


def finish_failed(run: tracker.Run, error: BaseException | None) -> None:
    if isinstance(error, KeyboardInterrupt):
        run.finish(1, state="killed", error=error)
    elif type(error).__name__ == "SIGTERMException":  # Lightning's own, with which the process ends well
        run.finish(0, state="killed", error=error)
    elif isinstance(error, SystemExit):
        run.__exit__(type(error), error, error.__traceback__)
    else:
        run.finish(1, error=error)
