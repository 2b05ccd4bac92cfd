"""Sample the sources, and write averages."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable

from .cpu import CpuSource
from .disk import DiskSource
from .memory import MemorySource
from .network import NetworkSource
from .nvidia import NvidiaSource
from .process import ProcessSource
from .source import Source, Target, Unavailable
from .tree import ProcessTree

SOURCES: dict[str, Callable[[Target], Source]] = {
    "cpu": CpuSource,
    "memory": MemorySource,
    "disk": DiskSource,
    "network": NetworkSource,
    "process": ProcessSource,
    "nvidia": NvidiaSource,
}
"""The sources, by the names that users choose."""

_FIRST_SAMPLES = 5
_logger = logging.getLogger(__name__)


class Monitor:
    """Samples system metrics and hands over their averages.

    Every `sample_interval` seconds all sources are read. Every `average_over` seconds, the first time
    already after 5 samples, and a last time at `stop`, one dict of averages goes to `write`. An average is
    weighted by time: each value stands for the time since the sample before. So the average of a rate is
    exact: the count divided by the seconds.

    A source that fails is dropped with one warning in the log and never stops the others; a source that the
    machine lacks (a GPU) is left out in silence.
    """

    def __init__(
        self,
        write: Callable[[dict[str, float]], None],
        pids: Callable[[], list[int]],
        directory: str,
        sample_interval: float = 2.0,
        average_over: float = 30.0,
        sources: Iterable[str] | None = None,
    ) -> None:
        """`pids` returns the training processes, `directory` is the run's, `sources` are names from `SOURCES`.

        Without `sources`, all are sampled. `write` is called from the monitor's thread. Raises ValueError for
        intervals that are not positive and for unknown sources.
        """
        if not (sample_interval > 0 and average_over > 0):
            raise ValueError(
                f"System metrics need positive intervals, but sample_interval is {sample_interval} "
                f"and average_over is {average_over}. To have no system metrics, disable them instead."
            )
        names = list(SOURCES) if sources is None else list(dict.fromkeys(sources))
        unknown = [name for name in names if name not in SOURCES]
        if unknown:
            known = ", ".join(SOURCES)
            raise ValueError(f"Unknown sources of system metrics: {', '.join(unknown)}. Choose from {known}.")
        self._write = write
        self._target = Target(directory, ProcessTree(pids))
        self._interval = sample_interval
        self._average_over = average_over
        self._names = names
        self._sources: dict[str, Source] | None = None
        self._sampled_at: float | None = None
        self._due = 0.0
        self._sums: dict[str, float] = {}
        self._weights: dict[str, float] = {}
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Sample in a daemon thread, beginning now."""
        self._thread = threading.Thread(target=self._run, name="system-monitor", daemon=True)
        self._thread.start()

    def stop(self, timeout: float = 5.0) -> None:
        """Take a last sample, write what is not written yet, and end the thread. Safe to repeat.

        Returns after `timeout` seconds at the latest, even if a source hangs, say on a dead network
        filesystem.
        """
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(timeout)
        else:
            self._flush()

    def _run(self) -> None:
        while True:
            self.tick(time.monotonic())
            if self._stopping.wait(self._interval):
                break
        self.tick(time.monotonic())
        self._flush()

    def tick(self, now: float) -> None:
        """Sample once, and write if it is time; `now` is in seconds of a clock that never goes back.

        The thread does this; call it yourself only without `start`.
        """
        sources = self._sources
        if sources is None:  # in the thread: a GPU driver may take seconds to answer the first time
            made = {name: self._make(name) for name in self._names}
            sources = self._sources = {name: source for name, source in made.items() if source}
        if self._sampled_at is None:
            self._due = now + min(self._average_over, (_FIRST_SAMPLES - 1) * self._interval)
        weight = self._interval if self._sampled_at is None else now - self._sampled_at
        self._sampled_at = now
        for name, source in list(sources.items()):
            try:
                values = source.sample(now)
            except Exception as error:  # noqa: BLE001 - whatever a driver or a kernel does, the other sources continue
                del sources[name]
                self._drop(name, error)
                continue
            for key, value in values.items():
                self._sums[key] = self._sums.get(key, 0.0) + weight * value
                self._weights[key] = self._weights.get(key, 0.0) + weight
        if now >= self._due:
            self._due = now + self._average_over
            self._flush()

    def _make(self, name: str) -> Source | None:
        try:
            return SOURCES[name](self._target)
        except Unavailable:
            return None
        except Exception as error:  # noqa: BLE001 - as in tick
            self._drop(name, error)
            return None

    def _drop(self, name: str, error: Exception) -> None:
        reason = f"{type(error).__name__}: {error}"
        _logger.warning("System metrics of source %r end here (%s); the other sources go on.", name, reason)

    def _flush(self) -> None:
        averages = {key: self._sums[key] / weight for key, weight in self._weights.items() if weight > 0}
        self._sums.clear()
        self._weights.clear()
        if averages:
            self._write(averages)
