"""Show runs as crashed when their machines have fallen silent.

When a whole machine dies, no process is left to report the end of its runs. Agents that upload promise a line at
regular intervals (FORMAT.md, `heartbeat`). A run whose promise is broken is shown as crashed. This is decided whenever
runs are read and never stored: when lines arrive again, the run is shown as running again.
"""

from __future__ import annotations

from datetime import datetime, timezone

import numpy as np

from tracker.wire import RunInfo

from .interface import Array

SILENCE = 300.0
"""Seconds of silence that are always tolerated; `_BEATS` heartbeats if that is longer."""

_BEATS = 5


def judged(run: RunInfo, heartbeat: float | None, since: float, now: float) -> RunInfo:
    """Return the run, changed to crashed if it is running but its agents have been silent for too long.

    `heartbeat` is the promised interval in seconds, None for no promise. `since` is when this server started, before
    which it could not hear from agents.
    """
    silent = now - max(run["seen"], since)
    if heartbeat is None or run["state"] != "running" or silent <= max(SILENCE, _BEATS * heartbeat):
        return run
    last = datetime.fromtimestamp(run["seen"], timezone.utc).isoformat(" ", "seconds")
    return {**run, "state": "crashed", "error": f"no word from its machine since {last}"}


def silent(seen: Array, heartbeats: Array, since: float, now: float) -> Array:
    """Return which of many runs `judged` would show as crashed.

    `heartbeats` are NaN for runs that are not running or have made no promise.
    """
    return np.asarray(now - np.maximum(seen, since) > np.maximum(SILENCE, _BEATS * heartbeats))
