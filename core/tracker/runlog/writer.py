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
    """The single writer of one stream.

    `append` hands a line to the kernel with one `write(2)`: once it has returned without trouble, the line survives
    the death of every process. Lines are never split, merged or reordered. It never raises for a failing disk: lines
    that could not be written are held in memory, up to 4 MiB or one line, and written before the next line once the
    disk takes them again; what does not fit is dropped, the oldest first, counted in `lost` and reported in the stream
    by a `lost` record. Not thread-safe: the caller holds a lock.
    """

    def __init__(self, path: str, on_trouble: Callable[[OSError], None]) -> None:
        """Create the stream file; an existing file is an error, since every stream has one writer for all its life.

        `on_trouble` is called with the first error of each bad spell.
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
        """How many records wait in memory for the disk to take them."""
        return len(self._held)

    def waiting(self) -> list[bytes]:
        """Return the lines of these records."""
        return [line for line in self._held if line]

    def size(self) -> int:
        """Return how many bytes there are in the file."""
        try:
            return os.fstat(self._fd).st_size
        except OSError:
            return 0

    def descriptor(self) -> int:
        """Return a descriptor of one's own from which the stream can be read, also after it was deleted."""
        return os.dup(self._fd)

    def deleted(self) -> bool:
        """Whether the file was removed, so that what is appended can never be read."""
        try:
            return os.fstat(self._fd).st_nlink == 0
        except OSError:
            return True

    def sync(self) -> None:
        """Make everything written so far survive a power cut; raises OSError if the disk cannot."""
        os.fsync(self._fd)

    def close(self) -> None:
        """Write what is held if the disk takes it, else count it as lost, and close the file. Safe to repeat."""
        if self._fd < 0:
            return
        self._flush_held()
        self.lost += len(self._held)
        self._held.clear()
        os.close(self._fd)
        self._fd = -1

    def abandon(self) -> None:
        """In a forked child: close the descriptor and forget held lines, which are the parent's to write."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        self._held.clear()

    def _cut(self, line: bytes, written: int) -> bytes:
        """Note that a line was cut short; return what is left to write after the newline that ends the torn piece."""
        self._torn = True
        # Where only the newline is missing, that very newline makes the record whole: it must not be written twice.
        return b"" if written == len(line) - 1 else line

    def _hold(self, line: bytes, error: OSError | None) -> None:
        self._held.append(line)
        self._held_bytes = len(line)
        if error is None:  # a short write: asking again tells why
            error = self._flush_held()
        if error is not None:
            self._on_trouble(error)
        self._drop_overflow()

    def _flush_held(self) -> OSError | None:
        while self._held:
            # After a torn line the newline goes in front, so that only the torn line is damaged.
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
            if line:  # else its record is in the file and lacks only a newline
                self.lost += 1
                self._unreported += 1


def _above_standard(fd: int) -> int:
    """Return a descriptor that nobody takes for stdin, stdout or stderr, which daemons and some launchers close."""
    if fd > 2:
        return fd
    try:
        return fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 3)
    finally:
        os.close(fd)


def header(kind: str, **members: Any) -> dict[str, Any]:
    """Return the payload of a stream's first line, without the members that are None."""
    return {"version": records.VERSION, "stream": kind, **{k: v for k, v in members.items() if v is not None}}
