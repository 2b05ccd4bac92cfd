"""Start Python processes of our own: the agent, the console's helper, those that ask or follow for us."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

# Not `-m`: that would put the working directory first on the path, where a user's `random.py` shadows ours. And by the
# name that is ours alone: PYTHONPATH may lead to a `tracker.py` of the user's.
_CODE = (
    "import sys; sys.path[0] or sys.path.pop(0); sys.path.append(sys.argv.pop(1)); "
    "from importlib import import_module; "
    "getattr(import_module('tracker_runs.' + sys.argv.pop(1).partition('.')[2]), sys.argv.pop(1))()"
)
_PYTHON = re.compile(r"(python|pypy|graalpy)w?[\d.]*[a-z]{0,2}(-(dbg|intel64|arm64|config64))?(\.exe)?", re.IGNORECASE)
_SHELL = "/bin/sh"
_HOW = "attached"  # the word on the command line that tells whether it is a child of who started it

_uncollected: set[int] = set()
"""Processes whose exit status is still to be collected, where there is no shell to start them from."""


class NoPython(OSError):
    """Raised where the program has Python inside, and is no Python that could run code of ours."""


def python() -> str:
    """Return the Python that runs this process. Raises `NoPython` where starting it would start another program, such
    as the user's own, once more: a frozen program, or one that embeds Python.
    """
    executable = sys.executable or ""
    compiled = "__compiled__" in vars(sys.modules.get("__main__", sys))  # by Nuitka
    if getattr(sys, "frozen", False) or compiled or "uwsgi" in sys.modules:
        raise NoPython("this program is not run by a Python interpreter of its own")
    if not any(_PYTHON.fullmatch(os.path.basename(name)) for name in (executable, os.path.realpath(executable))):
        raise NoPython(f"{executable or 'this program'} is not a Python interpreter")
    return executable


def command(module: str, function: str, *arguments: str) -> list[str]:
    """Return the command that calls a function of a module of ours. Raises `NoPython`."""
    return [python(), "-c", _CODE, str(Path(__file__).parents[2]), module, function, *arguments]


def start_detached(
    module: str,
    function: str,
    arguments: Sequence[str],
    environment: Mapping[str, str],
    actions: Sequence[tuple[Any, ...]],
) -> None:
    """Call a function of ours in a process in a session of its own that is no child of this one: nobody's `os.wait()`
    sees it. It has to call `detach` first.

    `actions` are those of `os.posix_spawn`, for descriptors other than 0. Takes about two milliseconds. Raises OSError
    or ValueError if it cannot be started.
    """
    collect()
    full = command(module, function, _HOW, *arguments)
    if not os.access(full[0], os.X_OK):
        raise FileNotFoundError(f"{full[0]} cannot be started")
    actions = [(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0), *actions]
    if os.access(_SHELL, os.X_OK):
        # The shell starts it in the background and is gone: that is all we wait for.
        full[full.index(_HOW)] = "detached"
        pid = _spawn(_SHELL, [_SHELL, "-c", '"$@" &', _SHELL, *full], environment, actions)
        try:
            os.waitpid(pid, 0)
        except ChildProcessError:
            pass  # the user's own code collected it, or has the system collect children
    else:
        _uncollected.add(_spawn(full[0], full, environment, actions))


def _spawn(path: str, arguments: list[str], environment: Mapping[str, str], actions: Sequence[tuple[Any, ...]]) -> int:
    try:  # a session of its own: Ctrl-C and hang-ups at the terminal are the training's affair
        return os.posix_spawn(path, arguments, environment, file_actions=actions, setsid=True)
    except NotImplementedError:
        return os.posix_spawn(path, arguments, environment, file_actions=actions, setpgroup=0)


def collect() -> None:
    """Collect the exit status of processes that `start_detached` had to leave as children."""
    for pid in tuple(_uncollected):
        try:
            if not os.waitpid(pid, os.WNOHANG)[0]:
                continue
        except ChildProcessError:
            pass  # the user's own code collected it, or it is that of a process this one was forked from
        _uncollected.discard(pid)  # the number may soon be that of a child of the user's


def detach() -> None:
    """In a process that `start_detached` started: leave the family of who started it, unless a shell has seen to it."""
    if sys.argv.pop(1) == _HOW and os.fork():
        os._exit(0)
