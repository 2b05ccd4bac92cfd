"""Create event files byte by byte, import them, and read the imported runs."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

from google_crc32c import value as crc32c
from tensorboard.compat.proto import event_pb2

import tracker
from tracker_tensorboard.importer import Importer, Plan, Source
from tracker_tensorboard.logdir import Selection

NAME = "events.out.tfevents.1700000000.host"
START = 1.7e9


def record(payload: bytes) -> bytes:
    """Return a record in the frame of TensorFlow's writers."""
    length = struct.pack("<Q", len(payload))
    return length + _masked(length) + payload + _masked(payload)


def event(time: float = START, **members: Any) -> bytes:
    """Return the record of an event."""
    return record(event_pb2.Event(wall_time=time, **members).SerializeToString())


def version(time: float = START) -> bytes:
    """Return the first record of a file."""
    return event(time, file_version="brain.Event:2")


def scalar(tag: str, step: int, value: float, time: float | None = None) -> bytes:
    """Return the record of one scalar value."""
    summary = event_pb2.Event().summary
    summary.value.add(tag=tag, simple_value=value)
    return event(START + step if time is None else time, step=step, summary=summary)


def text(tag: str, step: int, content: str, metadata: bool = True) -> bytes:
    """Return the record of a text, with or without the metadata of the text plugin."""
    summary = event_pb2.Event().summary
    value = summary.value.add(tag=tag)
    if metadata:
        value.metadata.plugin_data.plugin_name = "text"
    value.tensor.dtype = 7
    value.tensor.string_val.append(content.encode())
    return event(START + step, step=step, summary=summary)


def many(first: int, last: int, tags: tuple[str, ...] = ("loss", "acc")) -> bytes:
    """Return scalars of each tag at each step, whose values show tag and step."""
    return b"".join(scalar(tag, step, step + i / 4) for step in range(first, last) for i, tag in enumerate(tags))


def write(path: Path, *records: bytes) -> Path:
    """Write a file of records, and create its directories."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(records))
    return path


class Silent:
    """A progress view that shows nothing."""

    def begin(self, runs: int, size: int) -> None: ...

    def advance(self, news: tuple[int, int]) -> None: ...

    def following(self, runs: int) -> None: ...


def plan(logdir: Path, root: Path | str = ".", **options: Any) -> Plan:
    """Return the plan to import a log directory, identified by its path."""
    selection = options.pop("selection", Selection())
    identity = options.pop("identity", str(logdir.resolve()))
    return Plan([Source(logdir.resolve(), identity, selection)], Path(root), "me", "boards", **options)


def bring(logdir: Path, root: Path | str = ".", **options: Any) -> Importer:
    """Import a log directory once; return the importer."""
    done = Importer(plan(logdir, root, **options), None, Silent())
    done.import_now()
    return done


def runs(root: Path | str = ".") -> dict[str, Any]:
    """Return all runs in a directory, by name."""
    found = [tracker.read_run(path) for path in sorted(Path(root, ".tracker", "runs").iterdir())]
    return {run.name: run for run in found}


def rows(run: Any) -> list[tuple[str, int, Any]]:
    """Return all values of a run in stored order: key, step, value."""
    return [
        (key, row["_step"], value)
        for row in run.scan_history(restarts="all")
        for key, value in row.items()
        if not key.startswith("_")
    ]


def _masked(data: bytes) -> bytes:
    crc = crc32c(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)
