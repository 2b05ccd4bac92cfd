"""Pass on what is written to one descriptor, and hand it to a function as text."""

from __future__ import annotations

import fcntl
import mmap
import os
import select
import struct
import termios
from collections.abc import Callable

_SIZE = 256 * 1024  # bytes that were read and are not handled yet
_READ = 64 * 1024
_MARKS = struct.Struct("QQQQ")
_ZEROS = bytes(_READ)


class Channel:
    """Reads `source`, writes what it read to `target`, then hands it to `feed` line by line.

    Its state is in memory that forked processes share: if one process is killed between any two steps, `take_over` in
    another one continues. Nothing is lost then, and at most one line and one write are repeated.
    """

    def __init__(self, source: int, target: int | None, feed: Callable[[str], None]) -> None:
        """`source` may be a pipe or the master of a pseudo-terminal; without `target` nothing is passed on."""
        self.source = source
        self.target = target
        self.feed = feed
        self.open = True
        self._buffer = memoryview(mmap.mmap(-1, _SIZE + _MARKS.size))

    def pump(self) -> None:
        """Read once and handle the data; the read must not block. Closes at the end."""
        kept, sent, end = self._room()
        free = self._buffer[end : end + _READ]
        free[:] = _ZEROS
        self._mark(kept, sent, end, reading=True)
        try:
            size = os.readv(self.source, [free])
        except OSError:  # EIO: nobody has the terminal open
            size = 0
        self._mark(kept, sent, end + size)
        if size:
            self._handle()
        else:
            self.open = False
            self.flush()

    def take_over(self) -> None:
        """Continue where another process was killed.

        What it had read and not marked yet is the data that has replaced the zeros. Zero bytes at its end are lost.
        """
        kept, sent, end, reading = self._marks()
        if reading:
            self._mark(kept, sent, end + len(bytes(self._buffer[end : end + _READ]).rstrip(b"\0")))
        self._handle()

    def _handle(self) -> None:
        """Pass on and handle the data in the buffer; an unfinished line stays."""
        kept, sent, end, _ = self._marks()
        while sent < end:
            sent += self._send(self._buffer[sent:end])
            self._mark(kept, sent, end)
        data = bytes(self._buffer[kept:end])
        for line in data[: max(data.rfind(b"\n"), data.rfind(b"\r")) + 1].splitlines(keepends=True):
            self.feed(line.decode("utf-8", "replace"))
            kept += len(line)
            self._mark(kept, sent, end)
        if kept == end:
            self._mark(0, 0, 0)

    def drain(self) -> None:
        """Read all that was written so far."""
        while self.open and readable(self.source):
            self.pump()

    def flush(self) -> None:
        """Hand over an unfinished line as well."""
        kept, _, end, _ = self._marks()
        if kept < end:
            self.feed(bytes(self._buffer[kept:end]).decode("utf-8", "replace"))
            self._mark(0, 0, 0)

    def _room(self) -> tuple[int, int, int]:
        kept, sent, end, _ = self._marks()
        if end + _READ <= _SIZE:
            return kept, sent, end
        if 2 * kept < end:  # a very long line: if it overlaps itself, a kill during the move would lose it
            self.flush()
            return 0, 0, 0
        self._buffer[: end - kept] = self._buffer[kept:end]
        self._mark(0, sent - kept, end - kept)
        return 0, sent - kept, end - kept

    def _send(self, data: memoryview) -> int:
        while self.target is not None:
            try:
                return os.write(self.target, data)
            except BlockingIOError:  # another process that shares it made it non-blocking
                select.select([], [self.target], [])
            except OSError:  # nobody reads it any more; the writers must not stop for that
                self.target = None
        return len(data)

    def _marks(self) -> tuple[int, int, int, int]:
        return _MARKS.unpack_from(self._buffer, _SIZE)

    def _mark(self, kept: int, sent: int, end: int, reading: bool = False) -> None:
        _MARKS.pack_into(self._buffer, _SIZE, kept, sent, end, reading)


def readable(fd: int) -> bool:
    """Tell whether reading would return at once."""
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    return bool(poll.poll(0))


def copy_size(source: int, target: int) -> None:
    """Set the size of a terminal to that of another one."""
    try:
        size = fcntl.ioctl(source, termios.TIOCGWINSZ, b"\0" * 8)
        if fcntl.ioctl(target, termios.TIOCGWINSZ, b"\0" * 8) != size:
            fcntl.ioctl(target, termios.TIOCSWINSZ, size)
    except OSError:  # one of them is gone, or is not a terminal
        pass


def open_terminal(like: int, as_is: bool = True) -> tuple[int, int]:
    """Open a pseudo-terminal with the size and the modes of the terminal `like`; return its master and slave.

    With `as_is` it leaves the translation of line ends to `like`. Raises OSError.
    """
    master, slave = os.openpty()
    try:
        modes = termios.tcgetattr(like)
        modes[1] = modes[1] & ~termios.OPOST if as_is else modes[1]
        termios.tcsetattr(slave, termios.TCSANOW, modes)
    except termios.error as error:
        os.close(master)
        os.close(slave)
        raise OSError(*error.args) from None
    copy_size(like, slave)
    return master, slave
