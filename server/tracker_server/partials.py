"""Keep uploads that have arrived in part: one file for each digest, limited in number, bytes and age.

Each file holds the content from its start, so the file's size is the progress of the upload, and a restarted server
continues from there. The bytes are verified only when all of them have arrived.
"""

from __future__ import annotations

import contextlib
import os
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


class Partials:
    """The unfinished uploads in one directory.

    Methods block on the disk. They may be called from any thread, but for one digest only from one thread at a time.
    """

    def __init__(self, directory: Path, limits: Limits) -> None:
        """Create the directory if needed, and remove uploads that are too old."""
        self._directory, self._limits = directory, limits
        self._lock = threading.Lock()
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.sweep()

    def path(self, digest: str) -> Path:
        """Return the file of a digest, which may not exist."""
        return self._directory / digest

    def size(self, digest: str) -> int:
        """Return how many bytes have arrived."""
        try:
            return self.path(digest).stat().st_size
        except FileNotFoundError:
            return 0

    def extend(self, digest: str, offset: int, data: bytes) -> int:
        """Add the bytes at `offset`; return how many bytes there are now.

        Raises `OffsetMismatch` if `offset` is not the current size, `TooManyUploads` or `StorageFull` if there is no
        room. Nothing is kept after an error.
        """
        have = self.size(digest)
        if offset != have:
            raise OffsetMismatch(have)
        with self._lock:
            self._make_room(digest, len(data))
            # Created while the lock is held, or other uploads could take the same room.
            descriptor = os.open(self.path(digest), os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
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

    def discard(self, digest: str) -> None:
        """Remove the bytes of a digest."""
        self.path(digest).unlink(missing_ok=True)

    def sweep(self) -> None:
        """Remove uploads that have been idle for longer than allowed."""
        for path, status in self._found():
            if time.time() - status.st_mtime > self._limits.age:
                path.unlink(missing_ok=True)

    def _make_room(self, digest: str, more: int) -> None:
        self.sweep()
        others = [(path, status) for path, status in self._found() if path.name != digest]
        others.sort(key=lambda found: found[1].st_mtime)
        number, size = len(others) + 1, sum(status.st_size for _, status in others) + self.size(digest) + more
        for path, status in others:
            if number <= self._limits.number and size <= self._limits.size:
                return
            if time.time() - status.st_mtime < self._limits.idle:
                break
            path.unlink(missing_ok=True)
            number, size = number - 1, size - status.st_size
        if number > self._limits.number or size > self._limits.size:
            raise TooManyUploads

    def _found(self) -> list[tuple[Path, os.stat_result]]:
        found = []
        for path in self._directory.iterdir():
            with contextlib.suppress(FileNotFoundError):  # its upload was completed meanwhile
                found.append((path, path.stat()))
        return found


def is_full(error: Exception) -> bool:
    """Return whether an error of the disk or the store means that there is no space."""
    return any(text in str(error).lower() for text in ("no space left", "quota exceeded"))
