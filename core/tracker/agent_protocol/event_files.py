"""Recognize TensorBoard event files, and seal the records that ask the agent to follow them."""

from __future__ import annotations

import os
import re

from .sealing import is_sealed, seal

KIND = "event_file"
"""The kind of records that name event files, and the name of the entry point of programs that follow them."""

_MARK = "tfevents"
_CREATED = re.compile(r"tfevents\.(\d{9,11})(?:\.|$)")


def is_event_file(path: str) -> bool:
    """Tell whether a file of this name can be an event file, by TensorBoard's rule."""
    return _MARK in os.path.basename(path)


def made_since(path: str, since: float) -> bool:
    """Tell whether an event file was made at a Unix time or later, by its name; True if the name does not say."""
    created = _CREATED.search(os.path.basename(path))
    return created is None or int(created[1]) >= int(since)


def being_written(pid: int) -> list[str]:
    """Return the event files that a process has open for writing, as far as they can be found."""
    folder = f"/proc/{pid}/fd"
    try:
        descriptors = os.listdir(folder)
    except FileNotFoundError:
        return [] if os.path.isdir("/proc/self/fd") else _open_by_psutil(pid)
    except OSError:
        return []
    found = []
    for descriptor in descriptors:
        try:
            path = os.readlink(f"{folder}/{descriptor}")
            if is_event_file(path) and _writes(pid, descriptor) and os.path.isfile(path):
                found.append(path)
        except OSError:  # closed meanwhile
            continue
    return sorted(found)


def descendants(pid: int) -> list[int]:
    """Return all descendants of a process, as far as they can be found."""
    found: list[int] = []
    pending = [pid]
    while pending:
        parent = pending.pop()
        try:
            for task in os.listdir(f"/proc/{parent}/task"):
                with open(f"/proc/{parent}/task/{task}/children", "rb") as file:
                    pending += map(int, file.read().split())
        except FileNotFoundError:
            if parent == pid:  # no /proc, or one without children
                return _descendants_by_psutil(pid)
        except OSError:
            continue
        if parent != pid:
            found.append(parent)
    return found


def _descendants_by_psutil(pid: int) -> list[int]:
    import psutil

    try:
        return [child.pid for child in psutil.Process(pid).children(recursive=True)]
    except psutil.Error:
        return []


def _writes(pid: int, descriptor: str) -> bool:
    with open(f"/proc/{pid}/fdinfo/{descriptor}", "rb") as file:
        flags = re.search(rb"^flags:\s*([0-7]+)", file.read(), re.MULTILINE)
    return flags is not None and bool(int(flags[1], 8) & (os.O_WRONLY | os.O_RDWR))


def _open_by_psutil(pid: int) -> list[str]:
    """Return the event files that a process has open, where there is no /proc to say whether it writes them."""
    import psutil

    try:
        return sorted(file.path for file in psutil.Process(pid).open_files() if is_event_file(file.path))
    except psutil.Error:
        return []


def path_seal(run_id: str, path: str) -> str:
    """Return the seal for a record that names an event file. Raises OSError as `seal` does."""
    return seal(run_id, KIND, path)


def since_seal(run_id: str, since: float) -> str:
    """Return the seal for a record that asks the agent to look for event files. Raises OSError as `seal` does."""
    return seal(run_id, KIND, "since", f"{since:.3f}")


def is_path_sealed(mark: object, run_id: str, path: str) -> bool:
    """Tell whether `mark` is this user's `path_seal`."""
    return is_sealed(mark, run_id, KIND, path)


def is_since_sealed(mark: object, run_id: str, since: float) -> bool:
    """Tell whether `mark` is this user's `since_seal`."""
    return is_sealed(mark, run_id, KIND, "since", f"{since:.3f}")
