"""Upload run directories in a thread while an import fills them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import tracker
from tracker.errors import ServerError, TrackerError, Unreachable

_INTERVAL = 1.0
_MAX_WAIT = 30.0


class Uploads(threading.Thread):
    """Uploads the run directories that are added. It retries failures, less and less often, until it is closed."""

    def __init__(self, on_trouble: Callable[[str], None]) -> None:
        """Call `on_trouble` once for each kind of failure. Raises `SettingsError` if there is no server."""
        super().__init__(name="uploads", daemon=True)
        self._sync = tracker.Sync(progress=self._progress)
        self._on_trouble = on_trouble
        self._noticed: set[str] = set()
        self._changed = threading.Condition()
        self._due: dict[Path, None] = {}
        self._closing = False
        self._sent: dict[Path, int] = {}
        self._sizes: dict[Path, int] = {}
        self.not_uploaded: dict[Path, str] = {}
        """Directories that are not completely on the server, and why."""

    @property
    def url(self) -> str:
        """The server's address."""
        return self._sync.url

    @property
    def sent(self) -> int:
        """Bytes of lines that the server has."""
        return sum(self._sent.copy().values())

    @property
    def size(self) -> int:
        """Bytes of lines to upload in total."""
        return sum(self._sizes.copy().values())

    def add(self, directory: Path) -> None:
        """Request the upload of a directory as it is now."""
        with self._changed:
            self._sizes[directory] = sum(path.stat().st_size for path in directory.glob("*.jsonl"))
            self._due[directory] = None
            self._changed.notify()

    def close(self) -> None:
        """Make the thread try what is missing once more, and end; `join` waits for that."""
        with self._changed:
            self._closing = True
            self._changed.notify()

    def run(self) -> None:
        """Upload until closed."""
        wait, closing = 0.0, False
        while not closing:
            with self._changed:
                self._changed.wait_for(lambda: self._closing, wait)
                self._changed.wait_for(lambda: self._closing or self._due)
                closing, due, self._due = self._closing, self._due, {}
            wait = self._upload(list(due), wait)

    def _upload(self, due: list[Path], waited: float) -> float:
        """Try once; return the seconds to wait before the next try."""
        wait = _INTERVAL
        for i, directory in enumerate(due):
            try:
                done = self._sync.upload(directory)
                missing = [f"{name}: {reason}" for name, reason in done.refused.items()]
                missing += [f"{len(done.absent)} files of the run are missing on this machine"] if done.absent else []
                if missing:
                    self.not_uploaded[directory] = "; ".join(missing)
                else:
                    self.not_uploaded.pop(directory, None)
            except Unreachable as error:
                self._fail(due[i:], error)
                return min(_MAX_WAIT, 2 * (waited or _INTERVAL))
            except (TrackerError, OSError) as error:
                self._fail([directory], error)
                wait = min(_MAX_WAIT, 2 * (waited or _INTERVAL))
        return wait

    def _fail(self, directories: list[Path], error: Exception) -> None:
        kind = f"{type(error).__name__} {getattr(error, 'status', '')}"
        if kind not in self._noticed:
            self._noticed.add(kind)
            again = "the import goes on and tries again" if isinstance(error, ServerError) else "trying again"
            self._on_trouble(f"uploading failed: {error}; {again}")
        with self._changed:
            for directory in directories:
                self.not_uploaded[directory] = str(error)
                self._due.setdefault(directory)

    def _progress(self, directory: Path, size: int) -> None:
        self._sent[directory] = size
