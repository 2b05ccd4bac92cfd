"""Keep uploads that have arrived in part: one file for each of them, limited in number, bytes and age.

Each file holds the content from its start, so the file's size is the progress of the upload, and a restarted server
continues from there. The bytes are verified only when all of them have arrived.

An upload of an account is in a folder of the account, so that nobody else can finish it by its last bytes, nor see how
far it is. Its name is `account/digest`; without accounts it is the digest.
"""

from __future__ import annotations

import contextlib
import os
import stat
import threading
import time
from pathlib import Path
from typing import NamedTuple

from .storage.interface import OffsetMismatch, StorageFull, TooManyUploads


class Limits(NamedTuple):
    """How much unfinished content is kept.

    Beyond `number` or `size`, uploads that have been idle for `idle` seconds are removed, the longest idle first.
    Uploads that have been idle for `age` seconds are always removed.
    """

    number: int = 256
    size: int = 128 * 1024**3
    """Bytes of all uploads together; at least the size of the largest allowed file."""
    idle: float = 3600.0
    age: float = 3 * 86400.0
    each_number: int = 128
    """Uploads of one account, so that it leaves room for others."""
    each_size: int = 64 * 1024**3
    """Bytes of one account's uploads; at least the size of the largest allowed file."""


class Partials:
    """The unfinished uploads in one directory.

    Methods block on the disk. They may be called from any thread, but for one upload only from one thread at a time.
    """

    def __init__(self, directory: Path, limits: Limits) -> None:
        """Create the directory if needed, and remove uploads that are too old."""
        self._directory, self._limits = directory, limits
        self._lock = threading.Lock()
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.sweep()

    def path(self, name: str) -> Path:
        """Return the file of an upload, which may not exist."""
        return self._directory / name

    def size(self, name: str) -> int:
        """Return how many bytes have arrived."""
        try:
            return self.path(name).stat().st_size
        except FileNotFoundError:
            return 0

    def extend(self, name: str, offset: int, data: bytes) -> int:
        """Add the bytes at `offset`; return how many bytes there are now.

        Raises `OffsetMismatch` if `offset` is not the current size, `TooManyUploads` or `StorageFull` if there is no
        room. Nothing is kept after an error.
        """
        have = self.size(name)
        if offset != have:
            raise OffsetMismatch(have)
        with self._lock:
            self._make_room(name, len(data))
            # Created while the lock is held, or other uploads could take the same room.
            self.path(name).parent.mkdir(exist_ok=True, mode=0o700)
            descriptor = os.open(self.path(name), os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        with open(descriptor, "wb", buffering=0) as file:
            try:
                file.seek(offset)
                view = memoryview(data)
                while view:
                    view = view[file.write(view) :]
            except OSError as error:
                with contextlib.suppress(OSError):
                    file.truncate(offset)
                if is_full(error):
                    raise StorageFull("no space left for files") from error
                raise
        return offset + len(data)

    def discard(self, name: str) -> None:
        """Remove the bytes of an upload."""
        self.path(name).unlink(missing_ok=True)

    def sweep(self) -> None:
        """Remove uploads that have been idle for longer than allowed."""
        for path, status in self._found():
            if time.time() - status.st_mtime > self._limits.age:
                path.unlink(missing_ok=True)

    def _make_room(self, name: str, more: int) -> None:
        self.sweep()
        target, limits = self.path(name), self._limits
        others = [(path, status) for path, status in self._found() if path != target]
        others.sort(key=lambda found: found[1].st_mtime)
        here = self.size(name) + more
        if target.parent != self._directory:
            of_account = [(path, status) for path, status in others if path.parent == target.parent]
            gone = _removed(of_account, here, limits.each_number, limits.each_size, limits.idle)
            others = [(path, status) for path, status in others if path not in gone]
        _removed(others, here, limits.number, limits.size, limits.idle)

    def _found(self) -> list[tuple[Path, os.stat_result]]:
        found = []
        for path in (*self._directory.glob("*"), *self._directory.glob("*/*")):
            with contextlib.suppress(FileNotFoundError):  # its upload was completed meanwhile
                status = path.stat()
                if stat.S_ISREG(status.st_mode):
                    found.append((path, status))
        return found


def _removed(
    others: list[tuple[Path, os.stat_result]], here: int, most: int, most_bytes: int, idle: float
) -> set[Path]:
    """Remove idle uploads, the longest idle first, until one of `here` bytes fits beside `others`; return the removed.

    Raises `TooManyUploads` if that is not enough.
    """
    number, size = len(others) + 1, sum(status.st_size for _, status in others) + here
    gone: set[Path] = set()
    for path, status in others:
        if (number <= most and size <= most_bytes) or time.time() - status.st_mtime < idle:
            break
        path.unlink(missing_ok=True)
        gone.add(path)
        number, size = number - 1, size - status.st_size
    if number > most or size > most_bytes:
        raise TooManyUploads
    return gone


def is_full(error: Exception) -> bool:
    """Return whether an error of the disk or the store means that there is no space."""
    return any(text in str(error).lower() for text in ("no space left", "quota exceeded"))
