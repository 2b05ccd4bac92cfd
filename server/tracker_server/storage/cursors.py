"""Encode and decode cursors, opaque texts that say where the next page starts."""

from __future__ import annotations

import base64
import binascii
from typing import Any

import orjson

from .run_state import Stream


def pack(value: list[Any]) -> str:
    """Return a cursor that holds `value`."""
    return base64.urlsafe_b64encode(orjson.dumps(value)).decode()


def unpack(cursor: str) -> list[Any]:
    """Undo `pack`. Raises ValueError if it is not a cursor."""
    try:
        value = orjson.loads(base64.urlsafe_b64decode(cursor.encode()))
    except (ValueError, binascii.Error):
        value = None
    if not isinstance(value, list):
        raise ValueError("this cursor is not from this server: omit it to start at the first page")
    return value


def encode(stream: Stream, row: int) -> str:
    """Return the cursor for a page that starts at a row of a stream."""
    return pack([stream.opened, stream.name, row])


def after(streams: list[Stream], cursor: str | None) -> list[tuple[Stream, int]]:
    """Return the rest of `streams` (in order) from the cursor on, each with the first row to read."""
    if cursor is None:
        return [(s, 0) for s in streams]
    match unpack(cursor):
        case [int() | float() as opened, str() as name, int() as row]:
            here = (opened, name)
            return [(s, row if s.name == name else 0) for s in streams if (s.opened, s.name) >= here]
    raise ValueError("this cursor is not from this list: omit it to start at the first page")
