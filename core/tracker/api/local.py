"""Read a run from its directory or an exported file, without a server."""

from __future__ import annotations

import math
import os
import shutil
import tempfile
import weakref
from collections.abc import Container, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from tracker.errors import NotARun, TrackerError
from tracker.machine.atomic_files import verified
from tracker.machine.paths import expand
from tracker.runlog.alerts import Alert
from tracker.runlog.archive import Archive
from tracker.runlog.directory import KEPT_PATH, is_alive
from tracker.runlog.exits import correction, left_status
from tracker.runlog.fold import RunState
from tracker.runlog.reader import read_header, read_rows, read_stream, run_directories, scan_stream, stream_paths
from tracker.runlog.records import MAX_KEYS, RESERVED, STREAM_NAME, Parsed, Points, Rows
from tracker.runlog.safe_open import open_file
from tracker.runlog.stats import Stats
from tracker.wire import EventFile, RunInfo, Series

from .added_rows import Append
from .downsample import Columns, Span, columns_of, envelopes, gather, note, numbers
from .files import File
from .restarts import Row
from .run_reader import Kind, RunReader

_PIECE = 1 << 20


def read_run(run_dir: str | os.PathLike[str]) -> LocalRun:
    """Read a run from a run directory, or from a file that `tracker export` wrote.

    A directory may be live, torn or damaged: everything that can be read is in the run, and `info["corrupt"]` counts
    the lines that cannot. A file is unpacked to a temporary directory, which lives as long as the object.

        run = tracker.read_run(".tracker/runs/k3v9x2m1")
        print(run.state, run.summary["loss"])
        frame = run.history(keys=["loss"])

    Args:
        run_dir: A run directory, a directory in which only one run was started, an exported file with one run, or
            `FILE/ID` for one of several runs in a file.

    Raises:
        NotARun: There is no run log, or more than one.
        TrackerError: The file is damaged.
    """
    path = Path(expand(run_dir))
    if path.is_file():
        return ExportedRun(path, None)
    if path.parent.is_file():
        return ExportedRun(path.parent, path.name)
    found = run_directories(path)
    if len(found) > 1:
        names = ", ".join(run.name for run in found[:5]) + (" …" if len(found) > 5 else "")
        raise NotARun(f"{path} holds {len(found)} runs ({names}): name one of them, such as {found[0]}")
    return LocalRun(found[0])


class LocalRun(RunReader):
    """Read a run in a directory, and add to it; `read_run` returns such objects."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.run_state = RunState()
        """Everything that is derived from the records, for example how each process ended."""
        super().__init__(self._read())

    def reload(self) -> None:
        """Read the directory again."""
        self._take(self._read())

    def _read(self) -> RunInfo:
        header = read_header(self.directory)
        fold = self.run_state = RunState()
        self._sizes, self._spans = self._sizes_now(), dict[str, Span]()
        for path in stream_paths(self.directory):
            for block in read_rows(path):
                if isinstance(block, Rows):
                    columns = columns_of(block.steps, block.payloads)
                    _take_rows(
                        fold, path.name, len(block.steps), max(block.times) / 1e6, block.steps[-1], columns, self._spans
                    )
                else:
                    _take_records(fold, path.name, block.records, self._spans)
                    fold.stream(path.name).corrupt += block.corrupt
        started = fold.header.get("started", fold.updated)
        return {
            "id": header["id"],
            "entity": header.get("entity") or "default",
            "project": header.get("project") or "uncategorized",
            "ordinal": None,
            "user": None,
            "name": fold.meta.get("name") or header["id"],
            "state": _state(fold, self.directory),
            "group": fold.meta.get("group"),
            "job_type": fold.meta.get("job_type"),
            "tags": fold.meta.get("tags") or [],
            "notes": fold.meta.get("notes"),
            "config": fold.config,
            "summary": fold.summary,
            "metrics": fold.metrics,
            "created": started,
            "updated": fold.updated,
            "seen": fold.updated,
            "host": fold.header.get("host"),
            "program": fold.header.get("program"),
            "rows": sum(s.rows for n, s in fold.streams.items() if n.startswith("history")),
            "corrupt": fold.corrupt,
            "lost": fold.lost,
            "refused": fold.refused,
            "suspect": any(s.suspect is not None for s in fold.streams.values()),
            "event_files": fold.event_files,
            "error": fold.error,
            "environment": fold.environment,
            "last_step": fold.last_step,
            "forked_from": fold.header.get("forked_from"),
            "allow_stop": fold.allow_stop,
            "stop_requested": fold.stop_requested,
            "color": fold.meta.get("color"),
            "trashed": None,
        }

    def keys(self, kind: Kind = "history") -> list[str]:
        """Return the names of all logged keys, sorted."""
        if kind == "history":
            return sorted(self.run_state.stats)
        return sorted({key for row in self._rows("system", None) for key in row} - {"_timestamp", "_runtime"})

    def _batches(self, kind: Kind, keys: Sequence[str] | None) -> Iterator[tuple[str, Iterator[Row]]]:
        for path in stream_paths(self.directory, kind):
            yield path.name, self._read_rows(path, kind, None if keys is None else set(keys))

    def _read_rows(self, path: Path, kind: Kind, wanted: set[str] | None) -> Iterator[Row]:
        started = self.run_state.header.get("started", 0.0)
        record_kind = "log" if kind == "history" else "system"
        kept = self.run_state.stats if kind == "history" and self.run_state.refused else None
        for parsed in read_stream(path):
            for record in parsed.records:
                if record.kind == "points" and kind == "history":
                    yield from _point_rows(record.payload, started, wanted, kept)
                if record.kind != record_kind or not isinstance(record.payload, dict):
                    continue
                row = record.payload
                if kept is not None or not RESERVED.isdisjoint(row):
                    row = {k: v for k, v in row.items() if (k in kept if kept is not None else k not in RESERVED)}
                if wanted is not None:
                    row = {k: v for k, v in row.items() if k in wanted}
                    if not row:
                        continue
                head: dict[str, Any] = {"_step": record.step} if kind == "history" else {}
                yield {**head, "_timestamp": record.time, "_runtime": record.time - started, **row}

    def _event_files(self) -> dict[str, EventFile]:
        fold = RunState()
        for path in stream_paths(self.directory, "history"):
            for record in scan_stream(path, ("run", "session")):
                fold.apply(path.name, record)
        return fold.event_files

    def _series(self, kind: Kind, keys: Sequence[str], samples: int) -> Iterable[Series]:
        known = self._spans if kind == "history" and self._sizes == self._sizes_now() else None
        return envelopes(self.path, lambda: self._points(kind, keys), keys, samples, known)

    def _sizes_now(self) -> dict[str, int]:
        return {path.name: path.stat().st_size for path in stream_paths(self.directory, "history")}

    def _points(self, kind: Kind, keys: Sequence[str]) -> Iterator[Columns]:
        """Yield the values of some keys straight from the lines; making rows of them would double the cost."""
        wanted = frozenset(keys) - RESERVED
        if kind == "history" and self.run_state.refused:
            wanted &= self.run_state.stats.keys()
        for path in stream_paths(self.directory, kind):
            for block in read_rows(path):
                yield _columns(block, kind, wanted)

    def console(self) -> Iterator[dict[str, Any]]:
        """Yield the lines that the processes printed, as dicts with `time`, `stream` and `text`.

        `time` is in Unix seconds, `stream` is stdout or stderr.
        """
        for path in stream_paths(self.directory, "console"):
            for parsed in read_stream(path):
                for record in parsed.records:
                    if record.kind == "console":
                        yield {"time": record.time, **record.payload}

    def alerts(self) -> list[Alert]:
        """Return the newest 100 alerts of the run, the oldest of them first.

        They are dicts with `time` (Unix seconds), `title`, `text` and `level`.
        """
        return list(self.run_state.alerts)

    def files(self) -> list[File]:
        """Return the saved files of the run whose digest an agent has noted."""
        return [self._file(name, entry) for name, entry in self.run_state.files.items()]

    def _file(self, name: str, entry: dict[str, Any]) -> File:
        kept = str(entry.get("path"))
        source = kept if KEPT_PATH.fullmatch(kept) else f"files/{Path(entry['digest']).name}"
        # `self` keeps the directory of an exported run from being removed.
        return File(name, entry["size"], entry["digest"], lambda target: self._copy(source, target, entry))

    def _copy(self, source: str, target: Path, entry: dict[str, Any]) -> None:
        try:
            fd = open_file(self.directory, source)
        except FileNotFoundError as error:
            raise FileNotFoundError(
                f"{self.directory / source} does not exist: newer content may have replaced it since the run was read; "
                "read the run again"
            ) from error
        with open(fd, "rb") as file, verified(target, entry["digest"]) as take:
            remaining = entry["size"]  # the file may have grown since
            while remaining > 0 and (piece := file.read(min(remaining, _PIECE))):
                take(piece)
                remaining -= len(piece)

    def _appender(self) -> Append:
        return partial(_append, self.directory)


class ExportedRun(LocalRun):
    """Read a run in an exported file. It is unpacked to a directory that is removed with this object."""

    def __init__(self, file: Path, run_id: str | None) -> None:
        """Args: `file`: the exported file; `run_id`: the run in it, None if it is the only one."""
        with Archive(file) as archive:
            found = [run for run in archive.runs if run_id in (None, run.rpartition("/")[2])]
            if len(found) != 1:
                names = ", ".join(archive.runs) or "none"
                raise NotARun(f"{file} holds {names}: name one of them, as in {file}/{names.rpartition('/')[2]}")
            folder = tempfile.mkdtemp(prefix="tracker-")
            weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
            archive.extract(found[0], Path(folder, "run"))
        self._origin = file, run_id
        super().__init__(Path(folder, "run"))

    def __reduce__(self) -> tuple[Any, ...]:
        file, run_id = self._origin  # unpacked again: this folder is removed with `self`
        return ExportedRun, (file.absolute(), run_id)

    def _appender(self) -> Append:
        return _refuse


def _append(directory: Path, stream: str, size: int, lines: bytes) -> None:
    how = os.O_APPEND if size else os.O_CREAT | os.O_EXCL
    with open(open_file(directory, stream, os.O_WRONLY | how), "ab") as file:
        file.write(lines)


def _refuse(_stream: str, _size: int, _lines: bytes) -> None:
    raise TrackerError("a run in an exported file cannot be changed; `tracker import` it first")


def _columns(block: Rows | Parsed, kind: Kind, wanted: Container[str]) -> Columns:
    if isinstance(block, Rows):
        return columns_of(block.steps, block.payloads, wanted)
    columns: Columns = {}
    for record in block.records:
        if record.kind == "points" and kind == "history":
            _gather_points(columns, record.payload, wanted)
        elif record.kind == ("log" if kind == "history" else "system") and isinstance(record.payload, dict):
            x: Any = record.step if kind == "history" else record.time
            for key, value in record.payload.items():
                if key in wanted:
                    gather(columns, key, x, value)
    return columns


def _gather_points(columns: Columns, points: Points, wanted: Container[str] | None = None) -> None:
    for at, step, value in zip(points.which, points.steps, points.values, strict=True):
        key = points.keys[at]
        if wanted is None or key in wanted:
            gather(columns, key, step, value)


def _point_rows(points: Points, started: float, wanted: set[str] | None, kept: Container[str] | None) -> Iterator[Row]:
    for at, time, step, value in zip(points.which, points.times, points.steps, points.values, strict=True):
        key = points.keys[at]
        if wanted is None or key in wanted:
            head = {"_step": step, "_timestamp": time, "_runtime": time - started}
            if kept is None or key in kept:
                yield {**head, key: value}
            elif wanted is None:
                yield head  # a row counts even if its value is refused


def _take_records(fold: RunState, stream: str, records: Iterable[Any], spans: dict[str, Span]) -> None:
    rows, until, step = 0, -math.inf, None
    columns: Columns = {}
    for record in records:
        if record.kind == "log" and isinstance(record.payload, dict):
            rows += 1
            until, step = max(until, record.time), record.step
            for key, value in record.payload.items():
                gather(columns, key, record.step, value)
        elif record.kind == "points":
            points: Points = record.payload
            rows += len(points.times)
            until, step = max(until, *points.times), points.steps[-1]
            _gather_points(columns, points)
        elif record.kind in ("system", "console"):
            rows += 1
            if record.kind == "system" and isinstance(record.payload, dict):
                fold.refuse(stream, len(RESERVED & record.payload.keys()))
            until = max(until, record.time)
        else:
            if rows and record.kind == "finish":  # in order: a row after the end of its stream opens it again
                _take_rows(fold, stream, rows, until, step, columns, spans)
                rows, until, columns = 0, -math.inf, {}
            fold.apply(stream, record)
    if rows:
        _take_rows(fold, stream, rows, until, step, columns, spans)


def _take_rows(
    fold: RunState, stream: str, rows: int, until: float, step: int | None, columns: Columns, spans: dict[str, Span]
) -> None:
    """Add rows whose values are `columns`; the other arguments are as in `RunState.add_rows`."""
    stats: dict[str, Stats] = {}
    room = MAX_KEYS - len(fold.stats)
    for key, column in columns.items():
        if key not in fold.stats:
            if key in RESERVED or not room:
                fold.refuse(stream, len(column[1]))
                continue
            room -= 1
        stats[key] = Stats()
        stats[key].add_all(column[1])
        note(spans, key, numbers(column)[0])
    fold.add_rows(stream, rows, stats, until, step)


def _state(fold: RunState, directory: Path) -> str:
    """Return the state of the run as an agent would find it.

    A stream whose writer on this machine is gone has crashed. The end that a process wrote itself is corrected by its
    exit status.
    """
    for name, stream in fold.streams.items():
        local = stream.host == os.uname().nodename and stream.pid is not None and stream.opened is not None
        if local and not stream.ended and stream.pid is not None and not is_alive(stream.pid, stream.pid_start):
            stream.closed, stream.state = max(stream.last or 0.0, stream.opened or 0.0), "crashed"
        elif stream.at_exit and STREAM_NAME.fullmatch(name) and (real := left_status(str(directory / name))):
            end = correction({**stream.end(), "at_exit": stream.at_exit}, real)
            if end is not None:
                fold.settle(name, end)
    return fold.state
