"""How a process ended, as the run log tells it."""

from __future__ import annotations

from typing import Any


def exit_status(code: Any) -> int:
    """Return the exit status that `SystemExit(code)` gives a process."""
    if code is None:
        return 0
    return code & 0xFF if isinstance(code, int) else 1


def describe_error(error: BaseException) -> dict[str, str]:
    """Return what a `finish` record says of an exception: `error`, and `traceback` where there is one."""
    if isinstance(error, KeyboardInterrupt):
        # Importing `traceback` evaluates code, which makes CPython forget that it was interrupted: the process would
        # exit with 1 and not by SIGINT.
        return {"error": "KeyboardInterrupt"}
    import traceback

    trace = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    try:
        text = f"{type(error).__name__}: {error}"
    except Exception:  # noqa: BLE001 - the user's own __str__ may do anything
        text = type(error).__name__
    if len(text) > 2000:  # the beginning says what failed; where one error quotes another, the end says why
        text = f"{text[:500]} […] {text[-1500:]}"
    return {"error": text, "traceback": trace[-20_000:]}
