"""Turn exceptions and exit statuses into the payload of a `finish` record."""

from __future__ import annotations

import os
import signal
from typing import Any

from tracker.runlog.exits import exit_path

_INTERRUPTED = 128 + signal.SIGINT
_LONGEST = 2000  # characters of an error's text


def exit_status(code: Any) -> int:
    """Return the exit status that `SystemExit(code)` gives a process."""
    if code is None:
        return 0
    return code & 0xFF if isinstance(code, int) else 1


def ending(error: BaseException | None) -> dict[str, Any]:
    """Return the payload of a `finish` record for a process or block that an exception ended; None: it ended well."""
    if error is None:
        return {"state": "finished", "exit_code": 0}
    if isinstance(error, KeyboardInterrupt):
        return {"state": "killed", "exit_code": _INTERRUPTED, **describe_error(error)}
    if isinstance(error, SystemExit):
        return exit_ending(error.code, _cause(error))
    return {"state": "failed", "exit_code": 1, **describe_error(error)}


def exit_ending(code: Any, cause: BaseException | None) -> dict[str, Any]:
    """Return the payload of a `finish` record for `sys.exit(code)`; `cause`: the exception that was being handled."""
    status = exit_status(code)
    if status == 0:
        return {"state": "finished", "exit_code": 0}
    interrupted = status == _INTERRUPTED or isinstance(cause, KeyboardInterrupt)
    end: dict[str, Any] = {"state": "killed" if interrupted else "failed", "exit_code": status}
    if cause is not None:
        end.update(describe_error(cause))
    if not isinstance(code, int):  # what Python prints on stderr
        end["error"] = _shortened(_text(code) or type(code).__name__)
    return end


def describe_error(error: BaseException) -> dict[str, str]:
    """Return `error` and `traceback` of a `finish` record for an exception."""
    if isinstance(error, KeyboardInterrupt):
        # Importing `traceback` evaluates code, which makes CPython forget that it was interrupted: the process would
        # exit with 1 and not by SIGINT.
        return {"error": "KeyboardInterrupt"}
    import traceback

    try:
        trace = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    except Exception:  # noqa: BLE001 - the user's own class may do anything
        trace = ""
    message = _text(error)
    text = type(error).__name__ if message is None else f"{type(error).__name__}: {message}"
    return {"error": _shortened(text), "traceback": trace[-20_000:]}


def leave_status(streams: list[str]) -> bool:
    """Have the C library write this process's exit status beside each of its streams (paths) after Python is gone.

    Only then is the status certain. Returns whether this is possible here; with glibc it is.
    """
    try:
        import ctypes

        libc = ctypes.CDLL(None)
        libc.fopen.restype = libc.setbuf.restype = ctypes.c_void_p
        for stream in streams:
            file = libc.fopen(os.fsencode(exit_path(stream)), b"wbxe")
            if file:
                libc.setbuf(ctypes.c_void_p(file), None)
                libc.on_exit(libc.putw, ctypes.c_void_p(file))  # putw(status, file)
    except (ImportError, OSError, AttributeError, ctypes.ArgumentError):
        return False
    return True


def _cause(error: BaseException) -> BaseException | None:
    """Return the exception that caused another one to be raised, or None."""
    for _ in range(20):
        error_or_none = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        if not isinstance(error_or_none, SystemExit):
            return error_or_none
        error = error_or_none
    return None


def _text(value: Any) -> str | None:
    try:
        return str(value)
    except Exception:  # noqa: BLE001 - the user's own __str__ may do anything
        return None


def _shortened(text: str) -> str:
    # The beginning says what failed; where one error quotes another, the end says why.
    return text if len(text) <= _LONGEST else f"{text[:500]} […] {text[-1500:]}"
