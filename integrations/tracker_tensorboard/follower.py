"""Import the event files that a training process writes into its own run. The agent of the run starts this program.

`tracker.agent.event_file_follower` explains its stdin. Each event file is a stream of the run with a `parent`, so it
does not affect the state of the run. These streams hold everything that is needed to continue after a kill.
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

_MIN_INTERVAL = 1.0  # minimum seconds between two looks at the files


class _Directory(NamedTuple):
    """A directory of event files. `folder` is its path below `root`, and the prefix of its keys."""

    root: Path
    folder: str
    imports: RunImport
    target: Target
    names: set[str]


class Follower:
    """Imports what is new in event files into a run directory, each time `advance` is called."""

    def __init__(self, directory: Path) -> None:
        """Continue from the streams in `directory`. Raises `NotARun` if it holds no run."""
        self._directory = directory
        header = read_header(directory)
        self._run: dict[str, str] = {name: header[name] for name in ("id", "entity", "project") if name in header}
        self._directories: dict[str, _Directory] = {}
        self._file_states: dict[str, tuple[int, int]] = {}
        for path in directory.glob("history-tb_*.jsonl"):
            self._recall(path)

    def add(self, path: str, stream: str) -> None:
        """Follow an event file (a path without links) that the process of `stream` writes.

        Keys of the first directory are the tags. Keys of another directory have a prefix: its path below the part that
        it shares with the first one, or as much of its path as makes it unique. The prefix never changes, since rows
        cannot change later. If a process starts after the former ones have ended, it continues what they wrote: its
        first directory has no prefix either, and a directory with the name of a former one gets the same prefix.
        """
        location, name = os.path.split(path)
        if location not in self._directories:
            self._add_directory(location, self._folder(location, stream), stream)
        self._directories[location].names.add(name)

    def advance(self) -> dict[str, str]:
        """Import all complete records that the files have now; return the files that failed, with reasons."""
        failed: dict[str, str] = {}
        for location, directory in self._directories.items():
            files, changed = [], set()
            for name in sorted(directory.names):
                path = os.path.join(location, name)
                try:
                    status = os.stat(path)
                except OSError:
                    continue  # deleted; what was imported stays
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
        concurrent: dict[str, str] = {}  # directory → folder, of processes that lived at the same time
        before: dict[str, str] = {}  # last part of the directory → folder, of processes that had ended
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
        """Tell whether two streams belong to one process, or to two that lived at the same time."""
        (first, last), (begun, ended) = self._lifetime(one), self._lifetime(other)
        return one == other or (first <= ended and begun <= last)

    def _lifetime(self, stream: str) -> tuple[float, float]:
        """Return the start and end of a stream's process, infinite where unknown."""
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
        """Read the folder of a directory from the header of its stream."""
        first = first_record(path)
        header: dict[str, Any] = first.payload if first is not None and first.kind == "run" else {}
        if "source" in header and "event_file" in header and header["source"] not in self._directories:
            folder = os.path.dirname(header["event_file"]["name"])
            self._add_directory(header["source"], folder, header["parent"])


def main() -> None:
    """Follow the files that stdin names, until it ends; then import once more."""
    directory = Path(sys.argv[1])
    lock = open_file(directory, f"follower-{os.uname().nodename.replace('/', '_')}.lock", os.O_RDWR | os.O_CREAT)
    # The follower of a killed agent is about to end. Until it has, its marks do not hold all metadata of tags.
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
    """Add the files that arrive within `patience` seconds; return True after the last one."""
    deadline = time.monotonic() + patience
    while True:
        try:
            file = received.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            return False
        if file is None:
            return True
        follower.add(file["path"], file["stream"])
