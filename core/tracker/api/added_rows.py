"""Rows that are added to a run through the API."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from tracker.errors import warn_once
from tracker.media.arrays import MISSING, is_array, scalar, to_plain_list
from tracker.names import random_id
from tracker.runlog.records import MAX_LINE, RESERVED, encode, jsonable
from tracker.runlog.writer import header

Append = Callable[[str, int, bytes], None]
"""Adds lines at the end of a stream, which has so many bytes by now."""


class AddedRows:
    """Writes rows to one history stream, opened with the first, that never decides the run's state (FORMAT.md)."""

    def __init__(self, about: dict[str, str], next_step: int, append: Append) -> None:
        """`about`: id, entity and project of the run."""
        self._about = about
        self._step = next_step
        self._append = append
        self._stream, self._size = "", 0

    def add(self, data: Mapping[str, Any], step: int | None) -> None:
        """Add a row; without `step` it has the one after the last. Raises TypeError, ValueError, and what the server
        or the disk does.
        """
        if not isinstance(data, Mapping):
            raise TypeError(f"log() takes a dict of names and values, not a {type(data).__name__}")
        number = self._step if step is None else int(step)
        now = time.time()
        row = _flat(data)
        if row.keys() & RESERVED:
            warn_once(f"log(): each row has {', '.join(sorted(RESERVED))} anyway; values under these names are refused")
            row = {name: value for name, value in row.items() if name not in RESERVED}
        line = encode("log", row, now, number)
        if len(line) >= MAX_LINE:
            raise ValueError("a row that is longer than 8 MiB cannot be added")
        if not self._size:
            self._stream = f"history-{random_id(10)}.jsonl"
            line = encode("run", header("history", **self._about, added=True), now) + line
        before, self._size = self._size, 0  # if this fails, whether the row is there is not known: it ends the stream
        self._append(self._stream, before, line)
        self._size, self._step = before + len(line), number + 1


def _flat(data: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    row: dict[str, Any] = {}
    for key, value in data.items():
        if isinstance(value, Mapping):
            row.update(_flat(value, f"{prefix}{key}/"))
        else:
            row[f"{prefix}{key}"] = plain(value, str(key))
    return row


def plain(value: Any, key: str) -> Any:
    """Return a value as JSON can write it. Raises TypeError for what is no number, text, or list or dict of them."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, (list, tuple)):
        return [plain(item, key) for item in value]
    if isinstance(value, Mapping):
        return {str(name): plain(item, f"{key}/{name}") for name, item in value.items()}
    number = scalar(value)
    if number is MISSING and is_array(value):
        return plain(to_plain_list(value), key)
    if number is MISSING:
        raise TypeError(f"{key!r}: numbers, text and lists of them can be added, not a {type(value).__name__}")
    return jsonable(number)
