"""Prepare runs for `os.fork`: a forked child gets new locks, and a stream of its own.

`os.fork` copies only the thread that calls it. A lock that another thread holds would stay locked in the child.
"""

from __future__ import annotations

import os
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import Any

from tracker.errors import contained

from .companions import Companions
from .logged_rows import LoggedRows
from .process_order import Origin
from .stream import Stream


def renew_in_child(renew: Callable[[], object]) -> None:
    """Have `renew` called in every forked child of this process."""
    os.register_at_fork(after_in_child=renew)


def follow_forks(runs: Iterable[ForkAware]) -> None:
    """Prepare `runs` for each fork, and renew them in the child. Each fork reads the list again."""

    def before() -> None:
        for run in runs:
            run._before_fork()

    def in_child() -> None:
        for run in runs:
            run._after_fork()

    os.register_at_fork(before=before, after_in_child=in_child)


class ForkAware(ABC):
    """Makes a run work after `os.fork`: the child writes a stream of its own, and may take the run over."""

    finished: bool
    _directory: str
    _lock: threading.RLock
    _stream: Stream
    _logged: LoggedRows
    _companions: Companions
    _origin: Origin | None
    _took_over: bool
    """Whether this forked child has taken the run over."""

    @abstractmethod
    def _write(self, kind: str, payload: Any, step: int | None = None) -> None:
        """Append one record."""

    @property
    def _is_its_own(self) -> bool:
        """Whether the run ends when this process ends."""
        return self._stream.parent is None or self._took_over

    def _before_fork(self) -> None:
        self._stream.before_fork()

    def _after_fork(self) -> None:
        self._lock = threading.RLock()
        if not self.finished:
            self._stream.after_fork()
            self._logged.after_fork()
            self._companions.after_fork()
            if self._stream.parent is not None:
                self._took_over = False
                self._stream.append = self._append_first_of_child

    def _append_first_of_child(self, line: bytes) -> None:
        self._stream.open()
        self._take_over()
        self._stream.append(line)

    def _take_over(self) -> None:
        """Continue the run in this child if the process that began it has left it, as the parent of a daemon does."""
        if self._is_its_own or self._origin is None or self.finished or not self._stream.kept:
            return
        with contained("continuing the run"):
            if self._origin.has_left():
                self._took_over = True
                before = dict.fromkeys((os.path.basename(self._origin.stream), self._stream.parent))
                self._write("goes_on", {"after": list(before)})
                self._companions.supervisor.start()  # a working agent may have looked for new streams for the last time
