"""Provide the run of `mode="disabled"`, which keeps nothing."""

from __future__ import annotations

import hashlib
from typing import Any

from tracker.machine.paths import absolute
from tracker.random_names import random_id, random_name
from tracker.settings import Settings

from .run import Run


class DisabledRun(Run):
    """The run of `mode="disabled"`: nothing is written and no process started.

    Config, summary and step behave as in any run, so a script that reads them back works as usual.
    """

    def __init__(self, settings: Settings) -> None:
        settings.id = settings.id or random_id()
        settings.name = settings.name or random_name()
        super().__init__(settings, absolute(settings.dir or "."))
        self._stream.append = self._stream.remember

    def begin(self) -> None:
        """Do nothing."""

    def save(self, glob_or_path: Any = None, base_path: Any = None, policy: Any = "now") -> list[str]:  # noqa: ARG002
        """Do nothing."""
        return []

    def log_code(self, root: Any = ".", globs: Any = ()) -> None:
        """Do nothing."""

    def watch(self, model: Any, log: Any = "gradients", log_freq: int = 100) -> None:
        """Do nothing."""

    def _end(self, end: dict[str, Any]) -> None:  # noqa: ARG002
        """Mark the run as finished, and do nothing else."""
        self.finished = True

    def _store(self, content: bytes) -> str:
        return hashlib.sha256(content).hexdigest()
