"""Write runs as event files, one for each stream of rows, so that imported event files get back their files."""

from __future__ import annotations

import os
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
from tracker.runlog.records import DIGEST
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
_CONTENT_MISSING = "its content is missing"
_MALFORMED = (ValueError, KeyError, TypeError, IndexError, AttributeError, OverflowError)
_LOGGED_ROWS: EventFile = {"name": "", "version": 2.0, "starts": []}  # for rows that do not come from an event file


class ExportResult:
    """The result of an export: the directory of a run, and the numbers of values."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.scalars = 0
        self.media = 0
        self.rounded = 0
        """Scalars that float32 cannot represent exactly."""
        self.left_out: Counter[SkipReason] = Counter()
        """Values that event files cannot represent, or whose content is missing."""


class Exporter:
    """Writes runs to directories below `outdir` that have the names of the runs."""

    def __init__(self, outdir: Path) -> None:
        self._outdir = outdir.absolute()
        self._taken: set[Path] = set()

    def write(self, run: AnyRun) -> ExportResult:
        """Write a run, and return what was written and what was not.

        Raises:
            FileExistsError: If the directory of the run has event files already.
            OSError: If the disk refuses a write, or a file of the run cannot be read.
            TrackerError: If the run cannot be read.
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
                exported.left_out[SkipReason(file.name.split("/")[1], "it is a file of the run")] += 1
        return exported

    def _directory(self, run: AnyRun, folders: set[str]) -> Path:
        """Return the directory of a run: one that no other run of this export uses."""
        name = _safe_path(run.name)
        for directory in (name, f"{name}-{run.id}", f"{name}-{run.path}"):
            path = self._outdir / directory
            places = {path, *(path / folder for folder in folders)}
            if not places & self._taken:
                break
        for place in places:
            if place.is_dir() and any(is_event_file(entry) for entry in os.listdir(place)):
                raise FileExistsError(f"{place} already has event files")
        self._taken |= places
        return path


class _EventFileWriter:
    """Writes one event file."""

    def __init__(self, path: Path, source: EventFile, time: float, load: Load, exported: ExportResult) -> None:
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
        """Write one event for each value of a row."""
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
        """Write the remaining session starts, and close the file."""
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
            reason = f"event files cannot hold this type: {kind}"
        except (OSError, TrackerError):
            value, reason = None, _CONTENT_MISSING
        except _MALFORMED as error:
            value, reason = None, f"malformed {kind} ({type(error).__name__}: {error})"
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
    """Return a free path for an event file: with its original name, or a name with its start time."""
    name = _safe_path(source["name"]) or f"events.out.tfevents.{max(0, int(time)):010d}.{run}"
    folder, base = os.path.split(name)
    base = base if is_event_file(base) else f"events.out.tfevents.{base}"
    path, number = directory / folder / base, 1
    while path in taken:
        path, number = directory / folder / f"{base}.{number}", number + 1
    taken.add(path)
    return path


def _safe_path(name: str) -> str:
    """Return a name as a relative path without `..`, since whoever logged the run chose the name."""
    parts = name.replace("\0", "_").split("/")
    return "/".join("_" if part in ("", ".", "..") else part for part in parts) if name else ""


def _stored_content(directory: Path, digest: str) -> bytes:
    with open(open_file(directory, f"files/{digest}"), "rb") as file:
        return file.read()


@contextmanager
def _content(run: AnyRun) -> Iterator[Load]:
    """Yield a function that returns the content of a run's media by digest."""
    with tempfile.TemporaryDirectory(prefix="tracker-export-") as folder:

        def load(digest: str) -> bytes:
            if not DIGEST.fullmatch(digest):
                raise OSError(f"{digest!r} is not a digest")
            if isinstance(run, LocalRun):
                return _stored_content(run.directory, digest)
            return run.media({"digest": digest}, Path(folder, "content")).read_bytes()

        yield load
