"""Encode and parse the lines of the run log (format: FORMAT.md in this folder)."""

from __future__ import annotations

import math
import re
from typing import Any, NamedTuple
from zlib import crc32

import orjson

VERSION = 1
MAX_LINE = 8 * 1024 * 1024
"""The longest line in bytes, newline included, that writers write and readers accept."""

MAX_DEPTH = 100
"""How deep the objects and lists of a payload may nest; what is deeper, no JSON library need write again."""

MAX_STEP = 2**53
"""Steps travel as float64 in charts, so they stay within the integers that are exact there."""

STREAM_NAME = re.compile(r"(history|console|system|edits)(-[A-Za-z0-9_]{1,48})?\.jsonl")
RUN_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
PROJECT_NAME = re.compile(r"(?!\.)[\w .-]{1,128}", re.ASCII)

_START = re.compile(rb'\{"c":"[0-9a-f]{8}","t":')  # of a line; long enough that no payload looks like one by accident
_STEPS = range(-MAX_STEP, MAX_STEP + 1)
_BODY = 16  # the checksummed part of a line starts after {"c":"01234567",
_NON_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


class Record(NamedTuple):
    """One line: Unix time in seconds, step (rows only), kind, and the payload with non-finite numbers restored."""

    time: float
    step: int | None
    kind: str
    payload: Any


class Parsed(NamedTuple):
    """What `parse` found: the records in order, how many pieces were corrupt, how many bytes were whole lines."""

    records: list[Record]
    corrupt: int
    consumed: int


def encode(kind: str, payload: Any, time: float, step: int | None = None) -> bytes:
    """Return one line, newline included. `payload` must be what `orjson` can write; see `jsonable`."""
    body = orjson.dumps(payload)
    if step is None:
        return seal(b'"t":%.3f,"%b":%b}\n' % (time, kind.encode(), body))
    return seal(b'"t":%.3f,"s":%d,"%b":%b}\n' % (time, step, kind.encode(), body))


def seal(rest: bytes) -> bytes:
    """Put the checksum in front of `rest`, the line from its 17th byte to its newline."""
    return b'{"c":"%08x",%b' % (crc32(rest[:-1]), rest)


def parse(data: bytes) -> Parsed:
    """Parse the whole lines in `data`; a last line without a newline is left alone and not counted.

    Never raises on damaged input: corrupt lines are skipped and counted, and whole lines that were glued to a
    damaged one by a lost newline are recovered.
    """
    end = data.rfind(b"\n") + 1
    # Empty lines: after the last newline, and where a writer started anew after a short write.
    lines = [line for line in data[:end].split(b"\n") if line]
    whole = _parse_sound(lines)
    if whole is not None:
        return Parsed(whole, 0, end)
    records: list[Record] = []
    corrupt = 0
    for line in lines:
        record = _parse_line(line)
        if record is not None:
            records.append(record)
        else:
            corrupt += 1
            records.extend(_recover(line))
    return Parsed(records, corrupt, end)


def _parse_sound(lines: list[bytes]) -> list[Record] | None:
    """Parse lines in one go, a third faster than one by one; None if there is any trouble with any of them."""
    if max(map(len, lines), default=0) >= MAX_LINE:
        return None
    if [line[:_BODY] for line in lines] != [b'{"c":"%08x",' % crc32(line[_BODY:]) for line in lines]:
        return None
    together = b",".join(lines)
    # A line has two braces at least, its own and its payload's; if none has more, nothing is nested or special.
    flat = together.count(b"{") == 2 * len(lines) and b"[" not in together
    try:
        objects = orjson.loads(b"[" + together + b"]")
        if len(objects) != len(lines):
            return None
        records = []
        for line, members in zip(lines, objects, strict=True):
            kind, payload = members.popitem()
            step = members.get("s")
            if kind == "log" and (type(step) is not int or step not in _STEPS):
                return None
            if type(payload) is not dict:
                return None
            if not flat:
                if _too_deep(line, payload):
                    return None
                if b'{"_type":"' in line:
                    payload = restore_members(payload)
            # As Record(…) does, without the detour through its __new__.
            records.append(tuple.__new__(Record, (members["t"] + 0.0, step, kind, payload)))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return records


def _parse_line(line: bytes) -> Record | None:
    try:
        if line[:_BODY] != b'{"c":"%08x",' % crc32(line[_BODY:]) or len(line) >= MAX_LINE:
            return None
        members: dict[str, Any] = orjson.loads(line)
        kind, payload = members.popitem()
        step = members.get("s")
        if kind == "log" and (type(step) is not int or step not in _STEPS):
            return None
        if _too_deep(line, payload):
            return None
        if b'{"_type":"' in line:
            payload = restore_members(payload)
        return Record(members["t"] + 0.0, step, kind, payload)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _too_deep(line: bytes, payload: Any) -> bool:
    return line.count(b"{") + line.count(b"[") > MAX_DEPTH and _nests(payload, MAX_DEPTH)


def _nests(value: Any, beyond: int) -> bool:
    if isinstance(value, dict):
        return beyond == 0 or any(_nests(v, beyond - 1) for v in value.values())
    return isinstance(value, list) and (beyond == 0 or any(_nests(v, beyond - 1) for v in value))


def _recover(line: bytes) -> list[Record]:
    """Whole lines inside a damaged one: the newline between two lines was lost, or a torn line has no newline."""
    found = []
    starts = [m.start() for m in _START.finditer(line)]
    for start, end in zip(starts, [*starts, len(line) + 1][1:], strict=True):
        for stop in (end, end - 1):  # a flipped newline leaves one foreign byte between the two
            record = _parse_line(line[start:stop])
            if record is not None:
                found.append(record)
                break
    return found


def jsonable(value: Any) -> Any:
    """Return `value` (plain Python data) with what JSON cannot say in the format's `_type` form."""
    if isinstance(value, float):
        if math.isfinite(value):
            return value
        return {"_type": "float", "value": "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"}
    if isinstance(value, bool):
        return value
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        return {"_type": "int", "value": str(value)}
    if isinstance(value, dict):
        return {k: jsonable(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [jsonable(v) for v in value]
    return value


def restore(value: Any) -> Any:
    """Undo `jsonable`: turn `_type` objects of numbers back into numbers; other values are returned as they are."""
    if isinstance(value, dict):
        kind = value.get("_type")
        if kind == "float" and value.get("value") in _NON_FINITE:
            return _NON_FINITE[value["value"]]
        if kind == "int":
            try:
                return int(value["value"])
            except (KeyError, ValueError, TypeError):
                return value
        return {k: restore(v) for k, v in value.items()}
    if isinstance(value, list):
        return [restore(v) for v in value]
    return value


def restore_members(payload: dict[str, Any]) -> dict[str, Any]:
    """Undo `jsonable` for the members of a payload, which is an object whatever its members are called."""
    return {k: restore(v) for k, v in payload.items()}
