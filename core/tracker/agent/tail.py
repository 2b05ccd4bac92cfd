"""Read one stream of a run directory as it grows.

A run may have thousands of streams, and a process has a limited number of descriptors, so a stream is open only while
it is read.
"""

from __future__ import annotations

import os
import re
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tracker.runlog.locks import is_taken
from tracker.runlog.reader import read_lines
from tracker.runlog.records import parse
from tracker.runlog.safe_open import open_stream

from .writer_process import WriterProcess

_BLOCK = 1024 * 1024
_NEAR_END = 64 * 1024
_TIME = re.compile(rb'^{"c":"[0-9a-f]{8}","t":(\d+),', re.MULTILINE)  # in microseconds


class Tail:
    """One stream file: how far it was read, and what its lines say about its process."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        """Bytes at the last look."""
        self.offset = 0
        self.flushed = 0
        self.suspect = False
        self.writer: WriterProcess | None = None
        self.alive = 0.0  # Unix time of the last look that found the writer alive
        self.child = False
        self.opened = 0.0
        self.stoppable = False
        self.wraps = False
        self.finished = False
        self.own_end: dict[str, Any] | None = None
        """The end that its process wrote itself."""
        self._released = False  # its writer is done

    @property
    def open(self) -> bool:
        """Whether a process of this machine may still append to it."""
        if self.path.name.startswith("console"):  # its writer is often not the process that prints
            return self._is_held()
        return self.writer is not None and not self.writer.gone and not self.finished

    @property
    def leaving(self) -> bool:
        """Whether its process wrote its end before it ended, when its exit status was not certain."""
        return self.own_end is not None and "at_exit" in self.own_end

    def lines(self) -> Iterator[bytes]:
        """Yield the whole lines that were appended since the last look, in blocks.

        Lines that are appended meanwhile wait for the next look, so that the other streams get their turn. A file
        that is not a regular one has no lines.
        """
        try:
            about = os.lstat(self.path)
        except FileNotFoundError:
            return
        self.size = about.st_size
        if self.size <= self.offset or not stat.S_ISREG(about.st_mode):
            return
        with open(open_stream(self.path), "rb") as file:
            while self.offset < self.size and (data := read_lines(file.fileno(), self.offset, _BLOCK)):
                self.offset += len(data)
                yield data

    def flush(self) -> None:
        """Make the content of the last look survive a power cut. Raises OSError if the disk fails."""
        if self.size == self.flushed:
            return
        fd = open_stream(self.path)
        try:
            size = os.fstat(fd).st_size
            os.fsync(fd)
            self.flushed = size
        finally:
            os.close(fd)

    def latest_time(self) -> float:
        """Return the time of the last record, or of an earlier one that is later, since a clock may be set back.

        Returns the present time if the last record is too far back.
        """
        start = max(0, self.offset - _NEAR_END)
        try:
            with open(open_stream(self.path), "rb") as file:
                records = parse(os.pread(file.fileno(), self.offset - start, start)).records
                latest, at = records[-1].time if records else time.time(), 0
                while at < self.offset and (data := read_lines(file.fileno(), at, _BLOCK)):
                    at += len(data)
                    if any(int(found) > latest * 1e6 for found in _TIME.findall(data)):  # parsing all would take long
                        latest = max([latest, *(record.time for record in parse(data).records)])
        except OSError:
            return time.time()
        return latest

    def _is_held(self) -> bool:
        """Tell whether the stream's writer holds its lock, as it does from before its first line until it is done."""
        if self._released:
            return False
        try:
            fd = open_stream(self.path)
        except OSError:
            return False
        try:
            held = is_taken(fd)
        finally:
            os.close(fd)
        self._released = not held and self.offset > 0
        return held
