"""Define what a source of system metrics is, and what it watches."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from .tree import ProcessTree


class Target(NamedTuple):
    """What is watched: the run directory, and the processes of the training."""

    directory: str
    tree: ProcessTree


class Source(Protocol):
    """Reads one part of the system. Its constructor raises `Unavailable` if the machine has no such part."""

    def sample(self, now: float) -> dict[str, float]:
        """Return the values at `now`, in seconds of a clock that never goes back.

        Gauges are values at this moment; rates are means since the call before, so they are missing from
        the first.
        """


class Unavailable(Exception):
    """The machine lacks what this source reads, which is not an error."""


class Rates:
    """Turns counters that only grow into rates per second."""

    def __init__(self) -> None:
        self._time = 0.0
        self._counters: dict[str, float] = {}

    def per_second(self, now: float, counters: dict[str, float]) -> dict[str, float]:
        """Return the growth per second since the call before.

        A counter seen for the first time, or that went back because it was reset, has no rate this time.
        """
        before, elapsed = self._counters, now - self._time
        self._counters, self._time = counters, now
        if elapsed <= 0:
            return {}
        return {k: (v - before[k]) / elapsed for k, v in counters.items() if v >= before.get(k, float("inf"))}
