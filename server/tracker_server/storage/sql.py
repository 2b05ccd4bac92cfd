"""Implement the storage over SQL: all that the server stores of runs, except files."""

from __future__ import annotations

import errno
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from tracker.names import RunKey
from tracker.runlog.alerts import Alert
from tracker.runlog.fold import RunState
from tracker.runlog.records import jsonable
from tracker.wire import (
    ChartQuery,
    CommonKey,
    Folded,
    GroupQuery,
    KeyInfo,
    ProjectInfo,
    Resumption,
    RowPage,
    RunInfo,
    Series,
    StoredProject,
    StreamInfo,
    TableColumns,
    TableGroups,
    TablePage,
    TableQuery,
)

from . import console, edits, history_rows, liveness, logged_keys, projects, run_state, users
from .aliases import Aliases
from .charts import envelope, series, shared_axis
from .columnar import batch
from .columnar.batch import Upload
from .database import connect
from .disk_reserve import DiskReserve
from .file_storage import FileStorage
from .interface import (
    OWNER,
    Appended,
    By,
    Chart,
    ConsolePage,
    Kind,
    NoSuchRun,
    Page,
    RunDeleted,
    StorageFull,
)
from .project_overview import Overview
from .project_storage import ProjectStorage
from .report_storage import ReportStorage
from .run_info import info as info_of
from .schema import digests
from .schema import projects as project_table
from .schema import runs as run_table
from .state_blocks import load_head, load_state
from .table import groups, runs, table
from .table.cache import Cache, Runs
from .writer import Writer, tombstone

T = TypeVar("T")

MAX_BUCKETS = 10_000
MAX_SERIES = 10_000
MAX_POINTS = 4_000_000


def open_storage(directory: Path, locked: bool = False) -> SqlStorage:
    """Open the SQLite database in `directory`, which is created if needed; see `connect`."""
    directory.mkdir(parents=True, exist_ok=True)
    return SqlStorage(f"sqlite:///{(directory / 'tracker.db').resolve()}", locked)


class SqlStorage(ProjectStorage, FileStorage, ReportStorage):
    """Implements `interface.Storage`.

    `url` is SQLAlchemy's, for example `sqlite:////var/lib/tracker/tracker.db`. Only one process at a time may write.
    """

    def __init__(self, url: str, locked: bool = False) -> None:
        self.engine = self._engine = connect(url, locked)
        database = self._engine.url.database
        self._reserve = DiskReserve(Path(database)) if self._engine.dialect.name == "sqlite" and database else None
        if self._reserve is not None:
            self._reserve.fill()
        self._writer = Writer(self._engine)
        self._aliases = Aliases(self._engine)
        self._since = time.time()
        self._runs = Cache(self._since)
        self._overview = Overview(self._since)

    # -- writing ------------------------------------------------------------------------------------------------

    def read(self, stream: str, data: bytes) -> Upload:
        """See `Storage.read`."""
        return batch.read(stream, data)

    def append(self, run: RunKey, stream: str, offset: int, lines: bytes | Upload, by: By = OWNER) -> Appended:
        """Store whole lines at byte `offset` of the stream; create a new run of `by`, and its project.

        Return once all of it is on disk. Raises `OffsetMismatch`, `RunDeleted`, `StorageFull`, and ValueError for lines
        that will never be accepted (see `batch.read`). Nothing is stored after an error.
        """
        with self._space():
            upload = self.read(stream, lines) if isinstance(lines, bytes) else lines
            return self._writer.append(run, stream, offset, upload, by)

    def delete(self, run: RunKey) -> list[str]:
        """See `Storage.delete`. Raises `NoSuchRun`."""
        named = self.digests(run)
        if not self._making_room(lambda: self._writer.delete(run)):
            raise _unknown(run)
        self._aliases.run_deleted()
        return named

    def readmit(self, run: RunKey) -> None:
        """See `Storage.readmit`. Raises `NoSuchRun`."""
        with self._space():
            if not self._writer.readmit(run):
                raise NoSuchRun(f"no run {'/'.join(run)} was deleted on this server")

    def is_deleted(self, run: RunKey) -> None:
        """Raise `RunDeleted` if the run was deleted."""
        with self._engine.connect() as connection:
            if run_state.find(connection, run) is None and (stone := tombstone(connection, run)) is not None:
                raise RunDeleted(run, stone.deleted)

    @property
    def has_deferred_work(self) -> bool:
        """See `Storage.has_deferred_work`."""
        return self._writer.has_deferred_work

    def prepare_deferred_work(self) -> bool:
        """See `Storage.prepare_deferred_work`."""
        return self._writer.prepare_deferred_work()

    def do_deferred_work(self) -> bool:
        """See `Storage.do_deferred_work`."""
        self._writer.prepare_deferred_work()
        more = self._making_room(self._writer.do_deferred_work)
        if not more and self._reserve is not None:
            self._reserve.fill()
        return more

    def append_all(self, batches: Sequence[tuple[RunKey, str, bytes]], by: By = OWNER) -> None:
        """See `Storage.append_all`."""
        with self._space():
            self._writer.append_all(batches, by)

    def trash(self, runs: Sequence[RunKey], when: float | None) -> int:
        """See `Storage.trash`."""
        return self._making_room(lambda: self._writer.trash(runs, when))

    def trashed(self, before: float) -> list[RunKey]:
        """See `Storage.trashed`."""
        query = sa.select(project_table.c.entity, project_table.c.name, run_table.c.name)
        query = query.join(project_table, project_table.c.id == run_table.c.project)
        with self._engine.connect() as connection:
            return [RunKey(*row) for row in connection.execute(query.where(run_table.c.trashed < before))]

    def put_view(self, entity: str, project: str, name: str, view: Any, by: By = OWNER) -> None:
        """See `Storage.put_view`. Raises `NoSuchProject`, ValueError if there are too many."""
        with self._space(), self._engine.connect() as connection:
            number = projects.number(connection, entity, project)
            projects.put_view(self._writer, connection, number, name, view, by.id)

    def delete_view(self, entity: str, project: str, name: str) -> None:
        """See `Storage.delete_view`. Raises `NoSuchProject`, `NoSuchView`."""
        with self._space(), self._engine.connect() as connection:
            projects.delete_view(self._writer, projects.number(connection, entity, project), name)

    # -- reading ------------------------------------------------------------------------------------------------

    def offsets(self, run: RunKey) -> dict[str, int]:
        """See `Storage.offsets`."""
        with self._engine.connect() as connection:
            row = run_state.find(connection, run)
            return {} if row is None else {s.name: s.offset for s in run_state.streams_of(connection, row.id)}

    def projects(self) -> list[ProjectInfo]:
        """See `Storage.projects`."""
        with self._engine.connect() as connection:
            return [info for _, info in self._overview.read(connection)]

    def project(self, entity: str, project: str) -> StoredProject:
        """See `Storage.project`. Raises `NoSuchProject`."""
        with self._engine.connect() as connection:
            number = projects.number(connection, entity, project)
            ((_, info),) = self._overview.read(connection, entity, project)
            made: StoredProject = {**info, **projects.details(connection, number)}  # type: ignore[typeddict-item]
            return made

    def view(self, entity: str, project: str, name: str) -> Any:
        """See `Storage.view`. Raises `NoSuchProject`, `NoSuchView`."""
        with self._engine.connect() as connection:
            return projects.view(connection, projects.number(connection, entity, project), name)

    def table(self, entity: str, project: str, query: TableQuery) -> TablePage:
        """See `Storage.table`. An unknown project has no runs."""
        with self._cached(entity, project) as cached:
            return table.page(cached, query)

    def columns(
        self,
        entity: str,
        project: str,
        search: str = "",
        wanted: Sequence[str] = (),
        ids: Sequence[str] | None = None,
    ) -> TableColumns:
        """See `Storage.columns`. An unknown project has no runs."""
        with self._cached(entity, project) as cached:
            return table.columns(cached, search, wanted, ids)

    def groups(self, entity: str, project: str, query: GroupQuery) -> TableGroups:
        """See `Storage.groups`. An unknown project has no runs."""
        with self._cached(entity, project) as cached:
            return groups.groups(cached, query)

    def runs(
        self, entity: str, project: str, filters: dict[str, Any] | str, order: str, limit: int, cursor: str | None
    ) -> Page:
        """See `Storage.runs`. An unknown project has no runs."""
        with self._cached(entity, project) as cached:
            found, following, total = runs.page(cached, filters, order, limit, cursor)
        return Page([jsonable(run) for run in found], following, total)

    def users(self, runs: Sequence[RunKey]) -> dict[RunKey, int | None]:
        """See `Storage.users`."""
        with self._engine.connect() as connection:
            return {key: row.user for key, row in run_state.find_all(connection, runs).items()}

    def run(self, run: RunKey) -> RunInfo:
        """See `Storage.run`. Raises `NoSuchRun`."""
        with self._found(run) as (connection, row):
            fold = load_state(connection, row.id)[0]
            known = info_of(run.entity, run.project, row, users.name(connection, row.user), fold)
            info: RunInfo = jsonable(liveness.judged(known, fold.promise, self._since, time.time()))
            return info

    def edits(self, run: RunKey, limit: int, cursor: str | None) -> Page:
        """See `Storage.edits`. Raises `NoSuchRun`, ValueError."""
        with self._found(run) as (connection, row):
            return edits.page(connection, row.id, limit, cursor)

    def keys(self, run: RunKey, kind: Kind) -> list[KeyInfo]:
        """See `Storage.keys`. Raises `NoSuchRun`."""
        with self._found(run) as (connection, row):
            return logged_keys.of_run(connection, row.id, kind)

    def common_keys(self, runs: Sequence[RunKey], kind: Kind) -> list[CommonKey]:
        """See `Storage.common_keys`."""
        with self._engine.connect() as connection:
            rows = run_state.find_all(connection, runs)
            return logged_keys.of_runs(connection, [rows[run].id if run in rows else 0 for run in runs], kind)

    def rows(self, run: RunKey, kind: Kind, keys: list[str] | None, limit: int, cursor: str | None) -> RowPage:
        """See `Storage.rows`. Raises `NoSuchRun`, and ValueError for a bad cursor or limit."""
        with self._found(run) as (connection, row):
            return history_rows.page(connection, row.id, kind, keys, row.created, limit, cursor)

    def series(self, query: ChartQuery) -> list[Series]:
        """See `Storage.series`. Unknown runs, and keys without points, are omitted. Raises ValueError."""
        wanted = _checked(query)
        found = []
        with self._engine.connect() as connection:
            for run, key, points in _points(connection, query.get("runs", []), wanted):
                shown = envelope.envelope(points, wanted.buckets)
                x, mean, low, high, n = (column.tolist() for column in shown[1:])
                found.append(Series(run=run, key=key, points=shown.points, x=x, mean=mean, min=low, max=high, n=n))
        return found

    def chart(self, query: ChartQuery) -> Chart:
        """See `Storage.chart`. Unknown runs, and keys without points, are omitted. Raises ValueError."""
        wanted = _checked(query)

        buffer = shared_axis.SeriesBuffer(wanted.buckets)

        def read(runs: list[str]) -> list[shared_axis.ThinnedSeries]:
            return buffer.take(_points(connection, runs, wanted))

        with self._engine.connect() as connection:
            if "groups" in query:
                return shared_axis.draw_groups([(g["name"], read(g["runs"])) for g in query["groups"]], wanted.buckets)
            return shared_axis.draw_runs(read(query["runs"]), wanted.buckets)

    def console(
        self, run: RunKey, limit: int, cursor: str | None = None, start: int | None = None, only: str | None = None
    ) -> ConsolePage:
        """See `Storage.console`. Raises `NoSuchRun`, ValueError."""
        with self._found(run) as (connection, row):
            return console.page(connection, row.id, max(1, min(limit, history_rows.MAX_ROWS)), cursor, start, only)

    def console_search(
        self, run: RunKey, wanted: str, regex: bool, after: int, limit: int, only: str | None = None
    ) -> tuple[list[int], int | None]:
        """See `Storage.console_search`. Raises `NoSuchRun`, ValueError."""
        with self._found(run) as (connection, row):
            return console.search(connection, row.id, wanted, regex, after, limit, only)

    def fold(self, run: RunKey) -> RunState:
        """See `Storage.fold`. Raises `NoSuchRun`."""
        with self._found(run) as (connection, row):
            return load_state(connection, row.id)[0]

    def folded(self, run: RunKey) -> Folded:
        """See `Storage.folded`. Raises `NoSuchRun`."""
        with self._found(run) as (connection, row):
            streams = [
                StreamInfo(stream=s.name, opened=s.opened, rows=s.rows)
                for s in run_state.streams_of(connection, row.id)
            ]
            named = connection.execute(sa.select(digests.c.digest).where(digests.c.run == row.id)).scalars()
            fold = load_state(connection, row.id)[0].to_json()
            return Folded(fold=fold, streams=streams, digests=sorted(named))

    def resumption(self, run: RunKey) -> Resumption:
        """See `Storage.resumption`. Raises `NoSuchRun`."""
        fold = self.fold(run)
        known = fold.to_json()
        silent = self.run(run)["state"] != "running"  # includes runs whose machine has died
        return Resumption(
            step=fold.last_step,
            meta=known["meta"],
            config=known["config"],
            explicit_summary=known["explicit_summary"],
            metrics=known["metrics"],
            stats=known["stats"],
            ended=fold.deciding(ended=not silent),
        )

    def stop_requested(self, run: RunKey) -> float | None:
        """See `Storage.stop_requested`. Raises `NoSuchRun`."""
        with self._found(run) as (_, row):
            time: float | None = row.stop
            return time

    def alerts(self, run: RunKey) -> list[Alert]:
        """See `Storage.alerts`. Raises `NoSuchRun`."""
        with self._found(run) as (connection, row):
            return load_head(connection, row.id)["alerts"] or []

    def files(self, run: RunKey) -> dict[str, dict[str, Any]]:
        """See `Storage.files`. Raises `NoSuchRun`."""
        with self._found(run) as (connection, row):
            return load_state(connection, row.id)[0].files

    def streams(self, run: RunKey) -> dict[str, dict[str, Any]]:
        """Return what is known of each stream, by name: `StreamState.to_json`. Raises `NoSuchRun`."""
        with self._found(run) as (connection, row):
            fold = load_state(connection, row.id)[0]
            return {name: jsonable(stream.to_json()) for name, stream in fold.streams.items()}

    def close(self) -> None:
        """Close all connections."""
        self._writer.close()
        self._engine.dispose()

    @contextmanager
    def _cached(self, entity: str, project: str) -> Iterator[Runs]:
        with self._engine.connect() as connection, self._runs.open(connection, entity, project) as cached:
            yield cached

    def _making_room(self, change: Callable[[], T]) -> T:
        """Make a change that frees space. If the disk is full, use the space that is reserved for this."""
        try:
            with self._space():
                return change()
        except StorageFull:
            if self._reserve is None or not self._reserve.release():
                raise
        with self._space():
            return change()

    @contextmanager
    def _space(self) -> Iterator[None]:
        """Raise `StorageFull` for errors that mean a full disk."""
        driver: Any = self._engine.dialect.dbapi
        try:
            yield
        except (DBAPIError, driver.Error) as error:
            cause = getattr(error, "orig", error)
            if "disk is full" in str(cause) or getattr(cause, "errno", None) in (errno.ENOSPC, errno.EDQUOT):
                problem = "the server's disk is full: free some space there, and uploads continue automatically"
                raise StorageFull(problem) from error
            raise

    @contextmanager
    def _found(self, run: RunKey) -> Iterator[tuple[sa.Connection, sa.Row[Any]]]:
        with self._engine.connect() as connection:
            row = run_state.find(connection, run)
            if row is None:
                raise _unknown(run)
            yield connection, row


def _unknown(run: RunKey) -> NoSuchRun:
    return NoSuchRun(f"there is no run {run.entity}/{run.project}/{run.id} on this server")


def _checked(query: ChartQuery) -> series.Query:
    kind = query.get("kind", "history")
    if kind not in ("history", "system"):
        raise ValueError("the kind of a chart must be history or system")
    buckets = query.get("buckets", 1000)
    if not 1 <= buckets <= MAX_BUCKETS:
        raise ValueError(f"a chart must have 1 to {MAX_BUCKETS:,} buckets")
    groups = query.get("groups", [])
    runs = [*query.get("runs", []), *(run for group in groups for run in group["runs"])]
    keys = list(dict.fromkeys(query["keys"]))
    count = len(runs) * len(keys)
    if count > MAX_SERIES:
        raise ValueError(f"these are more than {MAX_SERIES:,} series: request fewer runs or keys at a time")
    if count * buckets > MAX_POINTS:
        raise ValueError(f"these are more than {MAX_POINTS:,} buckets in a chart: request fewer runs, keys or buckets")
    for name in runs:
        if name.count("/") != 2:
            raise ValueError(f"the run {name[:200]!r} must have the form entity/project/id")
    x = query.get("x") or ("_step" if kind == "history" else "_timestamp")
    if x == "_step" and kind == "system":
        x = "_timestamp"
    low, high = query.get("min", -math.inf), query.get("max", math.inf)
    return series.Query(kind, keys, x, buckets, low, high)


def _points(
    connection: sa.Connection, runs: list[str], query: series.Query
) -> Iterator[tuple[str, str, envelope.Points]]:
    """Yield the points of each run and key that has any."""
    keys = {name: RunKey(*name.split("/")) for name in runs}
    rows = run_state.find_all(connection, keys.values())
    return series.of_runs(connection, {name: rows[key] for name, key in keys.items() if key in rows}, query)
