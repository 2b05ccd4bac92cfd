"""Capture the descriptors 1 and 2, and so also the output of C extensions and children."""

from __future__ import annotations

import fcntl
import os
import select
import socket
import sys
from collections.abc import Callable

from tracker.errors import warn_once
from tracker.machine.python_process import collect, start_detached
from tracker.runlog.directory import LOG

from .console_channel import Channel, open_terminal
from .console_helper import CONTROL
from .console_stream import NAMES, ConsoleStream

_PIPE = 1024 * 1024  # bytes that a pipe holds, where allowed, while the helper starts or starts again
_STOP_TIMEOUT = 10.0  # seconds that `stop` waits for a helper whose terminal accepts nothing
_HIGH = 32  # our descriptors are above this, apart from the helper's


class _Redirected:
    """One descriptor, redirected to a helper: by a pseudo-terminal if it was a terminal, else by a pipe."""

    def __init__(self, *fds: int) -> None:
        """`fds` lead to the same place. Raises OSError."""
        ends = open_terminal(fds[0]) if os.isatty(fds[0]) else os.pipe()
        if not os.isatty(fds[0]):
            try:
                fcntl.fcntl(ends[1], fcntl.F_SETPIPE_SZ, _PIPE)
            except (AttributeError, OSError):
                pass  # the usual size is enough
        # We never read from it, but while we hold it, no writer gets a broken pipe.
        self.source, self._sink = map(_high, ends)
        for end in ends:
            os.close(end)
        self._originals = {fd: _high(fd) for fd in fds}
        self.target = self._originals[fds[0]]

    def begin(self) -> None:
        """Redirect: from now on, the helper gets the output."""
        for fd in self._originals:
            os.dup2(self._sink, fd)

    def end(self) -> None:
        """Restore the descriptor, unless somebody else has redirected it meanwhile."""
        for fd, original in self._originals.items():
            if _same(fd, self._sink):
                os.dup2(original, fd)
        os.close(self._sink)

    def close(self) -> None:
        """Close the other descriptors."""
        for fd in (self.source, *self._originals.values()):
            os.close(fd)


class Redirect:
    """Redirects this process's stdout and stderr through a helper, and back."""

    _active = False  # whether this process has one: two could not be undone in any order

    def __init__(self, directory: str, limit: int, make: Callable[[], ConsoleStream]) -> None:
        """`make` returns a stream for output that no helper kept."""
        self._make = make
        self._directory = directory
        self._limit = limit
        self._parts: list[_Redirected] = []
        self._control: socket.socket | None = None
        self._owner = os.getpid()

    @classmethod
    def possible(cls) -> bool:
        """Tell whether Python's streams lead to descriptors 1 and 2, and no run has redirected these yet."""
        try:
            return not cls._active and [sys.stdout.fileno(), sys.stderr.fileno()] == [1, 2]
        except (AttributeError, OSError, ValueError):
            return False

    def start(self) -> None:
        """Start the helper, then redirect. Raises OSError with nothing changed."""
        _flush()
        try:
            # Two channels to the same place would mix up the order.
            for fds in [(1, 2)] if _same(1, 2) else [(1,), (2,)]:
                self._parts.append(_Redirected(*fds))
            self._start_helper()
        except OSError:
            for part in self._parts:
                part.end()
                part.close()
            raise
        Redirect._active = True
        for part in self._parts:
            part.begin()

    def stop(self) -> None:
        """Redirect back, and return when all output is passed on and kept."""
        if self._owner != os.getpid():
            return
        _flush()
        for part in self._parts:
            part.end()
        if not self._finish_helper():
            self._drain()
        for part in self._parts:
            part.close()
        Redirect._active = False
        collect()

    def after_fork(self) -> None:
        """Do nothing in a forked child: its output goes where its parent's goes."""

    def check(self) -> None:
        """Restart the helper if both of its processes were killed; until then the pipe holds what is printed."""
        collect()
        if self._owner == os.getpid() and self._control is not None and _ended(self._control):
            self._control.close()
            self._control = None
            self._start_helper()

    def _start_helper(self) -> None:
        ours, theirs = socket.socketpair()
        fds = [fcntl.fcntl(theirs, fcntl.F_DUPFD_CLOEXEC, _HIGH)]
        theirs.close()
        for part in self._parts:
            fds += [part.source, part.target]
        log = os.path.join(self._directory, LOG)
        names = NAMES[: len(self._parts)]
        actions = [
            (os.POSIX_SPAWN_OPEN, 1, log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644),
            (os.POSIX_SPAWN_DUP2, 1, 2),
            *((os.POSIX_SPAWN_DUP2, fd, CONTROL + number) for number, fd in enumerate(fds)),
        ]
        arguments = [self._directory, str(self._limit), *names]
        try:
            start_detached("tracker.capture.console_helper", "main", arguments, os.environ, actions)
        except ValueError as error:  # a variable that no environment can hold
            raise OSError(str(error)) from None
        finally:
            os.close(fds[0])
        self._control = ours

    def _finish_helper(self) -> bool:
        """Have the helper handle all output; tell whether a helper did."""
        control = self._control
        if control is None:
            return False
        try:
            control.send(b".")
            control.settimeout(_STOP_TIMEOUT)
            return control.recv(1) == b"."
        except TimeoutError:
            warn_once("printed text is still waiting: its terminal or file accepts nothing")
            return True
        except OSError:
            return False
        finally:
            control.close()
            self._control = None

    def _drain(self) -> None:
        """Do the helper's work."""
        stream = self._make()
        for part, name in zip(self._parts, NAMES, strict=False):
            channel = Channel(part.source, part.target, lambda text, name=name: stream.feed(name, text))  # type: ignore[misc]
            channel.drain()
            channel.flush()
        stream.close()


def _high(fd: int) -> int:
    return fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, _HIGH)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (AttributeError, OSError, ValueError):
            pass  # the stream reports its own errors


def _same(one: int, other: int) -> bool:
    try:
        return os.path.sameopenfile(one, other)
    except OSError:  # one of them is closed
        return False


def _ended(control: socket.socket) -> bool:
    poll = select.poll()
    poll.register(control, select.POLLIN)
    return bool(poll.poll(0))
