"""Capture in Python: see what is written to the objects `sys.stdout` and `sys.stderr`."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import Any

from tracker.errors import contain

from .console_stream import NAMES, ConsoleStream

_taps: dict[str, Tap] = {}
"""By `stdout` or `stderr`: several runs may listen at a time."""


class Tap:
    """Stands before the `write` of one text stream, which stays the object it is: whoever holds it is heard, and its
    `isatty`, `fileno`, `buffer` and encoding are as they were.
    """

    def __init__(self, name: str, stream: Any) -> None:
        """Raises AttributeError or TypeError for a stream whose `write` cannot be replaced."""
        self._name = name
        self.stream = stream
        self._feeds: tuple[Callable[[str], None], ...] = ()
        self.lock = threading.RLock()  # print() in a signal handler may come in the middle of another one
        self._write: Callable[[str], int] = stream.write
        self._own = "write" in vars(stream)
        stream.write = self.write

    def write(self, text: str) -> int:
        """Write, then tell the listeners: what they hear is in the order in which it was written."""
        with self.lock:
            result = self._write(text)
            try:
                for feed in self._feeds:
                    feed(text)
            except Exception as error:  # noqa: BLE001 - see contain
                self._feeds = ()  # before it is told, which is written here as well
                contain(error, "capturing the console")
        return result

    def add(self, listener: ConsoleStream) -> None:
        """Tell one more what is written."""
        with self.lock:
            self._feeds += (listener.feeder(self._name),)

    def drop(self, listener: ConsoleStream) -> bool:
        """Tell one less; return whether nobody listens any more."""
        with self.lock:
            self._feeds = tuple(feed for feed in self._feeds if feed != listener.feeder(self._name))
            return not self._feeds

    def remove(self) -> None:
        """Give the stream its own `write` back, unless somebody has put theirs before ours."""
        if vars(self.stream).get("write") == self.write:
            if self._own:
                self.stream.write = self._write
            else:
                del self.stream.write


class Wrap:
    """Listens to this process's `sys.stdout` and `sys.stderr`."""

    def __init__(self, make: Callable[[], ConsoleStream]) -> None:
        """`make` returns a stream that is not open yet."""
        self._make = make
        self._stream = make()
        self._heard: list[tuple[str, Tap]] = []

    def start(self) -> None:
        """Begin to listen; what is missing or cannot be listened to is left alone."""
        for name in NAMES:
            tap, stream = _taps.get(name), getattr(sys, name)
            try:
                if tap is None or tap.stream is not stream:
                    tap = _taps[name] = Tap(name, stream)
            except (AttributeError, TypeError):
                continue
            tap.add(self._stream)
            self._heard.append((name, tap))

    def stop(self) -> None:
        """Stop listening and close the stream; once nobody listens, all is as it was."""
        for name, tap in self._heard:
            if tap.drop(self._stream):
                tap.remove()
                if _taps.get(name) is tap:
                    del _taps[name]
        self._heard.clear()
        self._stream.close()

    def after_fork(self) -> None:
        """In a forked child: go on in a stream of our own."""
        former, self._stream = self._stream, self._make()
        former.abandon()
        for _, tap in self._heard:
            tap.lock = threading.RLock()  # a thread that does not exist here may hold it
            tap.drop(former)
            tap.add(self._stream)

    def check(self) -> None:
        """Nothing to look after."""
