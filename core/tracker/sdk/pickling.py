"""Copies of runs: a copy is the same run, and what is unpickled in another process joins it.

A pickle holds what the run is called and where it is, never a key. Nothing is written until something is logged, so
that a checkpoint which holds a run can be loaded anywhere.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from tracker.errors import NotARun, SettingsError, warn_once
from tracker.names import is_project_name, random_id
from tracker.runlog.reader import read_header
from tracker.runlog.records import RUN_ID
from tracker.settings import SETTINGS, Settings

from .after_fork import renew_in_child

if TYPE_CHECKING:
    from .run import Run

_runs: WeakValueDictionary[str, Shared] = WeakValueDictionary()
"""Those of this process that were pickled or unpickled, by the mark in their pickles."""

_lock = threading.RLock()

renew_in_child(lambda: globals().update(_lock=threading.RLock()))  # a thread of the parent may hold it


class Shared:
    """What is the same object wherever it is copied to."""

    _mark: str | None = None

    def __copy__(self) -> Any:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return unpickle, (_ticket(self),)


def _ticket(run: Any) -> dict[str, Any]:
    """Return what another process needs to join a run; without a key."""
    with _lock:
        run._mark = run._mark or random_id(20)
        _runs[run._mark] = run
    names = ("id", "entity", "project", "name", "group", "job_type", "tags", "notes", "color", "mode", "step")
    about = {name: getattr(run, name) for name in names}
    return {
        **about,
        "mark": run._mark,
        "directory": run.dir,
        "stream": run._stream.name,
        "config": run.config.as_dict(),
    }


def unpickle(ticket: dict[str, Any]) -> Shared:
    """Return the run that a pickle is of: the very object if it is in this process, else one that joins it.

    Where the run is not at hand it is one that keeps nothing, with one warning. It never raises, and trusts nothing
    in the ticket: it may have come from someone else.
    """
    ticket = ticket if isinstance(ticket, dict) else {}
    mark = ticket.get("mark")
    mark = mark if isinstance(mark, str) and mark else random_id(20)
    with _lock:
        run = _runs.get(mark)
        if run is None:
            run = _runs[mark] = _join(ticket)
            run._mark = mark
        return run


def _join(ticket: Mapping[str, Any]) -> Run:
    from .disabled_run import DisabledRun
    from .exit.hooks import adopt
    from .joined_run import JoinedRun

    if ticket.get("mode") == "disabled":
        return DisabledRun(_defaults(ticket))
    try:
        directory = _directory(ticket)
        settings = Settings(
            {
                **{name: ticket.get(name) for name in ("id", "entity", "project")},
                "name": ticket.get("id"),  # what it is called is in the ticket, and no setting of this process
                "dir": str(directory.parents[2]),
                "mode": "offline" if ticket.get("mode") == "offline" else None,
                "console": "off",
            }
        )
    except (NotARun, SettingsError, OSError) as error:
        warn_once(f"a run that was unpickled keeps nothing here: {error}", "unpickled run")
        return DisabledRun(_defaults(ticket))
    if settings.mode == "disabled":
        return DisabledRun(settings)
    run = JoinedRun(settings, str(directory), ticket)
    adopt(run)
    return run


def _directory(ticket: Mapping[str, Any]) -> Path:
    """Return the run directory that a ticket names. Raises `NotARun` if it is not this user's own and of that run."""
    directory = Path(str(ticket.get("directory")))
    if not directory.is_absolute() or ".." in directory.parts or directory.parts[-3:-1] != (".tracker", "runs"):
        raise NotARun(f"{directory} is no run directory")
    if not os.path.isdir(directory) or directory.is_symlink():
        raise NotARun(f"{directory} is not on this machine")
    if directory.stat().st_uid != os.geteuid():
        raise NotARun(f"{directory} belongs to another user")
    header = read_header(directory)
    if any(header.get(name) != ticket.get(name) for name in ("id", "entity", "project")):
        raise NotARun(f"{directory} holds another run")
    return directory


def _defaults(ticket: Mapping[str, Any]) -> Settings:
    """Return settings for a run that keeps nothing, whatever this process's own ones are."""
    settings = object.__new__(Settings)
    for setting in SETTINGS:
        setattr(settings, setting.name, setting.default)
    settings.mode, settings.sources = "disabled", {}
    named = {name: ticket.get(name) for name in ("id", "entity", "project", "name")}
    settings.id = named["id"] if isinstance(named["id"], str) and RUN_ID.fullmatch(named["id"]) else None
    settings.name = named["name"] if isinstance(named["name"], str) else None
    entity, project = (named[name] for name in ("entity", "project"))
    settings.entity = entity if isinstance(entity, str) and is_project_name(entity) else "default"
    settings.project = project if isinstance(project, str) and is_project_name(project) else settings.project
    return settings
