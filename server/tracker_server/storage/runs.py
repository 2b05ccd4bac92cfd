"""The runs table: what each run is, kept in memory, filtered, sorted and paged."""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import orjson
import sqlalchemy as sa

from tracker.runlog.fold import Fold
from tracker.runlog.records import jsonable
from tracker.wire import RunInfo

from . import codec, cursors, filters
from .contact import judged
from .interface import Page
from .schema import projects, runs

MAX_LIMIT = 1000
MAX_CACHED = 64 * 1024 * 1024
"""Bytes of JSON of the runs in memory (they take several times as much); the projects used longest ago go first."""

_MAX_ORDERS = 10


def info(entity: str, project: str, row: Any, fold: Fold) -> RunInfo:
    """Return what a run is."""
    meta, header = fold.meta, fold.header
    tags = meta.get("tags")
    state = fold.state
    return RunInfo(
        id=row.name,
        entity=entity,
        project=project,
        name=_text(meta.get("name")) or row.name,
        state=state,
        group=_text(meta.get("group")),
        job_type=_text(meta.get("job_type")),
        tags=[str(tag) for tag in tags] if isinstance(tags, list) else [],
        notes=_text(meta.get("notes")),
        config=fold.config,
        summary=fold.summary,
        metrics=fold.metrics,
        created=row.created,
        updated=fold.updated,
        seen=row.seen,
        host=_text(header.get("host")),
        program=_text(header.get("program")),
        rows=sum(s["rows"] for name, s in fold.streams.items() if name.startswith("history")),
        corrupt=fold.corrupt,
        lost=fold.lost,
        suspect=any("suspect" in s for s in fold.streams.values()),
        event_files=fold.event_files,
        error=_error(fold, state),
        environment=fold.environment,
        last_step=fold.last_step,
        forked_from=_text(header.get("forked_from")),
        allow_stop=fold.allow_stop,
        stop_requested=fold.stop_requested,
    )


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _error(fold: Fold, state: str) -> str | None:
    """What the stream that decided the state said; of several, the one that closed last."""
    said = [
        (s.get("closed", 0.0), str(s["error"]))
        for name, s in fold.streams.items()
        if name.startswith("history") and s.get("state") == state and s.get("error") is not None
    ]
    return max(said)[1] if said and state != "running" else None


class _Project(NamedTuple):
    id: int
    deletions: int


class _Cached:
    def __init__(self, deletions: int) -> None:
        self.deletions = deletions
        self.version = 0
        self.runs: dict[int, RunInfo] = {}
        self.heartbeats: dict[int, float | None] = {}
        self.sizes: dict[int, int] = {}

    @property
    def size(self) -> int:
        return sum(self.sizes.values())


class Table:
    """All runs of the projects looked at last. Thread-safe.

    Each upload gives its run a version beyond all others of the project, so one indexed query finds what is new since
    the last look. The infos are shared: nobody may change them.
    """

    def __init__(self, since: float) -> None:
        """`since`: from when on this server could have heard of runs."""
        self._since = since
        self._lock = threading.Lock()
        self._projects: OrderedDict[int, _Cached] = OrderedDict()

    def current(self, connection: sa.Connection, entity: str, project: str) -> dict[int, RunInfo]:
        """Return the runs of a project by their number, as they are in this transaction or later."""
        where = (projects.c.entity == entity) & (projects.c.name == project)
        found = connection.execute(sa.select(projects.c.id, projects.c.deletions).where(where)).one_or_none()
        if found is None:
            return {}
        with self._lock:
            cached = self._projects.get(found.id)
            if cached is None or cached.deletions < found.deletions:
                cached = self._projects[found.id] = _Cached(found.deletions)
            self._projects.move_to_end(found.id)
            self._refresh(connection, entity, project, found.id, cached)
            now = time.time()
            result = {
                number: judged(run, cached.heartbeats[number], self._since, now) for number, run in cached.runs.items()
            }
            self._forget()
        return result

    def _refresh(self, connection: sa.Connection, entity: str, project: str, project_id: int, cached: _Cached) -> None:
        columns = [runs.c[name] for name in ("id", "name", "version", "created", "seen", "fold")]
        query = sa.select(*columns).where(runs.c.project == project_id, runs.c.version > cached.version)
        for row in connection.execute(query.order_by(runs.c.version)):
            text = codec.unpack(row.fold)
            fold = Fold.from_json(orjson.loads(text))
            cached.runs[row.id] = info(entity, project, row, fold)
            cached.heartbeats[row.id] = fold.heartbeat
            cached.sizes[row.id] = len(text)
            cached.version = row.version

    def _forget(self) -> None:
        size = sum(c.size for c in self._projects.values())
        while self._projects and size > MAX_CACHED:
            _, gone = self._projects.popitem(last=False)
            size -= gone.size


def page(table: Mapping[int, RunInfo], condition: dict[str, Any], order: str, limit: int, cursor: str | None) -> Page:
    """See `Storage.runs`. Raises ValueError for a bad filter, order, limit or cursor."""
    if limit < 1:
        raise ValueError("the limit of runs must be at least 1")
    orders = _orders(order)
    matches = filters.condition(condition)
    found = [(number, run) for number, run in table.items() if matches(run)]
    found.sort(key=lambda one: -one[0])  # the newest first among equals
    for get, falling in reversed(orders):
        there = [(_sortable(get(one[1])), one) for one in found]
        lacking = [one for key, one in there if key is None]
        having = sorted([(k, one) for k, one in there if k is not None], key=lambda pair: pair[0], reverse=falling)
        found = [one for _, one in having] + lacking
    start = 0 if cursor is None else _start(found, orders, cursor)
    some = found[start : start + min(limit, MAX_LIMIT)]
    following = None
    if start + len(some) < len(found):
        following = cursors.pack([order, *_place(some[-1], orders)])
    return Page([jsonable(run) for _, run in some], following, len(found))


_Order = tuple[filters.Getter, bool]


def _orders(order: str) -> list[_Order]:
    names = [name.strip() for name in order.split(",") if name.strip()] or ["-created"]
    if len(names) > _MAX_ORDERS:
        raise ValueError(f"runs can be sorted by at most {_MAX_ORDERS} names at a time")
    return [(filters.getter(name.lstrip("+-") if name[0] in "+-" else name), name.startswith("-")) for name in names]


def _sortable(value: Any) -> tuple[int, Any] | None:
    """What sorts mixed values: by class, then by value. None for what has no place: nothing, NaN, objects."""
    kind = filters.type_class(value)
    if kind in (0, 5) or (isinstance(value, float) and math.isnan(value)):
        return None
    return kind, ", ".join(map(str, value)) if kind == 4 else value


def _place(one: tuple[int, RunInfo], orders: list[_Order]) -> list[Any]:
    """What says where a run stands in the order, even when it has moved or gone."""
    keys = [_sortable(get(one[1])) for get, _ in orders]
    return [jsonable([key if key is None else [key[0], key[1]] for key in keys]), one[0]]


def _start(found: list[tuple[int, RunInfo]], orders: list[_Order], cursor: str) -> int:
    match cursors.unpack(cursor):
        case [str(), list() as keys, int() as number] if len(keys) == len(orders):
            before = [_read_key(key) for key in keys]
        case _:
            raise ValueError("that cursor is not from this list; leave it out to start at the first page")
    low, high = 0, len(found)
    while low < high:
        middle = (low + high) // 2
        if _stands_after(found[middle], before, number, orders):
            high = middle
        else:
            low = middle + 1
    return low


def _read_key(key: Any) -> tuple[int, Any] | None:
    match key:
        case None:
            return None
        case [1, bool() as value] | [2, int() | float() as value] | [3 | 4, str() as value]:
            return key[0], value
        case [2, {"_type": "float", "value": "Infinity" | "-Infinity" as text}]:
            return 2, float(text)
    raise ValueError("that cursor is not from this list; leave it out to start at the first page")


def _stands_after(
    one: tuple[int, RunInfo], before: list[tuple[int, Any] | None], number: int, orders: list[_Order]
) -> bool:
    for key, (get, falling) in zip(before, orders, strict=True):
        mine = _sortable(get(one[1]))
        if mine == key:
            continue
        if mine is None or key is None:
            return mine is None
        later: Callable[[Any, Any], bool] = (lambda a, b: a < b) if falling else (lambda a, b: a > b)
        return later(mine, key)
    return one[0] < number
