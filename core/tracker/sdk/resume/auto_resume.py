"""`resume="auto"`: find the run that a restarted program continues.

A run that was started this way has a mark in its directory until it ends well. Whoever continues the run removes the
mark first. Only one process can remove it, so no two that start at once continue the same run.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from tracker.capture import process
from tracker.errors import warn_once
from tracker.runlog.directory import AUTO, is_alive, this_process
from tracker.runlog.safe_open import open_file, remove, write_new
from tracker.settings import Settings

_QUIET = 60.0  # seconds without a new line after which a run of another machine has ended
_LONGEST = 64 * 1024  # bytes of a mark


def claim(runs: Path, settings: Settings) -> str | None:
    """Return the id of the newest run of this project and program that did not end well and is not running.

    The run is claimed: no other process gets it until it is marked again.
    """
    marks = []
    try:
        directories = list(runs.iterdir()) if os.path.isdir(runs) else []
    except OSError:
        return None
    for directory in directories:
        try:
            marks.append(((directory / AUTO).stat().st_mtime, directory))
        except OSError:
            continue
    wanted = _about(settings)
    for _, directory in sorted(marks, reverse=True):
        try:
            noted = json.loads(_read(directory))
            same = all(noted.get(member) == value for member, value in wanted.items())
            if same and not _still_runs(noted, directory):
                (directory / AUTO).unlink()
                return directory.name
        except (OSError, ValueError, AttributeError):
            continue
    return None


def mark(directory: str, settings: Settings) -> None:
    """Mark the run in a directory, so that it is continued if this process does not end it well."""
    _write(directory, {**_about(settings), **this_process()})


def ended(directory: str, settings: Settings, well: bool) -> None:
    """Note that this process has ended the run: remove the mark if it ended well."""
    if not well:
        _write(directory, _about(settings))
        return
    try:
        os.unlink(os.path.join(directory, AUTO))
    except OSError:
        pass


def _about(settings: Settings) -> dict[str, Any]:
    return {
        "entity": settings.entity,
        "project": settings.project,
        "program": process.program() or "".join(process.arguments()[:1]),
    }


def _read(directory: Path) -> bytes:
    with open(open_file(directory, AUTO), "rb") as file:
        return file.read(_LONGEST)


def _write(directory: str, about: dict[str, Any]) -> None:
    try:
        remove(directory, AUTO)
        write_new(directory, AUTO, json.dumps(about).encode())
    except OSError as error:
        warn_once(f"resume='auto' will not find this run again ({error})")


def _still_runs(noted: dict[str, Any], directory: Path) -> bool:
    if "pid" not in noted:
        return False
    if noted.get("host") == os.uname().nodename:
        return is_alive(noted["pid"], noted.get("pid_start"))
    return any(path.stat().st_mtime > time.time() - _QUIET for path in directory.glob("*.jsonl"))
