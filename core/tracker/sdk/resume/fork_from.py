"""Implement `fork_from`: begin a new run with the rows of another one up to a step.

The rows are copied into a stream of the new run's own, so the new run can be read, exported and
uploaded without its parent, and stays as it is when its parent is deleted.
"""

from __future__ import annotations

import json
import os
import re
import time
from pathlib import Path
from typing import Any, NamedTuple

from tracker.errors import NotARun, SettingsError, Unreachable, say
from tracker.machine.atomic_files import draft_of
from tracker.names import is_project_name, normal_name
from tracker.runlog.directory import new_stream
from tracker.runlog.fold import RunState
from tracker.runlog.long_records import files
from tracker.runlog.parent_rows import beginning, rows_until
from tracker.runlog.reader import read_header, scan_stream, stream_paths
from tracker.runlog.records import MAX_STEP, RUN_ID, encode
from tracker.runlog.safe_open import is_regular, open_file, open_folder
from tracker.runlog.writer import header
from tracker.settings import Settings

from .resume_state import ResumeState, ask, from_directory

_REFERENCE = re.compile(rf"(?:([^/]+)/([^/]+)/)?({RUN_ID.pattern})\?_step=(\d{{1,16}})", re.ASCII)
_DIGEST = re.compile(rb'"digest":"([0-9a-f]{64})"')


class Parent(NamedTuple):
    """A run and a step of it."""

    entity: str
    project: str
    id: str
    step: int

    @property
    def path(self) -> str:
        """`entity/project/id` of the run."""
        return f"{self.entity}/{self.project}/{self.id}"


def parent_of(reference: str, settings: Settings) -> Parent:
    """Read `[entity/project/]id?_step=N`. Raises `SettingsError` if it is something else."""
    match = _REFERENCE.fullmatch(normal_name(reference.strip()))
    if match is None or not all(map(is_project_name, filter(None, match.group(1, 2)))):
        raise SettingsError(
            f"fork_from {reference!r} must read id?_step=N or entity/project/id?_step=N, such as k3v9x2m1?_step=500"
        )
    return Parent(match[1] or settings.entity, match[2] or settings.project, match[3], int(match[4]))


def start_fork(parent: Parent, settings: Settings, directory: Path) -> ResumeState:
    """Begin the run in `directory` with the parent's rows up to its step, its config and its metric definitions.

    They come from the parent's run directory if it is beside this one, else from the server. The next step is the one
    after the parent's. Raises OSError, or `SettingsError` if there is no such row or no answer; then the directory
    has no new stream.
    """
    about = {"id": settings.id, "entity": settings.entity, "project": settings.project}
    origin = f"{parent.path}?_step={parent.step}"
    first = header("history", **about, added=True, forked_from=origin)
    source = directory.parent / parent.id
    with draft_of(Path(new_stream(str(directory), "history"))) as draft:
        if os.path.isdir(source):
            rows = _copy(source, parent.step, first, draft)
        else:
            rows = _fetch(parent, settings, first, draft)
        if not rows:
            raise SettingsError(f"fork_from: {parent.path} has no row up to step {parent.step}")
    return from_directory(directory)._replace(step=min(parent.step + 1, MAX_STEP))


def _copy(source: Path, step: int, first: dict[str, Any], draft: Path) -> int:
    fold, rows = RunState(), 0
    try:
        read_header(source)
    except NotARun as error:
        raise SettingsError(f"fork_from: {error}") from None
    for path in stream_paths(source):
        for record in scan_stream(path, ("run", "config", "metric")):
            fold.apply(path.name, record)
    with draft.open("wb") as file:
        file.write(beginning(first, fold.header.get("started", 0.0), fold.config, fold.metrics))
        for value in files(fold.config):
            _link(source, draft.parent, value["digest"])
        for path in stream_paths(source, "history"):
            for line in rows_until(path, step):
                file.write(line)
                rows += 1
                for digest in _DIGEST.findall(line):
                    _link(source, draft.parent, digest.decode())
        file.write(encode("finish", {"state": "finished"}, time.time()))
    return rows


def _link(source: Path, directory: Path, digest: str) -> None:
    """Add the content of a digest, by a hard link or a copy."""
    name = f"files/{digest}"
    if is_regular(directory, name) or not is_regular(source, name):
        return
    from_folder, to_folder = open_folder(source, "files"), open_folder(directory, "files")
    try:
        os.link(digest, digest, src_dir_fd=from_folder, dst_dir_fd=to_folder, follow_symlinks=False)
    except OSError:
        import shutil

        made = open_file(directory, name, os.O_WRONLY | os.O_CREAT)
        with open(open_file(source, name), "rb") as kept, open(made, "wb") as target:
            shutil.copyfileobj(kept, target, 1 << 20)
    finally:
        os.close(from_folder)
        os.close(to_folder)


def _fetch(parent: Parent, settings: Settings, first: dict[str, Any], draft: Path) -> int:
    if settings.mode != "online" or settings.base_url is None:
        raise SettingsError(f"fork_from: run {parent.id} is not in {draft.parents[1]}, and no server is asked for it")
    say(f"copying the rows of {parent.path} up to step {parent.step} from {settings.base_url}")
    try:
        found = ask(settings, "fork_from", parent.path, str(parent.step), json.dumps(first), str(draft), timeout=None)
    except Unreachable as error:
        raise SettingsError(f"fork_from: {error}") from None
    if found is None:
        raise SettingsError(f"fork_from: run {parent.path} is neither in {draft.parents[1]} nor on {settings.base_url}")
    return int(found["rows"])
