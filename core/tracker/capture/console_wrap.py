"""Capture what Python writes to the objects `sys.stdout` and `sys.stderr`."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import Any

from tracker.errors import contained

from .console_stream import NAMES, ConsoleStream

_taps: dict[str, Tap] = {}
"""The taps of `stdout` and `stderr`; several runs may listen to one."""


class Tap:
    """Replaces the `write` of one text stream, and leaves the rest of it alone.

    The stream stays the same object, so code that holds it is heard, too. `isatty`, `fileno`, `buffer` and encoding do
    not change.
    """

    def __init__(self, name: str, stream: Any) -> None:
        """Raises AttributeError or TypeError if the `write` of the stream cannot be replaced."""
        self._name = name
        self.stream = stream
        self._probed = False
        self._feeds: tuple[Callable[[str], None], ...] = ()
        self._guard = contained("capturing the console")
        self.lock = threading.RLock()  # print() in a signal handler may come in the middle of another one
        self._replace_write(stream)

    def _replace_write(self, stream: Any) -> None:
        self._write: Callable[[str], int] = stream.write
        self._own = "write" in vars(stream)
        stream.write = self.write

    def rearm(self) -> None:
        """Replace `write` again if other code has restored the original."""
        self._probed = False
        if vars(self.stream).get("write") != self.write:
            self.stream.write("")  # calls our `write` if theirs calls it
            if not self._probed:
                self._replace_write(self.stream)

    def moved(self, stream: Any) -> Tap:
        """Return a tap for the same listeners on the stream that replaces this one."""
        tap = Tap(self._name, stream)
        tap._feeds = self._feeds
        return tap

    def write(self, text: str) -> int:
        """Write, then call the listeners, in the order in which the text was written."""
        self._probed = True
        with self.lock:
            result = self._write(text)
            with self._guard:
                try:
                    for feed in self._feeds:
                        feed(text)
                except Exception:
                    self._feeds = ()  # before the warning, which is written here as well
                    raise
        return result

    def add(self, listener: ConsoleStream) -> None:
        """Add a listener."""
        with self.lock:
            self._feeds += (listener.feeder(self._name),)

    def drop(self, listener: ConsoleStream) -> bool:
        """Remove a listener; return whether none is left."""
        with self.lock:
            self._feeds = tuple(feed for feed in self._feeds if feed != listener.feeder(self._name))
            return not self._feeds

    def remove(self) -> None:
        """Restore the stream's own `write`, unless other code has replaced ours."""
        if vars(self.stream).get("write") == self.write:
            if self._own:
                self.stream.write = self._write
            else:
                del self.stream.write


def rearm() -> None:
    """Listen to the present `sys.stdout` and `sys.stderr`.

    The end of a scope in which we began to listen, such as a cell of a notebook, restores the former streams.
    """
    for name, tap in list(_taps.items()):
        stream = getattr(sys, name)
        try:
            if stream is tap.stream:
                tap.rearm()
            elif stream is not None:
                _taps[name] = tap.moved(stream)
        except (AttributeError, TypeError, ValueError, OSError):  # a closed one, say
            continue


class Wrap:
    """Listens to this process's `sys.stdout` and `sys.stderr`."""

    def __init__(self, make: Callable[[], ConsoleStream]) -> None:
        """`make` returns a stream that is not open yet."""
        self._make = make
        self._stream = make()
        self._heard: list[str] = []

    def start(self) -> None:
        """Start to listen; streams that are missing or cannot be replaced are left alone."""
        for name in NAMES:
            tap, stream = _taps.get(name), getattr(sys, name)
            try:
                if tap is None or tap.stream is not stream:
                    tap = _taps[name] = Tap(name, stream)
            except (AttributeError, TypeError):
                continue
            tap.add(self._stream)
            self._heard.append(name)

    def stop(self) -> None:
        """Stop listening and close the stream; without listeners, everything is as before."""
        for name in self._heard:
            tap = _taps.get(name)
            if tap is not None and tap.drop(self._stream):
                tap.remove()
                del _taps[name]
        self._heard.clear()
        self._stream.close()

    def after_fork(self) -> None:
        """Continue in a stream of its own in a forked child."""
        former, self._stream = self._stream, self._make()
        former.abandon()
        for name in self._heard:
            tap = _taps.get(name)
            if tap is not None:
                tap.lock = threading.RLock()  # a thread that does not exist here may hold it
                tap.drop(former)
                tap.add(self._stream)

    def check(self) -> None:
        """Listen again if other code has restored the former streams."""
        rearm()
