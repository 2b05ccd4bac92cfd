"""Limit the cost of a query: its processor time, its waiting time, and whether its client is still connected.

Python cannot stop a thread from outside, so long work calls `check` from time to time, and SQLite does so while it runs
a statement (`watch`). Threads without a budget, such as the writing thread, are never stopped.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from .interface import OverBudget

T = TypeVar("T")

SECONDS = 10.0
"""Processor time of one query in seconds."""

FILTER_SECONDS = 2.0
"""Processor time of a filter, search or order in seconds. Meanwhile no other query can read the project's runs."""

WAITING = 60.0
"""Seconds of one query in all, including the time that it waits."""

_YIELD_AFTER, _YIELD = 0.25, 0.002
"""After so much processor time, a query pauses for a moment at each check, so that others go first."""


class Budget:
    """The budget of one query, used in one thread. `cancel` may be called from any thread."""

    def __init__(self, seconds: float = SECONDS, waiting: float = WAITING) -> None:
        self._seconds, self._waiting = seconds, waiting
        self._cancelled = False
        self._end = self._deadline = 0.0
        self._next = 0.0

    def cancel(self) -> None:
        """Stop the query at its next check."""
        self._cancelled = True

    def run(self, function: Callable[..., T], *args: Any) -> T:
        """Call the function under this budget. Raises `OverBudget`."""
        self._deadline = time.monotonic() + self._waiting
        self._next = time.thread_time() + _YIELD_AFTER
        self._end = time.thread_time() + self._seconds
        _here.budget = self
        try:
            self.check()
            return function(*args)
        finally:
            _here.budget = None

    def check(self) -> None:
        """Raise `OverBudget` if the budget is used up."""
        if self._cancelled:
            raise OverBudget("the query was cancelled")
        now = time.thread_time()
        if now > self._end or time.monotonic() > self._deadline:
            raise OverBudget(
                "this query takes too long: request less at a time, such as fewer conditions or simpler patterns"
            )
        if now > self._next:
            self._next = now + 0.01
            time.sleep(_YIELD)

    @property
    def spent(self) -> bool:
        """Whether the budget is used up."""
        return self._cancelled or time.thread_time() > self._end or time.monotonic() > self._deadline

    @contextlib.contextmanager
    def limited(self, seconds: float) -> Iterator[None]:
        """Limit the processor time of the block to `seconds`."""
        former = self._end
        self._end = min(time.thread_time() + seconds, former + seconds)
        try:
            yield
        finally:
            self._end = former

    @contextlib.contextmanager
    def free(self) -> Iterator[None]:
        """Do not count the time of the block, whose result later queries use, too."""
        begun = time.thread_time()
        former, self._end = self._end, float("inf")
        try:
            yield
        finally:
            self._end = former + time.thread_time() - begun


class _Here(threading.local):
    budget: Budget | None = None


_here = _Here()


def check() -> None:
    """Raise `OverBudget` if the query of this thread has used up its budget."""
    if _here.budget is not None:
        _here.budget.check()


def checked(values: Iterable[T]) -> Iterator[T]:
    """Yield the values; raise `OverBudget` as soon as the query of this thread has used up its budget."""
    if _here.budget is None:
        yield from values
        return
    check = _here.budget.check
    for number, value in enumerate(values):
        if not number % _EVERY:
            check()
        yield value


_EVERY = 32
"""Values between two checks."""


def limited(seconds: float) -> contextlib.AbstractContextManager[None]:
    """Limit the processor time of the block to `seconds`, if this thread has a budget."""
    return contextlib.nullcontext() if _here.budget is None else _here.budget.limited(seconds)


def free() -> contextlib.AbstractContextManager[None]:
    """Do not count the time of the block, if this thread has a budget."""
    return contextlib.nullcontext() if _here.budget is None else _here.budget.free()


@contextlib.contextmanager
def locked(lock: threading.Lock) -> Iterator[None]:
    """Hold the lock during the block. Raises `OverBudget` if it takes too long to get it."""
    while not lock.acquire(timeout=0.05):
        check()
    try:
        yield
    finally:
        lock.release()


_STEPS = 20_000
"""Steps of SQLite's virtual machine between two checks; they take about a millisecond."""


def watch(connection: Any) -> None:
    """Interrupt statements of a SQLite connection when the budget of their thread is used up."""
    connection.set_progress_handler(lambda: int(_here.budget is not None and _here.budget.spent), _STEPS)
