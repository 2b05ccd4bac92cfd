"""Locks on files that end with their holder, also on file systems that have none of their own.

`flock` is missing on some network file systems (Lustre without `-o flock`, some FUSE). There a file of this machine's
temporary directory, which belongs to this user, is locked in place of the file: it stands for the file by its device
and inode. Only a lock that somebody holds means that somebody holds it; any other error does not.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat

from tracker.errors import warn_once


def take(fd: int) -> int | None:
    """Lock a file for us alone; return the descriptor that holds the lock until it is closed, which may be another one
    than `fd` (then `fd` is closed). None if somebody else has it; then `fd` stays open.

    Where nothing can be locked, `fd` itself is returned: two agents on one directory cost work, none would cost data.
    """
    locked = _flock(fd, fcntl.LOCK_EX)
    if locked is not None:
        return fd if locked else None
    instead = _instead(fd)
    if instead is None:
        warn_once("files cannot be locked here or in the temporary directory; agents go on without", "no locks")
        return fd
    if _flock(instead, fcntl.LOCK_EX) is False:
        os.close(instead)
        return None
    os.close(fd)
    return instead


def wait_for(fd: int) -> None:
    """Lock a file for us alone, as soon as nobody else has it, until the process ends; where that is possible."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
    except OSError:
        instead = _instead(fd)
        if instead is not None:
            with contextlib.suppress(OSError):
                fcntl.flock(instead, fcntl.LOCK_EX)


def is_taken(fd: int) -> bool:
    """Tell whether somebody holds the lock of a file; `fd` is the file, opened by whoever asks."""
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


def _flock(fd: int, how: int) -> bool | None:
    """Try to lock; None where the file system cannot tell."""
    try:
        fcntl.flock(fd, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def _instead(fd: int) -> int | None:
    """Open the file that stands for a file on a file system without locks; None if there is no safe place for it."""
    import tempfile  # which most trainings need not pay for

    about, user = os.fstat(fd), os.geteuid()
    folder = os.path.join(tempfile.gettempdir(), f"tracker-locks-{user}")
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        there = os.lstat(folder)
        if not stat.S_ISDIR(there.st_mode) or there.st_uid != user or there.st_mode & 0o077:
            return None  # somebody else made it
        path = os.path.join(folder, f"{about.st_dev:x}-{about.st_ino:x}")
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError:
        return None
