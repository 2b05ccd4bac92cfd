"""Runs are shown as crashed while their machines are silent."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from tracker_server.storage.liveness import SILENCE, judged, silent


def run(state: str = "running", seen: float = 1000.0) -> Any:
    return {"state": state, "seen": seen, "error": None}


@pytest.mark.parametrize(
    ("state", "heartbeat", "since", "now", "crashed"),
    [
        ("running", 60.0, 0.0, 1000.0 + SILENCE, False),
        ("running", 60.0, 0.0, 1001.0 + SILENCE, True),
        ("running", 600.0, 0.0, 1001.0 + SILENCE, False),  # its heartbeat is due only every ten minutes
        ("running", None, 0.0, 1e9, False),  # no heartbeat is promised
        ("finished", 60.0, 0.0, 1e9, False),
        ("running", 60.0, 1e6, 1e6 + SILENCE, False),  # the server has only just started
        ("running", 60.0, 1e6, 1e6 + SILENCE + 1, True),
    ],
)
def test_a_running_run_is_crashed_only_if_its_heartbeat_is_overdue(
    state: str, heartbeat: float | None, since: float, now: float, crashed: bool
) -> None:
    found = judged(run(state), heartbeat, since, now)
    assert (found["state"], "no word" in str(found["error"])) == ("crashed" if crashed else state, crashed)
    promised = heartbeat if heartbeat is not None and state == "running" else math.nan
    assert silent(np.array([1000.0]), np.array([promised]), since, now).tolist() == [crashed]
