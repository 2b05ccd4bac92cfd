"""Store comments on runs and reports."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import orjson
import sqlalchemy as sa

from tracker.names import RunKey
from tracker.wire import Comment

from . import users
from .cursors import pack, unpack
from .interface import CommentPlace, NoSuchComment, NoSuchReport, NoSuchRun, Page
from .report_schema import comments, reports
from .run_state import find
from .schema import projects, runs

MAX_COMMENTS = 10_000
"""Most comments on one run or report."""


def page(connection: sa.Connection, on: CommentPlace, limit: int, cursor: str | None) -> Page:
    """Return the comments on a run or report, the oldest first. Raises `NoSuchRun`, `NoSuchReport`, ValueError."""
    target = _target(connection, on)
    query = sa.select(comments).filter_by(**target).order_by(comments.c.id).limit(limit + 1)
    if cursor is not None:
        match unpack(cursor):
            case [int() as last] if 0 < last < 2**62:
                query = query.where(comments.c.id > last)
            case _:
                raise ValueError("this cursor is not from this list: omit it to start at the first page")
    rows = connection.execute(query).all()
    following = pack([rows[limit - 1].id]) if len(rows) > limit else None
    return Page(_shown(connection, rows[:limit], on), following, _total(connection, target))


def read(connection: sa.Connection, comment: int) -> tuple[Comment, CommentPlace, int | None]:
    """Return a comment, what it is on, and the number of its author. Raises `NoSuchComment`."""
    row = connection.execute(sa.select(comments).where(comments.c.id == comment)).one_or_none()
    on = None if row is None else _place(connection, row)
    if row is None or on is None:
        raise unknown()
    return _shown(connection, [row], on)[0], on, row.author


def add(connection: sa.Connection, on: CommentPlace, text: str, mentions: Sequence[int], author: int | None) -> Comment:
    """Store a new comment. Raises `NoSuchRun`, `NoSuchReport`, and ValueError if there are too many."""
    target = _target(connection, on)
    if _total(connection, target) >= MAX_COMMENTS:
        raise ValueError(f"there are {MAX_COMMENTS:,} comments here, which is the most")
    made = {**target, "author": author, "created": time.time()}
    about = {"text": text, "mentions": orjson.dumps(list(mentions)).decode()}
    added = connection.execute(comments.insert().values(**made, **about).returning(comments.c.id))
    return read(connection, added.scalar_one())[0]


def edit(connection: sa.Connection, comment: int, text: str, mentions: Sequence[int]) -> Comment:
    """Replace the text of a comment. Raises `NoSuchComment`, also for a deleted one."""
    change = {"text": text, "mentions": orjson.dumps(list(mentions)).decode(), "edited": time.time()}
    where = (comments.c.id == comment) & comments.c.deleted.is_(None)
    if not connection.execute(comments.update().where(where).values(change)).rowcount:
        raise unknown()
    return read(connection, comment)[0]


def delete(connection: sa.Connection, comment: int) -> None:
    """Delete the text of a comment; that there was one stays visible. Raises `NoSuchComment`."""
    change = {"text": "", "mentions": "[]", "deleted": time.time()}
    where = (comments.c.id == comment) & comments.c.deleted.is_(None)
    if not connection.execute(comments.update().where(where).values(change)).rowcount:
        raise unknown()


def unknown() -> NoSuchComment:
    """Return the error for a comment that is not there."""
    return NoSuchComment("there is no such comment on this server")


def _target(connection: sa.Connection, on: CommentPlace) -> dict[str, Any]:
    """Return the columns that say what a comment is on. Raises `NoSuchRun`, `NoSuchReport`."""
    if on.run is not None:
        row = find(connection, RunKey(on.entity, on.project, on.run))
        if row is None:
            raise NoSuchRun(f"there is no run {on.entity}/{on.project}/{on.run} on this server")
        return {"run": row.id}
    query = sa.select(reports.c.id).join(projects, projects.c.id == reports.c.project)
    here = (projects.c.entity == on.entity) & (projects.c.name == on.project) & (reports.c.id == on.report)
    found = connection.execute(query.where(here)).scalar_one_or_none()
    if found is None:
        raise NoSuchReport("there is no such report on this server")
    return {"report": found}


def _total(connection: sa.Connection, target: dict[str, Any]) -> int:
    query = sa.select(sa.func.count()).select_from(comments).filter_by(**target)
    return int(connection.execute(query).scalar_one())


def _place(connection: sa.Connection, row: sa.Row[Any]) -> CommentPlace | None:
    """Return what a comment is on; None if it is deleted meanwhile."""
    if row.run is not None:
        query = sa.select(projects.c.entity, projects.c.name, runs.c.name.label("run"))
        query = query.join(projects, projects.c.id == runs.c.project).where(runs.c.id == row.run)
        found = connection.execute(query).one_or_none()
        return None if found is None else CommentPlace(found.entity, found.name, run=found.run)
    query = sa.select(projects.c.entity, projects.c.name).join(reports, reports.c.project == projects.c.id)
    named = connection.execute(query.where(reports.c.id == row.report)).one_or_none()
    return None if named is None else CommentPlace(named.entity, named.name, report=row.report)


def _shown(connection: sa.Connection, rows: Sequence[sa.Row[Any]], on: CommentPlace) -> list[Comment]:
    mentioned = [orjson.loads(row.mentions) for row in rows]
    wanted = {row.author for row in rows if row.author is not None}
    names = users.names(connection, wanted.union(*mentioned))
    return [
        Comment(
            id=row.id,
            run=None if on.run is None else f"{on.entity}/{on.project}/{on.run}",
            report=on.report,
            author=names.get(row.author),
            text=row.text,
            mentions=[names[one] for one in them if one in names],
            created=row.created,
            edited=row.edited,
            deleted=row.deleted,
        )
        for row, them in zip(rows, mentioned, strict=True)
    ]
