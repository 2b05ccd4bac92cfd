"""Find the event files that the program of `tracker run` writes, in any language."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

from tracker.agent_protocol.event_files import being_written, descendants, is_event_file

LOOK_EVERY = 0.05
"""Seconds between looks at what is open, at least."""

_SHARE = 10  # looking takes at most a tenth of the time
_MOST_ENTRIES = 20_000
_MOST_FOLDERS = 1000
_LONGEST_COMMAND = 16 * 1024
_TOO_WIDE = ("/", "/tmp", os.path.expanduser("~"))
_LONGEST = 2.0  # seconds
_SKIPPED = frozenset({".git", ".tracker", "node_modules", "site-packages", "__pycache__", "proc", "sys"})
_PID = re.compile(r"tfevents\.\d+\..+\.(\d{1,9})\.\d+(?:\.v2)?$")


class ProgramEventFiles:
    """Finds event files that are open, and at the end those that were open too briefly to be seen."""

    def __init__(self, command: Sequence[str], directory: str) -> None:
        """`directory` is the run directory."""
        self._began = time.time()
        self._runs, self._run = os.path.split(directory)
        self._processes: set[int] = set()  # pids of the child processes that were seen
        self._folders = {os.getcwd(): None}  # in order; they are searched at the end
        self._note(command, os.getcwd())
        self._look_at = 0.0

    def open_now(self) -> Iterator[str]:
        """Yield the event files that child processes have open for writing; nothing if called again too soon."""
        begun = time.monotonic()
        if begun < self._look_at:
            return
        for pid in descendants(os.getpid()):
            self._processes.add(pid)
            yield from being_written(pid)
            try:
                folder = os.readlink(f"/proc/{pid}/cwd")
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    self._note([os.fsdecode(word) for word in file.read(_LONGEST_COMMAND).split(b"\0")], folder)
            except OSError:
                continue  # it has ended
        self._look_at = time.monotonic() + max(LOOK_EVERY, _SHARE * (time.monotonic() - begun))

    def left_behind(self) -> Iterator[str]:
        """Yield event files that were written since this object was made.

        Searches the working directories of the processes and those on their command lines, for two seconds at most.
        """
        remaining, deadline = _MOST_ENTRIES, time.monotonic() + _LONGEST
        pending = [folder for folder in self._folders if os.path.realpath(folder) not in _TOO_WIDE]
        seen: set[str] = set()
        while pending and remaining > 0 and time.monotonic() < deadline:
            folder = os.path.realpath(pending.pop(0))
            if folder in seen:
                continue
            seen.add(folder)
            try:
                entries = list(os.scandir(folder))
                remaining -= len(entries)
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        if entry.name not in _SKIPPED:
                            pending.append(entry.path)
                    elif is_event_file(entry.name) and self._is_new(entry):
                        yield entry.path
            except OSError:
                continue

    def _note(self, command: Sequence[str], folder: str) -> None:
        """Add the directories that a process may write in."""
        if len(self._folders) < _MOST_FOLDERS:
            self._folders.setdefault(folder)
            for word in command[1:]:
                for path in (word, word.rpartition("=")[2]):
                    if path:
                        self._folders.setdefault(os.path.join(folder, path))

    def _is_new(self, entry: os.DirEntry[str]) -> bool:
        status = entry.stat(follow_symlinks=False)
        if not entry.is_file(follow_symlinks=False) or status.st_uid != os.getuid():
            return False
        if status.st_mtime < self._began - 0.1:  # file times come from a coarser clock
            return False
        # The program of another run may write in the same directory at the same time.
        writer = _PID.search(entry.name)
        return int(writer[1]) in self._processes if writer is not None else self._alone

    @cached_property
    def _alone(self) -> bool:
        """Whether no other run in this directory has logged since the program began."""
        others = (os.path.join(self._runs, name) for name in os.listdir(self._runs) if name != self._run)
        streams = (stream for other in others for stream in Path(other).glob("history*.jsonl"))
        return all(stream.stat().st_mtime < self._began - 0.1 for stream in streams)
