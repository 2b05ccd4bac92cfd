"""Read the streams of a run directory."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tracker.errors import NotARun
from tracker.names import RunKey, is_project_name

from .records import MAX_LINE, RUN_ID, STREAM_NAME, VERSION, Parsed, Record, Rows, parse, parse_rows
from .safe_open import Unsafe, open_file, reading

_BLOCK = 64 * 1024  # the objects of larger blocks outgrow the caches, and cost the garbage collector time
_LARGE_BLOCK = 1024 * 1024  # for reads that make few objects
_NEAR_END = 64 * 1024 * 1024
_KIND_PATTERNS: dict[tuple[str, ...], re.Pattern[bytes]] = {}


def stream_paths(directory: Path, kind: str | None = None) -> list[Path]:
    """Return the stream files of a run directory, or those of one kind, in the order of reading.

    Only regular files are streams; links are not.
    """
    found = []
    for path in directory.iterdir():
        match = STREAM_NAME.fullmatch(path.name)
        if match and (kind is None or match[1] == kind):
            try:
                first = first_record(path)
            except Unsafe:
                continue
            found.append((first.time if first else 0.0, path.name, path))
    return [path for *_, path in sorted(found)]


def run_directories(path: Path) -> list[Path]:
    """Return `path` if it is a run directory, else the run directories in it.

    They are in `.tracker/runs` below it, or in one of the folders between. Returns `path` if there are none.
    """
    if _has_streams(path):
        return [path]
    for folder in (path / ".tracker" / "runs", path / "runs", path):
        try:
            inner = sorted(entry for entry in folder.iterdir() if entry.is_dir() and not entry.is_symlink())
        except OSError:
            continue
        if found := list(filter(_has_streams, inner)):
            return found
    return [path]


def _has_streams(directory: Path) -> bool:
    try:
        return any(STREAM_NAME.fullmatch(entry.name) for entry in directory.iterdir())
    except OSError:
        return False


def first_record(path: Path) -> Record | None:
    """Return the first readable record of a stream file; None if there is none yet."""
    for parsed in read_stream(path):
        if parsed.records:
            return parsed.records[0]
    return None


def read_stream(path: Path, offset: int = 0, block: int = _BLOCK) -> Iterator[Parsed]:
    """Yield the records of a stream file from byte `offset` (a line start), in blocks of about `block` bytes.

    Torn tails and corrupt lines are skipped; `Parsed.corrupt` counts them.
    """
    return map(parse, read_blocks(path, offset, block))


def read_rows(path: Path) -> Iterator[Rows | Parsed]:
    """Yield the records of a stream file as `read_stream` does, but by column if a block has only `log` lines.

    This is the fastest way to the values of keys.
    """
    for data in read_blocks(path):
        rows = parse_rows(data)
        yield parse(data) if rows is None else rows


def read_blocks(path: Path, offset: int = 0, block: int = _BLOCK) -> Iterator[bytes]:
    """Yield the lines of a stream file from byte `offset` (a line start), as `read_lines` returns them.

    A last line without a newline is left out: it may still grow. So are lines that are appended meanwhile: with a fast
    writer, reading would never end.
    """
    with reading(path) as file:
        end = os.fstat(file.fileno()).st_size
        while offset < end and (data := read_lines(file.fileno(), offset, block)):
            yield data
            offset += len(data)


def read_lines(fd: int, offset: int, limit: int) -> bytes:
    """Return whole lines from byte `offset`: at most `limit` bytes, but at least one line if there is a whole one.

    Data that is too long for a line is returned in pieces of `MAX_LINE` bytes without a newline. They are corrupt.
    """
    size = limit
    while True:
        data = os.pread(fd, size, offset)
        end = data.rfind(b"\n") + 1
        if end:
            return data[:end]
        if len(data) >= MAX_LINE:
            return data[:MAX_LINE]
        if len(data) < size:  # the end of the file: empty, or a line that is still being written
            return b""
        size = min(4 * size, max(size + 1, MAX_LINE))


def read_header(directory: Path) -> dict[str, Any]:
    """Return the first readable `run` payload of a run directory, with history streams before others.

    Its `id`, and its `entity` and `project` if it has them, are names that the format allows. If all of them are
    damaged, the id is the directory's name. Raises `NotARun` if there is no run log, if it has names that are not
    allowed, or if a stream has another version of the format.
    """
    if not directory.is_dir():
        raise NotARun(f"{directory} is not a directory; name the directory of a run, such as .tracker/runs/<id>")
    paths = stream_paths(directory, "history")
    if not paths:
        raise NotARun(f"{directory} is not a run directory: there is no history*.jsonl in it")
    found: dict[str, Any] | None = None
    for path in [*paths, *stream_paths(directory, "system")]:
        first = first_record(path)
        if first is None or first.kind != "run" or not isinstance(first.payload, dict):
            continue
        version = first.payload.get("version")
        if version != VERSION:
            raise NotARun(
                f"{path} was written in version {version} of the run log; this tracker reads version {VERSION}: "
                "install a newer tracker-runs"
            )
        found = found or first.payload
    if found is None:
        return {"version": VERSION, "id": re.sub(r"[^A-Za-z0-9_-]", "-", directory.absolute().name)[:64]}
    for member, allowed in (("id", RUN_ID.fullmatch), ("entity", is_project_name), ("project", is_project_name)):
        name = found.get(member, "-" if member != "id" else None)
        if not isinstance(name, str) or not allowed(name):
            raise NotARun(f"the {member} of the run in {directory} is {name!r}, which runlog/FORMAT.md does not allow")
    return found


def read_key(directory: Path, entity: str, project: str) -> RunKey:
    """Return the key of the run in a directory, with the given entity and project if its header has none.

    Raises `NotARun` as `read_header` does.
    """
    header = read_header(directory)
    return RunKey(header.get("entity") or entity, header.get("project") or project, header["id"])


def scan(data: bytes, kinds: tuple[str, ...]) -> list[Record]:
    """Return the records of some kinds in `data` (whole lines), without parsing the others.

    Corrupt lines are skipped.
    """
    pattern = _KIND_PATTERNS.get(kinds)
    if pattern is None:
        names = b"|".join(re.escape(kind.encode()) for kind in kinds)
        pattern = re.compile(
            rb'\{"c":"[0-9a-f]{8}","t":-?[0-9]+,(?:"s":-?[0-9]+,)?"(?:' + names + rb')":.*\n'
        )  # not anchored to line starts: the newline before may be lost
        _KIND_PATTERNS[kinds] = pattern
    return [r for r in parse(b"".join(pattern.findall(data))).records if r.kind in kinds]


def scan_stream(path: Path, kinds: tuple[str, ...]) -> Iterator[Record]:
    """Yield the records of some kinds of a stream file; see `scan` and `read_stream`."""
    for lines in read_blocks(path, block=_LARGE_BLOCK):
        yield from scan(lines, kinds)


def last_time(path: Path) -> float:
    """Return the latest time of the records near the end of a stream file; −∞ if there are none."""
    return max((record.time for record in _last_records(path)), default=-math.inf)


def last_step(path: Path) -> int | None:
    """Return the step of the last whole row near the end of a stream file; None if there is none."""
    for record in reversed(_last_records(path)):
        if record.kind == "log" and record.step is not None:
            return int(record.step)
        if record.kind == "points":
            return int(record.payload.steps[-1])
    return None


def _last_records(path: Path) -> list[Record]:
    with open(open_file(path.parent, path.name), "rb") as file:
        size, block = os.fstat(file.fileno()).st_size, _LARGE_BLOCK
        while True:
            file.seek(max(0, size - block))
            records = parse(file.read()).records
            if records or block >= min(size, _NEAR_END):
                return records
            block *= 4  # a power cut may leave a long hole at the end
