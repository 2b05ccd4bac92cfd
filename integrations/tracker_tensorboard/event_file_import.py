"""Import what is new in one event file into its stream: in order, each value exactly once."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

from google.protobuf.message import DecodeError

from tracker.runlog.records import encode
from tracker.runlog.writer import header

from .convert import Converter, Line, Store, finish_state
from .event_times import repair_time
from .import_result import Gap, ImportResult
from .logdir import EventPath, printable
from .reader import LARGEST, Damage, EventFile, Message, Scalars
from .reader.framing import HEADER, checksum_holds, length_at
from .reader.results import Event
from .resumable_stream import Mark, ResumableStream, StreamError, make_run_directory
from .stream_filler import OnProgress, StreamFiller, TagMetadata

PENDING = "no complete record (yet)"
SHORTENED = "imported before, but no longer in the file"

_PREFIX = "history-tb_"
_VERSION = re.compile(r"brain\.Event:(\d+(?:\.\d+)?)")
_CREATED = re.compile(r"tfevents\.(\d{1,12})(?:\.|$)")


class Target(NamedTuple):
    """The run to import into: its directory, and the `id`, `entity` and `project` for headers of streams."""

    directory: Path
    run: dict[str, str]


class EventFileImport:
    """The import of one event file."""

    def __init__(self, file: EventPath, path: Path, target: Target, result: ImportResult) -> None:
        """Open the stream of the event file at `path`. Raises OSError and StreamError."""
        self._path = path
        self._target = target
        self._result = result
        self._name = printable(file.name)
        # In a run of several directories, the path of each is a prefix of its keys.
        folder = self._name.rpartition("/")[0]
        self._prefix = f"{folder}/" if folder else ""
        self._stream: ResumableStream | None = None  # None while the file has no complete record
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            self._size = os.fstat(self._descriptor).st_size
            self._open()
        except BaseException:
            os.close(self._descriptor)
            raise

    def __enter__(self) -> EventFileImport:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)
        if self._stream is not None:
            self._stream.close()

    @property
    def caught_up(self) -> bool:
        """Whether the stream has everything that the file holds."""
        stream = self._stream
        if stream is None:
            return self._size == 0
        return not stream.after_mark and stream.mark is not None and stream.mark.offset == self._size

    def recall(self, tags: TagMetadata) -> None:
        """Read the metadata of tags from the stream's marks, since that part of the file is not read again."""
        if self._stream is None or self._stream.mark is None:
            return
        for record in self._stream.records("source"):
            tags.recall(record.payload.get("tags", {}))

    def advance(self, tags: TagMetadata, store: Store, keeps_group: bool, on_progress: OnProgress) -> None:
        """Import all complete records that the file has now.

        Args:
            tags: The metadata of tags, shared by all files of a run.
            store: Stores media as files of the run.
            keeps_group: Whether the hyperparameters of the file may set the group of the run.
            on_progress: Gets the bytes and points of each part that is done.

        Raises:
            OSError, StreamError: The import stops. What was written stays, and the next import continues there.
        """
        if self._stream is None:
            if self._size:
                self._result.pending[self._name] = Gap(self._name, 0, self._size, PENDING)
            return
        stream, mark = self._stream, self._stream.mark or self._start
        if mark.offset > self._size:
            self._result.shortened[self._name] = Gap(self._name, self._size, mark.offset, SHORTENED)
            return
        events, converter = EventFile(self._path, mark.offset, tags.metadata), Converter(store, tags.metadata)
        filler = StreamFiller(stream, mark, self._last_bytes, tags, self._result, on_progress)
        for item in events.read():
            if isinstance(item, Scalars):
                keys = [self._prefix + tag for tag in item.tags] if self._prefix else item.tags
                filler.scalars(item._replace(tags=keys))
            elif isinstance(item, Message):
                lines = self._convert(converter, item.event, filler.rows, keeps_group)
                filler.lines(lines, item.event.wall_time, item.end)
            else:
                self._result.note_damage(Gap(self._name, *item))
                reason = f"{self._name}, bytes {item.start} to {item.end}: {item.reason}"
                filler.lines([Line("lost", {"count": 1, "reason": reason}, filler.time)], filler.time, item.end)
        filler.finish(events.offset)
        self._result.skipped += converter.skipped
        if events.pending:
            end = events.offset + events.pending
            self._result.pending[self._name] = Gap(self._name, events.offset, end, PENDING)

    # -- finding the stream -----------------------------------------------------------------------------------------

    def _open(self) -> None:
        first = _first_record(self._path)
        if first is None:
            return
        version, time = _version_and_time(first, self._name)
        self._start = Mark(time=time)
        make_run_directory(self._target.directory)
        for variant in count():
            stream = ResumableStream(self._target.directory / stream_name(self._name, first, variant))
            try:
                if self._matches(stream):
                    break
            except BaseException:
                stream.close()
                raise
            stream.close()
        self._stream = stream
        if not stream.has_header:
            if variant:
                self._result.rewritten.append(self._name)
            event_file = {"name": self._name, "version": version}
            payload = header("history", **self._target.run, event_file=event_file)
            stream.add(encode("run", payload, time))
            stream.has_header = True

    def _matches(self, stream: ResumableStream) -> bool:
        """Tell whether the stream was made from this file, as far as the file goes."""
        if stream.mark is None:
            return True
        if stream.mark.offset <= self._size:
            return self._last_bytes(stream.mark.offset) == stream.mark.last
        marks = (r.payload for r in stream.records("source") if r.payload["offset"] <= self._size)
        return all(self._last_bytes(mark["offset"]) == mark["last"] for mark in marks)

    def _last_bytes(self, offset: int) -> str:
        return os.pread(self._descriptor, min(4, offset), max(0, offset - 4)).hex()

    def _convert(self, converter: Converter, event: Event, rows: int, keeps_group: bool) -> Iterator[Line]:
        for line in converter.lines(event, rows):
            payload = line.payload
            if line.kind == "meta" and not keeps_group:
                payload = {name: value for name, value in payload.items() if name != "group"}
            elif self._prefix and line.kind == "log":
                payload = {self._prefix + key: value for key, value in payload.items()}
            elif self._prefix and line.kind == "file":
                payload = {**payload, "name": self._prefix + payload["name"]}
            yield line._replace(payload=payload)


def finish_streams(directory: Path) -> None:
    """Write the end of the streams of all event files of a run, including deleted ones. Raises OSError.

    The state is the one that the hparams plugin has recorded in the file, else `finished`. Streams that another import
    has locked are left to that import.
    """
    for path in sorted(directory.glob(f"{_PREFIX}*.jsonl")):
        try:
            stream = ResumableStream(path)
        except StreamError:
            continue
        try:
            if stream.mark is not None and not stream.has_finish:
                records = stream.records("tensorboard")
                states = [finish_state(Line(record.kind, record.payload, record.time)) for record in records]
                stream.finish(([state for state in states if state] or ["finished"])[-1], stream.mark.time)
        finally:
            stream.close()


def stream_name(name: str, first: bytes, variant: int = 0) -> str:
    """Return the name of the stream of an event file, from its name in the run and its first record.

    A replaced file therefore gets a new stream, and copies of a file on two machines get the same one. `variant` counts
    files with the same name and the same first record.
    """
    identity = name.encode() + b"\n" + first + (b"\n%d" % variant if variant else b"")
    return f"{_PREFIX}{hashlib.sha256(identity).hexdigest()[:24]}.jsonl"


def _first_record(path: Path) -> bytes | None:
    """Return the payload of the first complete record of an event file; None if there is none yet."""
    with path.open("rb") as file:
        head = file.read(HEADER)
        length = length_at(head, 0)
        if length is not None and length <= LARGEST:
            record = head + file.read(length + 4)
            if len(record) == HEADER + length + 4 and checksum_holds(record, 0, length):
                return record[HEADER:-4]
        start = 0
        for item in EventFile(path).read():
            if not isinstance(item, Damage):
                file.seek(start)
                length = length_at(file.read(HEADER), 0)
                return file.read(length or 0)
            start = item.end
    return None


def _version_and_time(first: bytes, name: str) -> tuple[float | None, float]:
    """Return the version in a file's first record, if any, and its time (from the file's name if it has none)."""
    created = _CREATED.search(name)
    time = float(created[1]) if created else 0.0
    try:
        event: Any = Event.FromString(first)
    except DecodeError:
        return None, time
    version = _VERSION.fullmatch(event.file_version)
    return float(version[1]) if version else None, repair_time(event.wall_time, time)[0]
