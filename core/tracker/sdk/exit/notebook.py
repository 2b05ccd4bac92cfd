"""Handle notebooks and prompts, where an error ends a command and not the process."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from tracker.errors import contained

from .exit_status import ending

_watched: Any = None  # the shell whose cells are watched


def shell() -> Any:
    """Return IPython's shell, or None."""
    get = getattr(sys.modules.get("IPython"), "get_ipython", None)
    return None if get is None else get()


def in_notebook() -> bool:
    """Tell whether this process is the kernel of a notebook."""
    return getattr(shell(), "kernel", None) is not None


def at_prompt() -> bool:
    """Tell whether somebody types commands, or will when the script is over."""
    return bool(hasattr(sys, "ps1") or sys.flags.interactive or sys.flags.inspect) or shell() is not None


def watch(note: Callable[[dict[str, Any] | None], None], rearm: Callable[[], None]) -> None:
    """Report to `note` how each cell of a notebook ended, and call `rearm` before each cell; also at IPython's prompts.

    A process whose last cell failed has failed; at other prompts only the end of the process counts. `rearm` is needed
    since IPython restores `sys.stdout.write` after a cell.
    """
    global _watched
    current = shell()
    events = getattr(current, "events", None)
    if events is None or current is _watched:
        return
    _watched = current

    def cell_begins(_info: Any = None) -> None:
        with contained("capturing the console"):
            rearm()

    def cell_ended(result: Any = None) -> None:
        error = getattr(result, "error_before_exec", None) or getattr(result, "error_in_exec", None)
        # `sys.exit` in a cell ends the cell alone.
        with contained("noting the end of a cell"):
            note(None if error is None or isinstance(error, SystemExit) or not in_notebook() else _of_cell(error))

    events.register("pre_run_cell", cell_begins)
    events.register("post_run_cell", cell_ended)


def _of_cell(error: BaseException) -> dict[str, Any]:
    end = ending(error)
    return {**end, "exit_code": 0, "at_exit": end["state"]}  # the kernel itself ends well
