"""Read event files with TensorBoard's own loader, convert them, and read the result as a run log."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tensorboard.backend.event_processing import event_file_loader
from tensorboard.compat.proto import event_pb2, summary_pb2

from tracker.runlog.records import Record, encode, parse
from tracker_tensorboard.convert import Converter, to_value


class Converted:
    """The result of a conversion: records, encoded and parsed as lines of the run log, and files by digest."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.converter = Converter(self.store)
        self.records: list[Record] = []

    def store(self, content: bytes) -> str:
        digest = hashlib.sha256(content).hexdigest()
        self.files[digest] = content
        return digest

    def add(self, events: Iterable[event_pb2.Event]) -> None:
        for event in events:
            for line in self.converter.lines(event, row=len(self.rows())):
                written = encode(line.kind, line.payload, line.time, line.step)
                (record,) = parse(written).records
                self.records.append(record)

    def of_kind(self, kind: str) -> list[Any]:
        return [record.payload for record in self.records if record.kind == kind]

    def rows(self, tag: str | None = None) -> list[tuple[int | None, Any]]:
        rows = [(record.step, *record.payload.items()) for record in self.records if record.kind == "log"]
        return [(step, value) for step, (key, value) in rows if tag in (None, key)]

    def one(self, tag: str) -> Any:
        ((_, value),) = self.rows(tag)
        return value

    def table(self, tag: str) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self.files[self.one(tag)["digest"]])
        return content

    @property
    def config(self) -> dict[str, Any]:
        return {name: value for payload in self.of_kind("config") for name, value in payload.items()}

    @property
    def skipped(self) -> dict[tuple[str, str], int]:
        return {tuple(reason): count for reason, count in self.converter.skipped.items()}  # type: ignore[misc]

    def again(self, tag: str) -> Any:
        """Convert a payload back to a value and import that; return the new payload and the value."""
        value = to_value(tag, self.one(tag), self.files.__getitem__)
        other = Converted()
        other.add([in_event(value)])
        return other.one(tag), value


def in_event(*values: summary_pb2.Summary.Value | None, step: int = 0) -> event_pb2.Event:
    event = event_pb2.Event(wall_time=1.5, step=step)
    event.summary.value.extend(value for value in values if value is not None)
    return event


def events_of(path: Path) -> Iterable[event_pb2.Event]:
    """Return the complete events of a file, up to the first one that TensorBoard's reader refuses."""
    for data in event_file_loader.RawEventFileLoader(str(path)).Load():
        yield event_pb2.Event.FromString(data)


def convert(*values: summary_pb2.Summary.Value, directory: Path | None = None) -> Converted:
    """Convert the event files in a directory, then values as one event of step 3."""
    converted = Converted()
    if directory is not None:
        for path in sorted(directory.rglob("*tfevents*")):
            converted.add(events_of(path))
    if values:
        converted.add([in_event(*values, step=3)])
    return converted
