"""Write the stream of one event file exactly once, however often the import is interrupted."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tracker.runlog.locks import take
from tracker.runlog.reader import scan
from tracker.runlog.records import Record, encode, parse
from tracker.runlog.safe_open import ignore, open_file

_WINDOW = 64 * 1024
_WRITE_SIZE = 4 * 1024 * 1024  # bytes that are collected before a write
_READ_SIZE = 1024 * 1024  # bytes of one read
_LOCK_TIMEOUT = 10.0  # seconds to wait for another import of the same file
LINE = 0
"""Stands for one line in `ResumableStream.after_mark`; other numbers there are counts of points."""


class StreamError(Exception):
    """A stream cannot be continued; the text says why and what to do."""


class Mark(NamedTuple):
    """How much of an event file is in its stream, from a `source` record.

    Everything in the event file before byte `offset` is in the lines before the mark: `rows` rows, the last one at
    `time`. `last` is the four bytes before `offset`, in hex. They are the checksum of the last record, which shows
    whether the file was rewritten.
    """

    offset: int = 0
    rows: int = 0
    time: float = 0.0
    last: str = ""


class ResumableStream:
    """A stream that only this process continues. Lines reach the file complete, in order, and never twice.

    A killed import may leave a last line without its newline. It is cut off: no reader takes such a line, so no copy
    of the stream has it. Raises `StreamError` if another import has locked the stream, or if it is damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd = open_file(path.parent, path.name, os.O_RDWR | os.O_APPEND | os.O_CREAT)
        self._lock_fd: int | None = None
        self.mark: Mark | None = None
        """The last mark, or None."""
        self.after_mark: deque[int] = deque()
        """The lines after the last mark: counts of points, and `LINE` for each line of another kind."""
        self.has_header = False
        """Whether the stream has a header."""
        self.has_finish = False
        """Whether the last line is a `finish`."""
        self._marked = 0  # offset after the last mark
        self._lines: list[bytes] = []
        self._waiting = 0
        try:
            self._lock()
            self._recover()
        except BaseException:
            self.close()
            raise

    def add(self, line: bytes) -> None:
        """Append a line; it may reach the file later."""
        self.has_finish = False
        self._lines.append(line)
        self._waiting += len(line)
        if self._waiting > _WRITE_SIZE:
            self.flush()

    def add_mark(self, mark: Mark, tags: dict[str, str]) -> None:
        """Append a mark and write all lines before it. `tags` is the metadata that is new since the last mark."""
        # The full time: events without a valid time get it, even after a resumption.
        payload: dict[str, Any] = {"offset": mark.offset, "rows": mark.rows, "last": mark.last, "time": mark.time}
        if tags:
            payload["tags"] = tags
        self.add(encode("source", payload, mark.time))
        self.flush()
        self.mark = mark
        self._marked = os.fstat(self._fd).st_size

    def finish(self, state: str, time: float) -> None:
        """Append a `finish`."""
        self.add(encode("finish", {"state": state}, time))
        self.flush()
        self.has_finish = True

    def flush(self) -> None:
        """Write all lines. Raises OSError if the disk refuses them; add nothing after that."""
        data = memoryview(b"".join(self._lines))
        self._lines.clear()
        self._waiting = 0
        while data:
            data = data[os.write(self._fd, data) :]

    def close(self) -> None:
        """Close the file and release its lock."""
        os.close(self._fd)
        if self._lock_fd is not None:
            os.close(self._lock_fd)
            self._lock_fd = None

    def records(self, *kinds: str) -> Iterator[Record]:
        """Yield the records of these kinds up to the last mark, in order."""
        offset, held, names = 0, b"", [b'"%b":' % kind.encode() for kind in kinds]
        while offset < self._marked and (data := os.pread(self._fd, min(_READ_SIZE, self._marked - offset), offset)):
            offset += len(data)
            held += data
            end = held.rfind(b"\n") + 1
            if any(name in held for name in names):  # far faster than parsing each line
                yield from scan(held[:end], kinds)
            held = held[end:]

    def _lock(self) -> None:
        deadline = time.monotonic() + _LOCK_TIMEOUT
        while True:
            fd = os.dup(self._fd)
            self._lock_fd = take(fd)
            if self._lock_fd is not None:
                return
            os.close(fd)
            if time.monotonic() > deadline:
                raise StreamError("another import has locked it")
            time.sleep(0.05)

    def _recover(self) -> None:
        """Find the last mark and the lines after it."""
        size = os.fstat(self._fd).st_size
        end = self._truncate_torn_line(size)
        window = _WINDOW
        while True:
            start = max(0, end - window)
            data = os.pread(self._fd, end - start, start)
            lines = data.split(b"\n")[1 if start else 0 : -1]  # the first may be a part of a line
            self.after_mark.clear()
            self._marked = end
            for i, line in enumerate(reversed(lines)):
                record = self._parse_line(line)
                if i == 0:
                    self.has_finish = record.kind == "finish"
                if record.kind == "source":
                    self.has_header = True
                    payload = record.payload
                    self.mark = Mark(payload["offset"], payload["rows"], payload["time"], payload["last"])
                    return
                self._marked -= len(line) + 1
                if record.kind == "points":
                    self.after_mark.appendleft(len(record.payload.steps))
                elif record.kind == "run":
                    self.has_header = True
                elif record.kind != "finish":
                    self.after_mark.appendleft(LINE)
            if start == 0:
                return
            window *= 4

    def _truncate_torn_line(self, size: int) -> int:
        """Cut off a torn last line; return the size without it."""
        end = size
        while end:
            start = max(0, end - _WINDOW)
            newline = os.pread(self._fd, end - start, start).rfind(b"\n")
            if newline >= 0:
                end = start + newline + 1
                break
            end = start
        if end < size:
            os.ftruncate(self._fd, end)
        return end

    def _parse_line(self, line: bytes) -> Record:
        parsed = parse(line + b"\n")
        if parsed.corrupt or len(parsed.records) != 1:
            raise StreamError(f"{self.path} is damaged; move its directory away to import the run again")
        return parsed.records[0]


def make_run_directory(directory: Path) -> None:
    """Create a run directory as `tracker.init` does, unless it exists."""
    (directory / "files").mkdir(parents=True, exist_ok=True)
    ignore(directory.parent.parent, "runs/")
