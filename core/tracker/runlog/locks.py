"""Lock files until their holder ends, also on file systems without locks.

Some network file systems have no `flock` (Lustre without `-o flock`, some FUSE). There, a file in this machine's
temporary directory is locked instead: it belongs to this user, and its name is the device and inode of the real file.
An error is never taken for a lock that somebody holds.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
import time

from tracker.errors import warn_once

_ATTEMPTS, _PAUSE = 1000, 0.001  # tries to lock while others only check the lock, and seconds between them


def take(fd: int) -> int | None:
    """Lock a file exclusively, without waiting.

    Returns the descriptor that holds the lock until it is closed. It may be another one than `fd`; `fd` is then closed.
    Returns None if somebody else holds the lock; `fd` then stays open. If nothing can be locked, returns `fd` as if it
    were locked: two agents for one directory waste work, but no agent loses data.
    """
    locked = _exclusive(fd)
    if locked is not None:
        return fd if locked else None
    other = _other_file(fd)
    if other is None:
        warn_once("files cannot be locked here or in the temporary directory; agents continue without", "no locks")
        return fd
    if _exclusive(other) is False:
        os.close(other)
        return None
    os.close(fd)
    return other


def wait_for(fd: int) -> None:
    """Wait until nobody else has a file locked, then lock it until the process ends, if it can be locked at all."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
    except OSError:
        other = _other_file(fd)
        if other is not None:
            with contextlib.suppress(OSError):
                fcntl.flock(other, fcntl.LOCK_EX)


def is_taken(fd: int) -> bool:
    """Tell whether somebody holds the lock of a file. `fd` is a descriptor that the caller opened to ask."""
    free = _flock(fd, fcntl.LOCK_SH)
    if free is None:
        other = _other_file(fd)
        free = True if other is None else _flock(other, fcntl.LOCK_SH)
        if other is not None:
            os.close(other)
        return free is False
    if free:
        fcntl.flock(fd, fcntl.LOCK_UN)
    return not free


def _exclusive(fd: int) -> bool | None:
    """Try to lock exclusively; see `_flock`.

    A call of `is_taken` holds a shared lock for a moment. An agent that begins just then must not give up: its run
    would have no agent.
    """
    for _ in range(_ATTEMPTS):
        locked = _flock(fd, fcntl.LOCK_EX)
        if locked is not False:
            return locked
        if not _flock(fd, fcntl.LOCK_SH):
            return False  # somebody holds it exclusively
        fcntl.flock(fd, fcntl.LOCK_UN)
        time.sleep(_PAUSE)
    return False


def _flock(fd: int, how: int) -> bool | None:
    """Try to lock, and tell whether that succeeded; None if the file system has no locks."""
    try:
        fcntl.flock(fd, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def _other_file(fd: int) -> int | None:
    """Open the file that is locked instead of `fd`; None if there is no safe place for it."""
    import tempfile  # slow to import, and most training processes do not need it

    about, user = os.fstat(fd), os.geteuid()
    folder = os.path.join(tempfile.gettempdir(), f"tracker-locks-{user}")
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        status = os.lstat(folder)
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != user or status.st_mode & 0o077:
            return None  # another user made it
        path = os.path.join(folder, f"{about.st_dev:x}-{about.st_ino:x}")
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError:
        return None
