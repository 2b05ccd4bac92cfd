"""The layout of a run directory, and who writes in it."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
from collections.abc import Iterable
from typing import Any

from tracker.names import random_id

from .locks import is_taken, take
from .safe_open import Unsafe, is_regular, open_file, remove, rename, write_new

LOG = "agent.log"
AUTO = "auto-resume"
"""The mark of a run that shall be continued until it ends well; see `sdk/resume/auto_resume.py`."""
JOIN = "TRACKER_RUN_DIR"
"""The variable by which `tracker run` tells the programs inside which run directory is theirs, too."""
KEPT_PATH = re.compile(r"files/[A-Za-z0-9_-]+")
"""Paths in records. A directory that came from someone else must not name files outside itself."""
_LOCK_SIZE = 64  # bytes that the lock of an agent has at most
_REBUILT = "_rebuilt"
NOTICE = b" NOTICE "
"""Marks the lines of the agent's log that the user should see."""


def lock_path(directory: str) -> str:
    """Return the file on which the agent of this machine holds a lock (flock) for as long as it serves the directory.

    Each machine has one of its own: many network file systems share their locks, and of a run on several nodes each
    must have an agent.
    """
    return os.path.join(directory, lock_name())


def lock_name() -> str:
    """Return the name of that file."""
    return f"agent-{os.uname().nodename.replace('/', '_')}.lock"


def lock_directory(directory: str) -> int | None:
    """Become the one agent of the directory on this machine; None if there is one. Raises OSError if the disk does
    not let us.

    The lock ends with `unlock_directory` or the process, however that ends.
    """
    fd = open_file(directory, lock_name(), os.O_RDWR | os.O_CREAT)
    about = os.fstat(fd)
    if about.st_nlink > 1 or about.st_size > _LOCK_SIZE:  # not made here: what is in it is somebody's
        os.close(fd)
        raise Unsafe(errno.ELOOP, "it is no lock of an agent", lock_name())
    try:
        lock = take(fd)
        if lock is None:
            os.utime(fd)  # whoever had us started knows by that that there is an agent, see `agent_came`
            os.close(fd)
            return None
    except OSError:
        os.close(fd)
        raise
    _note_pid(directory)
    return lock


def _note_pid(directory: str) -> None:
    """Write into the lock's file who holds it: for people, and for `agent_came`."""
    with contextlib.suppress(OSError), open(open_file(directory, lock_name(), os.O_RDWR), "r+b") as file:
        file.truncate(0)
        file.write(b"%d\n" % os.getpid())


def unlock_directory(lock: int) -> None:
    """Let go of what `lock_directory` returned."""
    os.close(lock)


def agent_alive(directory: str) -> bool:
    """Tell whether some agent on this machine serves the directory."""
    try:
        fd = open_file(directory, lock_name())
    except OSError:
        return False
    try:
        return is_taken(fd)
    finally:
        os.close(fd)


def agent_came(directory: str, since: float) -> bool:
    """Tell whether some agent has taken up the directory since a Unix time, whether or not it still lives."""
    try:
        status = os.lstat(lock_path(directory))
    except OSError:
        return False
    return status.st_size > 0 and status.st_mtime >= since - 0.1  # file times come from a coarser clock


def new_stream(directory: str, kind: str) -> str:
    """Return the path of a new stream, named so that no other of the run has its name."""
    return os.path.join(directory, f"{kind}-{random_id(10)}.jsonl")


def copy_name(stream: str) -> str:
    """Return what a stream is called where it was rebuilt from what a server told, and is not the same to the byte."""
    kind, _, suffix = stream.removesuffix(".jsonl").partition("-")
    if len(suffix) > 40:
        suffix = hashlib.sha256(suffix.encode()).hexdigest()[:40]
    return f"{kind}-{suffix}{_REBUILT}.jsonl"


def is_copy(stream: str) -> bool:
    """Tell whether a stream was rebuilt; see `copy_name`."""
    return stream.endswith(f"{_REBUILT}.jsonl")


def copied(stream: str, others: Iterable[str]) -> bool:
    """Tell whether a rebuilt stream is of a run of which `others` holds streams as they were written."""
    suffix = stream.partition("-")[2]
    return is_copy(stream) and any(copy_name(other).partition("-")[2] == suffix for other in others)


def lock_stream(path: str) -> int | None:
    """Let agents see that more will be appended to a stream, until the returned descriptor is closed or the process has
    ended. None where the file system has no locks. Raises OSError if the file cannot be opened.
    """
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    lock = take(fd)
    if lock is None:
        os.close(fd)
    return lock


def store(directory: str, content: bytes) -> str:
    """Write content to `files/<sha256>` of the run directory, unless it is there; return the digest. Raises OSError."""
    digest = hashlib.sha256(content).hexdigest()
    if not is_regular(directory, f"files/{digest}"):
        part = f"files/{digest}.{random_id()}"
        try:
            write_new(directory, part, content)
            rename(directory, part, digest)  # readers never see half a file
        except OSError:
            with contextlib.suppress(OSError):
                remove(directory, part)  # half a file must not fill a disk that is full
            raise
    return digest


def this_process() -> dict[str, Any]:
    """Return the members of a stream's header that identify its writer."""
    pid = os.getpid()
    return {"host": os.uname().nodename, "pid": pid, "pid_start": process_start(pid)}


def this_boot() -> tuple[str, str]:
    """Return the identity of the machine since it was started last, and of what its process numbers are valid in.

    Empty where the system does not tell.
    """
    try:
        with open("/proc/sys/kernel/random/boot_id") as file:
            boot = file.read().strip()
        return boot, os.readlink("/proc/self/ns/pid")
    except OSError:
        return "", ""


def process_start(pid: int) -> int | None:
    """Return when a process started, in clock ticks since boot (proc(5), field 22): with the pid, its identity.

    None where there is no such process or no /proc.
    """
    fields = _stat(pid)
    try:
        return int(fields[19])
    except (ValueError, IndexError):
        return None


def is_alive(pid: int, start: int | None) -> bool:
    """Tell whether a process of this machine lives; `start` is what `process_start` said of it. One that has ended and
    whose parent has not collected it does not.
    """
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass  # not ours to signal, but there
    return start in (None, process_start(pid)) and _stat(pid)[:1] not in ([b"Z"], [b"X"])


def _stat(pid: int) -> list[bytes]:
    """Return what proc(5) tells of a process from its state on; nothing where there is none."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()
    except OSError:
        return []
