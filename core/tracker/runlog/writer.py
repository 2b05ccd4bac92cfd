"""Append lines to one stream of a run directory."""

from __future__ import annotations

import fcntl
import os
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from . import records

_HOLD_BYTES = 4 * 1024 * 1024


class StreamWriter:
    """Write one stream, as its only writer.

    `append` passes a line to the kernel with one `write(2)`. When it has returned without trouble, the line survives
    the death of every process. Lines are never split, merged or reordered. A failing disk never raises: lines that
    cannot be written are held in memory, up to 4 MiB or one line, and written before the next line when the disk
    accepts them again. Lines beyond that are dropped, the oldest first; `lost` counts them, and a `lost` record reports
    them in the stream. Not thread-safe: the caller holds a lock.
    """

    def __init__(self, path: str, on_trouble: Callable[[OSError], None]) -> None:
        """Create the stream file. Raises FileExistsError if it exists, since a stream has one writer for all its life.

        `on_trouble` is called with the first error of each series of errors.
        """
        # O_EXCL: two processes appending to one stream would interleave offsets and lose rows on the server.
        self._fd = _above_standard(
            os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        )
        self.path = path
        self.lost = 0
        """Records dropped so far."""
        self._unreported = 0
        self._held: deque[bytes] = deque()
        self._held_bytes = 0
        self._torn = False
        self._on_trouble = on_trouble

    def append(self, line: bytes, write: Callable[[int, bytes], int] = os.write) -> None:
        """Write one encoded line (see `records.encode`)."""
        if not self._held:
            try:
                written = write(self._fd, line)
            except OSError as error:
                self._hold(line, error)
                return
            if written != len(line):
                self._hold(self._cut(line, written), None)
            return
        self._held.append(line)
        self._held_bytes += len(line)
        self._flush_held()
        self._drop_overflow()

    @property
    def held(self) -> int:
        """How many records wait in memory until the disk accepts them."""
        return len(self._held)

    def waiting(self) -> list[bytes]:
        """Return the lines that wait in memory."""
        return [line for line in self._held if line]

    def size(self) -> int:
        """Return the size of the file in bytes."""
        try:
            return os.fstat(self._fd).st_size
        except OSError:
            return 0

    def descriptor(self) -> int:
        """Return a new descriptor from which the stream can be read, even after it was deleted."""
        return os.dup(self._fd)

    def deleted(self) -> bool:
        """Tell whether the file was removed, so that nobody can read what is appended."""
        try:
            return os.fstat(self._fd).st_nlink == 0
        except OSError:
            return True

    def sync(self) -> None:
        """Flush everything written so far to disk, so that it survives a power cut. Raises OSError."""
        os.fsync(self._fd)

    def close(self) -> None:
        """Write the held lines, or count them as lost if the disk refuses, and close the file. Safe to repeat."""
        if self._fd < 0:
            return
        self._flush_held()
        self.lost += len(self._held)
        self._held.clear()
        os.close(self._fd)
        self._fd = -1

    def abandon(self) -> None:
        """Close the descriptor in a forked child and forget held lines, which the parent writes."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        self._held.clear()

    def _cut(self, line: bytes, written: int) -> bytes:
        """Note that a line was torn; return what to write after the newline that ends the torn piece."""
        self._torn = True
        # If only the newline is missing, this newline completes the record, which must not be written twice.
        return b"" if written == len(line) - 1 else line

    def _hold(self, line: bytes, error: OSError | None) -> None:
        self._held.append(line)
        self._held_bytes = len(line)
        if error is None:  # a short write: trying again shows the error
            error = self._flush_held()
        if error is not None:
            self._on_trouble(error)
        self._drop_overflow()

    def _flush_held(self) -> OSError | None:
        while self._held:
            # The newline after a torn line comes first, so that only the torn line is damaged.
            line = b"\n" + self._held[0] if self._torn else self._held[0]
            try:
                written = os.write(self._fd, line)
            except OSError as error:
                return error
            if written != len(line):
                self._held[0] = self._cut(self._held[0], written - self._torn)
                continue
            self._torn = False
            self._held_bytes -= len(self._held.popleft())
        if self._unreported:
            reason = {"count": self._unreported, "reason": "the disk did not take them"}
            line = records.encode("lost", reason, time.time())
            self._unreported = 0
            self.append(line)
        return None

    def _drop_overflow(self) -> None:
        while self._held_bytes > _HOLD_BYTES and len(self._held) > 1:
            line = self._held.popleft()
            self._held_bytes -= len(line)
            if line:  # an empty one stands for a record that is in the file and lacks only its newline
                self.lost += 1
                self._unreported += 1


def _above_standard(fd: int) -> int:
    """Return a descriptor above those of stdin, stdout and stderr, which daemons and some launchers close."""
    if fd > 2:
        return fd
    try:
        return fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 3)
    finally:
        os.close(fd)


def header(kind: str, **members: Any) -> dict[str, Any]:
    """Return the payload of a stream's first line, without the members that are None."""
    return {"version": records.VERSION, "stream": kind, **{k: v for k, v in members.items() if v is not None}}
