"""Correct the end that a process wrote about itself by how it really ended.

A process that is about to end does not know its exit status for sure: `SystemExit` may be raised unseen, or caught. So
the `finish` record that it writes has a member `at_exit`. The agent corrects the record when it knows the real end, and
so does a reader that finds the file of the C library.
"""

from __future__ import annotations

import os
import signal
import stat
import struct
from typing import Any, NamedTuple

_STATUS = struct.Struct("i")
_INTERRUPTED = 128 + signal.SIGINT
MEMBERS = ("state", "exit_code", "signal", "error", "traceback")
"""The members of a `finish` record that say how the process ended."""


class Exit(NamedTuple):
    """How a process ended: its exit status, or the signal that ended it."""

    status: int | None = None
    signal: int | None = None

    @classmethod
    def from_wait(cls, status: int) -> Exit:
        """Return the meaning of a wait status (wait(2))."""
        return cls(signal=os.WTERMSIG(status)) if os.WIFSIGNALED(status) else cls(os.WEXITSTATUS(status))


def exit_path(stream: str) -> str:
    """Return the file to which the process of a stream (a path or name) writes its exit status."""
    folder, name = os.path.split(stream)
    return os.path.join(folder, f"exit-{name.removesuffix('.jsonl')}")


def left_status(stream: str) -> Exit | None:
    """Return the exit status that the process of a stream (a path) wrote to its exit file; None if there is none."""
    try:
        fd = os.open(exit_path(stream), os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        data = os.read(fd, _STATUS.size) if stat.S_ISREG(os.fstat(fd).st_mode) else b""
    except OSError:
        data = b""
    finally:
        os.close(fd)
    return Exit(_STATUS.unpack(data)[0] & 0xFF) if len(data) == _STATUS.size else None


def correction(own: dict[str, Any] | None, real: Exit) -> dict[str, Any] | None:
    """Return the right payload of the `finish` record; None if the process wrote the right one.

    Args: `own`: the payload of the process's own `finish` record, None if it wrote none; `real`: how it really ended.
    """
    if own is None:
        return _end_of(real)
    otherwise = own.get("at_exit")
    if otherwise is None or own.get("state") == "killed":
        return None
    if real.signal is not None:
        return _end_of(real) if own.get("state") == "finished" else None
    code = own.get("exit_code")
    if real.status is None or real.status == code:
        return None
    if real.status == 0:
        return {"state": otherwise, "exit_code": 0}
    if real.status == _INTERRUPTED:
        return {"state": "killed", "exit_code": real.status}
    return {"state": "failed" if otherwise == "finished" else otherwise, "exit_code": real.status}


def _end_of(real: Exit) -> dict[str, Any]:
    if real.signal is not None:
        name = signal_name(real.signal)
        state = "killed" if real.signal == signal.SIGINT else "crashed"
        return {"state": state, "exit_code": 128 + real.signal, "signal": name, "error": f"ended by {name}"}
    if real.status is None:
        return {"state": "crashed"}
    state = "finished" if real.status == 0 else "killed" if real.status == _INTERRUPTED else "failed"
    return {"state": state, "exit_code": real.status}


def signal_name(number: int) -> str:
    """Return `SIGKILL` for 9, and `signal 40` for a signal without a name."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
