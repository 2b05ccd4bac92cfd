"""Give runs the right end however their process ends, without changing the user's own handlers.

A run that is still open when its process ends is finished by whichever comes first: `atexit`, the end of a child of
multiprocessing, or `os._exit`. Readers and the agent correct what the hooks cannot know (`runlog/exits.py`).
"""

from __future__ import annotations

import atexit
import builtins
import contextlib
import os
import signal
import sys
import threading
from collections import deque
from itertools import count
from types import TracebackType
from typing import TYPE_CHECKING, Any

from tracker.capture.console_wrap import rearm
from tracker.errors import contained

from .after_fork import follow_forks, renew_in_child
from .exit import multiprocessing_child, notebook
from .exit.exit_status import ending, exit_ending, leave_status
from .exit.sigterm import handle_termination
from .upload_wait import wait_at_exit

if TYPE_CHECKING:
    from .run import Run

_live: list[Run] = []
"""The runs of this process. A run that the script no longer holds must be finished, too."""


class _Noted:
    """What is known so far about the end of the process."""

    end: dict[str, Any] | None = None
    armed = False
    hook: Any = None
    stale: Any = None  # the error that `sys.last_value` named when the newest run began


_ended_during: deque[tuple[int, Run]] = deque(maxlen=16)
"""Runs that were finished during an exception, as in a `finally` block, with the number of the exception."""
_MARK = "_tracker_number"  # the attribute with that number: Python reuses an `id` once the exception is gone
_numbers = count()


def live() -> list[Run]:
    """Return the runs of this process that have not ended."""
    return [run for run in _live if not run.finished]


def adopt(run: Run) -> None:
    """Make the run end with its process. Earlier errors of the process do not count as its end."""
    _live[:] = [*live(), run]
    _Noted.end = None
    _Noted.stale = getattr(sys, "last_value", None)
    if not _Noted.armed:
        _Noted.armed = True
        _arm()
    if sys.excepthook is not _Noted.hook:  # the first time, or after other code has restored the original hook
        _hook_exceptions()
    notebook.watch(_note, rearm)
    multiprocessing_child.finish_with_child(_finish_in_child)
    handle_termination(_finish_terminated)


def ended_during(error: BaseException, run: Run) -> None:
    """Remember that `run` was finished while `error` was handled: if `error` ends the process, it ends the run too."""
    with contextlib.suppress(Exception):  # the exception may allow no attributes: then the first end stays
        number = error.__dict__.setdefault(_MARK, next(_numbers))
        _ended_during.append((number, run))


def _arm() -> None:
    atexit.register(_leave)
    renew_in_child(_forget_end)
    follow_forks(_live)
    former_exit, former_exit_now = sys.exit, os._exit

    def exit_hook(status: Any = None, /) -> None:
        _note_exit(status)
        former_exit(status)

    def exit_now_hook(status: int) -> None:
        if isinstance(status, int):
            for run in _live:
                run._leave_at_once(status & 0xFF)
        former_exit_now(status)

    sys.exit = exit_hook  # type: ignore[assignment]
    os._exit = exit_now_hook  # type: ignore[assignment]
    quitter = type(getattr(builtins, "exit", None))  # set by the module `site`
    if quitter.__name__ == "Quitter":
        former_quit = quitter.__call__

        def quit_hook(self: Any, code: Any = None) -> None:
            _note_exit(code)
            former_quit(self, code)

        quitter.__call__ = quit_hook  # type: ignore[method-assign]


def _hook_exceptions() -> None:
    former = sys.excepthook

    def except_hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if not notebook.at_prompt():  # at a prompt, an error ends a command and not the process
            with contained("noting an error"):
                _note(ending(error))
                for number, run in list(_ended_during):
                    if number == error.__dict__.get(_MARK):
                        run._correct_end(ending(error))
        former(kind, error, trace)

    sys.excepthook = _Noted.hook = except_hook


def _note(end: dict[str, Any] | None) -> None:
    _Noted.end = end


def _note_exit(code: Any) -> None:
    if threading.current_thread() is threading.main_thread():  # in other threads it ends only the thread
        with contained("noting an exit"):
            _note(exit_ending(code, sys.exc_info()[1]))


def _leave() -> None:
    """Finish open runs with what is known; the exit status that the C library writes later takes precedence."""
    error = multiprocessing_child.ended_by()
    end = _Noted.end if error is None else ending(error)
    if end is None and sys.excepthook is not _Noted.hook and not notebook.at_prompt():
        error = getattr(sys, "last_value", None)  # other code replaced the hook and does not call ours
        end = None if error is _Noted.stale else ending(error)
    # A forked child that has written nothing has nothing to end.
    runs = [run for run in live() if run._stream.parent is None or run._stream.kept]
    leave_status([run._stream.path for run in runs if run._stream.path is not None])
    for run in runs:
        run._finish_at_exit(end)
    wait_at_exit()


def _finish_in_child() -> None:
    """Finish runs at the end of a child of multiprocessing, which skips `atexit`."""
    error = multiprocessing_child.ended_by()
    for run in _live:
        if run._stream.parent is not None:
            continue
        if error is None and multiprocessing_child.FORGETS:
            run._finish_at_exit(_Noted.end)  # of `sys.exit` nothing but this is left
        else:
            run._finish_by(error)


def _finish_terminated() -> None:
    for run in live():
        with contained("ending the run"):
            run.finish(128 + signal.SIGTERM, state="killed")
    wait_at_exit()


def _forget_end() -> None:
    _Noted.end = None
