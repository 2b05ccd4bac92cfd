"""Copy the rows of a parent run for a run that `fork_from` begins (FORMAT.md, `added`)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zlib import crc32

from .long_records import records
from .reader import read_lines
from .records import Record, encode, encode_points, jsonable, parse
from .safe_open import reading

_ROW = re.compile(rb'\{"c":"([0-9a-f]{8})",("t":-?[0-9]{1,18},"s":(-?[0-9]{1,19}),"log":.*)')
_BLOCK = 1 << 20


def beginning(header: dict[str, Any], started: float, config: dict[str, Any], metrics: list[dict[str, Any]]) -> bytes:
    """Return the lines before the rows. Their time is the start of the parent, so this stream is read first."""
    head = [("run", header), *records("config", config), *(("metric", metric) for metric in metrics)]
    return b"".join(encode(kind, jsonable(payload), started) for kind, payload in head)


def rows_until(path: Path, step: int) -> Iterator[bytes]:
    """Yield the rows of a stream up to a step as lines; undamaged lines are not changed."""
    with reading(path) as file:
        offset = 0
        while data := read_lines(file.fileno(), offset, _BLOCK):
            offset += len(data)
            for line in data.split(b"\n"):
                row = _ROW.fullmatch(line)
                if row is None or int(row[1], 16) != crc32(row[2]):
                    for record in parse(line + b"\n").records:
                        yield from _encoded(record, step)
                elif int(row[3]) <= step:
                    yield line + b"\n"


def _encoded(record: Record, step: int) -> Iterator[bytes]:
    if record.kind == "log" and record.step is not None and record.step <= step:
        yield encode("log", jsonable(record.payload), record.time, record.step)
    elif record.kind == "points":
        points = record.payload
        at = [i for i, s in enumerate(points.steps) if s <= step]
        if at:
            columns = (points.which, points.times, points.steps, points.values)
            yield encode_points(points.keys, *([column[i] for i in at] for column in columns))
