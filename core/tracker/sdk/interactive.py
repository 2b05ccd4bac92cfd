"""Prompts and notebooks, where an error ends a command and the process goes on."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from .exit_status import ending

_watched: Any = None  # the shell whose cells are watched


def shell() -> Any:
    """Return IPython's shell, None where there is none."""
    get = getattr(sys.modules.get("IPython"), "get_ipython", None)
    return None if get is None else get()


def in_notebook() -> bool:
    """Tell whether this process is the kernel of a notebook."""
    return getattr(shell(), "kernel", None) is not None


def at_prompt() -> bool:
    """Tell whether somebody types commands, or will when the script is over."""
    return bool(hasattr(sys, "ps1") or sys.flags.interactive or sys.flags.inspect) or shell() is not None


def watch(note: Callable[[dict[str, Any] | None], None]) -> None:
    """Have `note` told how each cell of a notebook ended, from now on: a process whose last cell failed has failed.

    At other prompts only the end of the process counts.
    """
    global _watched
    here = shell()
    if here is None or here is _watched:
        return
    _watched = here

    def cell_ended(result: Any = None) -> None:
        error = getattr(result, "error_before_exec", None) or getattr(result, "error_in_exec", None)
        # `sys.exit` in a cell ends the cell alone.
        note(None if error is None or isinstance(error, SystemExit) or not in_notebook() else ending(error))

    here.events.register("post_run_cell", cell_ended)
