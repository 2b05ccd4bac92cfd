"""What an agent lets the processes of its run know, in the file on which it holds its lock.

Its first line is the agent's pid, the second one a JSON object. The file's time moves on as the upload does.
"""

from __future__ import annotations

import json
import os
from typing import Any, NamedTuple

from .runlog.directory import lock_path, process_start


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

    def __init__(self, lock: int) -> None:
        """`lock`: what `lock_directory` returned."""
        self._lock = lock
        self._said: dict[str, Any] = {}
        pid = os.getpid()
        self._who = {"pid": pid, "start": process_start(pid)}

    def tell(self, trouble: str | None, left: str | None = None, done: bool = False) -> None:
        """Replace what is said, if it is another."""
        said = {**self._who, "trouble": trouble, "left": left, "done": done}
        if said == self._said:
            return
        self._said = said
        text = b"%d\n%b\n" % (os.getpid(), json.dumps(said).encode())
        try:
            os.pwrite(self._lock, text, 0)
            os.ftruncate(self._lock, len(text))
        except OSError:
            pass  # a disk that is full: then nobody knows better

    def move(self) -> None:
        """Let it be seen that the upload advances."""
        try:
            os.utime(self._lock)
        except OSError:
            pass


def read_status(directory: str) -> Status | None:
    """Return what the agent of this machine says, or said last, of a run directory; None if there is nothing."""
    try:
        with open(lock_path(directory), "rb") as file:
            text, moved = file.read(65536), os.fstat(file.fileno()).st_mtime_ns
        said = json.loads(text.split(b"\n")[1])
        pid, start = said["pid"], said["start"]
        trouble, left = (said[name] and str(said[name]) for name in ("trouble", "left"))
        return Status(int(pid), start if isinstance(start, int) else None, moved, trouble, left, said["done"] is True)
    except (OSError, ValueError, KeyError, IndexError, TypeError):
        return None
