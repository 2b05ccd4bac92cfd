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

_ATTEMPTS, _PAUSE = 1000, 0.001  # tries to lock, and seconds between them, while others only ask


def take(fd: int) -> int | None:
    """Lock a file exclusively, without waiting.

    Returns the descriptor that holds the lock until it is closed. It may be another one than `fd`; `fd` is then closed.
    Returns None if somebody else holds the lock; `fd` then stays open. If nothing can be locked, returns `fd` as if it
    were: two agents on one directory cost work, but no agent would cost data.
    """
    locked = _exclusive(fd)
    if locked is not None:
        return fd if locked else None
    instead = _instead(fd)
    if instead is None:
        warn_once("files cannot be locked here or in the temporary directory; agents go on without", "no locks")
        return fd
    if _exclusive(instead) is False:
        os.close(instead)
        return None
    os.close(fd)
    return instead


def wait_for(fd: int) -> None:
    """Wait until nobody else has a file locked, then lock it until the process ends, if it can be locked at all."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
    except OSError:
        instead = _instead(fd)
        if instead is not None:
            with contextlib.suppress(OSError):
                fcntl.flock(instead, fcntl.LOCK_EX)


def is_taken(fd: int) -> bool:
    """Tell whether somebody holds the lock of a file. `fd` is a descriptor that the caller opened to ask."""
    free = _flock(fd, fcntl.LOCK_SH)
    if free is None:
        instead = _instead(fd)
        free = True if instead is None else _flock(instead, fcntl.LOCK_SH)
        if instead is not None:
            os.close(instead)
        return free is False
    if free:
        fcntl.flock(fd, fcntl.LOCK_UN)
    return not free


def _exclusive(fd: int) -> bool | None:
    """Try to lock exclusively; see `_flock`.

    Those who ask `is_taken` hold a shared lock for a moment. That is no reason to give up: else an agent that begins
    just then would leave its run to nobody.
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


def _instead(fd: int) -> int | None:
    """Open the file that is locked instead of `fd`; None if there is no safe place for it."""
    import tempfile  # slow to import, and most training processes do not need it

    about, user = os.fstat(fd), os.geteuid()
    folder = os.path.join(tempfile.gettempdir(), f"tracker-locks-{user}")
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        there = os.lstat(folder)
        if not stat.S_ISDIR(there.st_mode) or there.st_uid != user or there.st_mode & 0o077:
            return None  # another user made it
        path = os.path.join(folder, f"{about.st_dev:x}-{about.st_ino:x}")
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError:
        return None
