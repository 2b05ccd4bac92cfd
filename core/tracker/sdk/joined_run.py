"""A run as a process has it that was handed it in a pickle."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tracker.discovery import resolve
from tracker.errors import warn_once
from tracker.runlog.directory import agent_alive
from tracker.runlog.records import STREAM_NAME
from tracker.settings import Settings

from .run import Run

_MEMBERS = ("name", "group", "job_type", "tags", "notes", "color")


class JoinedRun(Run):
    """Logs to the run of another process, in a stream of its own that is opened with the first record.

    Such a stream never decides the run's state, and ending it does not end the run.
    """

    def __init__(self, settings: Settings, directory: str, ticket: Mapping[str, Any]) -> None:
        """`ticket`: what `pickling` keeps of the run in the other process."""
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
        return {name: self._members[name] for name in ("id", "entity", "project")}  # the rest may have changed there

    def _append_first(self, line: bytes) -> None:
        self._stream.open()
        if not self._stream.kept:
            warn_once(f"{self._directory} is gone; what is logged to this copy of run {self.name} is dropped")
        elif not agent_alive(self._directory):
            self._companions.supervisor.start()
        self._stream.append(line)

    def _check(self, now: int) -> None:
        super()._check(now)
        self._companions.check(agent=self._stream.kept)

    def _end(self, end: dict[str, Any]) -> None:
        """End what this process logs; the run itself ends where it began."""
        if self._stream.kept:
            super()._end(end)
        else:
            self.finished = True
            self._stream.append = self._after_finish
