"""The storage over SQL: one object for all that the server keeps of runs, besides files."""

from __future__ import annotations

import errno
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from tracker.runlog.fold import Fold
from tracker.runlog.records import jsonable
from tracker.wire import ChartQuery, Folded, KeyInfo, ProjectInfo, RowPage, RunInfo, Series, StreamInfo

from . import chunks, console, contact, rows, runs, scan, series, state
from .append import Writer
from .envelope import Buckets
from .interface import Kind, NoSuchRun, Page, RunKey, StorageFull
from .schema import connect, digests, keys, projects
from .schema import runs as run_table

MAX_BUCKETS = 10_000
MAX_SERIES = 10_000


def open_storage(directory: Path) -> SqlStorage:
    """Open, or make, the embedded database of a server that keeps its data in `directory`."""
    directory.mkdir(parents=True, exist_ok=True)
    return SqlStorage(f"sqlite:///{(directory / 'tracker.db').resolve()}")


class SqlStorage:
    """See `interface.Storage`, which this implements.

    `url` is SQLAlchemy's, for example `sqlite:////var/lib/tracker/tracker.db`. One process at a time should write.
    """

    def __init__(self, url: str) -> None:
        self._engine = connect(url)
        self._writer = Writer(self._engine)
        self._since = time.time()
        self._runs = runs.Table(self._since)

    # -- writing ------------------------------------------------------------------------------------------------

    def append(self, run: RunKey, stream: str, offset: int, data: bytes) -> tuple[int, list[str]]:
        """Store whole lines that stand at byte `offset` of the stream; make run and project on first sight.

        Returns the new offset and the digests that these lines name, once all of it is on disk. Raises
        `OffsetMismatch`, `StorageFull`, and ValueError for what will never be accepted (see `batch.read`); then nothing
        was stored.
        """
        with self._space():
            return self._writer.append(run, stream, offset, data)

    def delete(self, run: RunKey) -> None:
        """Forget the run and all its data. Raises `NoSuchRun`."""
        with self._space():
            if not self._writer.delete(run):
                raise _unknown(run)

    # -- reading ------------------------------------------------------------------------------------------------

    def offsets(self, run: RunKey) -> dict[str, int]:
        """How far each stream's copy goes, in bytes; empty for an unknown run."""
        with self._engine.connect() as connection:
            row = state.find(connection, run)
            return {} if row is None else {s.name: s.offset for s in state.streams_of(connection, row.id)}

    def digests(self, run: RunKey) -> list[str]:
        """Every digest that records of the run name; none for an unknown run."""
        with self._engine.connect() as connection:
            row = state.find(connection, run)
            if row is None:
                return []
            return list(connection.execute(sa.select(digests.c.digest).where(digests.c.run == row.id)).scalars())

    def digests_in_use(self, digests_: list[str]) -> set[str]:
        """Those of the digests that records of any run name."""
        found: set[str] = set()
        with self._engine.connect() as connection:
            for some in (digests_[i : i + 500] for i in range(0, len(digests_), 500)):
                found.update(
                    connection.execute(sa.select(digests.c.digest).where(digests.c.digest.in_(some))).scalars()
                )
        return found

    def projects(self) -> list[ProjectInfo]:
        """All projects, the one updated last first."""
        updated = sa.func.coalesce(sa.func.max(run_table.c.updated), projects.c.created).label("updated")
        query = (
            sa.select(projects.c.entity, projects.c.name, sa.func.count(run_table.c.id).label("runs"), updated)
            .select_from(projects.outerjoin(run_table, run_table.c.project == projects.c.id))
            .group_by(projects.c.id)
            .order_by(updated.desc(), projects.c.id)
        )
        with self._engine.connect() as connection:
            return [
                ProjectInfo(entity=p.entity, project=p.name, runs=p.runs, updated=p.updated)
                for p in connection.execute(query)
            ]

    def runs(
        self, entity: str, project: str, filters: dict[str, Any], order: str, limit: int, cursor: str | None
    ) -> Page:
        """See `Storage.runs`. An unknown project has no runs."""
        with self._engine.connect() as connection:
            table = self._runs.current(connection, entity, project)
        return runs.page(table, filters, order, limit, cursor)

    def run(self, run: RunKey) -> RunInfo:
        """Return one run. Raises `NoSuchRun`."""
        with self._found(run) as (connection, row):
            fold = state.fold_of(connection, row.id)
            known = runs.info(run.entity, run.project, row, fold)
            info: RunInfo = jsonable(contact.judged(known, fold.heartbeat, self._since, time.time()))
            return info

    def keys(self, run: RunKey, kind: Kind) -> list[KeyInfo]:
        """What was logged, in the order of first sight. Raises `NoSuchRun`."""
        with self._found(run) as (connection, row):
            query = sa.select(keys).where(keys.c.run == row.id, keys.c.kind == kind).order_by(keys.c.id)
            found = {k.id: k for k in connection.execute(query)}
            merged = {
                k.id: chunks.Summary(k.n, k.low, k.high, k.types, orjson.loads(k.last)) for k in found.values() if k.n
            }
            for stream in state.streams_of(connection, row.id, kind):
                for key, (_, values) in scan.pending(connection, row.id, stream.id, None).items():
                    more = chunks.summarise(values)
                    merged[key] = merged[key].then(more) if key in merged else more
        return [_key_info(found[i].name, merged[i]) for i in found if i in merged]

    def rows(self, run: RunKey, kind: Kind, keys: list[str] | None, limit: int, cursor: str | None) -> RowPage:
        """See `Storage.rows`. Raises `NoSuchRun`, and ValueError for a bad cursor or limit."""
        with self._found(run) as (connection, row):
            return rows.page(connection, row.id, kind, keys, row.created, limit, cursor)

    def series(self, query: ChartQuery) -> list[Series]:
        """See `Storage.series`. Runs that are not there, and keys without a point, are left out. Raises ValueError."""
        return [
            Series(
                run=run,
                key=key,
                points=found.points,
                x=found.x.tolist(),
                mean=found.mean.tolist(),
                min=found.low.tolist(),
                max=found.high.tolist(),
                n=found.n.tolist(),
            )
            for run, key, found in self.series_arrays(query)
        ]

    def series_arrays(self, query: ChartQuery) -> Iterator[tuple[str, str, Buckets]]:
        """Like `series`, one by one and as float64 arrays: the run, the key, what its chart shows."""
        wanted, names = _checked(query)
        with self._engine.connect() as connection:
            for name in names:
                row = state.find(connection, RunKey(*name.split("/")))
                if row is not None:
                    found = series.of_run(connection, row.id, row.created, wanted)
                    yield from ((name, key, buckets) for key, buckets in found.items())

    def console(self, run: RunKey, limit: int, cursor: str | None) -> Page:
        """Lines as {"time", "stream", "text"}, in the order of streams. Raises `NoSuchRun`, ValueError."""
        with self._found(run) as (connection, row):
            return console.page(connection, row.id, max(1, min(limit, rows.MAX_ROWS)), cursor)

    def fold(self, run: RunKey) -> Fold:
        """What the records of a run add up to. Raises `NoSuchRun`."""
        with self._found(run) as (connection, row):
            return state.fold_of(connection, row.id)

    def folded(self, run: RunKey) -> Folded:
        """See `Storage.folded`. Raises `NoSuchRun`."""
        with self._found(run) as (connection, row):
            streams = [
                StreamInfo(stream=s.name, opened=s.opened, rows=s.rows) for s in state.streams_of(connection, row.id)
            ]
            named = connection.execute(sa.select(digests.c.digest).where(digests.c.run == row.id)).scalars()
            fold = state.fold_of(connection, row.id).to_json()
            return Folded(fold=fold, streams=streams, digests=sorted(named))

    def files(self, run: RunKey) -> dict[str, dict[str, Any]]:
        """By name: digest, size, path, time of the named files. Raises `NoSuchRun`."""
        with self._found(run) as (connection, row):
            return state.fold_of(connection, row.id).files

    def streams(self, run: RunKey) -> dict[str, dict[str, Any]]:
        """By name, what is known of each stream: `Fold.streams`, and in `refused` how many values were not taken for
        having one key too many, or a reserved one. Raises `NoSuchRun`."""
        with self._found(run) as (connection, row):
            found: dict[str, dict[str, Any]] = jsonable(state.fold_of(connection, row.id).streams)
            return found

    def close(self) -> None:
        """Close all connections."""
        self._writer.close()
        self._engine.dispose()

    @contextmanager
    def _space(self) -> Iterator[None]:
        """Tell a full disk from other trouble."""
        driver: Any = self._engine.dialect.dbapi
        try:
            yield
        except (DBAPIError, driver.Error) as error:
            cause = getattr(error, "orig", error)
            if "disk is full" in str(cause) or getattr(cause, "errno", None) in (errno.ENOSPC, errno.EDQUOT):
                problem = "the server's disk is full; free space there, and uploads go on by themselves"
                raise StorageFull(problem) from error
            raise

    @contextmanager
    def _found(self, run: RunKey) -> Iterator[tuple[sa.Connection, sa.Row[Any]]]:
        with self._engine.connect() as connection:
            row = state.find(connection, run)
            if row is None:
                raise _unknown(run)
            yield connection, row


def _unknown(run: RunKey) -> NoSuchRun:
    return NoSuchRun(f"there is no run {run.entity}/{run.project}/{run.id} on this server")


def _key_info(name: str, s: chunks.Summary) -> KeyInfo:
    kind = "number" if s.types & chunks.NUMBER else "media" if s.types & chunks.MEDIA else "other"
    return KeyInfo(key=name, count=s.n, type=kind, min=s.low, max=s.high, last=s.last)  # type: ignore[typeddict-item]


def _checked(query: ChartQuery) -> tuple[series.Query, list[str]]:
    kind = query.get("kind", "history")
    if kind not in ("history", "system"):
        raise ValueError("the kind of a chart is history or system")
    buckets = query.get("buckets", 1000)
    if not 1 <= buckets <= MAX_BUCKETS:
        raise ValueError(f"a chart has 1 to {MAX_BUCKETS:,} buckets")
    names, wanted = list(dict.fromkeys(query["runs"])), list(dict.fromkeys(query["keys"]))
    if len(names) * len(wanted) > MAX_SERIES:
        raise ValueError(f"that is more than {MAX_SERIES:,} series: ask for fewer runs or keys at a time")
    for name in names:
        if name.count("/") != 2:
            raise ValueError(f"the run {name[:200]!r} must read entity/project/id")
    x = query.get("x") or ("_step" if kind == "history" else "_timestamp")
    if x == "_step" and kind == "system":
        x = "_timestamp"
    low, high = query.get("min", -math.inf), query.get("max", math.inf)
    return series.Query(kind, wanted, x, buckets, low, high), names
