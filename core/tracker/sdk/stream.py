"""Write this process's stream of a run."""

from __future__ import annotations

import atexit
import os
import sys
import time
from collections.abc import Callable
from typing import Any

from tracker.agent_protocol.sealing import process_seal
from tracker.capture.process import arguments
from tracker.errors import warn_once
from tracker.runlog.directory import new_stream, this_process
from tracker.runlog.records import MAX_LINE, encode, parse
from tracker.runlog.stats import Stats, sum_up
from tracker.runlog.writer import StreamWriter, header

from .values import oversized
from .values.config_values import to_config

_ENDING = 256 * 1024  # bytes


class Stream:
    """Writes this process's stream, which opens with the first line.

    Never raises: a failing disk must not stop the training. Not thread-safe: the run holds its lock.
    """

    def __init__(
        self, directory: str, members: Callable[[], dict[str, Any]], process: Callable[[], dict[str, Any] | None]
    ) -> None:
        """`members` returns the header's members about the run when the stream opens, `process` those about the process
        unless it is a forked child.
        """
        self._directory = directory
        self._members = members
        self._process = process
        self._writer: StreamWriter | None = None
        self.append: Callable[[bytes], None] = self._append_first
        """Append one encoded line."""
        self.parent: str | None = None
        """In a forked child: the name of its parent's stream."""
        self.dropped = 0
        """Lines that could not be kept, for whatever reason."""
        self.pieces: list[tuple[str, int | None]] = []
        """The paths of the streams with this process's rows, and the size up to which the rows belong to it (None: all
        of them). In a forked child, the first is its parent's.
        """
        self.unkept: dict[str, Stats] = {}
        """The stats of rows that could not be written, for scripts that read them back."""
        self._at_fork = 0
        self.ending = 0, b""
        """After `close`: the offset of the last lines, and these lines. The file may be deleted later."""
        self.shortened: dict[str, Any] = {}
        """Members that the header does not hold in full, since it would be too long for a line."""
        self._late: Late | None = None

    def open(self) -> None:
        """Open the stream and append its header, unless it is open."""
        if self._writer is not None:
            return
        try:
            writer = StreamWriter(new_stream(self._directory, "history"), _disk_trouble)
        except OSError as error:
            self.append = self.lose
            if os.path.isdir(self._directory):  # the user knows if it is missing
                warn_once(f"cannot write in {self._directory} ({error}); nothing of this run will be kept")
            return
        program = "".join(arguments()[:1]) or None
        process = self._process() if self.parent is None else None
        about = {**self._members(), **this_process(), "parent": self.parent, "process": process}
        about["seal"] = None if self.parent is not None else _seal(about)
        payload = to_config(header("history", **about, program=program, python=sys.version.split()[0]))
        line = encode("run", payload, time.time())  # to_config: the name of a program may be any bytes
        if len(line) >= MAX_LINE:
            payload, self.shortened = oversized.shortened(payload)
            line = encode("run", payload, time.time())
        writer.append(line)
        self._writer, self.append = writer, writer.append
        self.pieces.append((writer.path, None))

    def descriptor(self, path: str) -> int | None:
        """Return a descriptor to read one of `pieces` from, or None if its file is gone."""
        try:
            if self._writer is not None and self._writer.path == path:
                return self._writer.descriptor()
            return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return None

    def waiting(self) -> list[bytes]:
        """Return the lines that the disk has not taken yet."""
        return self._writer.waiting() if self._writer is not None else []

    @property
    def name(self) -> str | None:
        """The file's name; in a forked child that has not written yet, that of its parent's stream."""
        own = [path for path, end in self.pieces if end is None]
        return os.path.basename(own[-1]) if own else self.parent

    @property
    def kept(self) -> bool:
        """Whether appended lines go to a file."""
        return self._writer is not None

    @property
    def path(self) -> str | None:
        """The path of the stream's file; None before it is opened."""
        return self._writer.path if self._writer is not None else None

    def deleted(self) -> bool:
        """Tell whether the file was deleted, so that nobody will read what is appended."""
        return self._writer is not None and self._writer.deleted()

    def drop(self, _line: bytes) -> None:
        """Count a line instead of keeping it."""
        self.dropped += 1

    def lose(self, line: bytes) -> None:
        """Count a line and remember its row for the summary; `append` is this if nothing can be written."""
        self.drop(line)
        self.remember(line)

    def remember(self, line: bytes) -> None:
        """Add the row of a line to `unkept`."""
        sum_up(self.unkept, parse(line).records)

    def count_lost(self, reason: str) -> None:
        """Count a record that cannot be kept, here and in the run log."""
        before = self.dropped
        self.append(encode("lost", {"count": 1, "reason": reason[:1000]}, time.time()))
        if self.dropped == before:  # else the line itself was dropped, and counted
            self.dropped += 1

    def drop_late(self, line: bytes) -> None:
        """Count a line that comes after `close`, here and in the run log.

        The log gets the count at the 1st, 2nd, 4th, … line and when the process ends: a loop that continues must not
        fill the disk with counts.
        """
        self.drop(line)
        if self._late is not None:
            self._late.count()

    def correct_end(self, line: bytes) -> None:
        """Append, after `close`, a `finish` record that replaces the one at the end of the stream."""
        if self._late is not None:
            self._late.append(line)

    def close(self, then: Callable[[bytes], None], wake: Callable[[], None]) -> None:
        """Make everything durable, close the file, and pass later lines to `then`. `wake`: see `Late`."""
        self.append = then
        writer = self._writer
        if writer is None:
            return
        try:
            writer.sync()
        except OSError as error:
            warn_once(f"the disk could not take the end of the run ({error}); what it has not taken may be lost")
        try:
            with open(writer.descriptor(), "rb") as file:
                start = file.seek(max(0, file.seek(0, os.SEEK_END) - _ENDING))
                self.ending = start, file.read()
        except OSError:
            pass  # the summary then reads the file
        writer.close()
        self._writer = None
        self._late = Late(writer.path, wake)
        self.dropped += writer.lost
        if writer.lost:
            warn_once(f"{writer.lost} records were lost because the disk did not take them")

    def before_fork(self) -> None:
        """Note the size: later lines do not belong to the forked child."""
        self._at_fork = self._writer.size() if self._writer is not None else 0

    def after_fork(self) -> None:
        """Continue a forked child in a new stream; the descriptor and held lines are the parent's."""
        if self._writer is not None:
            self.parent = os.path.basename(self._writer.path)
            self.pieces[-1] = self._writer.path, self._at_fork
            self._writer.abandon()
            self._writer = None
            self.append = self._append_first

    def _append_first(self, line: bytes) -> None:
        self.open()
        self.append(line)


def _seal(about: dict[str, Any]) -> str | None:
    """Return the seal by which the user's agent recognizes this process and may stop it; None without a stored key."""
    try:
        return process_seal(about["id"], about)
    except OSError:
        return None


class Late:
    """Appends to a stream that its process has closed, mainly how many records came too late."""

    def __init__(self, path: str, wake: Callable[[], None]) -> None:
        """`wake` has an agent look at the run again, since the agent may have finished with it."""
        self._path = path
        self._wake = wake
        self._pid = os.getpid()
        self._written = self._counted = 0

    def count(self) -> None:
        """Count one record. A forked child counts nothing here: the stream is its parent's."""
        if os.getpid() != self._pid:
            return
        self._counted += 1
        if self._counted & (self._counted - 1) == 0:
            self._write_count()
        if self._counted == 1:
            atexit.register(self._write_remaining)
            self._wake()

    def _write_remaining(self) -> None:
        if self._write_count():
            self._wake()

    def _write_count(self) -> bool:
        """Write the count of records that is not written yet; return whether there was any."""
        count = self._counted - self._written
        if not count or os.getpid() != self._pid:
            return False
        self._written = self._counted
        return self._write(encode("lost", {"count": count, "reason": "logged after the end of the run"}, time.time()))

    def append(self, line: bytes) -> None:
        """Append a line and have an agent take it."""
        if os.getpid() == self._pid and self._write(line):
            self._wake()

    def _write(self, line: bytes) -> bool:
        try:
            fd = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            return False  # the directory is gone, or the disk: nobody will read it
        try:
            return os.write(fd, line) > 0
        except OSError:
            return False  # as above
        finally:
            os.close(fd)


def _disk_trouble(error: OSError) -> None:
    warn_once(f"the disk does not take the run log ({error}); rows are held in memory and written when it does")
