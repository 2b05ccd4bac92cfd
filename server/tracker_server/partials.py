"""Content that has arrived in part: one file for each digest, bounded in number, bytes and age.

The bytes at the start of each file are those that stand at the start of the content, so its size is how far the upload
has got; a server that was killed goes on from there. That they are the right ones is only known once all are there.
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
    """How much unfinished content is kept. Beyond `number` or `size`, content that nobody has added to for `idle`
    seconds makes room, the longest forgotten first; what nobody has added to for `age` seconds goes in any case.
    """

    number: int = 256
    size: int = 128 * 1024**3
    """Bytes, all together; no less than the largest file that is allowed."""
    idle: float = 3600.0
    age: float = 3 * 86400.0


class Partials:
    """The unfinished content in one directory. Methods block on the disk, may be called from any thread, and for one
    digest only by one at a time.
    """

    def __init__(self, directory: Path, limits: Limits) -> None:
        """Make the directory if need be, and remove what was forgotten in it."""
        self._directory, self._limits = directory, limits
        self._lock = threading.Lock()
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.sweep()

    def path(self, digest: str) -> Path:
        """Return the file of a digest, which may not be there."""
        return self._directory / digest

    def size(self, digest: str) -> int:
        """Return how many bytes have arrived."""
        try:
            return self.path(digest).stat().st_size
        except FileNotFoundError:
            return 0

    def extend(self, digest: str, offset: int, data: bytes) -> int:
        """Add bytes that stand at `offset`; return how many there are then.

        Raises `OffsetMismatch` if they do not come next, `TooManyUploads` and `StorageFull` if there is no room; then
        nothing of them is kept.
        """
        have = self.size(digest)
        if offset != have:
            raise OffsetMismatch(have)
        with self._lock:
            self._make_room(digest, len(data))
            # Made while the lock is held, else others would be let in where this one is about to be.
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
        """Forget what there is of a digest."""
        self.path(digest).unlink(missing_ok=True)

    def sweep(self) -> None:
        """Remove what nobody has added to for longer than is allowed."""
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
            with contextlib.suppress(FileNotFoundError):  # whose upload was completed meanwhile
                found.append((path, path.stat()))
        return found


def is_full(error: Exception) -> bool:
    """Tell whether an error of the disk, or what a store makes of it, says that there is no space."""
    return any(text in str(error).lower() for text in ("no space left", "quota exceeded"))
