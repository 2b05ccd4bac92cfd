"""Event files made by hand, byte by byte, and what runs are when they have been imported."""

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
    """A record as TensorFlow's writers frame it."""
    length = struct.pack("<Q", len(payload))
    return length + _masked(length) + payload + _masked(payload)


def event(time: float = START, **members: Any) -> bytes:
    """The record of an event."""
    return record(event_pb2.Event(wall_time=time, **members).SerializeToString())


def version(time: float = START) -> bytes:
    """The record that files begin with."""
    return event(time, file_version="brain.Event:2")


def scalar(tag: str, step: int, value: float, time: float | None = None) -> bytes:
    """The record of one scalar value."""
    summary = event_pb2.Event().summary
    summary.value.add(tag=tag, simple_value=value)
    return event(START + step if time is None else time, step=step, summary=summary)


def text(tag: str, step: int, content: str, metadata: bool = True) -> bytes:
    """The record of a text, with or without the metadata that says it is one."""
    summary = event_pb2.Event().summary
    value = summary.value.add(tag=tag)
    if metadata:
        value.metadata.plugin_data.plugin_name = "text"
    value.tensor.dtype = 7
    value.tensor.string_val.append(content.encode())
    return event(START + step, step=step, summary=summary)


def many(first: int, last: int, tags: tuple[str, ...] = ("loss", "acc")) -> bytes:
    """Scalars of each tag at each step, whose values tell tag and step."""
    return b"".join(scalar(tag, step, step + i / 4) for step in range(first, last) for i, tag in enumerate(tags))


def write(path: Path, *records: bytes) -> Path:
    """Make a file of records, and the directories that it is in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(records))
    return path


class Silent:
    """Sees how an import gets on and says nothing."""

    def begin(self, runs: int, size: int) -> None: ...

    def advance(self, news: tuple[int, int]) -> None: ...

    def following(self, runs: int) -> None: ...


def plan(logdir: Path, root: Path | str = ".", **options: Any) -> Plan:
    """The plan to import a log directory, known by its path."""
    selection = options.pop("selection", Selection())
    identity = options.pop("identity", str(logdir.resolve()))
    return Plan([Source(logdir.resolve(), identity, selection)], Path(root), "me", "boards", **options)


def bring(logdir: Path, root: Path | str = ".", **options: Any) -> Importer:
    """Import a log directory once."""
    done = Importer(plan(logdir, root, **options), None, Silent())
    done.import_now()
    return done


def runs(root: Path | str = ".") -> dict[str, Any]:
    """All runs under a directory by their names."""
    found = [tracker.read_run(path) for path in sorted(Path(root, ".tracker", "runs").iterdir())]
    return {run.name: run for run in found}


def rows(run: Any) -> list[tuple[str, int, Any]]:
    """All values of a run in the order in which they are kept: key, step, value."""
    return [
        (key, row["_step"], value)
        for row in run.scan_history(restarts="all")
        for key, value in row.items()
        if not key.startswith("_")
    ]


def _masked(data: bytes) -> bytes:
    crc = crc32c(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)
