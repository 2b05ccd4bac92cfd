"""Encode and parse the lines of the run log (format: FORMAT.md in this folder)."""

from __future__ import annotations

import math
import re
from array import array
from collections.abc import Sequence
from itertools import islice
from operator import itemgetter
from struct import pack
from typing import Any, NamedTuple
from zlib import crc32

import orjson

VERSION = 1
MAX_LINE = 8 * 1024 * 1024
"""The longest line in bytes, newline included, that writers write and readers accept."""

MAX_DEPTH = 100
"""The deepest nesting of objects and lists in a payload. JSON libraries may be unable to write deeper ones."""

MAX_STEP = 2**53
"""The greatest step that `log` accepts: charts have steps as float64, exact up to here. The format has int64."""

MAX_KEYS = 100_000
"""The most keys of a run. Values of further keys are refused and counted, here and on the server."""

RESERVED = frozenset({"_step", "_timestamp", "_runtime"})
"""Members that every row has. Values logged under these names are refused."""

STREAM_NAME = re.compile(r"(history|console|system|edits)(-[A-Za-z0-9_]{1,48})?\.jsonl")
RUN_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
COLOR = re.compile(r"#[0-9a-fA-F]{6}")
DIGEST = re.compile(r"[0-9a-f]{64}")
"""A sha256: the name of content in a run directory and on the server."""

LATEST = 253_402_300_800.0
"""The year 10000 as Unix time. No line has a time that is further from 1970."""

_MICROS = range(-int(LATEST) * 1_000_000, int(LATEST) * 1_000_000 + 1)
_START = re.compile(rb'\{"c":"[0-9a-f]{8}","t":')  # of a line; too long to occur in a payload by accident
_STEPS = range(-(2**63), 2**63)
_BODY = 16  # the checksummed part of a line starts after {"c":"01234567",
_INVALID = (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError)  # raised for unusual JSON
_MAX_RECOVERED = 1000  # lines to search for in a damaged one: damage joins two lines, rarely more
_NON_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


class Record(NamedTuple):
    """One line of a stream.

    `time` is Unix time in seconds, the double nearest to the microseconds of the line. Only `log` lines have a `step`.
    `payload` is `Points` for `points` lines, else what JSON holds, with special values decoded.
    """

    time: float
    step: int | None
    kind: str
    payload: Any


class Points(NamedTuple):
    """One or more rows of one value each, by column: row i is {keys[which[i]]: values[i]}."""

    keys: list[str]
    which: array[int]
    times: array[float]
    steps: array[int]
    values: array[float] | list[float]
    """Ints and floats as they were logged; an array if all are floats."""


class Rows(NamedTuple):
    """One or more `log` lines, by column."""

    times: list[int]
    """Unix time in microseconds."""
    steps: list[int]
    payloads: list[dict[str, Any]]
    """As in `Record`."""


class Parsed(NamedTuple):
    """The result of `parse`: the records in order, the number of corrupt pieces, and the bytes of whole lines."""

    records: list[Record]
    corrupt: int
    consumed: int


def encode(kind: str, payload: Any, time: float, step: int | None = None) -> bytes:
    """Return one line, newline included.

    Args:
        kind: The kind of the record.
        payload: Data that `orjson` can write; see `jsonable`.
        time: Unix time in seconds; the line has it in microseconds. A time out of range, from a wrong clock, becomes
            the nearest one in range.
        step: The step, for `log` lines.

    Raises ValueError if `time` is NaN.
    """
    body = orjson.dumps(payload)
    if step is None:
        return with_checksum(b'"t":%d,"%b":%b}\n' % (micros(time), kind.encode(), body))
    return with_checksum(b'"t":%d,"s":%d,"%b":%b}\n' % (micros(time), step, kind.encode(), body))


def micros(time: float) -> int:
    """Return Unix time in whole microseconds, as in the `t` of a line; see `encode`."""
    time = min(max(time, -LATEST), LATEST)
    whole = int(time)
    # One multiplication of `time` would be off by one for later times.
    return whole * 1_000_000 + round((time - whole) * 1e6)


def encode_points(keys: Sequence[str], which: Any, times: Any, steps: Any, values: Any) -> bytes:
    """Return one `points` line, newline included: rows with one key each.

    All arguments but `keys` are sequences of Python numbers or one-dimensional numpy arrays, of one length.

    Args:
        keys: The names of the keys.
        which: The key of each row, as an index into `keys`.
        times: Finite times in seconds; the line keeps all their bits.
        steps: int64.
        values: Floats, or integers from −2^63 to 2^64−1. Narrower float types are written as the same double.

    Raises ValueError for rows that no reader would accept.
    """
    count = len(which)
    if not (0 < count == len(times) == len(steps) == len(values)):
        raise ValueError("each point needs a key, a time, a step and a value, and there must be at least one point")
    if not 0 <= _extreme(min, which) <= _extreme(max, which) < len(keys):
        raise ValueError(f"the key of a point must be an index into `keys`, from 0 to {len(keys) - 1}")
    columns = {"keys": list(keys), "k": which, "t": _doubles(times), "s": steps, "v": _doubles(values)}
    body = orjson.dumps(columns, _listed, orjson.OPT_SERIALIZE_NUMPY)
    if b"null" in body:  # orjson writes this for numbers that are not finite
        if not all(map(math.isfinite, times)):
            raise ValueError("the times of points must be finite")
        columns["v"] = jsonable(_listed(values))
        body = orjson.dumps(columns, _listed, orjson.OPT_SERIALIZE_NUMPY)
    line = with_checksum(b'"t":%d,"points":%b}\n' % (micros(float(times[0])), body))
    if len(line) > MAX_LINE:
        raise ValueError(f"{count:,} points make a line of {len(line):,} bytes; a line has at most {MAX_LINE:,}")
    return line


def _extreme(which: Any, numbers: Any) -> Any:
    own = getattr(numbers, which.__name__, None)  # numpy's functions are far faster on its arrays
    return own() if own is not None else which(numbers)


def _doubles(column: Any) -> Any:
    # orjson writes a float32 as the shortest text that gives back this float32, which is another number as a double.
    kind = getattr(column, "dtype", None)
    return column.astype("float64") if kind is not None and kind.kind == "f" and kind.itemsize != 8 else column


def _listed(column: Any) -> Any:
    return column.tolist() if hasattr(column, "tolist") else list(column)


def with_checksum(rest: bytes) -> bytes:
    """Return a line with its checksum. `rest` is the line from its 17th byte to its newline."""
    return b'{"c":"%08x",%b' % (crc32(rest[:-1]), rest)


def is_piece(data: bytes) -> bool:
    """Tell whether this is a piece of data that is too long for a line: `MAX_LINE` bytes without a newline."""
    return len(data) == MAX_LINE and b"\n" not in data


def parse(data: bytes) -> Parsed:
    """Parse the whole lines in `data`. A last line without a newline is neither parsed nor counted.

    Never raises on damaged input: corrupt lines are skipped and counted, and whole lines that a lost newline joined to
    a damaged one are recovered.
    """
    end = data.rfind(b"\n") + 1
    if is_piece(data):
        return Parsed([], 1, len(data))
    # Lines are empty after the last newline, and where a writer began again after a short write.
    lines = [line for line in data[:end].split(b"\n") if line]
    whole = _parse_valid(lines)
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


def parse_rows(data: bytes) -> Rows | None:
    """Parse whole lines by column if all are valid `log` lines; return None otherwise.

    It takes two thirds of the time of `parse`.
    """
    lines = data.split(b"\n")
    if lines.pop() or data.count(b',"log":{') < len(lines):  # the count is cheap, and finds most other data
        return None
    try:
        valid = _load_valid(lines)
        if valid is None or set(map(tuple, valid[0])) != {("c", "t", "s", "log")}:
            return None
        objects, flat = valid
        times, steps, payloads = (list(map(itemgetter(member), objects)) for member in ("t", "s", "log"))
        if {*map(type, times), *map(type, steps)} != {int} or set(map(type, payloads)) != {dict}:
            return None
        if not all(time in _MICROS for time in (min(times), max(times))):
            return None
        if not all(step in _STEPS for step in (min(steps), max(steps))):
            return None
        if not flat:
            for at, line in enumerate(lines):
                if too_deep(line, payloads[at]):
                    return None
                if b'{"_type":"' in line:
                    payloads[at] = decode_special_members(payloads[at])
    except _INVALID:
        return None
    return Rows(times, steps, payloads)


def _load_valid(lines: list[bytes]) -> tuple[list[dict[str, Any]], bool] | None:
    """Return the objects of lines, and whether no payload nests anything; None unless all checksums are right.

    Raises one of `_INVALID` for lines that are not JSON.
    """
    together = b",".join(lines)
    if len(together) >= MAX_LINE and max(map(len, lines)) >= MAX_LINE:
        return None
    # All checksums at once: making and comparing the text of each takes a third longer.
    sums = pack(f">{len(lines)}I", *[crc32(line[_BODY:]) for line in lines]).hex(",", 4)
    starts = '{"c":"' + sums.replace(",", '",{"c":"') + '",' if lines else ""
    if b"".join([line[:_BODY] for line in lines]) != starts.encode():
        return None
    # A line has at least two braces, its own and its payload's. If none has more, nothing is nested or special, and no
    # JSON value can reach from one line into the next.
    flat = together.count(b"{") == 2 * len(lines) and b"[" not in together
    objects = orjson.loads(b"[" + together + b"]") if flat else [orjson.loads(line) for line in lines]
    return (objects, flat) if len(objects) == len(lines) else None


def _parse_valid(lines: list[bytes]) -> list[Record] | None:
    """Parse lines together, a third faster than one by one; return None unless all of them are valid."""
    try:
        valid = _load_valid(lines)
        if valid is None:
            return None
        objects, flat = valid
        records = []
        for line, members in zip(lines, objects, strict=True):
            kind, payload = members.popitem()
            step = members.get("s")
            if type(payload) is not dict:
                return None
            if kind == "log":
                if type(step) is not int or step not in _STEPS:
                    return None
            elif kind == "points":
                points = _points(payload, line)
                records.append(Record(_seconds(members["t"]), None, kind, points))
                continue
            if not flat:
                if too_deep(line, payload):
                    return None
                if b'{"_type":"' in line:
                    payload = decode_special_members(payload)
            micros = members["t"]
            if type(micros) is not int or micros not in _MICROS:
                return None
            # What Record(…) does, without the cost of its __new__.
            records.append(tuple.__new__(Record, (micros / 1e6, step, kind, payload)))
    except _INVALID:
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
        if kind == "points":
            return Record(_seconds(members["t"]), None, kind, _points(payload, line))
        if too_deep(line, payload):
            return None
        if b'{"_type":"' in line:
            payload = decode_special_members(payload)
        return Record(_seconds(members["t"]), step, kind, payload)
    except _INVALID:
        return None


def _seconds(micros: Any) -> float:
    if type(micros) is not int or micros not in _MICROS:
        raise ValueError("t must be whole microseconds, at most 8,030 years from 1970")
    return micros / 1e6


def _points(payload: Any, line: bytes) -> Points:
    """Check the payload of a `points` line. Raises one of `_INVALID` if a reader must not accept it."""
    keys, values = payload["keys"], payload["v"]
    if type(keys) is not list or set(map(type, keys)) != {str}:
        raise ValueError("keys must be text")
    # Arrays accept only numbers in their range, and bools. Looking for letters of `true` and `false` after the keys
    # costs a fiftieth of checking the type of each number.
    which, times, steps = array("I", payload["k"]), array("d", payload["t"]), array("q", payload["s"])
    behind = max(line.find(b'],"k":['), 0)
    worded = line.find(b"u", behind) > 0 or line.find(b"l", behind) > 0
    if worded and bool in map(type, [*payload["k"], *payload["t"], *payload["s"]]):
        raise ValueError("a bool is not a number")
    types = set(map(type, values))
    if dict in types:
        values = [decode_special(value) if type(value) is dict else value for value in values]
        types = set(map(type, values))
    if not types <= {float, int}:
        raise ValueError("values must be numbers")
    if not (len(which) == len(times) == len(steps) == len(values)) or max(which) >= len(keys):
        raise ValueError("each point needs a key, a time, a step and a value")
    return Points(keys, which, times, steps, array("d", values) if types == {float} else values)


def too_deep(line: bytes, payload: Any) -> bool:
    """Tell whether the payload of a line nests deeper than `MAX_DEPTH`."""
    return line.count(b"{") + line.count(b"[") > MAX_DEPTH and _nests(payload, MAX_DEPTH)


def _nests(value: Any, beyond: int) -> bool:
    if isinstance(value, dict):
        return beyond == 0 or any(_nests(v, beyond - 1) for v in value.values())
    return isinstance(value, list) and (beyond == 0 or any(_nests(v, beyond - 1) for v in value))


def _recover(line: bytes) -> list[Record]:
    """Return the records of whole lines inside a damaged one, after a newline was lost or a line was torn."""
    found = []
    starts = [m.start() for m in islice(_START.finditer(line), _MAX_RECOVERED)]
    for start, end in zip(starts, [*starts, len(line) + 1][1:], strict=True):
        for stop in (end, end - 1):  # a damaged newline leaves one foreign byte between the two
            record = _parse_line(line[start:stop])
            if record is not None:
                found.append(record)
                break
    return found


def jsonable(value: Any) -> Any:
    """Return plain Python data in a form that JSON can write: special values, such as NaN, as `_type` objects."""
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


def decode_special(value: Any) -> Any:
    """Turn the `_type` objects of special numbers back into numbers, the reverse of `jsonable`. Other values stay."""
    if isinstance(value, dict):
        kind, text = value.get("_type"), value.get("value")
        if isinstance(text, str):  # another writer may have put anything there
            if kind == "float" and text in _NON_FINITE:
                return _NON_FINITE[text]
            if kind == "int":
                try:
                    return int(text)
                except ValueError:
                    return value
        return {k: decode_special(v) for k, v in value.items()}
    if isinstance(value, list):
        return [decode_special(v) for v in value]
    return value


def decode_special_members(payload: dict[str, Any]) -> dict[str, Any]:
    """Decode the special values in the members of a payload, which is an object whatever names its members have."""
    return {k: decode_special(v) for k, v in payload.items()}
