"""The stream of a run directory that one event file becomes, written exactly once however often it is begun."""

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
_WRITE_SIZE = 4 * 1024 * 1024  # bytes that wait to be written
_READ_SIZE = 1024 * 1024  # bytes that are read at once
_LOCK_TIMEOUT = 10.0  # seconds for which another import of the same file may finish what it is at
LINE = 0
"""Stands for one line in `Stream.behind`; other numbers there are so many points."""


class StreamError(Exception):
    """A stream cannot be continued; the text says why and what to do."""


class Mark(NamedTuple):
    """How far an event file is in its stream, from a `source` record.

    All of the event file before byte `offset` is in the lines before the mark: `rows` rows, the last of them at `time`.
    `last` are the four bytes before `offset`, in hex: the checksum of the last record, by which a file that was
    rewritten is known.
    """

    offset: int = 0
    rows: int = 0
    time: float = 0.0
    last: str = ""


class ResumableStream:
    """A stream that this process alone continues. Lines reach the file whole, in order, and never twice.

    A last line without its newline, which a killed import left, is cut off: it is not there yet for any reader, so no
    copy of the stream holds any of it. Raises `StreamError` if another import is at work on it or it is damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd = open_file(path.parent, path.name, os.O_RDWR | os.O_APPEND | os.O_CREAT)
        self._lock_fd: int | None = None
        self.mark: Mark | None = None
        """The last mark, or None."""
        self.after_mark: deque[int] = deque()
        """What stands behind the last mark: numbers of points, and `LINE` for each line of another kind."""
        self.has_header = False
        """Whether it has its header."""
        self.has_finish = False
        """Whether its last line is a `finish`."""
        self._marked = 0  # where the last mark ends
        self._lines: list[bytes] = []
        self._waiting = 0
        try:
            self._lock()
            self._recover()
        except BaseException:
            self.close()
            raise

    def add(self, line: bytes) -> None:
        """Append a line, sooner or later."""
        self.has_finish = False
        self._lines.append(line)
        self._waiting += len(line)
        if self._waiting > _WRITE_SIZE:
            self.flush()

    def add_mark(self, mark: Mark, tags: dict[str, str]) -> None:
        """Append a mark, and with it all lines before it. `tags`: the metadata that came up since the last one."""
        # The time in full: events that have none of their own take it over, also after a resumption.
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
        """Hand the lines to the kernel. Raises OSError if the disk does not take them: then add nothing more."""
        data = memoryview(b"".join(self._lines))
        self._lines.clear()
        self._waiting = 0
        while data:
            data = data[os.write(self._fd, data) :]

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._fd)
        if self._lock_fd is not None:
            os.close(self._lock_fd)
            self._lock_fd = None

    def records(self, *kinds: str) -> Iterator[Record]:
        """Yield the records of some kinds up to the last mark, in order."""
        offset, held, names = 0, b"", [b'"%b":' % kind.encode() for kind in kinds]
        while offset < self._marked and (data := os.pread(self._fd, min(_READ_SIZE, self._marked - offset), offset)):
            offset += len(data)
            held += data
            end = held.rfind(b"\n") + 1
            if any(name in held for name in names):  # far faster to say than to look at each line
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
                raise StreamError("another import is at work on it")
            time.sleep(0.05)

    def _recover(self) -> None:
        """Find the last mark and what stands behind it."""
        size = os.fstat(self._fd).st_size
        end = self._truncate_torn_line(size)
        window = _WINDOW
        while True:
            start = max(0, end - window)
            data = os.pread(self._fd, end - start, start)
            lines = data.split(b"\n")[1 if start else 0 : -1]  # the first may be the end of a line
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
            raise StreamError(f"{self.path} is damaged; move its directory away to import the run anew")
        return parsed.records[0]


def make_run_directory(directory: Path) -> None:
    """Make a run directory, unless it is there, as `tracker.init` does."""
    (directory / "files").mkdir(parents=True, exist_ok=True)
    ignore(directory.parent.parent, "runs/")
