"""Ask the server whether a run was asked to stop."""

from __future__ import annotations

import threading
from collections.abc import Callable

from tracker.client import Client
from tracker.errors import ServerError, SettingsError
from tracker.names import RunKey
from tracker.wire import run_path

_EVERY, _LONGEST = 3.0, 60.0  # seconds between requests, and most seconds after requests that fail


class StopPoller(threading.Thread):
    """Asks every few seconds, in a thread and over a connection of its own, since an upload may take long."""

    def __init__(self, make: Callable[[], Client | None], run: RunKey, concerned: Callable[[], bool]) -> None:
        """`make` returns a client for the present server, or None. It asks only while `concerned` returns True."""
        super().__init__(name="stopping", daemon=True)
        self._make = make
        self._path = run_path(*run) + "/stop"
        self._concerned = concerned
        self._closing = threading.Event()
        self.requested: float | None = None
        """When the run was asked to stop, as `RunInfo.stop_requested`."""

    def close(self) -> None:
        """Stop asking."""
        self._closing.set()

    def run(self) -> None:
        """Run until closed."""
        client, wait = None, _EVERY
        while not self._closing.wait(wait):
            if not self._concerned():
                continue
            try:
                client = client or self._make()
                if client is not None:
                    requested = client.json("GET", self._path).get("requested")
                    if isinstance(requested, (int, float)):
                        self.requested = requested
                wait = _EVERY
            except (ServerError, SettingsError):  # the upload reports it
                client = None  # the address or the key may change until the next request
                wait = min(2 * wait, _LONGEST)
