"""The layout of a run directory, and who writes in it."""

from __future__ import annotations

import fcntl
import os
import re
from typing import Any

from tracker.names import random_id

LOCK = "agent.lock"
"""An agent holds a lock (flock) on this file for as long as it serves the directory."""
LOG = "agent.log"
KEPT_PATH = re.compile(r"files/[A-Za-z0-9_-]+")
"""Paths in records. A directory that came from someone else must not name files outside itself."""
NOTICE = b" NOTICE "
"""Marks the lines of the agent's log that the user should see."""


def lock_directory(directory: str) -> int | None:
    """Become the one agent of the directory on this machine; None if there is one. Raises OSError if the disk does
    not let us.

    The lock ends with `unlock_directory` or the process, however that ends.
    """
    fd = os.open(os.path.join(directory, LOCK), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(fd)
        return None
    os.ftruncate(fd, 0)
    os.write(fd, b"%d\n" % os.getpid())  # for people, and for `agent_came`
    return fd


def unlock_directory(lock: int) -> None:
    """Let go of what `lock_directory` returned."""
    os.close(lock)


def agent_alive(directory: str) -> bool:
    """Tell whether some agent on this machine serves the directory."""
    try:
        fd = os.open(os.path.join(directory, LOCK), os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(fd)
    return False


def agent_came(directory: str, since: float) -> bool:
    """Tell whether some agent has taken up the directory since a Unix time, whether or not it still lives."""
    try:
        status = os.stat(os.path.join(directory, LOCK))
    except OSError:
        return False
    return status.st_size > 0 and status.st_mtime >= since - 0.1  # file times come from a coarser clock


def new_stream(directory: str, kind: str) -> str:
    """Return the path of a new stream, named so that no other of the run has its name."""
    return os.path.join(directory, f"{kind}-{random_id(10)}.jsonl")


def this_process() -> dict[str, Any]:
    """Return the members of a stream's header that identify its writer."""
    pid = os.getpid()
    return {"host": os.uname().nodename, "pid": pid, "pid_start": process_start(pid)}


def process_start(pid: int) -> int | None:
    """Return when a process started, in clock ticks since boot (proc(5), field 22): with the pid, its identity.

    None where there is no such process or no /proc.
    """
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return int(file.read().rpartition(b")")[2].split()[19])
    except (OSError, ValueError, IndexError):
        return None
