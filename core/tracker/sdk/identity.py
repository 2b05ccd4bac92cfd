"""Identify and describe a run: its id, name, tags and paths."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from typing import Any

from tracker.runlog.records import COLOR
from tracker.settings import Settings

from .values.foreign_objects import key_text


class RunIdentity(ABC):
    """The members that identify and describe a run. An assignment is written at once."""

    _settings: Settings
    _directory: str
    _started: float
    _members: dict[str, Any]
    _lock: threading.RLock

    @abstractmethod
    def _write(self, kind: str, payload: Any, step: int | None = None) -> None:
        """Append one record."""

    @property
    def id(self) -> str:
        """The run's id, unique in its project."""
        return str(self._members["id"])

    @property
    def entity(self) -> str:
        """The user or team that owns the project."""
        return str(self._members["entity"])

    @property
    def project(self) -> str:
        """The project's name."""
        return str(self._members["project"])

    @property
    def path(self) -> str:
        """`entity/project/id`, as `Api().run` takes it."""
        return f"{self.entity}/{self.project}/{self.id}"

    @property
    def dir(self) -> str:
        """The absolute path of the run directory."""
        return self._directory

    @property
    def mode(self) -> str:
        """`online`, `offline` or `disabled`."""
        return self._settings.mode

    @property
    def settings(self) -> Settings:
        """The settings of the run, from all sources."""
        return self._settings

    @property
    def start_time(self) -> float:
        """When this process started the run, as Unix time in seconds."""
        return self._started

    @property
    def url(self) -> str | None:
        """The address of the run's page; None offline, or if no server is known."""
        base = self._settings.base_url
        if self.mode != "online" or base is None:
            return None
        from urllib.parse import quote  # takes 3 ms to import, and most scripts never need it

        return f"{base}/runs/{quote(self.entity)}/{quote(self.project)}/{self.id}"

    @property
    def name(self) -> str:
        """The run's readable name, not necessarily unique. Can be assigned."""
        return str(self._members["name"])

    @name.setter
    def name(self, value: str) -> None:
        self._set_meta("name", key_text(value))

    @property
    def group(self) -> str | None:
        """The group. Can be assigned."""
        return self._optional("group")

    @group.setter
    def group(self, value: str | None) -> None:
        self._set_meta("group", None if value is None else key_text(value))

    @property
    def job_type(self) -> str | None:
        """The job type. Can be assigned."""
        return self._optional("job_type")

    @job_type.setter
    def job_type(self, value: str | None) -> None:
        self._set_meta("job_type", None if value is None else key_text(value))

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags. Can be assigned: `run.tags += ("best",)`."""
        return tuple(self._members["tags"] or ())

    @tags.setter
    def tags(self, value: list[str] | tuple[str, ...]) -> None:
        self._set_meta("tags", [key_text(tag) for tag in ([value] if isinstance(value, str) else value)])

    @property
    def notes(self) -> str | None:
        """A remark. Can be assigned."""
        return self._optional("notes")

    @notes.setter
    def notes(self, value: str | None) -> None:
        self._set_meta("notes", None if value is None else key_text(value))

    @property
    def color(self) -> str | None:
        """The run's color in charts, as `#rrggbb`. Can be assigned; raises ValueError for other texts."""
        return self._optional("color")

    @color.setter
    def color(self, value: str | None) -> None:
        if value is not None and not COLOR.fullmatch(value):
            raise ValueError(f"the color {value!r} must read #rrggbb, such as #d62728")
        self._set_meta("color", value)

    def _optional(self, member: str) -> str | None:
        value = self._members[member]
        return None if value is None else str(value)

    def _set_meta(self, member: str, value: Any) -> None:
        with self._lock:
            self._members[member] = value
            self._write("meta", {member: value})
