"""Find the runs of a log directory as TensorBoard does: each directory that directly holds event files is a run."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

ROOT = "."
"""The run path of the log directory itself."""
ALL = "**"
"""The run path if all directories become one run."""

_EVENT_FILE_MARK = "tfevents"
_OTHER_FILES = {
    ".profile-empty": "an empty file that marks profiles",
    ".meta": "a companion of an event file",
    ".bak": "a backup copy",
    ".tmp": "a temporary file",
    ".swp": "an editor's temporary file",
    ".gz": "compressed; unpack it to import it",
    ".bz2": "compressed; unpack it to import it",
    ".xz": "compressed; unpack it to import it",
    ".zst": "compressed; unpack it to import it",
    ".zip": "compressed; unpack it to import it",
}
_SAGEMAKER = ".sagemaker-upload"  # …ed and …ing, next to the file they are about


class EventPath(NamedTuple):
    """An event file: its path relative to the run's directory, its size in bytes, and its change time in ns."""

    name: str
    size: int
    changed: int


class RunDirectory(NamedTuple):
    """A run to import: its directory, its run path, and its event files sorted by name."""

    directory: Path
    path: str
    files: tuple[EventPath, ...]


class Skipped(NamedTuple):
    """A file or directory that is not imported, and why."""

    path: str
    reason: str


class FoundRuns(NamedTuple):
    """The runs of a log directory, and what is skipped in it."""

    runs: list[RunDirectory]
    skipped: list[Skipped]


class Selection(NamedTuple):
    """Chooses runs by globs on run paths, in which `*` also matches `/`, or one event file by name."""

    include: Sequence[str] = ()
    exclude: Sequence[str] = ()
    only: str | None = None

    def includes(self, path: str) -> bool:
        """Tell whether the run at `path` is chosen."""
        if self.include and not any(fnmatchcase(path, glob) for glob in self.include):
            return False
        return not any(fnmatchcase(path, glob) for glob in self.exclude)


def find_runs(logdir: Path, selection: Selection | None = None, single: bool = False) -> FoundRuns:
    """Return the runs of a log directory by run path, and the files that look like event files but are not.

    Links to directories are followed, but not in circles. With `single`, all directories become one run.
    """
    selection = selection or Selection()
    found = FoundRuns([], [])
    for directory, path, names in _walk(logdir, found.skipped):
        if not selection.includes(path):
            continue
        files = []
        for name in names:
            if not is_event_file(name) or (selection.only is not None and name != selection.only):
                continue
            reason, file = _inspect(directory, name)
            if file is not None:
                files.append(file)
            elif reason is not None:
                found.skipped.append(Skipped(printable(_join(path, name)), reason))
        if not files and path != ROOT and is_event_file(directory.name):
            found.skipped.append(Skipped(printable(path), "a directory without event files"))
        if files:
            found.runs.append(RunDirectory(directory, path, tuple(files)))
    if single and found.runs:
        together = tuple(f._replace(name=_join(run.path, f.name)) for run in found.runs for f in run.files)
        found.runs[:] = [RunDirectory(logdir, ALL, together)]
    return found


def is_event_file(name: str) -> bool:
    """Tell by TensorBoard's rule whether a file with this name may be an event file."""
    return _EVENT_FILE_MARK in name


def run_id(identity: str, path: str) -> str:
    """Return the id of the run at `path` in the log directory with this identity: 16 characters of a–z and 2–7."""
    digest = hashlib.sha256(f"{identity}\n{path}".encode("utf-8", "surrogateescape")).digest()
    return base64.b32encode(digest[:10]).decode().lower()


def run_name(identity: str, path: str, name: str | None = None) -> str:
    """Return the name of a run: its path, or for the log directory itself the last part of the identity.

    With `name`, the log directory itself gets that name, and the other runs get it as a prefix.
    """
    if path in (ROOT, ALL):
        return printable(name or identity.rstrip("/").rpartition("/")[2] or identity)
    return printable(f"{name}/{path}" if name else path)


def printable(text: str) -> str:
    """Return a path as text that UTF-8 can encode, since file names may hold other bytes."""
    return os.fsencode(text).decode("utf-8", "replace")


def _walk(logdir: Path, skipped: list[Skipped]) -> Iterator[tuple[Path, str, list[str]]]:
    """Yield directories with their run path and the names of their files, sorted by name."""
    pending = [(logdir, ROOT, frozenset[tuple[int, int]]())]
    while pending:
        directory, path, above = pending.pop()
        try:
            status = directory.stat()
            entries = sorted(os.scandir(directory), key=lambda entry: entry.name)
        except OSError as error:
            skipped.append(Skipped(printable(path), error.strerror or str(error)))
            continue
        me = (status.st_dev, status.st_ino)
        if me in above:
            continue  # a link to a directory that contains this one
        names = []
        below = []
        for entry in entries:
            if not _is_dir(entry):
                names.append(entry.name)
            elif entry.name != ".tracker":  # run directories, perhaps of this very import
                below.append((directory / entry.name, _join(path, entry.name), above | {me}))
        yield directory, path, names
        pending.extend(reversed(below))


def _is_dir(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _inspect(directory: Path, name: str) -> tuple[str | None, EventPath | None]:
    """Return an event file, or the reason why `name` is not one."""
    if _SAGEMAKER in name:
        return "a marker of SageMaker", None
    for ending, reason in _OTHER_FILES.items():
        if name.endswith(ending):
            return reason, None
    try:
        status = os.stat(directory / name)
    except OSError as error:
        return error.strerror or str(error), None
    if not os.path.isfile(directory / name):
        return "not a regular file", None
    return None, EventPath(name, status.st_size, status.st_mtime_ns)


def _join(path: str, name: str) -> str:
    return name if path == ROOT else f"{path}/{name}"
