"""List runs: filtered, sorted, page by page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from tracker.runlog.records import jsonable
from tracker.wire import RunInfo
from tracker_server.storage import cursors, query_budget
from tracker_server.storage.interface import Array

from . import filters
from .cache import Runs
from .column_names import resolve_name
from .fields import Field, sortable

MAX_LIMIT = 1000
MAX_ORDERS = 10


def page(
    table: Runs, condition: Mapping[str, Any] | str, order: str, limit: int, cursor: str | None
) -> tuple[list[RunInfo], str | None, int]:
    """Return the runs of a page (see `Storage.runs`), the next cursor, and the number of matching runs.

    Raises ValueError for an invalid filter, order, limit or cursor.
    """
    if limit < 1:
        raise ValueError("the limit of runs must be at least 1")
    names = _names(order)
    matches = filters.condition(condition)
    orders = [(table.field(name, resolve_name(name)), falling) for name, falling in names]
    with query_budget.limited(query_budget.FILTER_SECONDS):
        there = matches(table) & table.shown()
    found = arrange(table, np.flatnonzero(there), orders)
    start = 0 if cursor is None else _start(table, found, orders, cursor)
    some = found[start : start + min(limit, MAX_LIMIT)].tolist()
    following = None
    if some and start + len(some) < len(found):
        following = cursors.pack([order, *_place(table, some[-1], orders)])
    return [table.entry(at).info for at in some], following, len(found)


Order = tuple[Field, bool]
"""A column to sort by, and whether the order is descending."""


def arrange(table: Runs, places: Array, orders: Sequence[Order]) -> Array:
    """Sort places; runs without a value come last, among equals the newest comes first."""
    found = places[np.argsort(-table.ids[places], kind="stable")]
    for field, falling in reversed(orders):
        ranks = field.ranks()[found]
        found = found[np.argsort(-ranks if falling else ranks, kind="stable")]  # NaN comes last
    return np.asarray(found)


def _names(order: str) -> list[tuple[str, bool]]:
    names = [name.strip() for name in order.split(",") if name.strip()] or ["-created"]
    if len(names) > MAX_ORDERS:
        raise ValueError(f"runs can be sorted by at most {MAX_ORDERS} names")
    return [(name.lstrip("+-") if name[0] in "+-" else name, name.startswith("-")) for name in names]


def _place(table: Runs, at: int, orders: Sequence[Order]) -> list[Any]:
    """Return the position of a run in the order, which stays valid when the run changes or is deleted."""
    keys = [sortable(field.value(at)) for field, _ in orders]
    return [jsonable([key if key is None else [key[0], key[1]] for key in keys]), int(table.ids[at])]


def _start(table: Runs, found: Array, orders: Sequence[Order], cursor: str) -> int:
    match cursors.unpack(cursor):
        case [str(), list() as keys, int() as number] if len(keys) == len(orders):
            before = [_read_key(key) for key in keys]
        case _:
            raise ValueError("this cursor is not from this list: omit it to start at the first page")
    low, high = 0, len(found)
    while low < high:
        middle = (low + high) // 2
        if _stands_after(table, int(found[middle]), before, number, orders):
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
    raise ValueError("this cursor is not from this list: omit it to start at the first page")


def _stands_after(
    table: Runs, at: int, before: list[tuple[int, Any] | None], number: int, orders: Sequence[Order]
) -> bool:
    for key, (field, falling) in zip(before, orders, strict=True):
        mine = sortable(field.value(at))
        if mine == key:
            continue
        if mine is None or key is None:
            return mine is None
        later: Callable[[Any, Any], bool] = (lambda a, b: a < b) if falling else (lambda a, b: a > b)
        return later(mine, key)
    return bool(table.ids[at] < number)
