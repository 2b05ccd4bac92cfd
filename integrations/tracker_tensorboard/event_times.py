"""Repair impossible times of events."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tracker.runlog.records import LATEST

if TYPE_CHECKING:
    from numpy.typing import NDArray


def repair_times(times: NDArray[np.float64], before: float) -> tuple[NDArray[np.float64], int]:
    """Replace each impossible time by the one before it (`before` for the first); return the times and how many.

    Impossible are negative times, NaN, and times from `LATEST` on: the writer made a mistake.
    """
    with np.errstate(invalid="ignore"):
        sound = (times >= 0) & (times < LATEST)
    wrong = len(times) - int(np.count_nonzero(sound))
    if not wrong:
        return times, 0
    at = np.maximum.accumulate(np.where(sound, np.arange(1, len(times) + 1), 0))
    return np.concatenate(([before], times))[at], wrong


def repair_time(time: float, before: float) -> tuple[float, int]:
    """Return a time and 0; if it is impossible, the time before it and 1."""
    return (time, 0) if 0 <= time < LATEST else (before, 1)
