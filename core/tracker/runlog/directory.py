"""Name and lock the files of a run directory, and identify the processes that write there."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
from collections.abc import Iterable
from typing import Any

from tracker.random_names import random_id

from .locks import is_taken, take
from .safe_open import Unsafe, is_regular, open_file, remove, rename, write_new

LOG = "agent.log"
AUTO = "auto-resume"
"""The file that marks a run for `resume="auto"`; see `sdk/resume/auto_resume.py`."""
JOIN = "TRACKER_RUN_DIR"
"""The variable in which `tracker run` passes its run directory to the program that it starts."""
KEPT_PATH = re.compile(r"files/[A-Za-z0-9_-]+")
"""Paths that records may name. A directory from someone else must not name files outside itself."""
_LOCK_SIZE = 64  # the most bytes of an agent's lock file
_REBUILT = "_rebuilt"
NOTICE = b" NOTICE "
"""Marks the lines of the agent's log that the user should see."""


def lock_path(directory: str) -> str:
    """Return the file that the agent of this machine keeps locked (flock) while it serves the directory.

    Each machine has a file of its own: many network file systems share locks, and each node of a run needs an agent.
    """
    return os.path.join(directory, lock_name())


def lock_name() -> str:
    """Return the name of the file that `lock_path` returns."""
    return f"agent-{os.uname().nodename.replace('/', '_')}.lock"


def lock_directory(directory: str) -> int | None:
    """Become the only agent of the directory on this machine.

    Returns the lock, which ends with `unlock_directory` or with the process; None if another agent holds it. Raises
    OSError if the disk refuses.
    """
    fd = open_file(directory, lock_name(), os.O_RDWR | os.O_CREAT)
    about = os.fstat(fd)
    if about.st_nlink > 1 or about.st_size > _LOCK_SIZE:  # no agent made it: it must not be overwritten
        os.close(fd)
        raise Unsafe(errno.ELOOP, "it is not the lock of an agent", lock_name())
    try:
        lock = take(fd)
        if lock is None:
            os.utime(fd)  # tells the process that started this agent that there is one; see `agent_came`
            os.close(fd)
            return None
    except OSError:
        os.close(fd)
        raise
    _note_pid(directory)
    return lock


def _note_pid(directory: str) -> None:
    """Write the pid of the holder into the lock's file, for people and for `agent_came`."""
    with contextlib.suppress(OSError), open(open_file(directory, lock_name(), os.O_RDWR), "r+b") as file:
        file.truncate(0)
        file.write(b"%d\n" % os.getpid())


def unlock_directory(lock: int) -> None:
    """Release the lock that `lock_directory` returned."""
    os.close(lock)


def agent_alive(directory: str) -> bool:
    """Tell whether an agent on this machine serves the directory."""
    try:
        fd = open_file(directory, lock_name())
    except OSError:
        return False
    try:
        return is_taken(fd)
    finally:
        os.close(fd)


def agent_came(directory: str, since: float) -> bool:
    """Tell whether an agent has begun to serve the directory since a Unix time, even if it has ended."""
    try:
        status = os.lstat(lock_path(directory))
    except OSError:
        return False
    return status.st_size > 0 and status.st_mtime >= since - 0.1  # file times come from a coarser clock


def new_stream(directory: str, kind: str) -> str:
    """Return the path of a new stream, with a name that no other stream of the run has."""
    return os.path.join(directory, f"{kind}-{random_id(10)}.jsonl")


def copy_name(stream: str) -> str:
    """Return the name of a stream that was rebuilt from a server, whose bytes differ from the original's."""
    kind, _, suffix = stream.removesuffix(".jsonl").partition("-")
    if len(suffix) > 40:
        suffix = hashlib.sha256(suffix.encode()).hexdigest()[:40]
    return f"{kind}-{suffix}{_REBUILT}.jsonl"


def is_copy(stream: str) -> bool:
    """Tell whether a stream was rebuilt; see `copy_name`."""
    return stream.endswith(f"{_REBUILT}.jsonl")


def copied(stream: str, others: Iterable[str]) -> bool:
    """Tell whether a stream was rebuilt, and `others` has the original."""
    suffix = stream.partition("-")[2]
    return is_copy(stream) and any(copy_name(other).partition("-")[2] == suffix for other in others)


def lock_stream(path: str) -> int | None:
    """Lock a stream, so that agents know that more lines will come.

    The lock ends when the returned descriptor is closed or the process ends. Returns None if the file system has no
    locks. Raises OSError if the file cannot be opened.
    """
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    lock = take(fd)
    if lock is None:
        os.close(fd)
    return lock


def store(directory: str, content: bytes) -> str:
    """Write content to `files/<sha256>` of the run directory, unless it exists; return the digest. Raises OSError."""
    digest = hashlib.sha256(content).hexdigest()
    if not is_regular(directory, f"files/{digest}"):
        part = f"files/{digest}.{random_id()}"
        try:
            write_new(directory, part, content)
            rename(directory, part, digest)  # readers never see half a file
        except OSError:
            with contextlib.suppress(OSError):
                remove(directory, part)  # a full disk must not keep half a file
            raise
    return digest


def this_process() -> dict[str, Any]:
    """Return the members of a stream's header that identify its writer."""
    pid = os.getpid()
    return {"host": os.uname().nodename, "pid": pid, "pid_start": process_start(pid)}


def this_boot() -> tuple[str, str]:
    """Return the identity of the machine's boot, and of its pid namespace; "" if the system does not say."""
    try:
        with open("/proc/sys/kernel/random/boot_id") as file:
            boot = file.read().strip()
        return boot, os.readlink("/proc/self/ns/pid")
    except OSError:
        return "", ""


def process_start(pid: int) -> int | None:
    """Return when a process started, in clock ticks since boot (proc(5), field 22); the pid and this identify it.

    None if there is no such process or no /proc.
    """
    fields = stat_fields(pid)
    try:
        return int(fields[19])
    except (ValueError, IndexError):
        return None


def is_alive(pid: int, start: int | None) -> bool:
    """Tell whether a process of this machine lives. `start` is its `process_start`. Zombies count as ended."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass  # it lives, but this process may not signal it
    return start in (None, process_start(pid)) and stat_fields(pid)[:1] not in ([b"Z"], [b"X"])


def stat_fields(pid: int) -> list[bytes]:
    """Return the fields of /proc/PID/stat from the state on; [] if there is no such process."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()
    except OSError:
        return []
