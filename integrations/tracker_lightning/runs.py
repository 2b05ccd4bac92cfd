"""Start, continue, join and fail the runs of loggers."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

import tracker
from tracker.settings import SETTINGS

STEP = "trainer/global_step"
"""The key of the step that Lightning gives to a row; the x axis of all metrics."""

_runs: WeakValueDictionary[tuple[str, str], tracker.Run] = WeakValueDictionary()
"""The runs of this process by directory and id, so that copies of a logger share one."""


def ended_run(arguments: dict[str, Any]) -> tracker.Run | None:
    """Return this process's run with these arguments if it has ended, else None."""
    run = _runs.get(_key(arguments))
    return run if run is not None and run.finished else None


def open_run(arguments: dict[str, Any], continues: bool) -> tracker.Run:
    """Return this process's run with these arguments of `tracker.init`, which include `dir` and `id`.

    The run is started, or continued if it has ended. Writes to the ended one then go to the new one. `continues` says
    that the run may have been started before, perhaps by another process.
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
    """Make `open_run` return `run` for these arguments."""
    _runs[_key(arguments)] = run
    run.continued = lambda: open_run(arguments, True)


def join_run(arguments: dict[str, Any]) -> tracker.Run:
    """Join a run that another node has started, without printing anything."""
    settings = {**(arguments.get("settings") or {}), "silent": True}
    own = {"settings": settings, "config": None, "resume": None, "reinit": "create_new"}
    return tracker.init(**arguments | own)


def _key(arguments: dict[str, Any]) -> tuple[str, str]:
    return arguments["dir"], arguments["id"]


def init_arguments(run: tracker.Run) -> dict[str, Any]:
    """Return the arguments of `tracker.init` that let another process join a run."""
    settings = {setting.name: getattr(run.settings, setting.name) for setting in SETTINGS}
    members = {m: getattr(run, m) for m in ("id", "entity", "project", "name", "group", "job_type", "notes", "mode")}
    directory = None if run.mode == "disabled" else str(Path(run.dir).parents[2])
    return {**members, "tags": list(run.tags), "dir": directory, "settings": settings}


def finish_failed(run: tracker.Run, error: BaseException | None) -> None:
    """Finish a run whose training raised `error`: as `killed` after an interrupt, else as `failed`."""
    if isinstance(error, KeyboardInterrupt):
        run.finish(1, state="killed", error=error)
    elif type(error).__name__ == "SIGTERMException":  # Lightning raises it, and the process exits with 0
        run.finish(0, state="killed", error=error)
    elif isinstance(error, SystemExit):
        run.__exit__(type(error), error, error.__traceback__)
    else:
        run.finish(1, error=error)
