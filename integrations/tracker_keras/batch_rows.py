"""Rows of batches on their way into the run."""

from __future__ import annotations

import itertools
import threading
from collections import deque
from collections.abc import Callable
from heapq import heappop, heappush
from time import monotonic
from typing import Any

from ._keras import keras

GROUP_SIZE = 32
"""Rows that hold tensors are converted and logged together, this many at a time …"""

GROUP_SECONDS = 0.5
"""… or those of so many seconds."""

_MAX_WAITING = 1000  # rows that wait for an earlier one; more mean that batches are not numbered without gaps

Row = tuple[int, dict[str, Any]]


class BatchRows:
    """Takes the logs of batches from any thread and in any order, and logs them in the order of training.

    Keras calls the hooks of asynchronous callbacks from a pool of threads, beside the one that feeds the device, and
    with numbers: what is still being computed it waits for before. Such rows are logged at once. What came too early
    waits for what is missing; the numbers tell, since each call reports the last batch of a block of `stride`. Who
    calls the hooks of a callback directly may pass tensors, which wait for others, so that the device is not stopped
    for each of them.
    """

    def __init__(self, log: Callable[[dict[str, Any], int], None], every: int, stride: int) -> None:
        """`log` gets a row and its step: the number of batches trained by then. Every `every`-th batch is logged, and
        of blocks those in which such a one is.
        """
        self._log, self._every, self._stride = log, every, stride
        self._lock = threading.Lock()
        self._order = itertools.count()  # of arrival: decides between equal batches, as logs cannot be compared
        self._arrived: deque[Row] = deque()  # appending to it needs no lock
        self.start(0, None)

    def start(self, trained: int, steps: int | None) -> None:
        """Begin an epoch after `trained` batches; it has `steps` batches, if that is known."""
        with self._lock:
            self._base, self._steps = trained, steps
            self._waiting: list[tuple[int, int, dict[str, Any]]] = []
            self._ready: list[Row] = []
            self._end = 0  # of what is ready, in batches of the epoch
            self._logged = trained  # the step of the last row that was ready to be logged
            self._due = monotonic() + GROUP_SECONDS

    def take(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Take the logs that Keras reports after the batch of this index."""
        self._arrived.append((batch, logs or {}))
        # Nobody waits for the lock: whoever holds it takes along what arrives meanwhile.
        while self._arrived and self._lock.acquire(blocking=False):
            try:
                self._sort_arrived()
                while self._waiting and (
                    self._waiting[0][0] < self._end + self._stride or len(self._waiting) > _MAX_WAITING
                ):
                    self._make_ready()
                # The last block of an epoch may be shorter than the others, which only its end tells.
                rows = self._ready[:-1] if self._stride > 1 else self._ready
                if (
                    len(rows) >= GROUP_SIZE
                    or monotonic() >= self._due
                    or not any(_has_tensors(logs) for _, logs in rows)
                ):
                    self._log_ready(rows)
            finally:
                self._lock.release()

    def finish(self, count: Callable[[int], int]) -> int:
        """Log all that is left of the epoch and return how many batches it trained.

        `count` is asked for that; it gets what the reports say, which may be less than a block too many.
        """
        with self._lock:
            self._sort_arrived()
            while self._waiting:
                self._make_ready()
            trained = count(self._end)
            if self._ready and trained <= self._end:
                self._ready[-1] = trained, self._ready[-1][1]
            self._log_ready(self._ready)
            return trained

    def _sort_arrived(self) -> None:
        while self._arrived:
            batch, logs = self._arrived.popleft()
            heappush(self._waiting, (int(batch), next(self._order), logs))

    def _make_ready(self) -> None:
        batch, _, logs = heappop(self._waiting)
        end = batch + 1 if self._steps is None else min(batch + 1, self._steps)
        self._end = max(self._end, end)
        self._ready.append((end, logs))

    def _log_ready(self, rows: list[Row]) -> None:
        """Log the first of what is ready."""
        self._due = monotonic() + GROUP_SECONDS
        self._ready = self._ready[len(rows) :]
        chosen = []
        for end, logs in rows:
            step = self._base + end
            if self._every == 1 or step // self._every != self._logged // self._every:
                chosen.append((step, logs))
            self._logged = step
        _start_copying(chosen)
        for step, logs in chosen:
            self._log(logs, step)


def _has_tensors(logs: dict[str, Any]) -> bool:
    return any(type(value) is not float and keras.ops.is_tensor(value) for value in logs.values())


def _start_copying(rows: list[Row]) -> None:
    """Let the device send all tensors before the first is waited for."""
    for _, logs in rows:
        for value in logs.values():
            copy = getattr(value, "copy_to_host_async", None)  # what JAX's arrays have
            if copy is not None:
                copy()
