"""Helpers of the fault matrix: trainings in their own processes, and checks of what the server has."""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil
import pytest

import tracker
from tests.faults.training import Board, row
from tests.waiting import PATIENCE, eventually
from tracker.agent.sync import Synced, sync
from tracker.api import RemoteRun
from tracker.client import connect
from tracker.errors import ServerError
from tracker.random_names import random_id
from tracker.runlog.directory import agent_alive, lock_path
from tracker.runlog.records import encode
from tracker.settings import Settings

ENTITY, PROJECT = "me", "faults"
TOKEN = "a-token-for-these-tests"


def require(available: bool, reason: str) -> None:
    """Skip a test whose injector is missing. CI has the injectors of all rows marked †, so there the test fails."""
    if not available:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)


class Training:
    """A process that runs training.py, or another script that takes a board, with a new run."""

    def __init__(
        self,
        root: Path,
        *arguments: object,
        id: str | None = None,
        directory: Path | None = None,
        prefix: Sequence[str] = (),
        script: str = "training.py",
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Start it. `root`: for the board and stderr. `directory`: holds `.tracker/runs`. `prefix`: a command before
        `python`.
        """
        self.id = id or random_id()
        self.path = f"{ENTITY}/{PROJECT}/{self.id}"
        base = directory or Path.cwd()
        self.directory = base / ".tracker" / "runs" / self.id
        mark = random_id()
        self.board = Board(str(root / f"board-{mark}"))
        self._stderr = root / f"stderr-{mark}"
        command = [*prefix, sys.executable, str(Path(__file__).with_name(script)), str(root / f"board-{mark}")]
        with self._stderr.open("wb") as stderr:
            self.process = subprocess.Popen(
                [*command, *map(str, arguments)],
                env={**os.environ, "TRACKER_RUN_ID": self.id, "TRACKER_DIR": str(base), **(environment or {})},
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                stderr=stderr,
            )

    @property
    def stderr(self) -> str:
        """What the process has written to stderr."""
        return self._stderr.read_text()

    def reach(self, rows: int) -> None:
        """Wait until this many calls of `log()` have returned."""
        eventually(lambda: self.board.returned >= rows or self.process.poll() is not None, PATIENCE)
        how = f"ended with {self.process.returncode} after {self.board.returned} rows: {self.stderr}"
        assert self.board.returned >= rows, how

    def kill(self) -> int:
        """Kill the process group with SIGKILL; return how many calls of `log()` had returned."""
        os.killpg(self.process.pid, signal.SIGKILL)
        assert self.process.wait() == -signal.SIGKILL
        return self.board.returned

    def stop(self) -> int:
        """Tell the training to end, wait, and return its exit status."""
        self.board.stop = 1
        return self.process.wait(PATIENCE)


def agents(directory: Path) -> list[psutil.Process]:
    """Return the agent processes of a run directory: those started for it alone, and the shared one that serves it."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        command = process.info["cmdline"] or []
        if "serve_one" in command and command[-1] == str(directory):
            found.append(process)
    found += eventually(lambda: _holders(directory))[0]
    return list(dict.fromkeys(found))


def _holders(directory: Path) -> tuple[list[psutil.Process]] | None:
    """Return who holds the lock of a run directory; None while an agent has it and has not noted its pid yet."""
    if not agent_alive(str(directory)):
        return ([],)
    try:
        return ([psutil.Process(int(Path(lock_path(str(directory))).read_bytes()))],)
    except (ValueError, FileNotFoundError, psutil.NoSuchProcess):  # no pid, or that of an earlier agent
        return None


def has_left(directory: Path) -> bool:
    """Return whether a run directory had an agent, and has none now."""
    lock = Path(lock_path(str(directory)))
    return lock.exists() and lock.stat().st_size > 0 and not agents(directory)  # it is empty until an agent has it


def kill_agents(directory: Path) -> int:
    """Kill the agents of a run directory with SIGKILL; return how many there were."""
    found = agents(directory)
    for agent in found:
        with contextlib.suppress(psutil.NoSuchProcess):  # it may just have ended
            agent.kill()
    # Not psutil's `wait`: it waits until the init process has reaped them, which may take seconds.
    eventually(lambda: not set(found) & set(agents(directory)), PATIENCE)
    return len(found)


def data_directory(root: Path) -> Path:
    """Return a directory for a server whose token is `TOKEN`; it exists before the server runs."""
    data = root / "data"
    data.mkdir(mode=0o700)
    (data / "token").write_text(TOKEN)
    return data


def sync_directory(directory: Path) -> Synced:
    """Do what `tracker sync DIRECTORY` does."""
    settings = Settings()
    return sync(directory, connect(settings), settings, lambda _: None)


# -- what the server has ----------------------------------------------------------------------------------------------


def on_server(path: str) -> RemoteRun | None:
    """Return a run as the server has it, None if it has none."""
    try:
        return tracker.Api().run(path)
    except ServerError as error:
        if error.status == 404:
            return None
        raise


def values(run: Any) -> list[dict[str, Any]]:
    """Return the rows of a run as they were logged."""
    return [{k: v for k, v in found.items() if not k.startswith("_")} for found in run.scan_history()]


def uploaded(training: Training, *states: str, rows: int = 0) -> RemoteRun:
    """Wait until the agent has ended and the server shows one of `states`; return the run.

    `rows`: wait until there are so many. A run of several processes may have its state before the agent has come to the
    last of them.
    """

    def there() -> RemoteRun | None:
        if agent_alive(str(training.directory)):  # before the request, so that its last uploads are in the response
            return None
        run = on_server(training.path)
        return run if run is not None and run.state in states and run.info["rows"] >= rows else None

    return eventually(there, PATIENCE)


def assert_delivered(run: Any, returned: int, more: int = 0, pad: int = 0) -> None:
    """Assert that the rows 0, 1, 2 … are there, each once, whole and in order: all whose `log()` returned, and at most
    `more` others, which a dying process may have written before `log()` returned.
    """
    found = values(run)
    wrong = [n for n, values in enumerate(found) if values != row(n, pad)]
    assert not wrong, f"of {len(found)} rows the {wrong[0]}th is {str(found[wrong[0]])[:200]}"
    assert returned <= len(found) <= returned + more
    assert run.info["rows"] == len(found)
    assert run.info["lost"] <= more  # a torn row counts as lost


# -- run logs made by hand --------------------------------------------------------------------------------------------


def small_log(id: str, rows: int = 3, start: float = 1700000000.0) -> bytes:
    """Return the smallest stream whose writer has died without a `finish` record."""
    about = {"version": 1, "id": id, "entity": ENTITY, "project": PROJECT}
    gone = {"host": os.uname().nodename, "pid": _gone(), "pid_start": 1}
    lines = [encode("run", {**about, **gone}, start)]
    lines += [encode("log", row(n), start + 1 + n, n) for n in range(rows)]
    return b"".join(lines)


@functools.cache
def _gone() -> int:
    with subprocess.Popen(["true"]) as process:
        process.wait()
    return process.pid


def write_log(root: Path, id: str, content: bytes) -> Path:
    """Make a run directory with one stream."""
    directory = root / id
    directory.mkdir(parents=True)
    (directory / "history-a.jsonl").write_bytes(content)
    return directory
