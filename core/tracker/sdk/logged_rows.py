"""Read back the rows that this process has logged, for the summary."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from copy import copy
from typing import Any

from tracker.errors import contained
from tracker.runlog.reader import read_lines
from tracker.runlog.records import Record, parse
from tracker.runlog.stats import Stats, sum_up

from .stream import Stream

_BLOCK = 1024 * 1024
_TAIL = 256 * 1024  # bytes at the end that are searched for the last value of a key before all is read


class LoggedRows:
    """Sums up the rows that this process has logged, per key. Each line is read once.

    Never raises for unreadable lines. May be used from any thread.
    """

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._lock = threading.RLock()
        self._begin(whole=False)

    def _begin(self, whole: bool) -> None:
        self._whole = whole
        self._stats: dict[str, Stats] = {}
        self._offsets: dict[str, int] = {}  # bytes that are summed up, by stream

    def stats(self, whole: bool) -> dict[str, Stats]:
        """Return the stats of the rows by key. Without `whole`, only `last` of each is right."""
        with self._lock:
            with contained("reading back what was logged"):
                if whole and not self._whole:
                    self._begin(whole=True)
                for path, end in self._stream.pieces:
                    self._read(path, end)
            found = {key: copy(stats) for key, stats in self._stats.items()}
            for line in self._stream.waiting():
                sum_up(found, parse(line).records, self._whole)
            for key, stats in self._stream.unkept.items():
                found.setdefault(key, Stats()).merge(stats)
            return found

    def last(self, key: str) -> Any:
        """Return the last logged value of a key, or None. Takes no longer after a million rows than after one."""
        with self._lock:
            if not self._stream.unkept and not self._stream.waiting():
                with contained("reading back what was logged"):
                    for record in self._backwards():
                        if record.kind == "log" and key in record.payload:
                            return record.payload[key]
            found = self.stats(whole=False).get(key)
            return None if found is None else found.last

    def after_fork(self) -> None:
        """Make a new lock in a forked child: a thread that does not exist there may hold the old one."""
        self._lock = threading.RLock()

    def _read(self, path: str, end: int | None) -> None:
        offset = self._offsets.get(path, 0)
        fd = self._stream.descriptor(path)
        if fd is None:
            if end is None:
                start, lines = self._stream.ending
                sum_up(self._stats, parse(lines[max(0, offset - start) :]).records, self._whole)
                self._offsets[path] = max(offset, start + len(lines))
            return
        try:
            end = os.fstat(fd).st_size if end is None else end
            while offset < end and (lines := read_lines(fd, offset, min(_BLOCK, end - offset))):
                lines = lines[: end - offset]
                sum_up(self._stats, parse(lines).records, self._whole)
                offset += len(lines)
                self._offsets[path] = offset
        finally:
            os.close(fd)

    def _backwards(self) -> Iterator[Record]:
        """Yield the last records that are not summed up yet, newest first, if there are many."""
        path, end = self._stream.pieces[-1] if self._stream.pieces else ("", 0)
        fd = self._stream.descriptor(path) if end is None else None
        if fd is None:
            return
        try:
            size, taken = os.fstat(fd).st_size, self._offsets.get(path, 0)
            if size - taken > _TAIL:
                for length in (_TAIL // 64, _TAIL):
                    yield from reversed(parse(os.pread(fd, length, size - length)).records)
        finally:
            os.close(fd)
