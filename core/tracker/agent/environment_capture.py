"""Capture what is needed to repeat a run, once for each of its starts on this machine."""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tracker.agent_protocol.sealing import is_sealed
from tracker.capture import environment
from tracker.capture.file_keeper import Keeper
from tracker.capture.git import Deadline
from tracker.capture.redact import secret_values
from tracker.runlog.directory import store
from tracker.runlog.reader import read_header
from tracker.settings import Settings

from .journal import Journal
from .stream_watcher import Start, StreamWatcher

_SECONDS = 120.0  # seconds that git may take during the training
_LAST_SECONDS = 10.0  # seconds that git may take after the training
_GRACE = 5.0  # seconds for everything but git
_SKEW = 60.0  # seconds by which the clock may have been set back since a stream was opened


class EnvironmentCapture:
    """Captures in a thread of its own, one thing at a time; call `look` repeatedly."""

    def __init__(
        self, directory: Path, settings: Settings, journal: Journal, watch: StreamWatcher, log: Callable[[str], None]
    ) -> None:
        self._directory = directory
        self._settings = settings
        self._journal = journal
        self._watch = watch
        self._log = log
        self._begun: set[str] = set()
        self._deadline = Deadline(0)
        self._thread: threading.Thread | None = None

    def look(self) -> None:
        """Start the next capture that is due, unless one is under way."""
        if self._thread is not None and self._thread.is_alive():
            return
        self._thread = None
        task = self._due()
        if task is not None:
            self._deadline = Deadline(_SECONDS)
            self._thread = threading.Thread(target=self._carry_out, args=(task,), name="capture", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Capture the rest after the last process has ended, within about ten seconds."""
        end = time.monotonic() + _LAST_SECONDS
        while True:
            self.look()
            if self._thread is None:
                return
            self._deadline.hurry(max(0.0, end - time.monotonic()))
            self._thread.join(max(0.0, end - time.monotonic()) + _GRACE)
            if self._thread.is_alive():
                self._log("a file system does not answer; the run stays without a description of how it was run")
                return

    def _due(self) -> Callable[[], None] | None:
        start = self._undescribed()
        if start is not None:
            self._begun.add(start.stream)
            return lambda: self._describe(start)
        for name, request in list(self._watch.requests.items()):
            if name not in self._begun:
                self._begun.add(name)
                return lambda: self._keep_code(name, request)
        return None

    def _undescribed(self) -> Start | None:
        """Return the newest stream that lacks a description, unless a stream that was open at the same time has one.

        It is too late for earlier streams: a capture now shows at best the state at the start of the newest one.
        """
        # A time in the future is forged, to make the agent read other repositories.
        starts = [start for start in self._watch.starts.values() if start.time <= time.time() + _SKEW]
        known = [s for s in starts if s.stream in self._watch.described | self._begun]
        candidates = [s for s in starts if s not in known and not any(self._covers(k, s) for k in known)]
        return max(candidates, key=lambda start: start.time, default=None)

    def _covers(self, known: Start, other: Start) -> bool:
        # A wrapped program begins after its wrapper, and its description has more.
        wrapped = known.header.get("wraps") and not other.header.get("wraps")
        if wrapped and other.time >= known.time:
            return False
        return self._watch.ends.get(known.stream, math.inf) >= other.time

    def _carry_out(self, task: Callable[[], None]) -> None:
        try:
            task()
        except Exception as error:  # noqa: BLE001 - the agent has other work to do
            self._log(f"how the run was run could not be gathered ({type(error).__name__}: {error})")

    def _describe(self, start: Start) -> None:
        keeper = self._keeper()
        found = environment.environment(start.header, self._settings, self._deadline, keeper)
        self._journal.write("environment", {"stream": start.stream, "started": start.time, **found})

    def _keep_code(self, name: str, request: dict[str, Any]) -> None:
        keeper, globs, root = self._keeper(), request.get("globs"), str(request.get("root"))
        patterns = [str(glob) for glob in globs] if isinstance(globs, list) else []
        run_id = read_header(self._directory)["id"]
        if is_sealed(request.get("seal"), run_id, "code", root, *patterns):
            environment.code(root, patterns, self._settings, self._deadline, keeper)
        else:
            keeper.leave("code", "the request is not from this user")
        done: dict[str, Any] = {"id": name, "files": len(keeper.names) + len(keeper.local)}
        self._journal.write("code", {**done, "left_out": keeper.left_out} if keeper.left_out else done)

    def _keeper(self) -> Keeper:
        limit = int(self._settings.capture_limit * (1 << 20))
        known = secret_values(os.environ)
        return Keeper(self._store, self._directory, self._settings.ignore_globs or (), limit, known)

    def _store(self, name: str, content: bytes) -> None:
        digest = store(str(self._directory), content)
        file = {"name": name, "digest": digest, "size": len(content), "path": f"files/{digest}"}
        self._journal.write("file", file)
