"""Follow the TensorBoard event files that a run's processes write, through a program of an integration.

The program is an entry point of the group `tracker.followers`, named like the records that it is about. It runs in a
process of its own, with the run directory as its only argument. On stdin it gets what to follow, one JSON object per
line: `path`, and the `stream` of the process that writes the file. When stdin ends, it brings all
remaining values into the run directory and ends with exit status 0. It may be killed at any time.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, NamedTuple

from tracker.agent_protocol.event_files import (
    KIND,
    being_written,
    is_path_sealed,
    is_since_sealed,
    made_since,
    path_seal,
)
from tracker.machine.python_process import command

from .journal import Journal
from .stream_watcher import StreamWatcher

GROUP = "tracker.followers"
GRACE = 10.0
"""Seconds for which a process that has ended its run, and lives on, may write the rest of its event files."""

_TICK = 0.2
_SHARE = 100  # looking for open files takes at most a hundredth of the time
_MOST_STARTS = 10
_PAUSE = 1.0  # seconds before a follower that failed is started again
_FINISH_TIMEOUT = 600.0  # seconds that it may take to read the rest at the end
_MISSING = 77  # its exit status if its packages are not installed


class _Follower(NamedTuple):
    process: subprocess.Popen[bytes]
    paths: set[str]


class EventFileFollower:
    """Finds the event files of one run, and runs a process that follows them."""

    def __init__(
        self, directory: Path, journal: Journal, watch: StreamWatcher, run_id: str, notice: Callable[[str], None]
    ) -> None:
        """`notice` is called with messages for the user."""
        self._directory = directory
        self._journal = journal
        self._watch = watch
        self._run_id = run_id
        self._notice = notice
        self._heard = 0
        self._files: dict[str, str] = {}  # path → stream
        self._seeking: dict[str, float] = {}  # stream → since when its process's files count
        self._seek_at = 0.0
        self._follower: _Follower | None = None
        self._starts = 0
        self._start_at = 0.0
        self._missing = False

    def look(self) -> None:
        """Read what the watcher has seen, look for open files if it is time, and check the follower."""
        self._listen()
        if time.monotonic() >= self._seek_at:
            begun = time.monotonic()
            self._seek()
            self._seek_at = time.monotonic() + _SHARE * (time.monotonic() - begun)
        if self._follower is not None and self._follower.process.poll() is not None:
            self._failed(self._follower.process.wait())
        if self._due() and self._follower is None and time.monotonic() >= self._start_at:
            self._start()
        self._send_files()

    def close(self, grace: float = 0.0) -> None:
        """Wait, after the last process has ended the run, until all event files are in the run directory if possible.

        Processes that still live have `grace` seconds to write the rest.
        """
        deadline = time.monotonic() + grace
        while self._alive() and time.monotonic() < deadline:
            time.sleep(_TICK)
            self._watch.look()
            self.look()
        alive = self._alive()  # before the last look, which sees the last lines of the others
        self.look()
        if not self._due():
            return
        if self._finish():
            for stream in sorted(set(self._due().values()) - alive):
                self._journal.write("followed", {"stream": stream})
        elif not self._missing:
            self._notice(
                f"event files were not followed to their ends; complete it with: tracker sync {self._directory}"
            )

    def _listen(self) -> None:
        new, self._heard = self._watch.event_files[self._heard :], len(self._watch.event_files)
        for stream, payload in new:
            mark, since, path = payload.get("seal"), payload.get("since"), payload.get("path")
            if isinstance(since, float):
                if is_since_sealed(mark, self._run_id, since):
                    self._seeking[stream] = since
            elif isinstance(path, str) and is_path_sealed(mark, self._run_id, path):
                self._files.setdefault(path, stream)

    def _seek(self) -> None:
        for stream, since in self._seeking.items():
            pid = self._watch.writer(stream)
            for path in being_written(pid) if pid is not None else ():
                if path not in self._files and made_since(path, since):
                    self._files[path] = stream
                    self._note(path, stream)

    def _note(self, path: str, stream: str) -> None:
        try:
            mark = path_seal(self._run_id, path)
        except OSError:
            return  # then only this agent follows it
        payload = {"path": path, "stream": stream, "host": os.uname().nodename, "seal": mark}
        self._journal.write("event_file", payload)

    def _due(self) -> dict[str, str]:
        """Return the event files to follow, and their streams."""
        return {path: stream for path, stream in self._files.items() if stream not in self._watch.followed}

    def _alive(self) -> set[str]:
        """Return those streams with event files whose processes live."""
        return {stream for stream in self._due().values() if self._watch.writer(stream) is not None}

    # -- the follower -----------------------------------------------------------------------------------------------

    def _start(self) -> None:
        if self._starts == _MOST_STARTS:
            return
        self._starts += 1
        try:
            arguments = command("tracker.agent.event_file_follower", "run_follower", str(self._directory))
            self._follower = _Follower(subprocess.Popen(arguments, stdin=subprocess.PIPE), set())
        except OSError as error:
            self._failed(f"cannot be started ({error})")

    def _send_files(self) -> None:
        if self._follower is None:
            return
        process, sent = self._follower
        assert process.stdin is not None
        lines = [
            json.dumps({"path": path, "stream": stream}) + "\n"
            for path, stream in self._due().items()
            if path not in sent
        ]
        sent.update(self._due())
        try:
            process.stdin.write("".join(lines).encode())
            process.stdin.flush()
        except OSError:
            pass  # the next look sees that it is gone

    def _failed(self, reason: int | str) -> None:
        self._follower = None
        self._start_at = time.monotonic() + _PAUSE
        if reason == _MISSING:  # it has printed the reason
            self._missing, self._starts = True, _MOST_STARTS
        elif self._starts == _MOST_STARTS:
            self._notice(f"the follower of event files ended {self._starts} times, last with {reason}; it stays off")

    def _finish(self) -> bool:
        """Have the follower read the rest; tell whether it did."""
        while self._starts < _MOST_STARTS or self._follower is not None:
            if self._follower is None:
                self._start()
                self._send_files()
                continue
            process = self._follower.process
            assert process.stdin is not None
            try:
                process.stdin.close()
            except OSError:
                pass  # it is gone, and has not read the last files
            try:
                status = process.wait(_FINISH_TIMEOUT)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                return False
            if status == 0:
                return True
            self._failed(status)
        return False


def run_follower() -> None:
    """Run the follower, in its own process."""
    try:
        mains: list[Callable[[], Any]] = [entry.load() for entry in entry_points(group=GROUP, name=KIND)]
    except ImportError as error:
        sys.exit(_say_missing(str(error)))
    if not mains:
        sys.exit(_say_missing("no package provides it"))
    mains[0]()


def _say_missing(reason: str) -> int:
    sys.stderr.write(f"event files cannot be followed ({reason}): pip install 'tracker-runs[tensorboard]'\n")
    return _MISSING
