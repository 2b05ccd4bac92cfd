"""Define the exceptions of tracker, print its warnings, and keep its own errors out of training.

    TrackerError
    ├── SettingsError      a setting, argument or name cannot be used (also a ValueError)
    ├── NoRun              there is no current run (also a RuntimeError)
    ├── NotARun            a directory or file has no readable run log (also a ValueError)
    └── ServerError        the server refused, or sent an unreadable response
        └── Unreachable    the server did not answer (also a ConnectionError)

In a training loop, tracker never raises for its own errors: see `contained`.
"""

from __future__ import annotations

import os
import sys

from .terminal import clean


class TrackerError(Exception):
    """The base of all errors that tracker raises on purpose."""


class SettingsError(TrackerError, ValueError):
    """A setting, an argument or a name cannot be used; the text says what is allowed."""


class NoRun(TrackerError, RuntimeError):
    """There is no current run; call `tracker.init()` first."""


class NotARun(TrackerError, ValueError):
    """The directory or file has no readable run log, or more than one where one is needed."""


class ServerError(TrackerError):
    """The server refused, or sent an unreadable response; `status` is the HTTP status, 0 if there was none."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class Unreachable(ServerError, ConnectionError):
    """The server did not answer, or broke off."""


_silent = False
_warned: set[str] = set()
failures = 0
"""How many internal errors were kept out of training in this process."""


def silence(silent: bool) -> None:
    """Turn the output of `say` and `warn_once` off or on, for the whole process."""
    global _silent
    _silent = silent


def warn_once(message: str, topic: str | None = None) -> None:
    """Print a warning once per process. Messages that differ in details share a `topic`.

    Never raises, not even if stderr is closed.
    """
    if (topic or message) not in _warned:
        _warned.add(topic or message)
        say(message)


def say(message: str) -> None:
    """Print a line on stderr, cleaned of anything that a terminal obeys. Never raises."""
    if _silent:
        return
    try:
        sys.stderr.write(f"tracker: {clean(message)}\n")
        sys.stderr.flush()
    except (OSError, ValueError, AttributeError):
        pass


class contained:  # noqa: N801 - reads as a statement, like `suppress`
    """Keep internal errors of a block out of training: count them, warn once, and continue after the block.

        with contained("noting an event file"):
            ...

    If `TRACKER_RAISE_INTERNAL` is set, as in tracker's own tests, they are raised instead. One object may guard many
    blocks, one after the other or nested.
    """

    __slots__ = ("_doing", "error")

    def __init__(self, doing: str) -> None:
        """Args: `doing`: what the block does, for the warning."""
        self._doing = doing
        self.error: Exception | None = None
        """The error of the last block; None if it raised none."""

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
