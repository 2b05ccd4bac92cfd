"""Tell the processes of a run how far its agent is, in a file of JSON beside the agent's lock.

The modification time of the file advances with the upload.
"""

from __future__ import annotations

import json
import os
from typing import Any, NamedTuple

from tracker.runlog.directory import lock_path, process_start
from tracker.runlog.safe_open import open_file

_LONGEST = 1 << 14  # bytes


class Status(NamedTuple):
    """How far an agent is."""

    pid: int
    start: int | None
    """The `process_start` of the agent."""
    moved: int
    """When the upload last advanced, in nanoseconds of the file system's clock."""
    trouble: str | None
    """Why nothing can be uploaded at the moment; None if uploads work."""
    refusal: str | None
    """Why something will never be uploaded; None if everything will."""
    done: bool
    """Whether the server has everything that it will accept."""


class StatusFile:
    """Write the status, as the agent. Errors of the disk never raise."""

    def __init__(self, directory: str) -> None:
        """Write the status of the run in `directory`, whose lock the agent holds."""
        self._directory = directory
        self._written: dict[str, Any] = {}
        pid = os.getpid()
        self._agent = {"pid": pid, "start": process_start(pid)}

    def write(self, trouble: str | None, refusal: str | None = None, done: bool = False) -> None:
        """Write the status if it has changed; see `Status`."""
        members = {**self._agent, "trouble": _short(trouble), "refusal": _short(refusal), "done": done}
        if members == self._written:
            return
        self._written = members
        try:
            fd = open_file(self._directory, _name(self._directory), os.O_RDWR | os.O_CREAT)
            with open(fd, "r+b") as file:
                about = os.fstat(fd)
                if about.st_nlink == 1 and about.st_size <= _LONGEST:  # otherwise no agent made it
                    file.write(json.dumps(members).encode())
                    file.truncate()
        except OSError:
            pass  # the disk is full, say: the former status stays

    def move(self) -> None:
        """Show that the upload has advanced."""
        try:
            os.utime(os.path.join(self._directory, _name(self._directory)), follow_symlinks=False)
        except OSError:
            pass


def read_status(directory: str) -> Status | None:
    """Return the latest status that the agent of this machine wrote for a run directory; None if there is none."""
    try:
        with open(open_file(directory, _name(directory)), "rb") as file:
            text, moved = file.read(_LONGEST), os.fstat(file.fileno()).st_mtime_ns
        members = json.loads(text)
        pid, start, done = members["pid"], members["start"], members["done"] is True
        trouble, refusal = (members[name] and str(members[name]) for name in ("trouble", "refusal"))
        return Status(int(pid), start if isinstance(start, int) else None, moved, trouble, refusal, done)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _name(directory: str) -> str:
    return os.path.basename(lock_path(directory)).removesuffix(".lock") + ".status"


def _short(text: str | None) -> str | None:
    return text and text[:1000]
