"""Write runs as event files: each stream of rows is one file, so that what came from event files has its files back."""

from __future__ import annotations

import os
import re
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from itertools import chain, groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

from tensorboardX.record_writer import RecordWriter

from tracker.api import LocalRun, RemoteRun
from tracker.errors import TrackerError
from tracker.runlog.safe_open import open_file
from tracker.wire import EventFile

from .convert import SkipReason, to_value
from .convert.lines import Value
from .convert.to_event import Load
from .logdir import is_event_file
from .reader.results import Event

AnyRun = LocalRun | RemoteRun
Row = Mapping[str, Any]

_AXES = ("_step", "_timestamp", "_runtime")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_CONTENT_MISSING = "its content is not here"
_MALFORMED = (ValueError, KeyError, TypeError, IndexError, AttributeError, OverflowError)
_LOGGED_ROWS: EventFile = {"name": "", "version": 2.0, "starts": []}  # rows that did not come from an event file


class ExportResult:
    """What became of a run: the directory that it was written to, and numbers of values."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.scalars = 0
        self.media = 0
        self.rounded = 0
        """Scalars that no float32 is equal to."""
        self.left_out: Counter[SkipReason] = Counter()
        """Values that event files have no form for, or whose content is not to be had."""


class Exporter:
    """Writes runs to directories below `outdir`, each called like its run."""

    def __init__(self, outdir: Path) -> None:
        self._outdir = outdir.absolute()
        self._taken: set[Path] = set()

    def write(self, run: AnyRun) -> ExportResult:
        """Write a run. Raises FileExistsError if event files are where its own would be, OSError if the disk does not
        take them, and what reading the run raises.
        """
        files = run.info["event_files"]
        directory = self._directory(run, {os.path.dirname(_safe_path(file["name"])) for file in files.values()})
        exported = ExportResult(directory)
        paths: set[Path] = set()
        with _content(run) as load:
            for stream, batches in groupby(run.scan_streams(), itemgetter(0)):
                rows = chain.from_iterable(rows for _, rows in batches)
                first = next(rows, None)
                if first is not None:
                    source = files.get(stream, _LOGGED_ROWS)
                    path = _unused_path(directory, source, run.id, first["_timestamp"], paths)
                    with closing(_EventFileWriter(path, source, first["_timestamp"], load, exported)) as writer:
                        for row in chain((first,), rows):
                            writer.add(row)
        for file in run.files():
            if file.name.startswith("tensorboard/"):
                exported.left_out[SkipReason(file.name.split("/")[1], "kept as a file of the run")] += 1
        return exported

    def _directory(self, run: AnyRun, folders: set[str]) -> Path:
        """Where a run goes: not where another one of this export went."""
        name = _safe_path(run.name)
        for directory in (name, f"{name}-{run.id}", f"{name}-{run.path}"):
            path = self._outdir / directory
            places = {path, *(path / folder for folder in folders)}
            if not places & self._taken:
                break
        for place in places:
            if place.is_dir() and any(is_event_file(entry) for entry in os.listdir(place)):
                raise FileExistsError(f"there are event files in {place} already")
        self._taken |= places
        return path


class _EventFileWriter:
    """One event file."""

    def __init__(self, path: Path, source: EventFile, time: float, load: Load, exported: ExportResult) -> None:
        self._source = source
        self._load = load
        self._exported = exported
        folder = os.path.dirname(source["name"])
        self._prefix = f"{folder}/" if folder else ""
        self._starts = sorted(source["starts"], reverse=True)
        self._rows = 0
        self._time = time
        path.parent.mkdir(parents=True, exist_ok=True)
        self._records = RecordWriter(str(path))
        if source["version"] is not None:
            self._write(Event(wall_time=time, file_version=f"brain.Event:{source['version']:g}"))

    def add(self, row: Row) -> None:
        """Write a row: an event for each value."""
        self._start_sessions()
        self._rows += 1
        step, self._time = row["_step"], row["_timestamp"]
        for key, member in row.items():
            if key in _AXES:
                continue
            tag = key.removeprefix(self._prefix)
            value = (
                self._scalar_value(tag, member) if isinstance(member, (int, float)) else self._media_value(tag, member)
            )
            if value is not None:
                event = Event(wall_time=self._time, step=step)
                event.summary.value.append(value)
                self._write(event)

    def close(self) -> None:
        """Write what is left, and close the file."""
        self._start_sessions()
        self._records.close()

    def _start_sessions(self) -> None:
        while self._starts and self._starts[-1][0] <= self._rows:
            event = Event(wall_time=self._time, step=self._starts.pop()[1])
            event.session_log.status = event.session_log.START
            self._write(event)

    def _scalar_value(self, tag: str, number: float) -> Value:
        value = Value(tag=tag, simple_value=_to_float(number))
        self._exported.scalars += 1
        self._exported.rounded += value.simple_value != number and number == number
        return value

    def _media_value(self, tag: str, member: Any) -> Value | None:
        payload = {"_type": "text", "value": member} if isinstance(member, str) else member
        kind = payload.get("_type", "object") if isinstance(payload, dict) else type(payload).__name__
        try:
            value = to_value(tag, payload, self._load) if isinstance(payload, dict) else None
            reason = f"event files have no form for it: {kind}"
        except (OSError, TrackerError):
            value, reason = None, _CONTENT_MISSING
        except _MALFORMED as error:
            value, reason = None, f"unsound {kind} ({type(error).__name__}: {error})"
        if value is None:
            self._exported.left_out[SkipReason(tag, reason)] += 1
        else:
            self._exported.media += 1
        return value

    def _write(self, event: Event) -> None:
        self._records.write(event.SerializeToString())


def _to_float(number: float) -> float:
    try:
        return float(number)
    except OverflowError:
        return float("inf") if number > 0 else float("-inf")


def _unused_path(directory: Path, source: EventFile, run: str, time: float, taken: set[Path]) -> Path:
    """The path of a new event file: its former name, or one that says when it began."""
    name = _safe_path(source["name"]) or f"events.out.tfevents.{max(0, int(time)):010d}.{run}"
    folder, base = os.path.split(name)
    base = base if is_event_file(base) else f"events.out.tfevents.{base}"
    path, number = directory / folder / base, 1
    while path in taken:
        path, number = directory / folder / f"{base}.{number}", number + 1
    taken.add(path)
    return path


def _safe_path(name: str) -> str:
    """A name as a path that stays below where it is put. Names come from whoever logged the run."""
    parts = name.replace("\0", "_").split("/")
    return "/".join("_" if part in ("", ".", "..") else part for part in parts) if name else ""


def _stored_content(directory: Path, digest: str) -> bytes:
    with open(open_file(directory, f"files/{digest}"), "rb") as file:
        return file.read()


@contextmanager
def _content(run: AnyRun) -> Iterator[Load]:
    """Yield what returns the content of a run's media by digest."""
    with tempfile.TemporaryDirectory(prefix="tracker-export-") as folder:

        def load(digest: str) -> bytes:
            if not _DIGEST.fullmatch(digest):
                raise OSError(f"{digest!r} is no digest")
            if isinstance(run, LocalRun):
                return _stored_content(run.directory, digest)
            return run.media({"digest": digest}, Path(folder, "content")).read_bytes()

        yield load
