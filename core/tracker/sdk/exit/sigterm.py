"""Handle SIGTERM in a container, where the run has to end and be uploaded before everything is killed."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

from tracker.machine import containers

_handler: Any = None
_mask: set[Any] | None = None  # signals that were blocked before a fork under way


def handle_termination(finish: Callable[[], None]) -> None:
    """Have SIGTERM call `finish` and then end the process, in places where the agent would end with it.

    Does nothing if the signal has a handler. Python as process 1 of a container would otherwise ignore SIGTERM until
    SIGKILL follows.
    """
    global _handler
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGTERM) != signal.SIG_DFL:
        return
    if containers.reason() is None:
        return

    def end(number: int, _frame: Any) -> None:
        if _belongs_to_trainer(signal.getsignal(number)):
            return
        signal.signal(number, signal.SIG_DFL)
        finish()
        _flush()
        os.kill(os.getpid(), number)
        os._exit(128 + number)  # the signal does not end process 1

    if _handler is None:
        os.register_at_fork(before=_hold, after_in_child=_leave, after_in_parent=_release)
    _handler = end
    signal.signal(signal.SIGTERM, end)


def _belongs_to_trainer(handler: Any) -> bool:
    """Tell whether a handler is Lightning's.

    It calls the handler that it found, and then ends the training in order itself, with checkpoints and loggers.
    """
    return type(handler).__module__.partition(".")[0] in ("lightning", "lightning_fabric", "pytorch_lightning")


# Python forgets signals that reach a forked child before it is set up, so they are blocked until then.


def _hold() -> None:
    global _mask
    if signal.getsignal(signal.SIGTERM) is _handler:
        _mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})


def _release() -> None:
    global _mask
    if _mask is not None:
        mask, _mask = _mask, None
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _leave() -> None:
    """Let SIGTERM end a forked child as usual: the run is its parent's."""
    if signal.getsignal(signal.SIGTERM) is _handler:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _release()


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (AttributeError, OSError, ValueError):
            pass
