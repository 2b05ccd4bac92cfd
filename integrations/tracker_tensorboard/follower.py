"""Follow the event files that a training process writes, into its own run; started by the agent of the run.

See `tracker.agent.event_file_follower` for what is said on stdin. Each event file is a stream of the run with a
`parent`, so that it has no say in the run's state. All that is needed to go on after a kill is in these streams.
"""

from __future__ import annotations

import json
import math
import os
import queue
import sys
import threading
import time
from pathlib import Path
from typing import Any, NamedTuple

from tracker.runlog.directory import is_alive
from tracker.runlog.locks import wait_for
from tracker.runlog.reader import first_record, last_time, read_header
from tracker.runlog.records import STREAM_NAME
from tracker.runlog.safe_open import open_file
from tracker.runlog.validation import is_pid

from .event_file_import import Target
from .import_result import ImportResult
from .logdir import ALL, EventPath, RunDirectory
from .run_import import ImportJob, RunImport

_MIN_INTERVAL = 1.0  # seconds from one look at the files to the next, at least


class _Directory(NamedTuple):
    """A directory of event files: `folder` is its path below `root`, and stands before its keys."""

    root: Path
    folder: str
    imports: RunImport
    target: Target
    names: set[str]


class Follower:
    """Brings event files into a run directory: what is new in them, each time it is asked to."""

    def __init__(self, directory: Path) -> None:
        """Raises `NotARun` if the directory holds no run."""
        self._directory = directory
        header = read_header(directory)
        self._run: dict[str, str] = {name: header[name] for name in ("id", "entity", "project") if name in header}
        self._directories: dict[str, _Directory] = {}
        self._file_states: dict[str, tuple[int, int]] = {}
        for path in directory.glob("history-tb_*.jsonl"):
            self._recall(path)

    def add(self, path: str, stream: str) -> None:
        """Follow an event file (a path without links) that the process of a stream writes.

        The keys of the first directory are the tags. Those of others have in front where they lie: the path from what
        they have in common with the first one, or as much of their own path as tells them apart. That stays so, since
        rows cannot be changed later. A process that was started when the former ones had ended goes on with what they
        wrote: its directories are counted anew, and one that is called like one of theirs has its keys.
        """
        location, name = os.path.split(path)
        if location not in self._directories:
            self._add_directory(location, self._folder(location, stream), stream)
        self._directories[location].names.add(name)

    def advance(self) -> dict[str, str]:
        """Bring all whole records that the files have now; return those that could not be brought, and why."""
        failed: dict[str, str] = {}
        for location, directory in self._directories.items():
            files, changed = [], set()
            for name in sorted(directory.names):
                path = os.path.join(location, name)
                try:
                    status = os.stat(path)
                except OSError:
                    continue  # it is gone; what was read of it stays
                file = EventPath(os.path.join(directory.folder, name), status.st_size, status.st_mtime_ns)
                files.append(file)
                if self._file_states.get(path) != (file.size, file.changed):
                    self._file_states[path] = (file.size, file.changed)
                    changed.add(file.name)
            if changed:
                source = RunDirectory(directory.root, ALL, tuple(files))
                job = ImportJob(source, directory.target, {}, "", end=False)
                result: ImportResult = directory.imports.advance(job, lambda _: None, frozenset(changed))
                for file_name, reason in result.failed.items():
                    path = str(directory.root / file_name)
                    self._file_states.pop(path, None)
                    failed[path] = reason
        return failed

    def _folder(self, location: str, stream: str) -> str:
        concurrent: dict[str, str] = {}  # directory → folder, of processes that live or lived at the same time
        before: dict[str, str] = {}  # the same, by the last part of the directory, of those that had ended
        for known, directory in self._directories.items():
            if self._overlap(directory.target.run["parent"], stream):
                concurrent[known] = directory.folder
            else:
                before[os.path.basename(known)] = directory.folder
        again = before.get(os.path.basename(location))
        if again is not None and again not in concurrent.values():
            return again
        if not concurrent:
            return ""
        first = min(concurrent, key=lambda known: concurrent[known] != "")
        parts = Path(location).parts[1:]
        common = len(Path(os.path.commonpath([first, location])).parts[1:])
        folders = ("/".join(parts[start:]) for start in (common, *range(len(parts) - 1, -1, -1)))
        return next(folder for folder in folders if folder not in concurrent.values())

    def _overlap(self, one: str, other: str) -> bool:
        """Tell whether two streams are of one process, or of two that were there at the same time."""
        (first, last), (begun, ended) = self._lifetime(one), self._lifetime(other)
        return one == other or (first <= ended and begun <= last)

    def _lifetime(self, stream: str) -> tuple[float, float]:
        """Return from when to when there was the process of a stream, as far as that can be told."""
        if not STREAM_NAME.fullmatch(stream):
            return -math.inf, math.inf
        try:
            path = self._directory / stream
            first = first_record(path)
            if first is None:
                return -math.inf, math.inf
            header = first.payload if isinstance(first.payload, dict) else {}
            here = header.get("host") == os.uname().nodename and is_pid(header.get("pid"))
            if here and is_alive(header["pid"], header.get("pid_start")):
                return first.time, math.inf
            return first.time, max(last_time(path), first.time)
        except OSError:
            return -math.inf, math.inf

    def _add_directory(self, location: str, folder: str, parent: str) -> None:
        root = Path(location.removesuffix(folder)) if folder else Path(location)
        target = Target(self._directory, {**self._run, "parent": parent, "source": location})
        self._directories[location] = _Directory(root, folder, RunImport(target), target, set())

    def _recall(self, path: Path) -> None:
        """Learn from the header of a stream where the keys of a directory are."""
        first = first_record(path)
        header: dict[str, Any] = first.payload if first is not None and first.kind == "run" else {}
        if "source" in header and "event_file" in header and header["source"] not in self._directories:
            folder = os.path.dirname(header["event_file"]["name"])
            self._add_directory(header["source"], folder, header["parent"])


def main() -> None:
    """Follow what stdin names until it ends, then once more what is there."""
    directory = Path(sys.argv[1])
    lock = open_file(directory, f"follower-{os.uname().nodename.replace('/', '_')}.lock", os.O_RDWR | os.O_CREAT)
    # One that an agent left, which was killed, is about to end. Until then, what it learns of tags is not known here.
    wait_for(lock)
    follower = Follower(directory)
    received: queue.SimpleQueue[dict[str, str] | None] = queue.SimpleQueue()
    threading.Thread(target=_read_stdin, args=(received,), daemon=True).start()
    warned: set[str] = set()
    pause, ended = 0.1, False
    while not ended:
        ended = _receive(received, follower, pause)
        began = time.monotonic()
        failed = follower.advance()
        pause = max(_MIN_INTERVAL, 2 * (time.monotonic() - began))
        for path, reason in failed.items():
            if reason not in warned:
                warned.add(reason)
                sys.stderr.write(f"{path}: {reason}\n")
    sys.exit(1 if failed else 0)


def _read_stdin(received: queue.SimpleQueue[dict[str, str] | None]) -> None:
    for line in sys.stdin.buffer:
        if line.endswith(b"\n"):
            received.put(json.loads(line))
    received.put(None)


def _receive(received: queue.SimpleQueue[dict[str, str] | None], follower: Follower, patience: float) -> bool:
    """Take in what was said, for so many seconds; tell whether no more will be."""
    deadline = time.monotonic() + patience
    while True:
        try:
            file = received.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            return False
        if file is None:
            return True
        follower.add(file["path"], file["stream"])
