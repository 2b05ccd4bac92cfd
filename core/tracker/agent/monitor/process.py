"""Sample `process/…`: what the training processes and all their children use, as one sum."""

from __future__ import annotations

from typing import NamedTuple

import psutil

from .source import Rates, Target


class _Use(NamedTuple):
    cpu: float
    rss: int
    threads: int
    ended: bool


class ProcessSource:
    """Reads the process tree's CPU, memory and threads.

    CPU includes ended children that a process waited for, so a child that ends between two samples is counted, and none
    is counted twice.
    """

    def __init__(self, target: Target) -> None:
        self._tree = target.tree
        self._roots: frozenset[int] = frozenset()
        self._rates = Rates()

    def sample(self, now: float) -> dict[str, float]:
        """Return the sums over the tree, or nothing once all of it has ended."""
        read = [use for use in map(_use, self._tree.processes(now).values()) if use]
        living = [use for use in read if not use.ended]
        if not living:
            return {}
        return {
            "process/count": len(living),
            "process/rss_bytes": sum(use.rss for use in living),
            "process/threads": sum(use.threads for use in living),
            **self._cpu_percent(now, sum(use.cpu for use in read)),
        }

    def _cpu_percent(self, now: float, seconds: float) -> dict[str, float]:
        if self._tree.roots != self._roots:
            # CPU time from before a process was watched does not belong to this interval.
            self._roots, self._rates = self._tree.roots, Rates()
        rates = self._rates.per_second(now, {"process/cpu_percent": seconds})
        return {key: 100 * rate for key, rate in rates.items()}


def _use(process: psutil.Process) -> _Use | None:
    try:
        with process.oneshot():
            cpu = sum(process.cpu_times()[:4])  # user, system, and both of the children it waited for
            # A child that ended has CPU time of its own until its parent waits for it, and nothing else.
            ended = process.status() == psutil.STATUS_ZOMBIE
            return _Use(cpu, process.memory_info().rss, process.num_threads(), ended)
    except psutil.Error:  # it is gone, or became another user's
        return None
