"""Write the console stream of a run: a bounded number of `console` records."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from tracker.runlog.directory import lock_stream, new_stream
from tracker.runlog.records import encode, with_checksum
from tracker.runlog.writer import StreamWriter, header

from .console_lines import Lines

NAMES = ("stdout", "stderr")

_LONGEST = 64 * 1024  # characters in one record
_END = 64 * 1024  # bytes of the last records beyond the limit: they say how the process ended


class ConsoleStream:
    """Appends what one process and its children print to a stream of its own, opened with the first line.

    After `limit` bytes it writes nothing until `close`, which adds how much was left out and the last lines. Never
    raises if the disk fails: the run's own stream reports that. Not thread-safe.
    """

    def __init__(self, directory: str, run: Mapping[str, Any], limit: int) -> None:
        """`run`: the members of the stream's header that identify the run."""
        self._directory = directory
        self._run = run
        self._remaining = limit
        self._writer: StreamWriter | None = None
        self._lock: int | None = None
        self._usable = True
        self._full = False
        self._end: deque[bytes] = deque()
        self._end_bytes = 0
        self._skipped = 0
        self._lines = {name: Lines(lambda text, name=name: self._keep(name, text)) for name in NAMES}  # type: ignore[misc]

    def feed(self, name: str, text: str) -> None:
        """Handle the next piece of text written to stdout or stderr."""
        self._lines[name].feed(text)

    def feeder(self, name: str) -> Callable[[str], None]:
        """Return the function that handles text of stdout or of stderr."""
        return self._lines[name].feed

    def close(self) -> None:
        """Write the rest and close the file. Safe to repeat; feeding it afterwards opens another stream."""
        for lines in self._lines.values():
            lines.close()
        if self._skipped:
            self._append(_record("stderr", f"[tracker: {self._skipped:,} bytes of console left out here]"))
            for line in self._end:
                self._append(line)
            self._end.clear()
            self._end_bytes = self._skipped = 0
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        self._unlock()

    def abandon(self) -> None:
        """Leave the file and the waiting lines to the parent, in a forked child."""
        if self._writer is not None:
            self._writer.abandon()
        self._unlock()

    def _keep(self, name: str, text: str) -> None:
        if self._writer is None:
            self._open()
        if len(text) > _LONGEST:
            for start in range(0, len(text), _LONGEST):
                self._keep(name, text[start : start + _LONGEST])
            return
        line = _record(name, text)
        self._remaining -= len(line)
        if self._remaining >= 0:
            self._append(line)
        else:
            self._hold(line)

    def _hold(self, line: bytes) -> None:
        if not self._full:
            self._full = True
            self._append(_record("stderr", "[tracker: console_limit is reached; only the last lines will follow]"))
        self._end.append(line)
        self._end_bytes += len(line)
        while self._end_bytes > _END:
            gone = len(self._end.popleft())
            self._end_bytes -= gone
            self._skipped += gone

    def _open(self) -> None:
        if self._usable:
            try:
                self._writer = StreamWriter(new_stream(self._directory, "console"), lambda _: None)
                self._lock = lock_stream(self._writer.path)
            except OSError:
                self._usable = False
            about = header("console", **self._run, host=os.uname().nodename)
            self._append(encode("run", about, time.time()))

    def _append(self, line: bytes) -> None:
        if self._writer is not None:
            self._writer.append(line)

    def _unlock(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _record(name: str, text: str) -> bytes:
    try:
        body = orjson.dumps(text)
    except TypeError:  # a lone surrogate, as file names and undecodable input have them
        body = orjson.dumps(text.encode("utf-8", "replace").decode())
    # As `records.encode` would, in half the time.
    return with_checksum(
        b'"t":%d,"console":{"stream":"%b","text":%b}}\n' % (time.time_ns() // 1000, name.encode(), body)
    )
