"""Log to the run of another process, in a process that unpickled the run."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tracker.discovery import resolve
from tracker.errors import NotARun, SettingsError, warn_once
from tracker.names import is_project_name
from tracker.runlog.reader import read_header
from tracker.runlog.records import RUN_ID, STREAM_NAME
from tracker.settings import SETTINGS, Settings

from .disabled_run import DisabledRun
from .exit_hooks import adopt
from .run import Run

_MEMBERS = ("name", "group", "job_type", "tags", "notes", "color")


class JoinedRun(Run):
    """Logs to the run of another process, in a stream of its own that is opened with the first record.

    Such a stream never decides the run's state, and ending it does not end the run.
    """

    def __init__(self, settings: Settings, directory: str, ticket: Mapping[str, Any]) -> None:
        """`ticket`: what `pickling` stores of the run."""
        if settings.mode == "online":
            settings.base_url, settings.api_key = resolve(settings.base_url, settings.api_key)
        super().__init__(settings, directory, joined=True)
        self._members.update({name: ticket[name] for name in _MEMBERS if name in ticket})
        step, config = ticket.get("step"), ticket.get("config")
        self._step = step if isinstance(step, int) else 0
        self.config._start_with(config if isinstance(config, dict) else {})
        stream = str(ticket.get("stream"))
        self._stream.parent = stream if STREAM_NAME.fullmatch(stream) else "history.jsonl"
        self._stream.append = self._append_first

    def _header_members(self) -> dict[str, Any]:
        return {name: self._members[name] for name in ("id", "entity", "project")}  # the rest may have changed

    def _append_first(self, line: bytes) -> None:
        self._stream.open()
        if not self._stream.kept:
            warn_once(f"{self._directory} is gone; what is logged to this copy of run {self.name} is dropped")
        else:
            self._companions.supervisor.start()  # a working agent may have looked for new streams for the last time
        self._stream.append(line)

    def _check(self, now: int) -> None:
        super()._check(now)
        self._companions.check(agent=self._stream.kept)

    def _end(self, end: dict[str, Any]) -> None:
        """End this process's stream; the run itself ends in the process that began it."""
        if self._stream.kept:
            super()._end(end)
        else:
            self.finished = True
            self._stream.append = self._after_finish


def join(ticket: Mapping[str, Any]) -> Run:
    """Return a run that joins the one in a ticket; if that is impossible, warn and return one that keeps nothing."""
    if ticket.get("mode") == "disabled":
        return DisabledRun(_defaults(ticket))
    try:
        directory = _directory(ticket)
        settings = Settings(
            {
                **{name: ticket.get(name) for name in ("id", "entity", "project")},
                "name": ticket.get("id"),  # no setting of this process counts: the ticket has the name
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
    """Return the run directory that a ticket names. Raises `NotARun` if it is another user's or another run's."""
    directory = Path(str(ticket.get("directory")))
    if not directory.is_absolute() or ".." in directory.parts or directory.parts[-3:-1] != (".tracker", "runs"):
        raise NotARun(f"{directory} is not a run directory")
    if not os.path.isdir(directory) or directory.is_symlink():
        raise NotARun(f"{directory} is not on this machine")
    if directory.stat().st_uid != os.geteuid():
        raise NotARun(f"{directory} belongs to another user")
    header = read_header(directory)
    if any(header.get(name) != ticket.get(name) for name in ("id", "entity", "project")):
        raise NotARun(f"{directory} holds another run")
    return directory


def _defaults(ticket: Mapping[str, Any]) -> Settings:
    """Return default settings, whatever this process's own are, for a run that keeps nothing."""
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
