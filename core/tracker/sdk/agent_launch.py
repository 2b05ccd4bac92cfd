"""Start the agent of a run, or hand the run over to a running agent."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tracker.agent_protocol import handover
from tracker.machine.python_process import command, start_detached
from tracker.runlog.directory import LOG, NOTICE
from tracker.runlog.safe_open import open_file
from tracker.settings import SETTINGS

_MAIN = "tracker.agent.main"
_LOCK = 3  # the agent's descriptor of the lock, as in `agent/main.py`
_LARGEST_LOG = 1 << 20
_THRIFTY = {"MALLOC_ARENA_MAX": "1"}  # a heap for each thread, as glibc has, nearly doubles an agent's memory


def hand_over(directory: str, given: Mapping[str, Any]) -> Path:
    """Have the shared agent of this user and machine serve a directory; start it if there is none.

    Takes a fraction of a millisecond, or a few milliseconds if the agent must be started, and waits for nothing.
    `given`: the arguments for the agent's `Settings`. Returns the folder of the queue, see `handover`. Raises OSError.
    """
    folder = handover.folder()
    os.close(open_file(directory, LOG, os.O_WRONLY | os.O_CREAT))  # `Notices` and others read it
    handover.put(folder, directory, {**given, "dir": str(Path(directory).parents[2])})
    # Taken before the agent starts: only one of any number of processes starts it.
    lock = handover.lock(folder)
    if lock is None:
        return folder
    try:
        names = {setting.variable for setting in SETTINGS}
        environment = {name: value for name, value in os.environ.items() if name not in names}
        environment = {**_THRIFTY, **environment}
        log = folder / handover.LOG
        if log.exists() and log.stat().st_size > _LARGEST_LOG:
            log.unlink()
        actions = [(os.POSIX_SPAWN_DUP2, lock, _LOCK)] if lock != _LOCK else []
        if lock == _LOCK:
            os.set_inheritable(lock, True)
        start_detached(_MAIN, "serve_all", [str(folder), directory], environment, [*_logged(str(log), 0o600), *actions])
    finally:
        os.close(lock)
    return folder


def start_agent(directory: str, environment: Mapping[str, str]) -> None:
    """Start an agent for one directory alone. `environment` is added to that of this process.

    If another agent serves the directory, the new one exits. Raises OSError or ValueError if no process could be
    started.
    """
    actions = _logged(os.path.join(directory, LOG))
    start_detached(_MAIN, "serve_one", [directory], {**_THRIFTY, **os.environ, **environment}, actions)


def _logged(path: str, mode: int = 0o644) -> list[tuple[Any, ...]]:
    return [
        (os.POSIX_SPAWN_OPEN, 1, path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, mode),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]


def run_helper(module: str, arguments: Sequence[str], environment: Mapping[str, str], timeout: float | None) -> bytes:
    """Run `main` of a module in a process of its own and return its output, b"" if it took longer than `timeout`."""
    import subprocess  # most training processes do not need it

    try:
        return subprocess.run(
            command(module, "main", *arguments),
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=timeout,
            check=False,
        ).stdout
    except (subprocess.TimeoutExpired, OSError, ValueError):
        return b""


class Notices:
    """Reads the agent's messages to the user from its log."""

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._path = os.path.join(directory, LOG)
        # Earlier messages were for the process that this one resumes.
        self._offset = os.path.getsize(self._path) if os.path.exists(self._path) else 0

    def new(self) -> list[str]:
        """Return the notices since the last call, oldest first."""
        try:
            if os.stat(self._path).st_size == self._offset:
                return []
            with open(open_file(self._directory, LOG), "rb") as file:
                file.seek(self._offset)
                data = file.read()
        except OSError:
            return []
        data = data[: data.rfind(b"\n") + 1]
        self._offset += len(data)
        return [line.split(NOTICE, 1)[1].decode("utf-8", "replace") for line in data.splitlines() if NOTICE in line]
