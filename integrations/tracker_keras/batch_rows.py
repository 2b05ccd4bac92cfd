"""Log one row a batch, in order, from whichever threads Keras reports batches."""

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
"""Rows that hold tensors are converted and logged together, this many at a time, …"""

GROUP_SECONDS = 0.5
"""… or after this many seconds."""

_MAX_WAITING = 1000  # rows that wait for an earlier one; if there are more, the numbers of batches have gaps

Row = tuple[int, dict[str, Any]]


class BatchRows:
    """Takes the logs of batches from any thread and in any order, and logs them in the order of training.

    Keras calls the hooks of asynchronous callbacks from a pool of threads, next to the thread that feeds the device.
    It passes numbers, whose computation it has waited for; these rows are logged at once. A row that comes too early
    waits for the missing ones. Their numbers show which are missing: each call reports the last batch of a block of
    `stride` batches. Other callers of the hooks may pass tensors. These wait for others, so that reading them does not
    stop the device for each batch.
    """

    def __init__(self, log: Callable[[dict[str, Any], int], None], every: int, stride: int) -> None:
        """Log each `every`-th batch, or the block that holds it, with `log(row, step)`.

        The step is the number of batches trained so far.
        """
        self._log, self._every, self._stride = log, every, stride
        self._lock = threading.Lock()
        self._order = itertools.count()  # breaks ties between equal batches in the heap: logs cannot be compared
        self._arrived: deque[Row] = deque()  # appending to it needs no lock
        self.start(0, None)

    def start(self, trained: int, steps: int | None) -> None:
        """Begin an epoch after `trained` batches. It has `steps` batches; None if the number is unknown."""
        with self._lock:
            self._base, self._steps = trained, steps
            self._waiting: list[tuple[int, int, dict[str, Any]]] = []
            self._ready: list[Row] = []
            self._end = 0  # of the rows that are ready, in batches of the epoch
            self._logged = trained  # the step of the last row that was due, logged or not
            self._due = monotonic() + GROUP_SECONDS

    def take(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Take the logs that Keras reports after the batch with this index."""
        self._arrived.append((batch, logs or {}))
        # No thread waits for the lock: the one that holds it also takes what arrives meanwhile.
        while self._arrived and self._lock.acquire(blocking=False):
            try:
                self._sort_arrived()
                while self._waiting and (
                    self._waiting[0][0] < self._end + self._stride or len(self._waiting) > _MAX_WAITING
                ):
                    self._make_ready()
                # The last block of an epoch may be shorter than the others; only the end of the epoch shows that.
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
        """Log the rest of the epoch and return how many batches it trained.

        `count` decides that. It gets the number from the reports, which may be up to a block too high.
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
        """Log `rows`, the first of those that are ready."""
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
    """Start sending all tensors from the device before the first one is read."""
    for _, logs in rows:
        for value in logs.values():
            copy = getattr(value, "copy_to_host_async", None)  # a method of JAX's arrays
            if copy is not None:
                copy()
