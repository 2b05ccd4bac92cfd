"""Watch a process that writes to a run from outside: whether it lives and how it ended; interrupt it."""

from __future__ import annotations

import os
import resource
import select
import signal
from pathlib import Path
from typing import Any, NamedTuple

from tracker.runlog.directory import is_alive, process_start
from tracker.runlog.exits import correction, left_status

from .exit_info import Memory, exit_of


class WriterProcess:
    """Watches the process behind a stream."""

    def __init__(self, pid: int, start: int | None) -> None:
        self.pid = pid
        self._start = start
        self._fd: int | None = None
        self.gone = False
        try:
            # A pidfd always means this process; a bare pid may be given to another one.
            self._fd = os.pidfd_open(pid)
            if self._fd > _descriptors() // 2:  # the rest is needed to read streams
                self.close()
        except ProcessLookupError:
            self.gone = True
        except (AttributeError, OSError):
            pass  # not Linux, or not allowed
        if start is not None and not self.gone and process_start(pid) not in (None, start):
            self.gone = True  # the pid was reused before we looked
        self.memory = None if self.gone else Memory(pid)
        self.exit = exit_of(pid, start, None) if self.gone else None
        """How it ended, if it is gone and the machine knows."""

    def check(self) -> bool:
        """Tell whether the process is gone."""
        if self.gone:
            return True
        if self._fd is not None:
            poll = select.poll()
            poll.register(self._fd, select.POLLIN)
            self.gone = bool(poll.poll(0))
        else:
            self.gone = not is_alive(self.pid, self._start)
        if self.gone:
            self.exit = exit_of(self.pid, self._start, self._fd)
            self.close()
        elif self.memory is not None:
            self.memory.look()
        return self.gone

    def close(self) -> None:
        """Release the process's descriptor."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def interrupt(self) -> None:
        """Interrupt the process as Ctrl+C does.

        A process that ignores SIGINT, like those that a shell starts in the background, gets SIGTERM instead.
        """
        number = signal.SIGTERM if ignores(self.pid, signal.SIGINT) else signal.SIGINT
        try:
            if self._fd is not None:
                signal.pidfd_send_signal(self._fd, number)
            elif is_alive(self.pid, self._start):
                os.kill(self.pid, number)
        except OSError:
            pass  # it is gone


class LeavingProcess(NamedTuple):
    """A process that wrote its end before it ended: its stream (a path), that end, and the process."""

    stream: str
    own_end: dict[str, Any]
    writer: WriterProcess

    def differs(self) -> bool:
        """Tell whether it has ended in another way than it wrote."""
        if not self.writer.check():
            return False
        real = self.writer.exit or left_status(self.stream)
        return real is not None and correction(self.own_end, real) is not None


def _descriptors() -> int:
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def ignores(pid: int, number: signal.Signals) -> bool:
    """Tell whether a process ignores a signal (proc(5), SigIgn); False where /proc does not say."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
        return bool(int(status.split("SigIgn:")[1].split()[0], 16) >> (number - 1) & 1)
    except (OSError, ValueError, IndexError):
        return False
