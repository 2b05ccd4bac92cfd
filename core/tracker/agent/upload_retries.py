"""Keep the server's copy of a run directory up to date, through failures of the network, the server and the key."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tracker.agent_protocol.status import StatusFile
from tracker.errors import ServerError, Unreachable

from .backoff import Backoff, retry_after
from .connection import Connection
from .uploader import Expired, Uploader

GONE = 410
"""The HTTP status for a run that was deleted on the server."""

UNKNOWN_KEY, NO_RIGHT = 401, 403
"""The HTTP status for a key that is unknown, revoked or expired, and for a project to which the key may not log."""

_GLANCE = 1.0  # seconds between looks at the settings during a wait
_KEPT = "everything stays on this disk until the server takes it"


class Outcome(NamedTuple):
    """The outcome of an attempt: whether nothing is left to do, the error, and the seconds until the next attempt."""

    done: bool
    error: Exception | None
    wait: float


class RetryingUpload:
    """The upload of one run directory, one attempt at a time. Not thread-safe."""

    def __init__(
        self,
        directory: Path,
        connection: Connection,
        make: Callable[[], Uploader | None],
        interval: float,
        notice: Callable[[str], None],
        status: StatusFile,
    ) -> None:
        """`make` returns an uploader for the connection's present server, or None while none is known. `interval`:
        seconds between attempts. `notice` is called with messages for the user.
        """
        self._directory = directory
        self.connection = connection
        self._make = make
        self._interval = interval
        self._notice = notice
        self._status = status
        self._uploader: Uploader | None = None
        self._backoff = Backoff()
        self.not_before = 0.0
        """When the server accepts the next request, in seconds of the monotonic clock."""
        self.deadline = float("inf")
        """When to stop in mid-work, in seconds of the monotonic clock."""

    def attempt(self, closing: bool) -> Outcome:
        """Send what is new; with `closing`, everything that the server lacks of a complete run."""
        if self.connection.changed():
            self.release()
        if not self._directory.is_dir():
            return Outcome(True, None, 0.0)
        before = self._uploader.arrived if self._uploader is not None else 0
        try:
            self._uploader = self._uploader or self._make()
            if self._uploader is not None:
                self._uploader.deadline = self.deadline
                self._uploader.moved = self._status.move
                self._uploader.step()
                if closing:
                    self._uploader.complete()
                self._report(self._uploader, closing)
            self._backoff.reset()
            return Outcome(closing, None, self._interval)
        except FileNotFoundError:
            return Outcome(True, None, 0.0)  # the run directory was deleted
        except Expired:
            return Outcome(False, None, 0.0)
        except Exception as error:  # noqa: BLE001 - whatever it is, the run must not end silently
            return self._failed(error, before)

    def release(self) -> None:
        """Release the memory and connections of the upload."""
        self._uploader = None

    def _failed(self, error: Exception, before: int) -> Outcome:
        refused = isinstance(error, ServerError) and error.status in (UNKNOWN_KEY, NO_RIGHT)
        if self.connection.refused() if refused else isinstance(error, Unreachable) and self.connection.look_up():
            self.release()  # there is another key, or another server
            return Outcome(False, None, 0.0)
        if isinstance(error, ServerError) and error.status == GONE:
            self.release()
            self._notice(
                f"the run was deleted on the server: it is not uploaded any further. {kept_here(self._directory)}"
            )
            self._status.write(None, "the run was deleted on the server", True)
            return Outcome(True, None, 0.0)
        self._notice(_explain(error))
        self._status.write(_trouble(error))
        if self._uploader is not None and self._uploader.arrived != before:
            self._backoff.reset()  # do not wait longer and longer while some of it gets through
        self.not_before = time.monotonic() + retry_after(error)
        return Outcome(False, error, self._backoff.delay(error))

    def _report(self, uploader: Uploader, done: bool) -> None:
        if uploader.trashed:
            self._notice("the run is in the server's trash: what it logs is stored there, hidden until it is restored")
        for name, reason in uploader.refused.items():
            self._notice(f"{name} is not uploaded any further ({reason}); it stays in the run directory")
        if uploader.no_space is not None:
            self._notice(f"the server has no space for files of this run ({uploader.no_space}); {_KEPT}")
        refusal = next(iter(uploader.refused.values()), None)
        self._status.write(uploader.no_space, refusal, done)


class UploadThread(threading.Thread):
    """Makes one attempt after another while a run goes on, until it is closed."""

    def __init__(self, upload: RetryingUpload) -> None:
        super().__init__(name="upload", daemon=True)
        self._upload = upload
        self._closing = threading.Event()

    def close(self) -> None:
        """Stop after the attempt under way, and return when it is over."""
        self._closing.set()
        self.join()

    def run(self) -> None:
        """Run until closed."""
        while not self._closing.is_set():
            outcome = self._upload.attempt(closing=False)
            if outcome.done:
                return
            self._pause(outcome)

    def _pause(self, outcome: Outcome) -> None:
        """Wait until the next attempt makes sense, which may be at once after a login."""
        begun = time.monotonic()
        while not self._closing.wait(min(_GLANCE, max(0.0, begun + outcome.wait - time.monotonic()))):
            if time.monotonic() >= begun + outcome.wait:
                return
            if outcome.error is not None and self._upload.connection.changed():
                self._upload.release()
                return


def kept_here(directory: Path) -> str:
    """Return what users can do about a run that was deleted on the server before all of it was uploaded."""
    return f"All of it stays in {directory}; to have it there again: tracker sync --again {directory}"


def is_about_server(error: Exception | None) -> bool:
    """Tell whether other runs with this server and key would fail for the same reason."""
    return isinstance(error, Unreachable) or (isinstance(error, ServerError) and error.status == UNKNOWN_KEY)


def is_about_project(error: Exception | None) -> bool:
    """Tell whether other runs in the same project would fail for the same reason."""
    return isinstance(error, ServerError) and error.status == NO_RIGHT


def _kind(error: Unreachable) -> str:
    cause = error.__cause__
    return type(cause).__name__ if cause is not None else "SSLError"


def _explain(error: Exception) -> str:
    if isinstance(error, Unreachable):
        return f"Network error ({_kind(error)}), entering retry loop. {error}"
    if not isinstance(error, ServerError):
        return f"uploading failed ({type(error).__name__}: {error}); trying again"
    if error.status == UNKNOWN_KEY:
        return f"{_trouble(error)}; set another with `tracker login` or TRACKER_API_KEY; {_KEPT}"
    if error.status == NO_RIGHT:
        return f"{_trouble(error)}; {_KEPT}"
    return f"the server cannot take the run now ({error}); trying again"


def _trouble(error: Exception) -> str:
    status = error.status if isinstance(error, ServerError) else 0
    if status == UNKNOWN_KEY:
        return f"the server does not accept the key ({error})"
    return f"the server does not allow this upload ({error})" if status == NO_RIGHT else str(error)
