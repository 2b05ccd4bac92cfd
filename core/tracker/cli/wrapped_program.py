"""Run a program as its user would, and see everything that it prints."""

from __future__ import annotations

import fcntl
import os
import select
import signal
import subprocess
import sys
import termios
import time
import tty
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from tracker.capture.console_channel import Channel, copy_size, open_terminal
from tracker.errors import say

_END = b"\x04"  # ctrl+D
_STOPS = (
    (signal.SIGINT, "interrupting the program; ctrl+D again terminates it"),
    (signal.SIGTERM, "terminating the program; ctrl+D again kills it"),
    (signal.SIGKILL, "killing the program"),
)
_PASSED_ON = (signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
_BY_KEY = (signal.SIGINT, signal.SIGQUIT)


class WrappedProgram:
    """Runs one program, from its start to its end.

    If our output is a terminal, the program gets a pseudo-terminal of the same size; if it is a pipe or a file, a pipe.
    At a terminal, the program gets our input and a session of its own. So its job control and signals by key work as
    usual, except ctrl+D where it reads whole lines. Elsewhere it has our stdin and gets the signals that we get.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        feed: Callable[[str, str], None],
        look_after: Callable[[], None],
        every: float,
    ) -> None:
        """`feed` gets the stream and the text of all output. `look_after` is called about every `every` seconds."""
        self._command = command
        self._environment = environment
        self._feed = feed
        self._look_after = look_after
        self._every = every
        self._process: subprocess.Popen[bytes] | None = None
        self._interactive = all(map(os.isatty, (0, 1))) and _in_foreground()
        # In another session it could not read from the terminal.
        self._shares_terminal = os.isatty(0) and not self._interactive
        self._terminal: int | None = None  # the master of the program's terminal, if it has one
        self._typed = b""
        self._stops = 0
        self.stopped = False
        """Whether the user asked for the program's end."""

    def run(self) -> int:
        """Run it and return its exit status, 128 + n if signal n ended it. Raises OSError if it cannot be started."""
        woken, wake = os.pipe()
        os.set_blocking(wake, False)
        former_wake = signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        former = {number: signal.signal(number, self._pass_on) for number in _PASSED_ON}
        former[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda *_: None)
        former[signal.SIGWINCH] = signal.signal(signal.SIGWINCH, self._resize)
        try:
            channels = self._start()
            with self._raw() if self._interactive else _unchanged():
                status = self._serve(channels, woken)
        finally:
            for number, handler in former.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(former_wake)
            os.close(woken)
            os.close(wake)
        return status if status >= 0 else 128 - status

    def _start(self) -> list[Channel]:
        """Start the program; return the channels of its output."""
        outputs: dict[int, int] = {}
        channels = []
        for fd, name in ((1, "stdout"), (2, "stderr")):
            if fd == 2 and os.path.sameopenfile(1, 2):  # two channels to one place would mix up the order
                outputs[2] = outputs[1]
                continue
            if os.isatty(fd):
                source, outputs[fd] = open_terminal(fd, as_is=not self._interactive)
                self._terminal = self._terminal or source
            else:
                source, outputs[fd] = os.pipe()
            channels.append(Channel(source, fd, lambda text, name=name: self._feed(name, text)))  # type: ignore[misc]
        try:
            self._process = subprocess.Popen(
                self._command,
                env=self._environment,
                stdin=outputs[1] if self._interactive else None,
                stdout=outputs[1],
                stderr=outputs[2],
                start_new_session=not self._shares_terminal,
                preexec_fn=_own_terminal if self._interactive else None,  # noqa: PLW1509 - there are no threads
            )
        finally:
            for end in set(outputs.values()):
                os.close(end)
        return channels

    def _serve(self, channels: list[Channel], woken: int) -> int:
        assert self._process is not None
        typing = self._interactive
        look_at = time.monotonic() + self._every
        while (status := self._process.poll()) is None:
            poll = select.poll()
            poll.register(woken, select.POLLIN)
            for channel in channels:
                if channel.open:
                    poll.register(channel.source, select.POLLIN)
            if typing and not self._typed:
                poll.register(0, select.POLLIN)
            if self._typed and self._terminal is not None and channels[0].open:
                poll.register(self._terminal, select.POLLIN | select.POLLOUT)
            ready = dict(poll.poll(1000 * max(0.0, look_at - time.monotonic())))
            if time.monotonic() >= look_at:
                self._look_after()
                look_at = time.monotonic() + self._every
            if woken in ready:
                os.read(woken, 4096)
            if self._terminal is not None and ready.get(self._terminal, 0) & select.POLLOUT:
                self._type()
            for channel in channels:
                if ready.get(channel.source, 0) & ~select.POLLOUT:
                    channel.pump()
                if channel.open and channel.target is None:  # like the end of `| head`: the program must see it, too
                    channel.open = False
                    os.close(channel.source)
            if 0 in ready:
                data = _read(0)
                typing = bool(data)
                self._take(data)
        for channel in channels:
            channel.drain()
            channel.flush()
        return status

    # -- input of the user ------------------------------------------------------------------------------------------

    def _take(self, data: bytes) -> None:
        """Pass on what was typed; ctrl+D stops a program that reads whole lines, instead of ending its input."""
        assert self._terminal is not None
        if _END in data and termios.tcgetattr(self._terminal)[3] & termios.ICANON:
            for _ in range(data.count(_END)):
                self._stop()
            data = data.replace(_END, b"")
        self._typed += data

    def _type(self) -> None:
        assert self._terminal is not None
        try:
            self._typed = self._typed[os.write(self._terminal, self._typed[:512]) :]
        except OSError:
            self._typed = b""

    def _stop(self) -> None:
        assert self._process is not None
        assert self._terminal is not None
        number, text = _STOPS[min(self._stops, len(_STOPS) - 1)]
        self._stops += 1
        self.stopped = True
        say(text)
        groups = {os.tcgetpgrp(self._terminal)} | (set() if number == signal.SIGINT else {self._process.pid})
        for group in groups:
            _kill(os.killpg, group, number)

    def _pass_on(self, number: int, _frame: Any) -> None:
        self.stopped = self.stopped or number in (signal.SIGINT, signal.SIGTERM)
        if self._process is None or self._process.returncode is not None:
            return
        if not self._shares_terminal:
            _kill(os.killpg, self._process.pid, number)
        elif number not in _BY_KEY:  # the terminal sends those to the program itself
            _kill(os.kill, self._process.pid, number)

    def _resize(self, _number: int, _frame: Any) -> None:
        if self._terminal is not None:
            copy_size(1 if os.isatty(1) else 2, self._terminal)

    @contextmanager
    def _raw(self) -> Iterator[None]:
        """Leave echo, line ends and signals by key to the program's terminal."""
        modes = termios.tcgetattr(0)
        try:
            tty.setraw(0)
            sys.stderr.reconfigure(newline="\r\n")  # type: ignore[union-attr]
            yield
        finally:
            sys.stderr.reconfigure(newline="\n")  # type: ignore[union-attr]
            termios.tcsetattr(0, termios.TCSADRAIN, modes)


@contextmanager
def _unchanged() -> Iterator[None]:
    yield


def _own_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def _in_foreground() -> bool:
    try:
        return os.tcgetpgrp(0) == os.getpgrp()
    except OSError:
        return False


def _read(fd: int) -> bytes:
    try:
        return os.read(fd, 1024)
    except OSError:  # the terminal is gone
        return b""


def _kill(how: Callable[[int, int], None], target: int, number: int) -> None:
    try:
        how(target, number)
    except (ProcessLookupError, PermissionError):
        pass
