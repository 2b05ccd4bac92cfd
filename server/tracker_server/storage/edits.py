"""Store who changed a run when, and what: the records of its `edits` streams."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson
import sqlalchemy as sa

from tracker.runlog.directory import is_copy
from tracker.runlog.records import Record, jsonable
from tracker.wire import Edit

from .access_schema import entities
from .cursors import pack, unpack
from .interface import Page
from .schema import edits

_MAX_MEMBERS = 100
"""Members of one record that are stored."""

_MAX_VALUE = 1000
"""Characters of a value that are stored."""


def is_edit(stream: str) -> bool:
    """Tell whether the records of a stream are edits; a copy of a run has its whole state in such a stream."""
    return stream.startswith("edits") and not is_copy(stream)


def add(connection: sa.Connection, run: int, records: Iterable[Record], user: int | None, now: float) -> None:
    """Store what records of an upload have changed, as one edit."""
    changes: dict[str, Any] = {}
    for record in records:
        if record.kind == "run" or not isinstance(record.payload, dict):
            continue
        changed = changes.setdefault(record.kind, {})
        for name, value in record.payload.items():
            if len(changed) < _MAX_MEMBERS or name in changed:
                changed[str(name)[:_MAX_VALUE]] = _shortened(value)
    if changes:
        last = sa.select(sa.func.coalesce(sa.func.max(edits.c.number), 0) + 1).where(edits.c.run == run)
        new = {"run": run, "number": last.scalar_subquery(), "time": now, "user": user}
        connection.execute(edits.insert().values(changes=orjson.dumps(changes).decode(), **new))


def page(connection: sa.Connection, run: int, limit: int, cursor: str | None) -> Page:
    """Return the edits of a run, the newest first. Raises ValueError for a bad cursor."""
    query = sa.select(edits, entities.c.name).outerjoin(entities, entities.c.id == edits.c.user)
    query = query.where(edits.c.run == run).order_by(edits.c.number.desc()).limit(limit + 1)
    if cursor is not None:
        match unpack(cursor):
            case [int() as last] if 0 < last < 2**63:
                query = query.where(edits.c.number < last)
            case _:
                raise ValueError("this cursor is not from this list: omit it to start at the first page")
    rows = connection.execute(query).all()
    shown = [Edit(time=row.time, user=row.name, changes=orjson.loads(row.changes)) for row in rows[:limit]]
    total = connection.execute(sa.select(sa.func.count()).where(edits.c.run == run)).scalar_one()
    return Page(shown, pack([rows[limit - 1].number]) if len(rows) > limit else None, total)


def _shortened(value: Any) -> Any:
    plain = jsonable(value)
    text = plain if isinstance(plain, str) else orjson.dumps(plain).decode()
    return plain if len(text) <= _MAX_VALUE else text[:_MAX_VALUE] + "…"
