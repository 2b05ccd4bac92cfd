"""Run a server to measure, and send requests to it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import psutil

from tracker.client import Client
from tracker_server.embedded import serve

from .measure import size


class Served:
    """A server in a process of its own, with empty storage."""

    def __init__(self, directory: Path, url: str, token: str, pid: int) -> None:
        self.url, self.token = url, token
        self.client = Client(url, token)
        self._directory = directory
        self._process = psutil.Process(pid)

    def cpu(self) -> float:
        """Return the CPU seconds used so far."""
        times = self._process.cpu_times()
        return float(times.user + times.system)

    def resident(self) -> float:
        """Return the current resident memory in MiB."""
        return float(self._process.memory_info().rss) / 2**20

    def stored(self) -> int:
        """Return the bytes of its files."""
        return size(self._directory)


@contextmanager
def served(directory: Path) -> Iterator[Served]:
    """Run a server during a block, hidden from the user's own runs."""
    data = directory / "server"
    with patch.dict(os.environ, XDG_STATE_HOME=str(directory)), serve(data) as server:
        yield Served(data, server.url, server.token, server.process.pid)
