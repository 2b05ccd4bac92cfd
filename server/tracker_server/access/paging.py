"""Read long lists in pages, in an order that new rows do not disturb."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import orjson
import sqlalchemy as sa

from .errors import Refused

T = TypeVar("T")

MAX_PAGE = 1000
"""Most entries of a page."""


@dataclass(frozen=True)
class Page(Generic[T]):
    """A part of a list. `cursor` continues it, and is None at its end. `total` counts the whole list."""

    rows: list[T]
    cursor: str | None
    total: int


@dataclass(frozen=True)
class Part:
    """Which part of a list is asked for: the entries that contain `search`, after those before `cursor`."""

    search: str = ""
    cursor: str | None = None
    limit: int = 100


def read_page(
    connection: sa.Connection,
    query: sa.Select[Any],
    order: tuple[sa.ColumnElement[Any], sa.ColumnElement[Any]],
    part: Part,
    made: Callable[[Any], T],
    descending: bool = False,
) -> Page[T]:
    """Return the part of a query's rows, each turned into an entry by `made`.

    `order` are two columns that no two rows have in common. Raises `Refused` for a cursor that is none.
    """
    total = connection.execute(sa.select(sa.func.count()).select_from(query.order_by(None).subquery())).scalar_one()
    limit = max(1, min(part.limit, MAX_PAGE))
    first, second = order
    if part.cursor is not None:
        a, b = _unpacked(part.cursor)
        try:
            after = sa.tuple_(first, second) < sa.tuple_(a, b) if descending else sa.tuple_(first, second) > (a, b)
        except TypeError as error:
            raise Refused("the cursor is of no page of this list") from error
        query = query.where(after)
    labelled = query.add_columns(first.label("_first"), second.label("_second"))
    found = connection.execute(
        labelled.order_by(*(c.desc() if descending else c for c in order)).limit(limit + 1)
    ).all()
    more = len(found) > limit
    found = found[:limit]
    cursor = _packed(found[-1]._first, found[-1]._second) if more else None
    return Page([made(row) for row in found], cursor, int(total))


def _packed(*values: Any) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(values)).decode().rstrip("=")


def _unpacked(cursor: str) -> tuple[Any, Any]:
    try:
        first, second = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError as error:
        raise Refused("the cursor is of no page of this list") from error
    for value in (first, second):
        if not isinstance(value, int | float | str):
            raise Refused("the cursor is of no page of this list")
    return first, second
