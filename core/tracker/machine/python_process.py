"""Start Python processes that run tracker's code: the agent, the console's helper, helpers of `init`, followers."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

# `-m` would put the working directory first on the path, where a user's `random.py` hides the standard one. The
# module is imported as `tracker_runs`, since PYTHONPATH may lead to a `tracker.py` of the user's.
_CODE = (
    "import sys; sys.path[0] or sys.path.pop(0); sys.path.append(sys.argv.pop(1)); "
    "from importlib import import_module; "
    "getattr(import_module('tracker_runs.' + sys.argv.pop(1).partition('.')[2]), sys.argv.pop(1))()"
)
_PYTHON = re.compile(r"(python|pypy|graalpy)w?[\d.]*[a-z]{0,2}(-(dbg|intel64|arm64|config64))?(\.exe)?", re.IGNORECASE)
_SHELL = "/bin/sh"
_HOW = "attached"  # the word on the command line that says whether the process is a child of its starter

_uncollected: set[int] = set()
"""Child processes whose exit status must still be collected, because no shell could start them."""


class NoPython(OSError):
    """Raised in a program that embeds Python, where there is no Python interpreter to start."""


def python() -> str:
    """Return the Python interpreter that runs this process.

    Raises `NoPython` for a frozen program or one that embeds Python: starting it would start the user's program again.
    """
    executable = sys.executable or ""
    compiled = "__compiled__" in vars(sys.modules.get("__main__", sys))  # by Nuitka
    if getattr(sys, "frozen", False) or compiled or "uwsgi" in sys.modules:
        raise NoPython("this program is not run by a Python interpreter of its own")
    if not any(_PYTHON.fullmatch(os.path.basename(name)) for name in (executable, os.path.realpath(executable))):
        raise NoPython(f"{executable or 'this program'} is not a Python interpreter")
    return executable


def command(module: str, function: str, *arguments: str) -> list[str]:
    """Return the command that calls a function of one of tracker's modules. Raises `NoPython`."""
    return [python(), "-c", _CODE, str(Path(__file__).parents[2]), module, function, *arguments]


def start_detached(
    module: str,
    function: str,
    arguments: Sequence[str],
    environment: Mapping[str, str],
    actions: Sequence[tuple[Any, ...]],
) -> None:
    """Call a function in a new process with a session of its own, which is not a child of this process.

    So no `os.wait()` of the user returns it. The function must call `detach` first. Starting takes about 2 ms.

    Args:
        module: One of tracker's modules.
        function: A function in it.
        arguments: The rest of the command line.
        environment: The environment of the process.
        actions: File actions of `os.posix_spawn`, for descriptors other than 0.

    Raises OSError or ValueError if the process cannot be started.
    """
    collect()
    full = command(module, function, _HOW, *arguments)
    if not os.access(full[0], os.X_OK):
        raise FileNotFoundError(f"{full[0]} cannot be started")
    actions = [(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0), *actions]
    if os.access(_SHELL, os.X_OK):
        # The shell starts it in the background and ends; only the shell is waited for.
        full[full.index(_HOW)] = "detached"
        pid = _spawn(_SHELL, [_SHELL, "-c", '"$@" &', _SHELL, *full], environment, actions)
        try:
            os.waitpid(pid, 0)
        except ChildProcessError:
            pass  # the user's own code collected it, or has the system collect children
    else:
        _uncollected.add(_spawn(full[0], full, environment, actions))


def _spawn(path: str, arguments: list[str], environment: Mapping[str, str], actions: Sequence[tuple[Any, ...]]) -> int:
    try:  # a session of its own: Ctrl-C and hang-ups of the terminal must not reach it
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
            pass  # the user's own code collected it, or it belongs to the process that this one was forked from
        _uncollected.discard(pid)  # a child of the user's code may get this pid soon


def detach() -> None:
    """Stop being a child of the starter, in a process that `start_detached` started without a shell."""
    if sys.argv.pop(1) == _HOW and os.fork():
        os._exit(0)
