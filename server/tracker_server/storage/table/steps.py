"""Look up the value of a metric at a step: the last value of a key up to this step."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import sqlalchemy as sa

from tracker.runlog.records import decode_special
from tracker_server.storage.columnar import columns, scan
from tracker_server.storage.columnar.chunks import STEP
from tracker_server.storage.columnar.scan import END, Column
from tracker_server.storage.run_state import Stream, streams_of
from tracker_server.storage.schema import keys

from .column_names import MISSING, Name
from .fields import Field


class StepField(Field):
    """The looked-up values of a key at a step. A summary value of exactly this column's name takes precedence."""

    def __init__(self, name: Name) -> None:
        super().__init__(name)
        self._known: dict[int, tuple[int, Any]] = {}

    def stale(self, at: int, revision: int) -> bool:
        """Return whether the run has changed since its value was looked up, or it never was."""
        return self._known.get(at, (None,))[0] != revision

    def put(self, at: int, revision: int, value: Any) -> None:
        """Keep the value that was found for a run; `refresh` takes it into the column."""
        self._known[at] = revision, value

    def _read(self, places: list[int]) -> list[Any]:
        return [self.value(at) for at in places]

    def value(self, at: int) -> Any:
        """Return the value at a place, `MISSING` if there is none or it was not looked up."""
        own = super().value(at)
        return own if own is not MISSING else self._known.get(at, (0, MISSING))[1]


def at_steps(connection: sa.Connection, runs: Sequence[int], key: str, step: int) -> dict[int, Any]:
    """Return by run the value of the key in the row with the greatest step up to `step`, of several rows the last.

    Runs without such a row are omitted.
    """
    ids: dict[int, int] = {}
    for some in (runs[i : i + 500] for i in range(0, len(runs), 500)):
        query = sa.select(keys.c.run, keys.c.id).where(keys.c.run.in_(some), keys.c.kind == "history")
        ids.update((run, id_) for run, id_ in connection.execute(query.where(keys.c.name == key)))
    found = {}
    for run, id_ in ids.items():
        best: tuple[int, Any] | None = None
        for stream in streams_of(connection, run, "history"):
            one = _in_stream(connection, run, stream, id_, step)
            if one is not None and (best is None or one[0] >= best[0]):
                best = one
        if best is not None:
            found[run] = best[1]
    return found


def _in_stream(connection: sa.Connection, run: int, stream: Stream, key: int, step: int) -> tuple[int, Any] | None:
    parts = scan.extents(connection, run, stream.id, key)
    merged = parts[-1].row1 + 1 if parts else 0
    fitting = [part for part in parts if part.x0 <= step]
    if all(part.ordered for part in parts) and all(b.x0 >= a.x1 for a, b in pairwise(parts)):
        fitting = fitting[-1:]
    windows = [(part.row0, part.row1 + 1) for part in fitting]
    if merged < stream.rows:
        windows.append((merged, END))
    best: tuple[int, Any] | None = None
    for low, high in windows:
        read = scan.read(connection, run, stream.id, [key, STEP], low, high)
        if key in read and STEP in read:
            one = _last(read[key], read[STEP], step)
            if one is not None and (best is None or one[0] >= best[0]):
                best = one
    return best


def _last(column: Column, axis: Column, step: int) -> tuple[int, Any] | None:
    rows, values = column
    step_rows, steps = axis
    assert steps.numbers is not None
    at = steps.numbers[rows - step_rows[0]]  # every row of history has a step
    fitting = np.flatnonzero(at <= step)
    if not len(fitting):
        return None
    greatest = at[fitting].max()
    place = int(fitting[at[fitting] == greatest][-1])
    return int(greatest), decode_special(columns.plain(columns.select(values, np.array([place])))[0])
