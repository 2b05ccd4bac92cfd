"""Rebuild a run directory from a server.

The server keeps no lines, so the rebuilt lines differ from the original ones but mean the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import IO, Any

from tracker.errors import ServerError, TrackerError
from tracker.runlog.directory import copy_name
from tracker.runlog.fold import RunState
from tracker.runlog.long_records import split
from tracker.runlog.records import STREAM_NAME, encode, jsonable
from tracker.runlog.stream_state import StreamState
from tracker.runlog.writer import header
from tracker.wire import Folded, StreamInfo

from .remote import RemoteRun
from .restarts import AXES, Row

_OF_RUN = ("program", "python", "forked_from")
_OF_STREAM = ("host", "pid", "pid_start", "added", "allow_stop", "heartbeat")


def rebuild(run: RemoteRun, directory: Path) -> list[str]:
    """Write a run to a new directory, as it is on the server at this moment.

    The directory then has everything that the server knows of the run: rows of all streams in order, console, system
    metrics, config, summary, metric definitions, alerts, how each process ended, files and media. Its streams have
    names of their own (`copy_name`), so that they are never uploaded beside the originals.

    Returns the names or digests of contents that the server lacks. Raises `TrackerError` if there are no rows yet, or
    if anything but new lines changes the run meanwhile, and what `Api` raises.
    """
    known = run._folded()
    fold = RunState.from_json(known["fold"])
    (directory / "files").mkdir(parents=True)
    infos = [info for info in known["streams"] if not info["stream"].startswith("edits")]
    with ExitStack() as stack:
        files = {
            info["stream"]: stack.enter_context((directory / copy_name(info["stream"])).open("xb")) for info in infos
        }
        for info in infos:
            files[info["stream"]].writelines(_beginning(run, fold, info))
        _write_rows(run, infos, files)
        for info in infos:
            files[info["stream"]].writelines(_end(fold, info))
    first = next((i for i in infos if i["stream"].startswith("history")), None)
    if first is None:
        raise TrackerError(f"{run.path} has no history on the server yet")
    edits = copy_name(first["stream"].replace("history", "edits", 1))
    (directory / edits).write_bytes(b"".join(_state(run, fold, first["opened"])))
    return _fetch(run, known, directory / "files")


def _write_rows(run: RemoteRun, infos: list[StreamInfo], files: Mapping[str, IO[bytes]]) -> None:
    """Write as many rows of each stream as its state counts; more may have arrived since then."""
    expected = {info["stream"]: info["rows"] for info in infos}
    for kind, record in (("history", "log"), ("system", "system")):
        for stream, rows in run._batches(kind, None):  # type: ignore[arg-type]
            wanted = expected.get(stream, 0)
            some = list(islice(rows, wanted))
            expected[stream] = wanted - len(some)
            files[stream].writelines(_row(record, row) for row in some)
    lines = run.console()
    for info in infos:
        if info["stream"].startswith("console"):
            for line in islice(lines, info["rows"]):
                payload = {"stream": line["stream"], "text": line["text"]}
                files[info["stream"]].write(_line("console", payload, line["time"]))
                expected[info["stream"]] -= 1
    if any(expected.values()):
        raise TrackerError(f"{run.path} was changed on the server while it was copied; try again")


def _row(kind: str, row: Row) -> bytes:
    payload = {key: value for key, value in row.items() if key not in AXES}
    return _line(kind, payload, row["_timestamp"], row.get("_step"))


def _line(kind: str, payload: Any, time: float, step: int | None = None) -> bytes:
    return encode(kind, jsonable(payload), time, step)


def _header(run: RemoteRun, kind: str, time: float, **members: Any) -> bytes:
    about = header(kind, id=run.id, entity=run.entity, project=run.project, **members)
    return _line("run", about, time)


def _beginning(run: RemoteRun, fold: RunState, info: StreamInfo) -> Iterator[bytes]:
    name, opened = info["stream"], info["opened"]
    match = STREAM_NAME.fullmatch(name)
    if match is None:  # it becomes a path
        raise ServerError(f"the server names a stream {name!r}")
    stream = fold.streams.get(name, StreamState())
    known = stream.to_json()
    members = {member: known.get(member) for member in _OF_STREAM}
    if match[1] == "history" and not stream.parent and not stream.added:
        members.update({member: fold.header.get(member) for member in _OF_RUN})
    source = stream.event_file
    if source is not None:
        members["event_file"] = {"name": source["name"], "version": source["version"]}
    parent = copy_name(stream.parent) if stream.parent else None
    yield _header(run, match[1], opened, parent=parent, **members)
    for row, step in source["starts"] if source is not None else ():
        yield _line("session", {"status": "start", "row": row, "step": step}, opened)
    if stream.preempting:
        yield _line("preempting", {}, opened)
    if stream.lost:
        yield _line("lost", {"count": stream.lost, "reason": "as the original stream says"}, opened)
    if stream.suspect is not None:
        yield _line("suspect", {"stream": copy_name(name), "reason": stream.suspect}, opened)


def _end(fold: RunState, info: StreamInfo) -> Iterator[bytes]:
    stream = fold.streams.get(info["stream"], StreamState())
    if stream.closed is not None:
        yield _line("finish", stream.end(), stream.closed)
    # Its time is that of the last original line, which may be of a kind that is not written here.
    counts = {"corrupt": stream.corrupt, **({"refused": stream.refused} if stream.refused else {})}
    yield _line("rebuilt", counts, info["opened"] if stream.last is None else stream.last)


def _state(run: RemoteRun, fold: RunState, opened: float) -> Iterator[bytes]:
    """Yield the lines about the run as a whole, as edits: these do not count as activity of the run."""
    yield _header(run, "edits", opened)
    if fold.meta:
        yield _line("meta", fold.meta, opened)
    for kind, members in (("config", fold.config), ("summary", fold.explicit_summary)):
        for part in split(jsonable(members)):
            yield _line(kind, part, opened)
    for metric in fold.metrics:
        yield _line("metric", metric, opened)
    for alert in fold.alerts:
        yield _line("alert", {m: alert[m] for m in ("title", "text", "level")}, alert["time"])
    if fold.stop is not None:
        yield _line("stop", {}, fold.stop)
    if fold.environment:
        environment = {**fold.environment, "stream": copy_name(fold.environment["stream"])}
        yield _line("environment", environment, fold.environment["started"])
    for name, entry in fold.files.items():
        file = {"name": name, "digest": entry["digest"], "size": entry["size"], "path": f"files/{entry['digest']}"}
        yield _line("file", file, entry["time"])


def _fetch(run: RemoteRun, known: Folded, files: Path) -> list[str]:
    names = {entry["digest"]: name for name, entry in known["fold"]["files"].items()}
    missing = []
    for digest in _checked(known["digests"]):
        try:
            run.media({"digest": digest}, files / digest)
        except ServerError as error:
            if error.status != 404:
                raise
            missing.append(names.get(digest, digest))
    return missing


def _checked(digests: Iterable[str]) -> Iterator[str]:
    for digest in digests:
        if not (len(digest) == 64 and digest.isalnum()):  # it becomes a path
            raise ServerError(f"the server names a content {digest!r}")
        yield digest
