"""Keep the runs of recently used projects in memory: a description of each run, and columns over all of them.

Each upload gives its run a version above all others of the project. So one indexed query finds the runs that have
changed since the last time, and only these are read again.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import sqlalchemy as sa

from tracker.runlog.fold import RunState
from tracker.wire import RunInfo
from tracker_server.storage import query_budget, users
from tracker_server.storage.interface import Array, Mask
from tracker_server.storage.liveness import judged, silent
from tracker_server.storage.run_info import info as info_of
from tracker_server.storage.schema import projects
from tracker_server.storage.schema import runs as run_table
from tracker_server.storage.state_blocks import load_states

from .column_names import MISSING, Entry, Name, Sums
from .fields import Field
from .steps import StepField, at_steps

MAX_CACHED = 256 * 1024 * 1024
"""Bytes of JSON of the runs in memory, which take several times as much. The least recently used projects are dropped
first, never the one in use."""

MAX_CELLS = 20_000_000
"""Values in the columns of one project; the least recently used columns are dropped first."""

MAX_AT_STEP = 5_000
"""Values at a step that a request may look up for filtering and sorting."""

_MAX_STEP_FIELDS = 50


class Runs:
    """The runs of one project, each at a fixed place.

    Use it only inside `Cache.open`, which holds the lock of the project, so that nothing changes during a query.
    """

    def __init__(self, entity: str, project: str, since: float) -> None:
        self.name = entity, project
        self._since = since
        self._places: dict[int, int] = {}
        self._free: list[int] = []
        self._fields: OrderedDict[str, Field] = OrderedDict()
        self._steps: dict[str, StepField] = {}
        self._kept: dict[str, tuple[int, Any]] = {}
        self._shapes: dict[tuple[str, ...], dict[str, int]] = {}
        self._touched = _Growing(np.int64, 0)
        self._trashed = _Growing(np.float64, np.nan)
        self._heartbeats = _Growing(np.float64, np.nan)
        self._seen = _Growing(np.float64, 0)
        self._lost: set[int] = set()
        self._connection: sa.Connection | None = None
        self._user_names: dict[int, str] = {}
        self._users_version = 0
        self._users = _Growing(np.int64, 0)
        self._ids = _Growing(np.int64, 0)
        self._versions = _Growing(np.int64, 0)
        self._there = _Growing(np.bool_, False)
        self.entries: list[Entry | None] = []
        self.json_size = 0
        """Bytes of JSON of the runs."""
        self.revision = int(time.time() * 1000)
        """Grows with each change, and starts above all values that it had in an earlier cache of the project."""
        self.deletions = 0

    # -- refreshing ---------------------------------------------------------------------------------------------

    def refresh(self, connection: sa.Connection, project: int, deletions: int) -> None:
        """Read the runs that have changed."""
        self._connection = connection
        if deletions > self.deletions:
            stale = self._forget_gone(connection, project)
            self.deletions = deletions
        else:
            seen = int(self._versions.array[: self.size].max(initial=0))
            stale = run_table.c.version > seen
        query = sa.select(*_COLUMNS).where(run_table.c.project == project, stale)
        rows = connection.execute(query.order_by(run_table.c.version)).all()
        if rows:
            self.revision += 1
        self._refresh_users(connection, {row.user for row in rows if row.user is not None})
        for row, fold, _, size in load_states(connection, rows):
            self._take(row, fold, size)
        self._judge({self._places[row.id] for row in rows})

    def _forget_gone(self, connection: sa.Connection, project: int) -> sa.ColumnElement[bool]:
        """Forget runs that were deleted or moved away; return the condition on the others that have changed."""
        query = sa.select(run_table.c.id, run_table.c.version).where(run_table.c.project == project)
        there = {row.id: row.version for row in connection.execute(query)}
        gone = self._places.keys() - there.keys()
        if gone:
            self.revision += 1
        for number in gone:
            self._forget(number)
        # Versions of runs that are gone may be used again, so the greatest known one does not tell what has changed.
        known = {number: self._versions[at] for number, at in self._places.items()}
        changed = [version for number, version in there.items() if known.get(number) != version]
        return run_table.c.version >= min(changed, default=max(there.values(), default=0) + 1)

    def _refresh_users(self, connection: sa.Connection, fresh: set[int]) -> None:
        """Read the names of the runs' accounts if some are new or may have changed."""
        known = self._user_names
        if not known and not fresh:
            return
        version = users.version(connection)
        if version == self._users_version and fresh <= known.keys():
            return
        self._user_names = users.names(connection, fresh | known.keys())
        self._users_version = version
        renamed = [user for user, name in known.items() if self._user_names.get(user) != name]
        if renamed:
            self.revision += 1
        for at in np.flatnonzero(np.isin(self._users.array[: self.size], renamed)).tolist():
            entry = self.entry(at)
            shown: RunInfo = {**entry.info, "user": self._user_names.get(int(self._users[at]))}
            self.entries[at] = entry._replace(info=shown)
            self._touched[at] = self.revision

    def _take(self, row: sa.Row[Any], fold: RunState, size: int) -> None:
        info = info_of(*self.name, row, self._user_names.get(row.user), fold)
        at = self._places.get(row.id)
        if at is None:
            if self._free:
                at = self._free.pop()
            else:
                at = len(self.entries)
                self.entries.append(None)
            self._places[row.id] = at
            self._ids[at], self._there[at] = row.id, True
        before = self.entries[at]
        self.json_size += size - (0 if before is None else before.size)
        self.entries[at] = Entry(info, fold.promise, self._sums(fold), size)
        self._versions[at] = row.version
        self._touched[at] = self.revision
        self._users[at] = row.user or 0
        self._trashed[at] = np.nan if row.trashed is None else row.trashed
        self._seen[at] = row.seen
        running = info["state"] == "running" and fold.promise is not None
        self._heartbeats[at] = fold.promise if running else np.nan
        self._lost.discard(at)

    def _forget(self, number: int) -> None:
        at = self._places.pop(number)
        self.json_size -= self.entry(at).size
        self.entries[at] = None
        self._there[at], self._versions[at], self._users[at] = False, 0, 0
        self._touched[at] = self.revision
        self._trashed[at] = self._heartbeats[at] = np.nan
        self._lost.discard(at)
        self._free.append(at)

    def _sums(self, fold: RunState) -> Sums:
        keys = tuple(fold.stats)
        places = self._shapes.setdefault(keys, {key: i for i, key in enumerate(keys)})
        others = {key: s.last for key, s in fold.stats.items() if type(s.last) not in (float, int)}
        numbers = [
            (s.min, s.max, s.sum / s.n, np.nan if key in others else s.last)
            if s.n
            else (np.nan, np.nan, np.nan, np.nan if key in others else s.last)
            for key, s in fold.stats.items()
        ]
        try:
            return Sums(places, np.array(numbers, np.float64).reshape(-1, 4), others)
        except OverflowError:  # an integer that is too large for a float
            plain = [[float(n) if abs(n) < 1e308 else np.inf for n in four] for four in numbers]
            return Sums(places, np.array(plain, np.float64).reshape(-1, 4), others)

    def _judge(self, fresh: set[int]) -> None:
        """Show runs as crashed whose machines have fallen silent. Their next upload changes them back."""
        count, now = len(self.entries), time.time()
        quiet = silent(self._seen.array[:count], self._heartbeats.array[:count], self._since, now)
        new = [at for at in np.flatnonzero(quiet).tolist() if at not in self._lost]
        if not new:
            return
        if not fresh:
            self.revision += 1
        for at in new:
            entry = self.entries[at]
            assert entry is not None
            changed = judged(entry.info, entry.heartbeat, self._since, now)
            self.entries[at] = entry._replace(info=changed)
            self._touched[at] = self.revision
            self._lost.add(at)

    # -- reading ------------------------------------------------------------------------------------------------

    @property
    def size(self) -> int:
        """How many places there are."""
        return len(self.entries)

    @property
    def ids(self) -> Array:
        """The numbers of the runs in the database; a free place keeps its former number."""
        return self._ids.array[: self.size]

    def shown(self, trashed: bool = False) -> Mask:
        """Return at which places there are runs outside the trash or, with `trashed`, in it."""
        return np.asarray(self._there.array[: self.size] & (np.isnan(self._trashed.array[: self.size]) != trashed))

    def entry(self, at: int) -> Entry:
        """Return the run at a place."""
        entry = self.entries[at]
        assert entry is not None
        return entry

    def touched_since(self, revision: int) -> list[int]:
        """Return the places that have changed since a revision."""
        found: list[int] = np.flatnonzero(self._touched.array[: self.size] > revision).tolist()
        return found

    def field(self, name: str, what: Name, places: Iterable[int] | None = None) -> Field:
        """Return the column of a name.

        Values at a step are looked up only for the runs at `places`, by default all of the project. Raises ValueError
        if more than `MAX_AT_STEP` of these must be looked up for all runs.
        """
        if what.step is not None:
            return self._at_step(name, what, places)
        field = self._fields.get(name)
        if field is None:
            field = self._fields[name] = Field(what)
            while len(self._fields) > 8 and len(self._fields) * self.size > MAX_CELLS:
                self._fields.popitem(last=False)
        self._fields.move_to_end(name)
        if field.revision < self.revision:
            places = range(self.size) if field.revision < 0 else self.touched_since(field.revision)
            field.refresh(self.entries, places, self.revision)
        return field

    def _at_step(self, name: str, what: Name, places: Iterable[int] | None) -> Field:
        assert what.step is not None
        field = self._steps.get(name)
        if field is None:
            while len(self._steps) >= _MAX_STEP_FIELDS:
                self._steps.pop(next(iter(self._steps)))
            field = self._steps[name] = StepField(what)
        some = list(self._places.values()) if places is None else list(places)
        wanted = [at for at in some if field.stale(at, int(self._touched[at]))]
        if places is None and len(wanted) > MAX_AT_STEP:
            raise ValueError(
                f"{name[:100]} can only be shown: filtering and sorting by it is limited to projects with at most "
                f"{MAX_AT_STEP:,} runs"
            )
        numbers = self.ids[wanted].tolist() if wanted else []
        found = at_steps(self._connection, numbers, *what.step) if self._connection is not None else {}
        for at, number in zip(wanted, numbers, strict=True):
            field.put(at, int(self._touched[at]), found.get(number, MISSING))
        field.refresh(self.entries, {*wanted, *self.touched_since(field.revision)}, self.revision)
        return field

    def kept(self, name: str) -> tuple[int, Any] | None:
        """Return the value that was kept under a name, with the revision at that time; None if there is none."""
        return self._kept.get(name)

    def keep(self, name: str, value: Any) -> None:
        """Keep a value that was derived from the current runs."""
        self._kept[name] = self.revision, value


_COLUMNS = [
    run_table.c[name] for name in ("id", "name", "version", "created", "seen", "trashed", "updated", "hot", "user")
]


class _Growing:
    """An array that grows when it is written to."""

    def __init__(self, kind: Any, empty: Any) -> None:
        self.array: Array = np.full(64, empty, kind)
        self._empty = empty

    def __setitem__(self, at: int, value: Any) -> None:
        if at >= len(self.array):
            self.array = np.concatenate([self.array, np.full(len(self.array), self._empty, self.array.dtype)])
        self.array[at] = value

    def __getitem__(self, at: int) -> Any:
        return self.array[at]


class Cache:
    """Keeps all runs of recently used projects. Thread-safe."""

    def __init__(self, since: float) -> None:
        """`since` is when this server started, before which it could not hear from agents."""
        self._since = since
        self._lock = threading.Lock()
        self._projects: OrderedDict[int, tuple[threading.Lock, Runs]] = OrderedDict()

    @contextmanager
    def open(self, connection: sa.Connection, entity: str, project: str) -> Iterator[Runs]:
        """Provide the runs of a project as of this transaction or later; an unknown project has none."""
        where = (projects.c.entity == entity) & (projects.c.name == project)
        found = connection.execute(sa.select(projects.c.id, projects.c.deletions).where(where)).one_or_none()
        if found is None:
            yield Runs(entity, project, self._since)
            return
        with self._lock:
            lock, cached = self._projects.get(found.id) or (threading.Lock(), Runs(entity, project, self._since))
            if cached.name != (entity, project):  # it was renamed
                lock, cached = threading.Lock(), Runs(entity, project, self._since)
            self._projects[found.id] = lock, cached
            self._projects.move_to_end(found.id)
        with query_budget.locked(lock):
            try:
                with query_budget.free():
                    cached.refresh(connection, found.id, found.deletions)
            except BaseException:
                self._drop(found.id)  # it may have read only a part
                raise
            yield cached
        self._forget(found.id)

    def _drop(self, project: int) -> None:
        with self._lock:
            self._projects.pop(project, None)

    def _forget(self, but: int) -> None:
        with self._lock:
            sizes = {project: cached.json_size for project, (_, cached) in self._projects.items()}
            for project in list(sizes):
                if sum(sizes.values()) <= MAX_CACHED or project == but:
                    break
                del self._projects[project], sizes[project]
