"""What one question may cost: seconds of processor time and of waiting, and whether its asker is still there.

Python cannot end a thread from outside, so what takes long asks from time to time (`check`); SQLite asks while it runs
a statement (`watch`). Threads without a budget, such as the one that writes, are never ended.
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
"""Processor time of one question."""

FILTER_SECONDS = 2.0
"""Processor time of a filter, search or order, during which nobody else can look at the project's runs."""

WAITING = 60.0
"""Seconds in all, waiting for others included."""

_YIELD_AFTER, _YIELD = 0.25, 0.002
"""A question that has used so much processor time lets others go first, for so long, at each look at the clock."""


class Budget:
    """Made by whoever asks, used in one thread. `cancel` may be called from any."""

    def __init__(self, seconds: float = SECONDS, waiting: float = WAITING) -> None:
        self._seconds, self._waiting = seconds, waiting
        self._cancelled = False
        self._end = self._deadline = 0.0
        self._next = 0.0

    def cancel(self) -> None:
        """Let the question end at its next look."""
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
        """Raise `OverBudget` if it is used up."""
        if self._cancelled:
            raise OverBudget("the question was given up")
        now = time.thread_time()
        if now > self._end or time.monotonic() > self._deadline:
            raise OverBudget(
                "this question takes too long: ask for less at a time, such as fewer conditions or simpler patterns"
            )
        if now > self._next:
            self._next = now + 0.01
            time.sleep(_YIELD)

    @property
    def spent(self) -> bool:
        """Whether it is used up."""
        return self._cancelled or time.thread_time() > self._end or time.monotonic() > self._deadline

    @contextlib.contextmanager
    def limited(self, seconds: float) -> Iterator[None]:
        """Allow the block no more than so much processor time, counted from its begin."""
        former = self._end
        self._end = min(time.thread_time() + seconds, former + seconds)
        try:
            yield
        finally:
            self._end = former

    @contextlib.contextmanager
    def free(self) -> Iterator[None]:
        """Count nothing that the block uses: it is for all who come after, too."""
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
    """Raise `OverBudget` if the question of this thread has used up its budget."""
    if _here.budget is not None:
        _here.budget.check()


def checked(values: Iterable[T]) -> Iterator[T]:
    """Yield the values; raise `OverBudget` as soon as the budget of this thread is used up."""
    if _here.budget is None:
        yield from values
        return
    check = _here.budget.check
    for number, value in enumerate(values):
        if not number % _EVERY:
            check()
        yield value


_EVERY = 32
"""Values between two looks at the clock."""


def limited(seconds: float) -> contextlib.AbstractContextManager[None]:
    """Allow the question of this thread no more than so much processor time in the block."""
    return contextlib.nullcontext() if _here.budget is None else _here.budget.limited(seconds)


def free() -> contextlib.AbstractContextManager[None]:
    """Count nothing that the question of this thread uses in the block."""
    return contextlib.nullcontext() if _here.budget is None else _here.budget.free()


@contextlib.contextmanager
def locked(lock: threading.Lock) -> Iterator[None]:
    """Hold the lock; raise `OverBudget` if it takes too long to get it."""
    while not lock.acquire(timeout=0.05):
        check()
    try:
        yield
    finally:
        lock.release()


_STEPS = 20_000
"""Steps of SQLite's machine between two looks; they take about a millisecond."""


def watch(connection: Any) -> None:
    """Have statements of a SQLite connection interrupted when the budget of the thread that runs them is used up."""
    connection.set_progress_handler(lambda: int(_here.budget is not None and _here.budget.spent), _STEPS)
