"""What an agent lets the processes of its run know, in a file beside its lock: a JSON object.

The file's time moves on as the upload does.
"""

from __future__ import annotations

import json
import os
from typing import Any, NamedTuple

from tracker.runlog.directory import lock_path, process_start
from tracker.runlog.safe_open import open_file

_LONGEST = 1 << 14  # bytes


class Status(NamedTuple):
    """How far an agent is.

    `pid`, `start`: its process (see `process_start`). `moved`: when it last got somewhere, in nanoseconds of the file
    system's clock. `trouble`: why nothing can be uploaded now, None if that is not so. `left`: why something stays
    behind for good. `done`: whether the server has all that it will take.
    """

    pid: int
    start: int | None
    moved: int
    trouble: str | None
    left: str | None
    done: bool


class StatusFile:
    """The agent's side. Never raises for the disk."""

    def __init__(self, directory: str) -> None:
        """The agent holds the lock of `directory`."""
        self._directory = directory
        self._said: dict[str, Any] = {}
        pid = os.getpid()
        self._who = {"pid": pid, "start": process_start(pid)}

    def tell(self, trouble: str | None, left: str | None = None, done: bool = False) -> None:
        """Replace what is said, if it is another."""
        said = {**self._who, "trouble": _short(trouble), "left": _short(left), "done": done}
        if said == self._said:
            return
        self._said = said
        try:
            fd = open_file(self._directory, _name(self._directory), os.O_RDWR | os.O_CREAT)
            with open(fd, "r+b") as file:
                about = os.fstat(fd)
                if about.st_nlink == 1 and about.st_size <= _LONGEST:  # else it was not made here
                    file.write(json.dumps(said).encode())
                    file.truncate()
        except OSError:
            pass  # a disk that is full: then nobody knows better

    def move(self) -> None:
        """Let it be seen that the upload advances."""
        try:
            os.utime(os.path.join(self._directory, _name(self._directory)), follow_symlinks=False)
        except OSError:
            pass


def read_status(directory: str) -> Status | None:
    """Return what the agent of this machine says, or said last, of a run directory; None if there is nothing."""
    try:
        with open(open_file(directory, _name(directory)), "rb") as file:
            text, moved = file.read(_LONGEST), os.fstat(file.fileno()).st_mtime_ns
        said = json.loads(text)
        pid, start = said["pid"], said["start"]
        trouble, left = (said[name] and str(said[name]) for name in ("trouble", "left"))
        return Status(int(pid), start if isinstance(start, int) else None, moved, trouble, left, said["done"] is True)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _name(directory: str) -> str:
    return os.path.basename(lock_path(directory)).removesuffix(".lock") + ".status"


def _short(text: str | None) -> str | None:
    return text and text[:1000]
