"""Find the process tree of a training: the processes that log, and all that they started."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import psutil

_SEARCH_SHARE = 0.001
"""The share of one core that the search for children may use: it reads every process of the machine."""


class ProcessTree:
    """Finds the processes of a training.

    The search for children uses less than 0.1 % of a core: it runs with each sample on a small machine, and
    every half minute where thousands of processes run. The agent, which searches, is left out.
    """

    def __init__(self, pids: Callable[[], list[int]]) -> None:
        """`pids` returns the processes that log; some may have ended."""
        self._pids = pids
        self.roots: frozenset[int] = frozenset()
        """The pids of the last call."""
        self._processes: dict[int, psutil.Process] = {}
        self._search_at = float("-inf")

    def processes(self, now: float) -> dict[int, psutil.Process]:
        """Return by pid the processes known at `now`; some may have ended since."""
        roots = frozenset(self._pids())
        if roots != self.roots or now >= self._search_at:
            started = time.thread_time()
            self._processes = self._search(roots)
            self.roots = roots
            self._search_at = now + (time.thread_time() - started) / _SEARCH_SHARE
        return self._processes

    def _search(self, roots: frozenset[int]) -> dict[int, psutil.Process]:
        found: dict[int, psutil.Process] = {}
        for pid in roots:
            if pid in found:  # ranks that rank 0 started are among its children
                continue
            try:
                root = psutil.Process(pid)
                found[pid] = root
                found.update((child.pid, child) for child in root.children(recursive=True))
            except psutil.Error:  # ended
                continue
        found.pop(os.getpid(), None)
        return found
