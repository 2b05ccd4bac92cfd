"""Copy a project with its runs; the content of files is shared.

A copy is made run by run, in pieces between the writes that clients wait for. Until it is complete, it is in a project
whose name no project can have. So it appears at once, and the server removes it if it stops before.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import sqlalchemy as sa

from . import moves, reports
from .aliases import inherit
from .interface import CopyStopped
from .projects import number
from .removal import remove
from .schema import chunks, console, digests, edits, keys, parts, projects, runs, segments, streams, views
from .writer import Writer

_OF_RUNS = (parts, keys, segments, chunks, console, edits)
"""The tables that are copied row by row; `streams` come before, since rows name them by number."""

_PIECE = 100
"""Rows that are written at once; one of `chunks` has about 16 KB."""


def copy(
    engine: sa.Engine, writer: Writer, source: tuple[str, str], target: tuple[str, str], stop: Callable[[], bool]
) -> None:
    """Copy a project with its views, published reports and runs, except those in the trash.

    Raises `NoSuchProject`, `NameTaken`, `CopyStopped` when `stop` returns true. Nothing is left of it then.
    """
    with writer.changing() as connection:
        project = number(connection, *source)
        moves.refuse_taken(connection, *target)
        made = _begin(connection, target[0])
        there = sa.select(runs.c.id).where(runs.c.project == project, runs.c.trashed.is_(None)).order_by(runs.c.id)
        found = list(connection.execute(there).scalars())
    try:
        for run in found:
            _copy_run(engine, writer, run, made, stop)
        with writer.moving() as connection:
            _finish(connection, project, made, target)
    except BaseException:
        discard(writer, made)
        raise


def discard(writer: Writer, project: int) -> None:
    """Delete what was copied so far."""
    with writer.moving() as connection:
        numbers = remove(connection, runs.c.project == project)
    writer.remove_rows(numbers)


def _begin(connection: sa.Connection, entity: str) -> int:
    new = {"entity": entity, "name": f"/copy {time.time_ns()}", "created": time.time(), "deletions": 0}
    return int(connection.execute(projects.insert().values(new).returning(projects.c.id)).scalar_one())


def _finish(connection: sa.Connection, project: int, made: int, target: tuple[str, str]) -> None:
    """Give the copy what belongs to the project itself, and its name."""
    moves.refuse_taken(connection, *target)
    inherit(connection, *target, made)
    others = [column for column in views.c if column.name != "project"]
    saved = sa.select(sa.literal(made), *others).where(views.c.project == project)
    connection.execute(views.insert().from_select(["project", *(column.name for column in others)], saved))
    reports.copy_published(connection, project, made)
    connection.execute(projects.update().where(projects.c.id == made).values(entity=target[0], name=target[1]))
    moves.rights_changed(connection)


def _copy_run(engine: sa.Engine, writer: Writer, run: int, project: int, stop: Callable[[], bool]) -> None:
    with engine.connect() as reader:
        with writer.changing() as connection:
            # The reader sees the run as it is now: nothing is written while this block holds the lock.
            row = reader.execute(sa.select(runs).where(runs.c.id == run)).one_or_none()
            if row is None:
                return
            top = sa.select(sa.func.coalesce(sa.func.max(runs.c.version), 0)).where(runs.c.project == project)
            values = {**row._asdict(), "project": project, "version": connection.execute(top).scalar_one() + 1}
            del values["id"]
            new = int(connection.execute(runs.insert().values(values).returning(runs.c.id)).scalar_one())
            # First of all, so that no content is deleted meanwhile.
            named = sa.select(sa.literal(new), digests.c.digest, digests.c.held).where(digests.c.run == run)
            connection.execute(digests.insert().from_select(["run", "digest", "held"], named))
            numbers = dict(_copy_streams(connection, run, new))
        for table in _OF_RUNS:
            rows = reader.execution_options(yield_per=_PIECE).execute(sa.select(table).where(table.c.run == run))
            for some in rows.partitions():
                if stop():
                    raise CopyStopped
                copied = [_renumbered(one._asdict(), new, numbers) for one in some]
                with writer.changing() as connection:
                    connection.execute(table.insert(), copied)
    writer.resume_merges(new)


def _copy_streams(connection: sa.Connection, run: int, new: int) -> Iterator[tuple[int, int]]:
    """Copy the streams of a run; yield the old and the new number of each."""
    for row in connection.execute(sa.select(streams).where(streams.c.run == run).order_by(streams.c.id)).all():
        values = {**row._asdict(), "run": new}
        del values["id"]
        made = connection.execute(streams.insert().values(values).returning(streams.c.id)).scalar_one()
        yield row.id, int(made)


def _renumbered(row: dict[str, Any], run: int, numbers: dict[int, int]) -> dict[str, Any]:
    changed = {**row, "run": run}
    if "stream" in row:
        changed["stream"] = numbers[row["stream"]]
    return changed
