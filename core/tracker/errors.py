"""The exceptions that tracker raises, and how its own trouble is kept out of training.

    TrackerError
    ├── SettingsError      a setting, argument or name that cannot be used (also a ValueError)
    ├── NoRun              something needs a current run and there is none (also a RuntimeError)
    ├── NotARun            a directory holds no readable run log (also a ValueError)
    └── ServerError        the server refused, or answered what cannot be understood
        └── Unreachable    no server answered (also a ConnectionError)

Inside a training loop tracker never raises for trouble of its own: see `contained`.
"""

from __future__ import annotations

import os
import sys

from .terminal import clean


class TrackerError(Exception):
    """Base of all errors that tracker raises on purpose."""


class SettingsError(TrackerError, ValueError):
    """A setting, an argument or a name cannot be used; the text says what would be right."""


class NoRun(TrackerError, RuntimeError):
    """There is no current run; call `tracker.init()` first."""


class NotARun(TrackerError, ValueError):
    """The directory holds no readable run log."""


class ServerError(TrackerError):
    """The server refused or answered what cannot be understood; `status` is the HTTP status, 0 if there was none."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class Unreachable(ServerError, ConnectionError):
    """No server answered at the address."""


_silent = False
_warned: set[str] = set()
failures = 0
"""How many internal errors were kept out of training in this process."""


def silence(silent: bool) -> None:
    """Turn all that `say` and `warn_once` print off or on, for the whole process."""
    global _silent
    _silent = silent


def warn_once(message: str, key: str | None = None) -> None:
    """Say something on stderr, the first time only; messages that differ in details share a `key`.

    It never raises, not even when stderr is closed.
    """
    if (key or message) not in _warned:
        _warned.add(key or message)
        say(message)


def say(message: str) -> None:
    """Write a line for the user on stderr, with nothing in it that a terminal takes for orders. Never raises."""
    if _silent:
        return
    try:
        sys.stderr.write(f"tracker: {clean(message)}\n")
        sys.stderr.flush()
    except (OSError, ValueError, AttributeError):
        pass


class contained:  # noqa: N801 - reads as a statement, like `suppress`
    """Keep internal errors of a block out of the user's training: count them, warn once, go on after the block.

        with contained("noting an event file"):
            ...

    Where `TRACKER_RAISE_INTERNAL` is set, as in our own tests, they are raised instead. An object may be used for many
    blocks, one after the other or within each other.
    """

    __slots__ = ("_doing", "error")

    def __init__(self, doing: str) -> None:
        """`doing`: what the warning says that failed."""
        self._doing = doing
        self.error: Exception | None = None
        """What the last block raised."""

    def __enter__(self) -> contained:
        self.error = None
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> bool:
        if not isinstance(error, Exception):
            return False
        global failures
        failures += 1
        self.error = error
        if os.environ.get("TRACKER_RAISE_INTERNAL"):
            return False
        kind = type(error).__name__
        message = f"{self._doing} failed and is skipped ({kind}: {error}); training goes on"
        warn_once(message, f"{self._doing} {kind}")
        return True
