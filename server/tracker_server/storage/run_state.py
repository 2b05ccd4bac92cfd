"""Load what the server needs for a run's next upload: ends of its streams, numbers of its keys, its state."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from tracker.names import RunKey
from tracker.runlog.fold import RunState

from . import state_blocks
from .schema import keys, projects, runs, segments, streams

_MAX_RUNS = 256
_MAX_SIZE = 400_000


@dataclass
class Stream:
    """One stream of a run.

    The `pending…` members describe its rows in segments. `pending_rows` may be less than their number, since rows with
    different keys fill chunks more slowly.
    """

    id: int
    name: str
    kind: str
    opened: float
    offset: int
    rows: int
    pending: int = 0
    pending_rows: int = 0
    pending_size: int = 0


@dataclass
class Run:
    """One run, as the writer needs it."""

    id: int
    project: int
    version: int
    fold: RunState
    parts: state_blocks.StateBlocks
    streams: dict[str, Stream] = field(default_factory=dict)
    keys: dict[str, dict[str, int]] = field(default_factory=lambda: {"history": {}, "system": {}})
    state: str | None = None
    heartbeat: float | None = None
    stop: float | None = None
    trashed: bool = False
    created: float = 0.0

    @property
    def key_count(self) -> int:
        """How many keys of all kinds the run has."""
        return sum(map(len, self.keys.values()))

    @property
    def size(self) -> int:
        """How many keys and other entries of the run are in memory."""
        return self.key_count + self.parts.entries


MANY = 500
"""Most runs that one statement selects."""

_OF_PROJECT = (
    sa.select(*(column for column in runs.c if column.name != "hot"))
    .join(projects, projects.c.id == runs.c.project)
    .where(projects.c.entity == sa.bindparam("entity_"), projects.c.name == sa.bindparam("project_"))
)
_FIND = _OF_PROJECT.where(runs.c.name == sa.bindparam("name_"))
_FIND_ALL = _OF_PROJECT.where(runs.c.name.in_(sa.bindparam("names_", expanding=True)))
_IN_ORDER = sa.select(streams).order_by(streams.c.opened, streams.c.name)
_STREAMS = _IN_ORDER.where(streams.c.run == sa.bindparam("run_"))
_OF_KIND = streams.c.kind == sa.bindparam("kind_")
_STREAMS_OF_KIND = _STREAMS.where(_OF_KIND)
_STREAMS_OF_ALL = _IN_ORDER.where(streams.c.run.in_(sa.bindparam("runs_", expanding=True)), _OF_KIND)


def find(connection: sa.Connection, key: RunKey) -> sa.Row[Any] | None:
    """Return the row of a run without its state, None if there is no such run."""
    values = {"entity_": key.entity, "project_": key.project, "name_": key.id}
    return connection.execute(_FIND, values).one_or_none()


def find_all(connection: sa.Connection, wanted: Iterable[RunKey]) -> dict[RunKey, sa.Row[Any]]:
    """Return the rows of those runs that exist."""
    names: dict[tuple[str, str], list[str]] = {}
    for key in wanted:
        names.setdefault((key.entity, key.project), []).append(key.id)
    found = {}
    for (entity, project), ids in names.items():
        for some in (ids[i : i + MANY] for i in range(0, len(ids), MANY)):
            values = {"entity_": entity, "project_": project, "names_": some}
            for row in connection.execute(_FIND_ALL, values):
                found[RunKey(entity, project, row.name)] = row
    return found


def streams_of(connection: sa.Connection, run: int, kind: str | None = None) -> list[Stream]:
    """Return the streams of a run, or those of one kind, in reading order."""
    query = _STREAMS if kind is None else _STREAMS_OF_KIND
    return [_stream(row) for row in connection.execute(query, {"run_": run, "kind_": kind})]


def streams_of_all(connection: sa.Connection, wanted: Sequence[int], kind: str) -> dict[int, list[Stream]]:
    """Return the streams of one kind, by run, in reading order."""
    found: dict[int, list[Stream]] = {run: [] for run in wanted}
    for some in (wanted[i : i + MANY] for i in range(0, len(wanted), MANY)):
        for row in connection.execute(_STREAMS_OF_ALL, {"runs_": some, "kind_": kind}):
            found[row.run].append(_stream(row))
    return found


def _stream(row: sa.Row[Any]) -> Stream:
    return Stream(row.id, row.name, row.kind, row.opened, row.offset, row.rows)


def load(connection: sa.Connection, row: sa.Row[Any]) -> Run:
    """Load the run in `row`."""
    run = Run(row.id, row.project, row.version, *state_blocks.load_state(connection, row.id))
    run.state, run.heartbeat, run.stop, run.created = row.state, row.heartbeat, row.stop, row.created
    for stream in streams_of(connection, row.id):
        run.streams[stream.name] = stream
    by_id = {s.id: s for s in run.streams.values()}
    pending = sa.select(segments.c.stream, segments.c.n, segments.c.size).where(segments.c.run == row.id)
    for stream_id, count, size in connection.execute(pending):
        stream = by_id[stream_id]
        stream.pending += 1
        stream.pending_rows += count
        stream.pending_size += size
    for id_, kind, name in connection.execute(
        sa.select(keys.c.id, keys.c.kind, keys.c.name).where(keys.c.run == row.id)
    ):
        if kind in run.keys:
            run.keys[kind][name] = id_
    return run


class Cache:
    """Keeps the runs with the latest uploads in memory, limited in runs and keys. Not thread-safe."""

    def __init__(self) -> None:
        self._runs: OrderedDict[RunKey, Run] = OrderedDict()
        self._sizes: dict[RunKey, int] = {}

    def get(self, key: RunKey) -> Run | None:
        """Return the run as it was after its last upload in this process, or None."""
        return self._runs.get(key)

    def put(self, key: RunKey, run: Run) -> None:
        """Keep the run, and forget others if there are too many."""
        self._runs[key] = run
        self._runs.move_to_end(key)
        size = run.size
        if self._sizes.get(key) != size:
            self._sizes[key] = size
            while len(self._runs) > 1 and (len(self._runs) > _MAX_RUNS or sum(self._sizes.values()) > _MAX_SIZE):
                self.drop(next(iter(self._runs)))

    def drop(self, key: RunKey) -> None:
        """Forget the run."""
        self._runs.pop(key, None)
        self._sizes.pop(key, None)

    def clear(self) -> None:
        """Forget all runs."""
        self._runs.clear()
        self._sizes.clear()
