"""End runs in children of multiprocessing, which leave by `os._exit` or are terminated by their pool."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

_MODULES = tuple(os.path.join("multiprocessing", name) for name in ("queues.py", "util.py"))
_REPEAT = 0.05  # seconds between repetitions of a signal
_PROCESS = os.path.join("multiprocessing", "process.py")
FORGETS = sys.version_info >= (3, 13)
"""Whether a child of multiprocessing calls `finish` when the exception that ends it is not being handled any more."""

_ended_by: BaseException | None = None
_finished_in = 0  # the process in which `finish_with_child` was called


def is_child() -> bool:
    """Tell whether this process is a child of multiprocessing, and so ends with its parent's work."""
    module = sys.modules.get("multiprocessing.process")
    return module is not None and module.parent_process() is not None


def finish_with_child(finish: Callable[[], None]) -> None:
    """Call `finish` when this child of multiprocessing ends; do nothing in other processes. Safe to repeat."""
    global _finished_in, _ended_by
    if not is_child() or _finished_in == os.getpid():
        return
    _finished_in, _ended_by = os.getpid(), None
    if FORGETS:
        _note_printed_error()
    util: Any = sys.modules["multiprocessing.util"]
    util.Finalize(None, finish, exitpriority=0)
    if _in_pool(sys._getframe()) is not None and threading.current_thread() is threading.main_thread():
        _end_well_when_idle(finish)


def ended_by() -> BaseException | None:
    """Return the exception that ends this child of multiprocessing; None if there is none."""
    return sys.exc_info()[1] or _ended_by


def _note_printed_error() -> None:
    """Note the exception with which this child is about to end, when multiprocessing prints it."""
    import traceback

    former = traceback.print_exc

    def print_exc(*arguments: Any, **named: Any) -> None:
        global _ended_by
        if sys._getframe(1).f_code.co_filename.endswith(_PROCESS):
            _ended_by = sys.exc_info()[1]
        former(*arguments, **named)

    traceback.print_exc = print_exc


def _end_well_when_idle(finish: Callable[[], None]) -> None:
    """Count an idle worker that its pool terminates as ended well: a pool does so at the end of its `with` block."""
    if signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        return

    heard: list[int] = []

    def terminated(number: int, frame: FrameType | None) -> None:
        heard.append(number)
        if not _at_work(frame):
            signal.signal(number, signal.SIG_IGN)
            finish()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    signal.signal(signal.SIGTERM, terminated)
    _repeat_until(heard)


def _repeat_until(heard: list[int]) -> None:
    """Send SIGTERM to the main thread again, from a thread, until `heard` says that Python has handled it.

    An idle worker waits in the C library for the lock of its queue. A signal can arrive just after that wait was
    interrupted, while another process takes the lock. Then the C library starts to wait again before Python has run the
    handler. Nothing interrupts the second wait, so the worker never ends, and its pool hangs.
    """
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    former = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)  # the C handler writes the signal's number there
    if former != -1:  # an event loop has its own
        signal.set_wakeup_fd(former)
        os.close(reader)
        os.close(writer)
        return
    os.register_at_fork(after_in_child=_forget_wakeup)  # what a child is sent must not end this process
    main = threading.get_ident()

    def repeat() -> None:
        while os.read(reader, 1) != bytes([signal.SIGTERM]):
            pass
        while not heard:
            signal.pthread_kill(main, signal.SIGTERM)
            time.sleep(_REPEAT)

    threading.Thread(target=repeat, name="tracker-sigterm", daemon=True).start()


def _forget_wakeup() -> None:
    signal.set_wakeup_fd(-1)


def _at_work(frame: FrameType | None) -> bool:
    """Tell whether a pool's worker is busy: not waiting for work, handing over a result, or about to end."""
    file = _in_pool(frame)
    return file is not None and file != "" and not file.endswith(_MODULES)


def _in_pool(frame: FrameType | None) -> str | None:
    """Return the file of the function that a pool worker's main loop has called; "" if it has called none.

    Returns None outside such a loop.
    """
    file = ""
    while frame is not None:
        code = frame.f_code
        if code.co_name == "worker" and code.co_filename.endswith(os.path.join("multiprocessing", "pool.py")):
            return file
        file, frame = code.co_filename, frame.f_back
    return None
