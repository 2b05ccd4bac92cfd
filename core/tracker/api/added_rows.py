"""Add rows to a run through the API."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from tracker.errors import warn_once
from tracker.media.arrays import MISSING, is_array, scalar, to_plain_list
from tracker.random_names import random_id
from tracker.runlog.records import MAX_LINE, RESERVED, encode, jsonable
from tracker.runlog.writer import header

Append = Callable[[str, int, bytes], None]
"""Appends lines to a stream. Arguments: its name, how many bytes it has, and the lines."""


class AddedRows:
    """Write rows to a history stream of their own, which never decides the run's state (FORMAT.md, `added`).

    The first row opens the stream.
    """

    def __init__(self, about: dict[str, str], next_step: int, append: Append) -> None:
        """`about`: id, entity and project of the run. `next_step`: the step of the first row. `append`: appends lines
        to a stream of the run.
        """
        self._about = about
        self._step = next_step
        self._append = append
        self._stream, self._size = "", 0

    def add(self, data: Mapping[str, Any], step: int | None) -> None:
        """Add a row; without `step` it gets the step after the last one.

        Raises TypeError for values that cannot be added, ValueError for a row longer than 8 MiB, and what `append`
        raises.
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
            raise ValueError("a row longer than 8 MiB cannot be added")
        if not self._size:
            self._stream = f"history-{random_id(10)}.jsonl"
            line = encode("run", header("history", **self._about, added=True), now) + line
        # If appending fails, the row may be there or not: the next row opens a new stream.
        before, self._size = self._size, 0
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
    """Return a value in a form that JSON can write.

    Raises TypeError unless it is a number, text, or a list or dict of these.
    """
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
