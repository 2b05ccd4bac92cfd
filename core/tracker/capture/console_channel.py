"""What was written to one descriptor, on its way to where it would have gone, and as text to whoever keeps it."""

from __future__ import annotations

import fcntl
import mmap
import os
import select
import struct
import termios
from collections.abc import Callable

_SIZE = 256 * 1024  # bytes in hand
_READ = 64 * 1024
_MARKS = struct.Struct("QQQ")


class Channel:
    """Reads `source`, writes what it read to `target`, then tells it to `feed` line by line.

    What it has in hand is in memory that forked processes share: if one is killed between any two steps, `resume` in
    another goes on where it was. Then nothing is missing, and at most one line and one write are there twice.
    """

    def __init__(self, source: int, target: int | None, feed: Callable[[str], None]) -> None:
        """`source` may be a pipe or the master of a pseudo-terminal; without `target` nothing is passed on."""
        self.source = source
        self.target = target
        self.feed = feed
        self.open = True
        self._hand = memoryview(mmap.mmap(-1, _SIZE + _MARKS.size))

    def pump(self) -> None:
        """Read once, which must be possible without waiting, and do all that follows. Closes at the end."""
        kept, sent, end = self._room()
        try:
            size = os.readv(self.source, [self._hand[end : min(end + _READ, _SIZE)]])
        except OSError:  # EIO: nobody has the terminal open any more
            size = 0
        if size:
            self._mark(kept, sent, end + size)
            self.resume()
        else:
            self.open = False
            self.flush()

    def resume(self) -> None:
        """Pass on and tell what is in hand; an unfinished line stays there."""
        kept, sent, end = self._marks()
        while sent < end:
            sent += self._send(self._hand[sent:end])
            self._mark(kept, sent, end)
        data = bytes(self._hand[kept:end])
        for line in data[: max(data.rfind(b"\n"), data.rfind(b"\r")) + 1].splitlines(keepends=True):
            self.feed(line.decode("utf-8", "replace"))
            kept += len(line)
            self._mark(kept, sent, end)
        if kept == end:
            self._mark(0, 0, 0)

    def drain(self) -> None:
        """Take in all that was written so far."""
        while self.open and readable(self.source):
            self.pump()

    def flush(self) -> None:
        """Tell also of an unfinished line."""
        kept, _, end = self._marks()
        if kept < end:
            self.feed(bytes(self._hand[kept:end]).decode("utf-8", "replace"))
            self._mark(0, 0, 0)

    def _room(self) -> tuple[int, int, int]:
        kept, sent, end = self._marks()
        if end + _READ <= _SIZE:
            return kept, sent, end
        if 2 * kept < end:  # a very long line; moved onto itself it would not survive our death
            self.flush()
            return 0, 0, 0
        self._hand[: end - kept] = self._hand[kept:end]
        self._mark(0, sent - kept, end - kept)
        return 0, sent - kept, end - kept

    def _send(self, data: memoryview) -> int:
        while self.target is not None:
            try:
                return os.write(self.target, data)
            except BlockingIOError:  # somebody made it so, as it is shared with others
                select.select([], [self.target], [])
            except OSError:  # nobody reads there any more: that is no reason to stop who writes
                self.target = None
        return len(data)

    def _marks(self) -> tuple[int, int, int]:
        return _MARKS.unpack_from(self._hand, _SIZE)

    def _mark(self, kept: int, sent: int, end: int) -> None:
        _MARKS.pack_into(self._hand, _SIZE, kept, sent, end)


def readable(fd: int) -> bool:
    """Tell whether reading would return at once."""
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    return bool(poll.poll(0))


def copy_size(source: int, target: int) -> None:
    """Give a terminal the size of another one."""
    try:
        size = fcntl.ioctl(source, termios.TIOCGWINSZ, b"\0" * 8)
        if fcntl.ioctl(target, termios.TIOCGWINSZ, b"\0" * 8) != size:
            fcntl.ioctl(target, termios.TIOCSWINSZ, size)
    except OSError:  # one of them is gone, or no terminal
        pass


def open_terminal(like: int, as_is: bool = True) -> tuple[int, int]:
    """Return the master and the slave of a pseudo-terminal of the size and with the modes of the terminal `like`. With
    `as_is` it leaves it to `like` to translate line ends. Raises OSError.
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
