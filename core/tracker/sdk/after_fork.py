"""What a forked child makes anew: locks, its stream, what the exit hooks know.

`os.fork` copies one thread only: a lock that another one holds at that moment would stay locked in the child for ever.
"""

from __future__ import annotations

import os
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import Any

from tracker.errors import contained
from tracker.runlog.directory import agent_alive

from .companions import Companions
from .logged_rows import LoggedRows
from .process_order import Origin
from .stream import Stream


def renew_in_child(renew: Callable[[], object]) -> None:
    """Have `renew` called in every forked child of this process."""
    os.register_at_fork(after_in_child=renew)


def follow_forks(runs: Iterable[ForkAware]) -> None:
    """Have those of `runs` that are there at a fork prepared for it, and renewed in the child."""

    def before() -> None:
        for run in runs:
            run._before_fork()

    def in_child() -> None:
        for run in runs:
            run._after_fork()

    os.register_at_fork(before=before, after_in_child=in_child)


class ForkAware(ABC):
    """What a run does in a forked child: it goes on in a stream of its own, and may be all that is left of the run."""

    finished: bool
    _directory: str
    _lock: threading.RLock
    _stream: Stream
    _logged: LoggedRows
    _companions: Companions
    _origin: Origin | None
    _alone: bool
    """Whether this is a forked child that the run was left to."""

    @abstractmethod
    def _write(self, kind: str, payload: Any, step: int | None = None) -> None:
        """Append one record."""

    @property
    def _is_its_own(self) -> bool:
        """Whether the end of this process is the end of the run, as far as this process goes."""
        return self._stream.parent is None or self._alone

    def _before_fork(self) -> None:
        self._stream.before_fork()

    def _after_fork(self) -> None:
        self._lock = threading.RLock()
        if not self.finished:
            self._stream.after_fork()
            self._logged.after_fork()
            self._companions.after_fork()
            if self._stream.parent is not None:
                self._alone = False
                self._stream.append = self._append_first_of_child

    def _append_first_of_child(self, line: bytes) -> None:
        self._stream.open()
        self._take_over()
        self._stream.append(line)

    def _take_over(self) -> None:
        """Go on with the run where the process that began it has left it to this child, as to a daemon."""
        if self._is_its_own or self._origin is None or self.finished or not self._stream.kept:
            return
        with contained("going on with the run"):
            if self._origin.left():
                self._alone = True
                before = dict.fromkeys((os.path.basename(self._origin.stream), self._stream.parent))
                self._write("goes_on", {"after": list(before)})
                if not agent_alive(self._directory):
                    self._companions.supervisor.start()
