"""Run the process between a redirected stdout or stderr and its target: pass everything on and keep the lines."""

from __future__ import annotations

import mmap
import os
import select
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path

from tracker.machine.python_process import detach
from tracker.runlog.reader import read_header

from .console_channel import Channel, copy_size
from .console_stream import ConsoleStream

CONTROL, FIRST = 3, 4
"""The helper's descriptors: the socket to the training; then of each channel, where to read and where it leads."""

_LOOK = 1000  # milliseconds between looks at the size of a terminal


def main() -> None:
    """Serve the channels named on the command line: DIRECTORY LIMIT NAME…, as `Redirect` starts it."""
    detach()
    directory, limit, *names = sys.argv[1:]
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # the training may print while it ends
    Helper(directory, int(limit), names).serve()


class Helper:
    """Reads until nobody can write any more; a forked partner takes over if this process is killed."""

    def __init__(self, directory: str, limit: int, names: list[str]) -> None:
        header = read_header(Path(directory))
        run = {member: header.get(member) for member in ("id", "entity", "project")}
        self._new_stream: Callable[[], ConsoleStream] = lambda: ConsoleStream(directory, run, limit)
        self._stream = self._new_stream()
        self._control: socket.socket | None = socket.socket(fileno=CONTROL)
        self._muted = mmap.mmap(-1, 1)  # shared: whether the run has ended, so that nothing is kept any more
        self._partner: tuple[socket.socket, int] | None = None
        self._channels = []
        for number, name in enumerate(names):
            source, target = FIRST + 2 * number, FIRST + 2 * number + 1
            self._channels.append(Channel(source, target, lambda text, name=name: self._feed(name, text)))  # type: ignore[misc]

    def serve(self) -> None:
        """Pass on and keep until the end of all channels."""
        terminals = [c for c in self._channels if os.isatty(c.source)]
        while any(channel.open for channel in self._channels):
            if self._partner is None:
                self._partner = self._fork()
            for channel in terminals:
                if channel.target is not None:
                    copy_size(channel.target, channel.source)
            ready = self._wait(_LOOK if terminals else None)
            for channel in self._channels:
                if channel.source in ready:
                    channel.pump()
            if self._partner is not None and self._partner[0].fileno() in ready:
                self._forget_partner()
            if CONTROL in ready:
                self._end_run()
        self._stream.close()
        if self._partner is not None:
            os.kill(self._partner[1], signal.SIGKILL)

    def _wait(self, timeout: int | None) -> set[int]:
        poll = select.poll()
        for channel in self._channels:
            if channel.open:
                poll.register(channel.source, select.POLLIN)
        if self._control is not None:
            poll.register(CONTROL, select.POLLIN)
        if self._partner is not None:
            poll.register(self._partner[0], select.POLLIN)
        return {fd for fd, _ in poll.poll(timeout)}

    def _fork(self) -> tuple[socket.socket, int] | None:
        """Fork the partner. In the partner, wait until the helper is gone, then return in its place."""
        ours, theirs = socket.socketpair()
        pid = os.fork()
        if pid:
            theirs.close()
            return ours, pid
        ours.close()
        self._stream.abandon()  # first, since its lock is shared
        self._stream = self._new_stream()
        theirs.recv(1)  # nobody sends: it returns when the other end is gone
        theirs.close()
        for channel in self._channels:
            channel.take_over()
        return None

    def _forget_partner(self) -> None:
        if self._partner is not None:
            self._partner[0].close()
            os.waitpid(self._partner[1], 0)
            self._partner = None

    def _end_run(self) -> None:
        """Handle everything written until the end of the run, close the stream, and confirm.

        Later output, from children that still live, is only passed on.
        """
        assert self._control is not None
        if self._control.recv(1, socket.MSG_PEEK):  # read when all is done, in case of a kill
            for channel in self._channels:
                channel.drain()
                channel.flush()
            self._stream.close()
            self._muted[0] = 1
            self._control.recv(1)
            try:
                self._control.send(b".")
            except OSError:  # it did not wait
                pass
        else:  # the training is gone; its children may not be
            self._control.close()
            self._control = None

    def _feed(self, name: str, text: str) -> None:
        if not self._muted[0]:
            self._stream.feed(name, text)
