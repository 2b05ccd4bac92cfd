"""Find out which processes of a run had ended when this one began, without relying on clocks."""

from __future__ import annotations

import os
import time
from pathlib import Path

from tracker.errors import contained
from tracker.runlog.directory import is_alive
from tracker.runlog.reader import first_record
from tracker.runlog.records import STREAM_NAME, Record, parse
from tracker.runlog.safe_open import open_stream
from tracker.runlog.validation import is_pid

from .exit import multiprocessing_child

_NEAR_END = 256 * 1024  # bytes; an end with its traceback is shorter
_QUIET = 3600.0  # seconds without a line after which a process of another machine counts as gone
_MOST = 1000  # newest streams of a run that are read


class Origin:
    """The process that began a run, as its forked children see it."""

    def __init__(self, stream: str, pid: int, start: int | None) -> None:
        """`stream`: the path of its stream."""
        self.stream = stream
        self._pid = pid
        self._start = start

    def has_left(self) -> bool:
        """Tell whether that process has left the run to this forked child, as the parent of a daemon does.

        It has if it ended well, unless this process is a child of multiprocessing, which ends with its parent's work.
        """
        if os.getpid() == self._pid or multiprocessing_child.is_child() or is_alive(self._pid, self._start):
            return False
        end = _end_of(self.stream)
        return end is not None and isinstance(end.payload, dict) and end.payload.get("state") == "finished"


def ended_before(directory: str) -> list[str]:
    """Return the streams of processes that have ended, as far as this process can see.

    Leaves out streams that another ended process names as its predecessors.
    """
    ended: list[str] = []
    before: set[str] = set()
    with contained("looking at the earlier processes of the run"):
        names = [n for n in os.listdir(directory) if n.startswith("history") and STREAM_NAME.fullmatch(n)]
        paths = [Path(directory, name) for name in names]
        if len(paths) > _MOST:
            paths = sorted(paths, key=os.path.getmtime)[-_MOST:]
        for path in paths:
            try:
                first = first_record(path)
            except OSError:  # a link, say
                continue
            header = first.payload if first is not None and isinstance(first.payload, dict) else {}
            if header.get("parent") or header.get("added"):
                continue
            if _has_ended(path, header):
                ended.append(path.name)
                after = header.get("after")
                before.update(n for n in after if isinstance(n, str)) if isinstance(after, list) else None
    return sorted(name for name in ended if name not in before)


def _has_ended(path: Path, header: dict[str, object]) -> bool:
    if _end_of(str(path)) is not None:
        return True
    pid, start = header.get("pid"), header.get("pid_start")
    if not is_pid(pid):
        return False
    if header.get("host") == os.uname().nodename:
        return not is_alive(pid, start if isinstance(start, int) else None)  # type: ignore[arg-type]
    return path.stat().st_mtime < time.time() - _QUIET


def _end_of(stream: str) -> Record | None:
    """Return the `finish` record at the end of a stream, or None."""
    try:
        with open(open_stream(Path(stream)), "rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _NEAR_END))
            records = parse(file.read()).records
    except OSError:
        return None
    ends = [n for n, record in enumerate(records) if record.kind == "finish"]
    reopened = ends and any(record.kind in ("log", "points") for record in records[ends[-1] + 1 :])
    return records[ends[-1]] if ends and not reopened else None
