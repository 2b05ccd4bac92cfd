"""Sample `cpu/…`: how busy the processors of this machine or container are."""

from __future__ import annotations

import os

import psutil

from . import cgroup
from .source import Rates, Target


class CpuSource:
    """Reads the CPU use of the machine or, where the container has a CPU quota, of the container against its quota."""

    def __init__(self, _target: Target) -> None:
        self._quota = cgroup.cpu_quota()
        self._cores = self._quota.cores if self._quota else float(os.cpu_count() or 1)
        self._rates = Rates()

    def sample(self, now: float) -> dict[str, float]:
        """Return `cpu/cores`, and from the second call on the percentages since the call before."""
        times = psutil.cpu_times()
        idle, wait = times.idle, getattr(times, "iowait", 0.0)
        # Linux counts the time of virtual machines in `user` too.
        total = sum(times) - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)
        counters = {"total": total, "busy": total - idle - wait, "iowait": wait}
        if self._quota:
            counters["quota"] = self._quota.used_seconds()
        rates = self._rates.per_second(now, counters)
        result = {"cpu/cores": self._cores}
        if self._quota and "quota" in rates:
            result["cpu/percent"] = 100 * rates["quota"] / self._cores
        elif not self._quota and "busy" in rates and rates.get("total"):
            result["cpu/percent"] = 100 * rates["busy"] / rates["total"]
        if "iowait" in rates and rates.get("total") and hasattr(times, "iowait"):
            result["cpu/iowait_percent"] = 100 * rates["iowait"] / rates["total"]
        return result
