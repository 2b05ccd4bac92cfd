"""Runs whose machines have fallen silent.

A machine that dies as a whole leaves nobody who could say that a run has ended. Agents that upload promise a line every
so often (FORMAT.md, `heartbeat`); where such a promise is not kept, the run is shown as crashed. That is found out each
time anew when runs are read, and never written: when word comes again, the run goes on.
"""

from __future__ import annotations

from datetime import datetime, timezone

import numpy as np

from tracker.wire import RunInfo

from .interface import Array

SILENCE = 300.0
"""Seconds of silence that mean nothing; or `_BEATS` heartbeats, if that is longer."""

_BEATS = 5


def judged(run: RunInfo, heartbeat: float | None, since: float, now: float) -> RunInfo:
    """Return the run, as crashed if it would be running and its agents have been silent for too long.

    `heartbeat`: what they promised, None for nothing. `since`: from when on this server could have heard of them.
    """
    silent = now - max(run["seen"], since)
    if heartbeat is None or run["state"] != "running" or silent <= max(SILENCE, _BEATS * heartbeat):
        return run
    last = datetime.fromtimestamp(run["seen"], timezone.utc).isoformat(" ", "seconds")
    return {**run, "state": "crashed", "error": f"no word from its machine since {last}"}


def silent(seen: Array, heartbeats: Array, since: float, now: float) -> Array:
    """Return which of many runs `judged` would find crashed; `heartbeats` are NaN for runs that are not running or have
    promised nothing."""
    return np.asarray(now - np.maximum(seen, since) > np.maximum(SILENCE, _BEATS * heartbeats))
