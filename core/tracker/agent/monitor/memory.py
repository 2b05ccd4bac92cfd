"""Sample `memory/…`: main memory and swap of the machine, or of the container where it has a limit."""

from __future__ import annotations

import psutil

from . import cgroup
from .source import Target


class MemorySource:
    """Reads memory use against the memory of the machine, or the limit of the container if that is less."""

    def __init__(self, _target: Target) -> None:
        self._limit = cgroup.memory_limit()
        self._swap = psutil.swap_memory().total > 0

    def sample(self, _now: float) -> dict[str, float]:
        """Return gauges. Memory that the kernel can take back at once (caches) counts as available."""
        machine = psutil.virtual_memory()
        total, available = machine.total, machine.available
        if self._limit and self._limit.bytes < total:
            total = self._limit.bytes
            available = max(0, min(available, total - self._limit.used_bytes()))
        result: dict[str, float] = {
            "memory/total_bytes": total,
            "memory/available_bytes": available,
            "memory/used_percent": 100 * (total - available) / total,
        }
        if self._swap:
            result["memory/swap_used_bytes"] = psutil.swap_memory().used
        return result
