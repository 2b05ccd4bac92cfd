"""Sample `disk/…`: the filesystem of the run directory, and the traffic of all disks."""

from __future__ import annotations

import psutil

from .source import Rates, Target


class DiskSource:
    """Reads the free space for the run directory, and the traffic of the machine's own disks, not of network mounts."""

    def __init__(self, target: Target) -> None:
        self._directory = target.directory
        self._rates = Rates()

    def sample(self, now: float) -> dict[str, float]:
        """Return gauges of space and, from the second call on, rates; OSError once the directory is gone."""
        space = psutil.disk_usage(self._directory)
        result: dict[str, float] = {"disk/used_percent": space.percent, "disk/free_bytes": space.free}
        traffic = psutil.disk_io_counters(nowrap=False)
        if traffic is not None:  # None: a machine without disks of its own
            counters = {
                "disk/read_bytes_per_s": float(traffic.read_bytes),
                "disk/write_bytes_per_s": float(traffic.write_bytes),
            }
            result.update(self._rates.per_second(now, counters))
        return result
