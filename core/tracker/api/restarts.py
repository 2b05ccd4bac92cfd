"""Choose rows of TensorBoard event files: a restarted program may have written some steps again."""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any, Literal, get_args

from tracker.wire import EventFile

Restarts = Literal["all", "latest", "tensorboard", "tensorboard-rust"]
"""`all`: every row as it was written.

`latest`: for each key and step the value that was written last: by its time, then by the name of its file, then by its
position there. One row per step, in the order of steps; its time is that of the last value written for the step. If a
file has a key at step 0 only, at several times, its writer gave no steps, and all its values are kept.

`tensorboard`: the values that TensorBoard 2.21 shows when its Python code reads the files, purging orphaned data as it
does by default. It reads files in the order of their names. From version 2 of the format on, a session start, unless
it is the run's first, drops all values so far that have its step or a later one. In older files and those without a
version, an event with a lower step than the event before it drops the values of its tags that have its step or a later
one.

`tensorboard-rust`: the values that TensorBoard shows when its Rust data server reads the files, also in the order of
their names. Each value drops those of its tag that have its step or a later one.

In these two views the rows are in the order of files, without the dropped values. They have all of a long series, of
which TensorBoard shows a random sample.
"""

Row = dict[str, Any]

AXES = frozenset({"_step", "_timestamp", "_runtime"})
"""The members of every row, besides its keys."""

_File = tuple[EventFile, list[Row]]


def check_view(view: Restarts | None) -> None:
    """Raise ValueError unless `view` is one of `Restarts`, or None for the default."""
    if view is not None and view not in get_args(Restarts):
        raise ValueError(f"restarts={view!r} must be one of {', '.join(get_args(Restarts))}")


def show(batches: Iterable[tuple[str, Iterable[Row]]], files: Mapping[str, EventFile], view: Restarts) -> Iterator[Row]:
    """Yield the rows of ordinary streams in order, then those of event files as a view other than `all` shows them.

    Args:
        batches: Names of streams with some of their consecutive rows, in the order of reading. For `tensorboard` the
            rows must have all their keys.
        files: By stream, its event file; ordinary streams are not in it.
        view: Which rows of event files to yield.
    """
    shown: _Latest | _TensorBoard = _Latest() if view == "latest" else _TensorBoard(_REPLAYS[view])
    for stream, rows in batches:
        if stream in files:
            shown.add(stream, files[stream], rows)
        else:
            yield from rows
    yield from shown.rows()


def only(rows: Iterable[Row], keys: Collection[str]) -> Iterator[Row]:
    """Yield the rows that have one of the keys, reduced to these keys."""
    wanted = AXES.union(keys)
    for row in rows:
        reduced = {key: value for key, value in row.items() if key in wanted}
        if len(reduced) > len(AXES):
            yield reduced


class _Latest:
    """The value written last for each step and key; all values of keys that have no steps."""

    def __init__(self) -> None:
        self._steps: dict[int, tuple[float, float]] = {}
        """The time and the run time of the last value of each step."""
        self._values: dict[int, dict[str, tuple[float, str, Any]]] = defaultdict(dict)
        self._without: dict[tuple[str, str], list[tuple[int, Row]]] = {}
        """By stream and key, the numbered rows of keys that had no step but 0 so far."""
        self._with: set[tuple[str, str]] = set()
        self._names: dict[str, str] = {}
        self._rows = 0

    def add(self, stream: str, file: EventFile, rows: Iterable[Row]) -> None:
        name = self._names[stream] = file["name"]
        for row in rows:
            self._rows += 1
            for key in row.keys() - AXES:
                if (stream, key) not in self._with:
                    if row["_step"] == 0:
                        self._without.setdefault((stream, key), []).append((self._rows, row))
                        continue
                    self._with.add((stream, key))
                    for _, former in self._without.pop((stream, key), ()):
                        self._take(former, key, name)
                self._take(row, key, name)

    def _take(self, row: Row, key: str, name: str) -> None:
        step, time = row["_step"], row["_timestamp"]
        self._steps[step] = max(self._steps.get(step, (time, row["_runtime"])), (time, row["_runtime"]))
        held = self._values[step].get(key)
        if held is None or (time, name) >= held[:2]:
            self._values[step][key] = time, name, row[key]

    def rows(self) -> Iterator[Row]:
        without = list(self._without_steps())
        for step in sorted(self._steps):
            if step >= 0:
                yield from without
                without = []
            time, runtime = self._steps[step]
            values = {key: value for key, (_, _, value) in self._values[step].items()}
            yield {"_step": step, "_timestamp": time, "_runtime": runtime, **values}
        yield from without

    def _without_steps(self) -> Iterator[Row]:
        """Yield the rows of keys that have no steps, reduced to these keys."""
        reduced: dict[int, Row] = {}
        for (stream, key), held in self._without.items():
            if len({row["_timestamp"] for _, row in held}) < 2:
                for _, row in held:
                    self._take(row, key, self._names[stream])
                continue
            for number, row in held:
                if number not in reduced:
                    reduced[number] = {axis: row[axis] for axis in ("_step", "_timestamp", "_runtime")}
                reduced[number][key] = row[key]
        for number in sorted(reduced):
            yield reduced[number]


class _Tag:
    """The values of one tag that are not dropped: step, number and row of each, in the order of writing."""

    def __init__(self) -> None:
        self.values: list[tuple[int, int, Row]] = []
        self._ascending = True

    def add(self, step: int, number: int, row: Row) -> None:
        self._ascending = self._ascending and (not self.values or self.values[-1][0] <= step)
        self.values.append((step, number, row))

    def drop(self, step: int) -> None:
        """Drop the values from `step` on."""
        while self._ascending and self.values and self.values[-1][0] >= step:
            self.values.pop()
        if not self._ascending:
            self.values = [value for value in self.values if value[0] < step]


class _TensorBoard:
    """The values of each tag that TensorBoard shows. It takes files in different directories for different runs."""

    def __init__(self, replay: Callable[[list[_File]], Mapping[str, _Tag]]) -> None:
        self._replay = replay
        self._files: dict[str, _File] = {}

    def add(self, stream: str, file: EventFile, rows: Iterable[Row]) -> None:
        self._files.setdefault(stream, (file, []))[1].extend(rows)

    def rows(self) -> Iterator[Row]:
        files = sorted(self._files.values(), key=lambda one: posixpath.split(one[0]["name"]))
        for _, run in groupby(files, lambda one: posixpath.dirname(one[0]["name"])):
            yield from _rows_of(self._replay(list(run)))


def _rows_of(tags: Mapping[str, _Tag]) -> Iterator[Row]:
    reduced: dict[int, Row] = {}
    for key, tag in tags.items():
        for _, number, row in tag.values:
            if number not in reduced:
                only_key = len(row) == len(AXES) + 1
                reduced[number] = row if only_key else {axis: row[axis] for axis in ("_step", "_timestamp", "_runtime")}
            reduced[number][key] = row[key]
    for number in sorted(reduced):
        yield reduced[number]


def _python(files: list[_File]) -> Mapping[str, _Tag]:
    # tensorboard/backend/event_processing/plugin_event_accumulator.py, `_MaybePurgeOrphanedData`
    tags: dict[str, _Tag] = defaultdict(_Tag)
    version, session_seen, number = -1.0, False, 0
    step, before, stale = -1, None, False
    for file, rows in files:
        version = version if file["version"] is None else file["version"]
        at = 0
        starts: list[tuple[int, int | None]] = [(row, start) for row, start in file["starts"]]
        for until, start in [*starts, (len(rows), None)]:
            for row in rows[at:until]:
                event = row["_timestamp"], row["_step"]
                if event != before:  # else one more value of the same event
                    before, stale, step = event, version < 2 and row["_step"] < step, row["_step"]
                for key in row:
                    if key not in AXES:
                        if stale:
                            tags[key].drop(step)
                        tags[key].add(step, number, row)
                number += 1
            at = max(at, until)
            if start is not None and version >= 2:
                for tag in tags.values() if session_seen else ():
                    tag.drop(start)
                session_seen = True
    return tags


def _rust(files: list[_File]) -> Mapping[str, _Tag]:
    # tensorboard/data/server/reservoir.rs, `StageReservoir::offer`
    tags: dict[str, _Tag] = defaultdict(_Tag)
    for number, row in enumerate(row for _, rows in files for row in rows):
        for key in row:
            if key not in AXES:
                tags[key].drop(row["_step"])
                tags[key].add(row["_step"], number, row)
    return tags


_REPLAYS = {"tensorboard": _python, "tensorboard-rust": _rust}
