"""Sample `network/…`: the traffic of the machine's network devices."""

from __future__ import annotations

import os

import psutil

from .source import Rates, Target


class NetworkSource:
    """Reads the bytes per second over all devices except loopback.

    Where the machine has hardware devices, only those count: bridges, bonds and tunnels carry the same
    bytes again. A container sees only virtual devices, and then those count.
    """

    def __init__(self, _target: Target) -> None:
        self._rates = Rates()

    def sample(self, now: float) -> dict[str, float]:
        """Return rates, from the second call on."""
        devices = psutil.net_io_counters(pernic=True, nowrap=False)
        names = [name for name in devices if not name.startswith("lo")]
        names = [name for name in names if os.path.exists(f"/sys/class/net/{name}/device")] or names
        counters = {
            "network/received_bytes_per_s": float(sum(devices[name].bytes_recv for name in names)),
            "network/sent_bytes_per_s": float(sum(devices[name].bytes_sent for name in names)),
        }
        return self._rates.per_second(now, counters)
