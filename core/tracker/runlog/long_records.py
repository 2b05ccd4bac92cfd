"""Split configs and summaries that are too long for one line, and find the files that hold some of their values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from .records import DIGEST, MAX_LINE, jsonable

ROOM = MAX_LINE - 4096
"""Bytes of a payload that fit in a line with everything around them."""


def size(value: Any) -> int:
    """Return how many bytes a value takes as JSON."""
    return len(orjson.dumps(value))


def split(members: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the members (in JSON form) in payloads that each fit in a line. Members longer than a line are left out."""
    part: dict[str, Any] = {}
    taken = 0
    for name, value in members.items():
        more = size(name) + size(value) + 2
        if more > ROOM:
            continue
        if taken + more > ROOM:
            yield part
            part, taken = {}, 0
        part[name] = value
        taken += more
    if part:
        yield part


def records(kind: str, members: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield kind and payload of the records that repeat a whole config or summary: its files, then its members."""
    for value in files(members):
        if isinstance(value.get("name"), str):
            file = {name: value.get(name) for name in ("name", "digest", "size")}
            yield "file", {**file, "path": f"files/{value['digest']}"}
    for part in split(jsonable(members)):
        yield kind, part


def files(members: Any, depth: int = 20) -> Iterator[dict[str, Any]]:
    """Yield the values of `_type` `file` in members, down to `depth`."""
    for value in members.values():
        if not isinstance(value, dict):
            continue
        digest = value.get("digest")
        if value.get("_type") == "file" and isinstance(digest, str) and DIGEST.fullmatch(digest):
            yield value
        elif depth:
            yield from files(value, depth - 1)
