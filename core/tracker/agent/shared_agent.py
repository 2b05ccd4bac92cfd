"""Serve the run directories of a user's queue in one process."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

from tracker.agent_protocol import handover
from tracker.runlog.directory import process_start

from .drain import Drain
from .service import Service

_TICK = 0.1  # seconds between looks at the queue
_LINGER = 2.0  # seconds that it stays when idle, so that the next run of a sweep starts no other process


class SharedAgent:
    """Serves the queue of a folder (see `handover`), each directory with a service of its own."""

    def __init__(self, folder: Path, lock: int) -> None:
        """`lock`: what `handover.lock` returned."""
        self._folder = folder
        self._lock = lock
        self._drain = Drain()
        self._services: dict[str, Service] = {}
        self._names: dict[str, set[str]] = {}  # directory → the requests that are done when it is

    def run(self) -> None:
        """Serve until nothing is left to do."""
        self._sign()
        self._serve(handover.unfinished(self._folder))
        idle = time.monotonic()
        while True:
            self._serve(handover.take(self._folder))
            self._collect()
            if self._services:
                idle = time.monotonic()
            elif time.monotonic() - idle >= _LINGER and not self._stay():
                return
            time.sleep(_TICK)

    def _serve(self, requests: dict[str, handover.Request]) -> None:
        for name, (directory, given) in requests.items():
            self._names.setdefault(directory, set()).add(name)
            service = self._services.get(directory)
            if service is not None:
                service.serve_again(given)
            else:
                self._services[directory] = service = Service(Path(directory), given, self._drain)
                service.start()

    def _collect(self) -> None:
        """Remove services that are over."""
        for directory, service in list(self._services.items()):
            if service.over.is_set():
                del self._services[directory]
                if service.next_settings is not None:
                    fresh = Service(Path(directory), service.next_settings, self._drain, service.kept_lock)
                    self._services[directory] = fresh
                    fresh.start()
                else:
                    for name in self._names.pop(directory, ()):
                        handover.done(self._folder, name)

    def _stay(self) -> bool:
        """Give up the lock; take it back if a request came in meanwhile, since nobody else would serve it."""
        os.close(self._lock)
        if not handover.waiting(self._folder):
            return False
        lock = handover.lock(self._folder)
        if lock is None:
            return False
        self._lock = lock
        self._sign()
        return True

    def _sign(self) -> None:
        """Write into the lock's file who holds it, for people and for `sdk.agent_supervisor`."""
        pid = os.getpid()
        with contextlib.suppress(OSError):
            os.ftruncate(self._lock, 0)
            os.pwrite(self._lock, b"%d %d\n" % (pid, process_start(pid) or 0), 0)
