"""Note the TensorBoard event files that this process writes, so that its agent follows them.

The libraries that write them are not changed. Python reports the files that it opens (`sys.addaudithook`, added for the
first run that needs it). Native code such as TensorFlow opens files without a report: the agent sees them from outside,
and this process looks for them at the end of the run.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import Any

from tracker.agent_protocol.event_files import being_written, is_event_file, made_since, path_seal, since_seal
from tracker.errors import contained, warn_once
from tracker.machine.paths import absolute

from .program_event_files import ProgramEventFiles

_NEEDED = ("google_crc32c", "numpy", "tensorboard")
_WRITING = os.O_WRONLY | os.O_RDWR

_noting: list[EventFiles] = []
"""One for each run that follows event files; a new file belongs to the last one."""
_noted: set[str] = set()
"""Event files that belong to a run of this process."""
_hooked = False


class EventFiles:
    """Notes in the run's log which event files this process writes between `start` and `stop`, each once."""

    def __init__(self, run_id: str, write: Callable[[str, Any], Any], program: ProgramEventFiles | None = None) -> None:
        """`write` appends a record to the run's log. `program` finds the event files of a program that this process
        runs, as under `tracker run`.
        """
        self._run_id = run_id
        self._write = write
        self._program = program
        self._since = 0.0

    def start(self) -> None:
        """Start, and ask the agent to look as well. Files left open by an earlier run of this process do not count."""
        global _hooked
        _warn_if_missing()
        self._since = round(time.time(), 3) if _hooked else 0.0
        try:
            self._write("event_file", {"since": self._since, "seal": since_seal(self._run_id, self._since)})
        except OSError as error:
            warn_once(
                f"event files are not followed: the key that identifies you to the agent cannot be stored ({error})"
            )
            return
        _noting.append(self)
        if not _hooked:
            _hooked = True
            sys.addaudithook(_hook)

    def look(self) -> None:
        """Note the event files that the child program has open. Called often."""
        for path in self._program.open_now() if self._program is not None and self in _noting else ():
            self.note(path)

    def stop(self) -> None:
        """Note the open event files that Python did not report, and stop. Safe to repeat."""
        if self in _noting:
            for path in self._program.left_behind() if self._program is not None else ():
                self.note(path)
            for path in being_written(os.getpid()):
                self.note(path)
            _noting.remove(self)

    def check(self) -> None:
        """Do nothing: `look` does the work."""

    def after_fork(self) -> None:
        """Do nothing: what a forked child opens is seen by its own hook."""

    def note(self, path: str) -> None:
        """Note an event file by its real path, unless it is noted already or older than the run."""
        if path not in _noted and made_since(path, self._since):
            _noted.add(path)
            self._write("event_file", {"path": path, "seal": path_seal(self._run_id, path)})


def _warn_if_missing() -> None:
    from importlib.util import find_spec

    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        warn_once(
            f"sync_tensorboard needs packages that are not installed ({', '.join(missing)}): "
            "pip install 'tracker-runs[tensorboard]', and `tracker sync` adds the values later"
        )


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    # Python calls this for every audited event until the process ends: it must be fast and never raise.
    if event == "open" and _noting:
        _opened(arguments)


def _opened(arguments: tuple[Any, ...]) -> None:
    try:
        path, _, flags = arguments
        if not flags & _WRITING or not isinstance(path, (str, bytes, os.PathLike)):
            return
        name = os.fsdecode(path)
    except (TypeError, ValueError):  # any code may raise an event of this name
        return
    with contained("noting an event file"):
        if is_event_file(name):
            _noting[-1].note(os.path.realpath(absolute(name)))
