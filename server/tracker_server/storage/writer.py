"""Store uploads, each in one transaction: rows, console lines, the state of the run, the stream's new offset."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from tracker.names import RunKey
from tracker.runlog.fold import RunState
from tracker.runlog.records import MAX_KEYS, RESERVED
from tracker.runlog.validation import is_file

from . import edits, run_state
from .aliases import candidates, inherit, refuse_former
from .columnar import chunks, segments
from .columnar.batch import Upload, read
from .columnar.columns import Batch, Group
from .console import append_lines
from .database import Prepared
from .edits import is_edit
from .interface import Appended, By, NoSuchRun, OffsetMismatch, RunDeleted
from .maintenance import Maintenance
from .possessions import Names
from .removal import free, remove
from .schema import keys, projects, runs, streams, tombstones
from .schema import parts as part_table
from .schema import segments as segment_table
from .state_blocks import StateBlocks

_FEW_KEYS = 500
"""Rows with at most this many keys are merged at once, which takes some tens of milliseconds; others in pieces."""

_MERGE_ROWS = 4096
_MERGE_SEGMENTS = 64
_MERGE_SIZE = 8 * 1024 * 1024


class Writer:
    """The writing half of the storage. It is thread-safe and stores one upload at a time."""

    def __init__(self, engine: sa.Engine) -> None:
        # SQLite has one write lock for the whole database (taken by BEGIN IMMEDIATE), so a finer lock would gain
        # nothing. PostgreSQL would need an advisory lock on the run instead, at the start of `_open`.
        self._engine = engine
        self._lock = threading.Lock()
        self._connection = engine.connect().execution_options(write=True)
        self._cache = run_state.Cache()
        with self._connection.begin():
            # Copies that an earlier server did not complete: see copies.py.
            incomplete = sa.select(projects.c.id).where(projects.c.name.startswith("/"))
            remove(self._connection, runs.c.project.in_(incomplete))
            self._maintenance = Maintenance(self._connection)
        top = sa.select(sa.func.max(runs.c.version)).where(runs.c.project == sa.bindparam("project_")).scalar_subquery()
        self._get_version = Prepared(
            engine, sa.select(runs.c.version, top, runs.c.trashed).where(runs.c.id == sa.bindparam("id_"))
        )
        self._put_segment = Prepared(engine, segment_table.insert(), ["run", "stream", "row0", "n", "size", "data"])
        self._put_stream = Prepared(
            engine,
            streams.update()
            .where(streams.c.id == sa.bindparam("id_"))
            .values(offset=sa.bindparam("offset_"), rows=sa.bindparam("rows_")),
        )
        self._put_run = Prepared(
            engine,
            runs.update()
            .where(runs.c.id == sa.bindparam("id_"))
            .values(
                {
                    c: sa.bindparam(f"{c}_")
                    for c in ("version", "created", "updated", "seen", "hot", "state", "heartbeat", "stop")
                }
            ),
        )
        self._put_part = Prepared(
            engine, part_table.insert().prefix_with("OR REPLACE"), ["run", "member", "block", "data"]
        )
        self._names = Names(engine)
        self._put_key = Prepared(engine, keys.insert(), ["run", "id", "kind", "name", "n", "types"])

    def append(self, key: RunKey, stream: str, offset: int, upload: Upload, by: By) -> Appended:
        """See `Storage.append`."""
        with self._lock:
            try:
                with self._connection.begin():
                    connection = self._connection
                    run = self._open(connection, key, offset, by)
                    self._append(connection, run, stream, offset, upload, by)
            except BaseException:
                self._cache.drop(key)  # it may hold what was rolled back
                raise
            self._cache.put(key, run)
        return Appended(offset + upload.size, upload.digests, run.trashed)

    def append_all(self, batches: Sequence[tuple[RunKey, str, bytes]], by: By) -> None:
        """Store lines as new streams of existing runs, all of them or none. Raises `NoSuchRun`."""
        uploads = [read(stream, data) for _, stream, data in batches]
        with self._lock:
            try:
                with self._connection.begin():
                    connection = self._connection
                    for (key, stream, _), upload in zip(batches, uploads, strict=True):
                        if run_state.find(connection, key) is None:
                            raise NoSuchRun(f"there is no run {'/'.join(key)} on this server")
                        run = self._open(connection, key, 0, by)
                        self._append(connection, run, stream, 0, upload, by)
                        self._cache.put(key, run)
            except BaseException:
                for key, _, _ in batches:
                    self._cache.drop(key)
                raise

    def trash(self, found: Sequence[RunKey], when: float | None) -> int:
        """Move runs to the trash at a Unix time, or with None restore them; return how many have changed."""
        changed = 0
        with self._lock, self._connection.begin():
            connection = self._connection
            for key in dict.fromkeys(found):
                row = run_state.find(connection, key)
                if row is None or (row.trashed is None) == (when is None):
                    continue
                version = self._get_version(connection, id_=row.id, project_=row.project).fetchone()[1] + 1
                more = {"trashed": when, "version": version}
                connection.execute(runs.update().where(runs.c.id == row.id).values(more))
                changed += 1
        return changed

    def change(self, statement: sa.Executable) -> int:
        """Run a statement that concerns no run; return how many rows it changed."""
        with self.changing() as connection:
            return int(connection.execute(statement).rowcount)

    @contextmanager
    def changing(self) -> Iterator[sa.Connection]:
        """Return a connection for changes that concern no run; commit them at the end, or none after an error."""
        with self._lock, self._connection.begin():
            yield self._connection

    @contextmanager
    def moving(self) -> Iterator[sa.Connection]:
        """Return a connection as `changing` does, for changes of which runs there are and what they are called."""
        with self.changing() as connection:
            self._cache.clear()
            yield connection

    def resume_merges(self, run: int) -> None:
        """Go on with merges that were begun in a run of which this one is a copy."""
        begun = sa.select(streams.c.id).where(streams.c.run == run, streams.c.merging.is_not(None))
        with self.changing() as connection:
            for stream in connection.execute(begun).scalars().all():
                self._maintenance.merge(run, stream)

    def remove_rows(self, numbers: list[int]) -> None:
        """Remove the rows of deleted runs, as deferred work."""
        with self._lock:
            self._maintenance.deleted(numbers)

    def delete(self, key: RunKey) -> bool:
        """Delete the run; return whether it existed.

        A tombstone keeps its processes from creating it again. Its rows are removed later, as deferred work; until
        then no query finds them.
        """
        with self._lock:
            with self._connection.begin():
                row = run_state.find(self._connection, key)
                if row is None:
                    return False
                self._cache.drop(key)
                numbers = remove(self._connection, runs.c.id == row.id)
            self._maintenance.deleted(numbers)
        return True

    def readmit(self, key: RunKey) -> bool:
        """Allow a deleted run to be uploaded again; return whether there was one."""
        with self._lock, self._connection.begin():
            stone = tombstone(self._connection, key)
            if stone is None:
                return False
            free(self._connection, (tombstones.c.project == stone.project) & (tombstones.c.name == key.id))
            return True

    @property
    def has_deferred_work(self) -> bool:
        """See `Storage.has_deferred_work`."""
        return self._maintenance.left

    def prepare_deferred_work(self) -> bool:
        """See `Storage.prepare_deferred_work`."""
        return self._maintenance.prepare(self._engine)

    def do_deferred_work(self) -> bool:
        """See `Storage.do_deferred_work`."""
        with self._lock:
            try:
                with self._connection.begin():
                    done = self._maintenance.merge_some(self._connection) or self._maintenance.remove_some(
                        self._connection
                    )
            except BaseException:
                self._maintenance.reset()
                raise
            if not done:
                # Without a transaction, or the space would be given back only at its end.
                self._maintenance.give_back(self._connection)
            return self._maintenance.left

    def close(self) -> None:
        """Close the connection once no upload is being stored."""
        with self._lock:
            self._connection.close()

    def _open(self, connection: sa.Connection, key: RunKey, offset: int, by: By) -> run_state.Run:
        """Return the run with the version that this transaction gives it; create it as `by`'s if it is new."""
        run = self._cache.get(key)
        if run is not None:
            row = self._get_version(connection, id_=run.id, project_=run.project).fetchone()
            if row is not None and row[0] == run.version:
                run.version, run.trashed = row[1] + 1, row[2] is not None
                return run
        found = run_state.find(connection, key)
        if found is None:
            if (stone := tombstone(connection, key)) is not None:
                raise RunDeleted(key, stone.deleted)
            refuse_former(connection, key.entity)
            if offset:
                raise OffsetMismatch(0)
            return _create(connection, key, by)
        run = run_state.load(connection, found)
        run.trashed = found.trashed is not None
        run.version = self._get_version(connection, id_=run.id, project_=run.project).fetchone()[1] + 1
        return run

    def _append(
        self, connection: sa.Connection, run: run_state.Run, name: str, offset: int, upload: Upload, by: By
    ) -> None:
        now = time.time()
        stream = run.streams.get(name)
        if offset != (stream.offset if stream else 0):
            raise OffsetMismatch(stream.offset if stream else 0)
        # Rows alone change neither the state nor the heartbeat, and deriving these costs time for each stream.
        news = stream is None or bool(upload.events) or upload.kind == "system" or run.fold.ended(name)
        if stream is None:
            opened = now if upload.opened is None else upload.opened
            stream = run.streams[name] = _open_stream(connection, run, name, upload.kind, opened)
        refused = 0
        if upload.batch is not None:
            batch, kept_out = self._numbered(connection, run, upload.batch, upload.kind)
            for key, count in kept_out.items():
                upload.sums.pop(key, None)
                refused += count
            raw_size, blob = segments.encode(batch)
            self._put_segment(
                connection, run=run.id, stream=stream.id, row0=stream.rows, n=upload.n, size=raw_size, data=blob
            )
            stream.pending += 1
            stream.pending_rows += upload.depth
            stream.pending_size += raw_size
        elif upload.lines:
            append_lines(connection, run.id, stream.id, stream.rows, upload.lines)
        stream.offset = offset + upload.size
        stream.rows += upload.n
        run.fold.refuse(name, refused)
        ended = _fold(run.fold, name, upload)
        if is_edit(name):
            edits.add(connection, run.id, (record for _, record in upload.events), by.id, now)
        if upload.digests and by.id is None:
            self._names.by_owner(connection, run.id, upload.digests)
        elif upload.digests:
            self._names.by_account(connection, run.id, run.project, upload.digests, by)
        for one in {name, *ended}:
            self._merge_if_due(connection, run, one, ended=one in ended)
        self._put_stream(connection, id_=stream.id, offset_=stream.offset, rows_=stream.rows)
        if news:
            run.state, run.heartbeat, run.created = run.fold.state, run.fold.promise, created(run)
            run.stop = run.fold.stop_requested
        self._put_fold(connection, run, upload, now)

    def _put_fold(self, connection: sa.Connection, run: run_state.Run, upload: Upload, now: float) -> None:
        """Write the parts of the run's state that the upload has changed."""
        fold = run.fold
        hot, parts = run.parts.pack(fold, _touched(fold, upload), bool(upload.events))
        for member, block, data in parts:
            self._put_part(connection, run=run.id, member=member, block=block, data=data)
        self._put_run(
            connection,
            id_=run.id,
            version_=run.version,
            created_=run.created,
            updated_=fold.updated,
            seen_=now,
            hot_=hot,
            state_=run.state,
            heartbeat_=run.heartbeat,
            stop_=run.stop,
        )

    def _numbered(
        self, connection: sa.Connection, run: run_state.Run, batch: Batch, kind: str
    ) -> tuple[Batch, dict[str, int]]:
        """Replace the names of keys by numbers; also return how many values of which keys were refused."""
        known = run.keys[kind]
        made: list[tuple[Any, ...]] = []
        refused: dict[str, int] = {}
        groups = []
        count = run.key_count
        for group in batch.groups:
            numbers = [known.get(key) for key in group.keys]
            if None not in numbers:
                groups.append(Group(group.rows, numbers, group.values))
                continue
            kept: list[tuple[int, object]] = []
            for key, number, values in zip(group.keys, numbers, group.values, strict=True):
                if number is None and (key in RESERVED or len(known) >= MAX_KEYS):
                    refused[key] = refused.get(key, 0) + len(values)
                    continue
                if number is None:
                    number = known[key] = chunks.FIRST_KEY + count
                    count += 1
                    made.append((run.id, number, kind, key, 0, 0))
                kept.append((number, values))
            groups.append(Group(group.rows, [n for n, _ in kept], [v for _, v in kept]))  # type: ignore[misc]
        if made:
            self._put_key.many(connection, made)
        return Batch(batch.times, batch.steps, groups), refused

    def _merge_if_due(self, connection: sa.Connection, run: run_state.Run, name: str, ended: bool) -> None:
        stream = run.streams.get(name)
        if stream is None or not stream.pending:
            return
        if (
            ended
            or stream.pending_rows >= _MERGE_ROWS
            or stream.pending >= _MERGE_SEGMENTS
            or stream.pending_size >= _MERGE_SIZE
        ):
            if len(run.keys[stream.kind]) > _FEW_KEYS:
                self._maintenance.merge(run.id, stream.id)  # in pieces, later
            else:
                chunks.Merge(connection, run.id, stream.id).work(connection)
            stream.pending = stream.pending_rows = stream.pending_size = 0


_NO_VALUES = {"n": 0, "low": None, "high": None, "types": 0, "last": None}


def created(run: run_state.Run) -> float:
    """Return when the run began: as its first logging process says, else the time of the first line of any stream."""
    started = run.fold.header.get("started")
    return float(started) if started is not None else min(s.opened for s in run.streams.values())


def tombstone(connection: sa.Connection, key: RunKey) -> Any:
    """Return the tombstone of a deleted run, None if there is none."""
    for project in candidates(connection, key.entity, key.project):
        where = (tombstones.c.project == project.id) & (tombstones.c.name == key.id)
        found = connection.execute(sa.select(tombstones).where(where)).one_or_none()
        if found is not None:
            return found
    return None


def _create(connection: sa.Connection, key: RunKey, by: By) -> run_state.Run:
    where = (projects.c.entity == key.entity) & (projects.c.name == key.project)
    project = connection.execute(sa.select(projects.c.id).where(where)).scalar_one_or_none()
    now = time.time()
    if project is None:
        new = {"entity": key.entity, "name": key.project, "created": now, "deletions": 0}
        project = _insert(connection, projects, new)
        inherit(connection, key.entity, key.project, project)
    top = connection.execute(sa.select(sa.func.max(runs.c.version)).where(runs.c.project == project)).scalar_one() or 0
    new = {
        "project": project,
        "name": key.id,
        "version": top + 1,
        "created": now,
        "updated": now,
        "seen": now,
        "hot": b"",
        "user": by.id,
    }
    run_id = _insert(connection, runs, new)
    axes = [(chunks.STEP, "_step"), (chunks.TIME, "_timestamp")]
    connection.execute(
        keys.insert(), [{**_NO_VALUES, "run": run_id, "id": i, "kind": "axis", "name": n} for i, n in axes]
    )
    return run_state.Run(run_id, project, top + 1, RunState(), StateBlocks())


def _insert(connection: sa.Connection, table: sa.Table, values: dict[str, Any]) -> int:
    """Insert a row; return its number."""
    made: Any = connection.execute(table.insert(), values).inserted_primary_key
    return int(made[0])


def _open_stream(
    connection: sa.Connection, run: run_state.Run, name: str, kind: str, opened: float
) -> run_state.Stream:
    new = {"run": run.id, "name": name, "kind": kind, "opened": opened, "offset": 0, "rows": 0}
    stream_id = _insert(connection, streams, new)
    return run_state.Stream(stream_id, name, kind, opened, 0, 0)


def _fold(fold: RunState, name: str, upload: Upload) -> set[str]:
    """Apply the upload to the run's state; return the streams that have ended by it."""
    taken = 0
    ended = set()

    def take_rows(until: int) -> None:
        # The sums of all rows are added with the first rows: they do not depend on ends of streams in between.
        nonlocal taken
        if until > taken:
            steps = None if upload.batch is None else upload.batch.steps
            step = None if steps is None else int(steps[until - 1])
            fold.add_rows(
                name, until - taken, {} if taken else upload.sums, float(upload.times[taken:until].max()), step
            )
            taken = until

    fold.stream(name).corrupt += upload.corrupt
    for rows, record in upload.events:
        if record.kind == "finish" and isinstance(record.payload, dict):
            take_rows(rows)  # in order: a row after the end of its stream opens it again
            ended.add(str(record.payload.get("stream", name)))
        fold.apply(name, record)
    take_rows(upload.n)
    return ended


def _touched(fold: RunState, upload: Upload) -> dict[str, Any]:
    """Return the entries of the run's state that the upload has added or changed, by member."""
    touched: dict[str, Any] = {"stats": upload.sums, "streams": set(fold.touched)}
    fold.touched.clear()
    for _, record in upload.events:
        if not isinstance(record.payload, dict):
            continue
        if record.kind in ("config", "summary"):
            touched.setdefault("config" if record.kind == "config" else "explicit_summary", {}).update(record.payload)
        elif record.kind == "file" and is_file(record.payload):
            touched.setdefault("files", {})[record.payload["name"]] = None
    return touched
