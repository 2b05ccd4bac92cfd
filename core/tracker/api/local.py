"""A run straight from its directory, with no server."""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from tracker.runlog.directory import KEPT_PATH, process_start
from tracker.runlog.fold import Fold, Stats
from tracker.runlog.reader import read_header, read_stream, stream_paths
from tracker.wire import RunInfo, Series

from .envelope import envelope
from .files import File
from .reading import Kind, RunReader, edits_name


def read_run(run_dir: str | os.PathLike[str]) -> LocalRun:
    """Return the run in a run directory, which may be live, torn or damaged: whatever can be read is there, and
    `info["corrupt"]` counts what cannot. Raises `NotARun` if the directory holds no run log.
    """
    return LocalRun(Path(run_dir))


class LocalRun(RunReader):
    """A run in a directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._fold = Fold()
        super().__init__(self._read())

    def reload(self) -> None:
        """Read the directory again."""
        self._take(self._read())

    def _read(self) -> RunInfo:
        header = read_header(self.directory)
        fold = self._fold = Fold()
        for path in stream_paths(self.directory):
            for parsed in read_stream(path):
                _take_records(fold, path.name, parsed.records)
                fold.stream(path.name)["corrupt"] += parsed.corrupt
        started = fold.header.get("started", fold.updated)
        ends = [s for s in fold.streams.values() if s.get("error")]
        return {
            "id": header["id"],
            "entity": header.get("entity") or "default",
            "project": header.get("project") or "uncategorized",
            "name": fold.meta.get("name") or header["id"],
            "state": _state(fold),
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
            "rows": sum(s["rows"] for n, s in fold.streams.items() if n.startswith("history")),
            "corrupt": fold.corrupt,
            "lost": fold.lost,
            "suspect": any("suspect" in s for s in fold.streams.values()),
            "error": ends[-1]["error"] if ends else None,
        }

    def keys(self, kind: Kind = "history") -> list[str]:
        """Return the names of all logged keys, sorted."""
        if kind == "history":
            return sorted(self._fold.stats)
        return sorted({key for row in self._rows("system", None) for key in row} - {"_timestamp", "_runtime"})

    def _rows(self, kind: Kind, keys: Sequence[str] | None) -> Iterator[dict[str, Any]]:
        wanted = None if keys is None else set(keys)
        started = self._fold.header.get("started", 0.0)
        record_kind = "log" if kind == "history" else "system"
        for path in stream_paths(self.directory, kind):
            for parsed in read_stream(path):
                for record in parsed.records:
                    if record.kind != record_kind or not isinstance(record.payload, dict):
                        continue
                    row = record.payload
                    if wanted is not None:
                        row = {k: v for k, v in row.items() if k in wanted}
                        if not row:
                            continue
                    head: dict[str, Any] = {"_step": record.step} if kind == "history" else {}
                    yield {**head, "_timestamp": record.time, "_runtime": record.time - started, **row}

    def _series(self, kind: Kind, keys: Sequence[str], samples: int) -> Iterable[Series]:
        x = "_step" if kind == "history" else "_timestamp"
        points: dict[str, list[tuple[float, float]]] = {key: [] for key in keys}
        for row in self._rows(kind, keys):
            for key in keys:
                value = row.get(key)
                if isinstance(value, (int, float)) and not isinstance(value, bool):
                    points[key].append((row[x], value))
        for key, found in points.items():
            if found:
                yield envelope(self.path, key, found, samples)

    def console(self) -> Iterator[dict[str, Any]]:
        """Yield the lines that the processes printed: `time`, `stream` (stdout or stderr), `text`."""
        for path in stream_paths(self.directory, "console"):
            for parsed in read_stream(path):
                for record in parsed.records:
                    if record.kind == "console":
                        yield {"time": record.time, **record.payload}

    def files(self) -> list[File]:
        """Return the files that were saved with the run and whose digest an agent has noted."""
        return [self._file(name, entry) for name, entry in self._fold.files.items()]

    def _file(self, name: str, entry: dict[str, Any]) -> File:
        kept = str(entry.get("path"))
        source = self.directory / (kept if KEPT_PATH.fullmatch(kept) else f"files/{Path(entry['digest']).name}")
        return File(name, entry["size"], entry["digest"], lambda target: _copy(source, target))

    def _append(self, lines: bytes) -> None:
        (self.directory / edits_name()).write_bytes(lines)


def _copy(source: Path, target: Path) -> None:
    part = target.with_name(target.name + ".part")
    shutil.copyfile(source, part)
    part.replace(target)


def _take_records(fold: Fold, stream: str, records: Iterable[Any]) -> None:
    rows, until = 0, -math.inf
    stats: dict[str, Stats] = {}
    for record in records:
        if record.kind == "log" and isinstance(record.payload, dict):
            rows += 1
            until = max(until, record.time)
            for key, value in record.payload.items():
                if key not in stats:
                    stats[key] = Stats()
                stats[key].add(value)
        elif record.kind not in ("system", "console"):
            if rows and record.kind == "finish":  # in order: a row after the end of its stream opens it again
                fold.add_rows(stream, rows, stats, until)
                rows, until, stats = 0, -math.inf, {}
            fold.apply(stream, record)
    if rows:
        fold.add_rows(stream, rows, stats, until)


def _state(fold: Fold) -> str:
    """The state that an agent would find: streams whose writer was on this machine and is gone are crashed."""
    for entry in fold.streams.values():
        here = entry.get("host") == os.uname().nodename and "pid" in entry and "opened" in entry
        if here and "closed" not in entry and not _alive(entry):
            entry["closed"], entry["state"] = max(entry["last"], entry["opened"]), "crashed"
    return fold.state


def _alive(entry: dict[str, Any]) -> bool:
    try:
        os.kill(entry["pid"], 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass
    return entry.get("pid_start") in (None, process_start(entry["pid"]))
