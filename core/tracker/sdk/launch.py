"""Start the agent of a run directory, and see whether it lives."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tracker.runlog.directory import LOG, NOTICE

# Not `-m tracker.agent`: that would put the working directory first on the path, where a user's `random.py` shadows
# ours.
_CODE = (
    "import sys; sys.path[0] or sys.path.pop(0); sys.path.append(sys.argv.pop(1)); "
    "from importlib import import_module; import_module(sys.argv.pop(1)).main()"
)
_ROOT = str(Path(__file__).parents[2])

_uncollected: set[int] = set()
"""Helpers of agents whose exit status is still to be collected: a short run may be over before its helper is."""


def start_agent(directory: str, environment: Mapping[str, str]) -> int | None:
    """Start an agent in a session of its own and return the pid of a helper that exits at once, to be reaped.

    Takes about a millisecond and waits for nothing. If another agent serves the directory, the new one exits.
    The agent's own settings are in `environment`. Raises OSError if no process could be started; None if this
    interpreter cannot start another one.
    """
    if not sys.executable:
        return None
    for pid in tuple(_uncollected):  # else a process with thousands of short runs had as many zombies
        reap(pid)
    log = os.path.join(directory, LOG)
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    arguments = [sys.executable, "-c", _CODE, _ROOT, "tracker.agent.main", directory]
    merged = {**os.environ, **environment}
    try:  # a session of its own: Ctrl-C and hang-ups at the terminal are the training's affair
        pid = os.posix_spawn(sys.executable, arguments, merged, file_actions=actions, setsid=True)
    except NotImplementedError:
        pid = os.posix_spawn(sys.executable, arguments, merged, file_actions=actions, setpgroup=0)
    _uncollected.add(pid)
    return pid


def run_helper(module: str, arguments: Sequence[str], environment: Mapping[str, str], timeout: float | None) -> bytes:
    """Run `main` of a module in a process of its own and return what it printed; nothing if it was not done in time."""
    if not sys.executable:
        return b""
    import subprocess  # which most training processes need not pay for

    command = [sys.executable, "-c", _CODE, _ROOT, module, *arguments]
    try:
        return subprocess.run(
            command,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=timeout,
            check=False,
        ).stdout
    except (subprocess.TimeoutExpired, OSError, ValueError):
        return b""


def reap(pid: int | None) -> int | None:
    """Collect the exit status of the helper that `start_agent` left; return its pid while there is none to collect."""
    if pid is not None and pid in _uncollected:
        try:
            if not os.waitpid(pid, os.WNOHANG)[0]:
                return pid
        except ChildProcessError:
            pass  # the user's own code collected it, or it is that of a process this one was forked from
        _uncollected.discard(pid)  # the number may soon be that of a child of the user's
    return None


class Notices:
    """Reads what an agent has to tell the user from its log."""

    def __init__(self, directory: str) -> None:
        self._path = os.path.join(directory, LOG)
        # What an agent had to say to the process that this one resumes is no news.
        self._offset = os.path.getsize(self._path) if os.path.exists(self._path) else 0

    def new(self) -> list[str]:
        """Return the notices since the last call, oldest first."""
        try:
            if os.stat(self._path).st_size == self._offset:
                return []
            with open(self._path, "rb") as file:
                file.seek(self._offset)
                data = file.read()
        except OSError:
            return []
        data = data[: data.rfind(b"\n") + 1]
        self._offset += len(data)
        return [line.split(NOTICE, 1)[1].decode("utf-8", "replace") for line in data.splitlines() if NOTICE in line]
