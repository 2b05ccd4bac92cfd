"""Read the runs table: its rows, and the list of its columns."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from tracker.runlog.records import jsonable
from tracker.wire import ColumnInfo, Sort, TableColumns, TablePage, TableQuery
from tracker_server.storage import query_budget
from tracker_server.storage.interface import Array, Mask
from tracker_server.storage.patterns import pattern

from . import filters
from .cache import Runs
from .column_names import MEMBERS, MISSING, resolve_name
from .fields import BOOLEAN, LIST, NOTHING, NUMBER, OBJECT, TEXT, Field
from .runs import MAX_ORDERS, Order, arrange

MAX_COLUMNS = 1000
"""Columns of a project that are listed at once, and that a request may ask for."""

MAX_NAMES = 200_000
"""Names of columns that are known for a project; later ones are ignored."""

MAX_VALUES = 1_000_000
"""Values in one response."""

MAX_FOUND = 200
"""Columns that a search returns."""

MAX_DISTINCT = 1000
MAX_TEXTS = 20
"""Columns with at most this many distinct texts list them."""

_STALE_FACTOR = 20
"""The list of columns may be out of date for this many times the CPU time that it takes to make."""

_CHEAP_SECONDS = 0.02
"""Seconds of CPU time up to which the list is always made again."""

_MANY_ROWS = 500
"""Number of rows from which arrays are faster than reading single values."""


def page(table: Runs, query: TableQuery) -> TablePage:
    """See `Storage.table`."""
    found = select(table, query)
    orders = orders_of(table, query.get("sort", []), found)
    found = arrange(table, found, orders)
    offset = query.get("offset", 0)
    some = found[offset : offset + query.get("limit", 100)]
    names = checked(query.get("columns", []), len(some))
    return TablePage(
        total=len(found),
        version=table.revision,
        runs=[table.entry(at).info["id"] for at in some.tolist()],
        columns={name: values(table, name, some) for name in names},
    )


def checked(names: Sequence[str], rows: int = 0) -> list[str]:
    """Return the names without duplicates. Raises ValueError for too many columns, or too many values in all rows."""
    if len(names) > MAX_COLUMNS:
        raise ValueError(f"request at most {MAX_COLUMNS:,} columns at a time")
    if len(names) * rows > MAX_VALUES:
        raise ValueError(f"request at most {MAX_VALUES:,} values at a time: fewer rows or fewer columns")
    return list(dict.fromkeys(names))


def select(table: Runs, query: Mapping[str, Any]) -> Array:
    """Return the places of the runs that a query selects. Raises ValueError for an invalid filter or search."""
    mask = table.shown(query.get("trashed", False))
    ids = query.get("ids")
    if ids is not None:
        wanted = set(ids)
        mask &= np.fromiter((e is not None and e.info["id"] in wanted for e in table.entries), bool, table.size)
    text = query.get("filter", "").strip()
    search = query.get("search", "").strip()
    with query_budget.limited(query_budget.FILTER_SECONDS):
        if text:
            mask &= filters.condition(text)(table)
        if search:
            mask &= _search(table, search)
    return np.flatnonzero(mask)


def _search(table: Runs, text: str) -> Mask:
    """Return where the text, or the pattern between slashes, is in name, id, notes, tags or group, ignoring case."""
    revision, texts = table.kept("texts") or (-1, [])
    texts += [""] * (table.size - len(texts))
    for at in query_budget.checked(table.touched_since(revision)):
        entry = table.entries[at]
        texts[at] = "" if entry is None else _searched(entry.info)
    table.keep("texts", texts)
    if len(text) > 2 and text[0] == text[-1] == "/":
        find = pattern(text[1:-1], "(?im)")
        return np.fromiter((find(one) is not None for one in query_budget.checked(texts)), bool, table.size)
    lower = text.lower()
    return np.fromiter((lower in one.lower() for one in query_budget.checked(texts)), bool, table.size)


def _searched(run: Mapping[str, Any]) -> str:
    parts = [run["name"], run["id"], run["notes"], run["group"], *run["tags"]]
    return "\n".join([part for part in parts if part])


def orders_of(table: Runs, sort: Sequence[Sort], places: Array) -> list[Order]:
    """Return the orders for `arrange`; by default the newest runs come first."""
    if len(sort) > MAX_ORDERS:
        raise ValueError(f"runs can be sorted by at most {MAX_ORDERS} columns")
    some = places.tolist()
    return [
        (field(table, one["column"], some), one.get("descending", False))
        for one in sort or [Sort(column="created", descending=True)]
    ]


def field(table: Runs, name: str, places: Sequence[int]) -> Field:
    """Return a column; values at a step are looked up only at `places`."""
    return table.field(name, resolve_name(name, bare=True), places)


def values(table: Runs, name: str, places: Array) -> Any:
    """Return the values of a column at places, in JSON form; None for missing values."""
    what = resolve_name(name, bare=True)
    if what.step is None and len(places) < _MANY_ROWS:
        found = [what.get(table.entry(at)) for at in places.tolist()]
    else:
        column = table.field(name, what, places.tolist())
        if is_numeric(column) and column.exact:
            numbers = column.numbers[places]
            if bool((np.isfinite(numbers) | (column.classes[places] == NOTHING)).all()):
                return numbers  # orjson writes NaN as null
        found = [column.value(at) for at in places.tolist()]
    return [None if value is MISSING else jsonable(value) for value in found]


def is_numeric(column: Field) -> bool:
    """Return whether all values of the column are numbers."""
    return not column.has(BOOLEAN, TEXT, LIST, OBJECT)


# -- the list of columns ---------------------------------------------------------------------------------------------


def columns(
    table: Runs, search: str = "", wanted: Sequence[str] = (), ids: Sequence[str] | None = None
) -> TableColumns:
    """See `Storage.columns`."""
    if ids is not None:
        return _of_runs(table, search, set(ids))
    listed = _listed(table)
    if not search and not wanted:
        return listed
    there = {info["name"] for info in listed["columns"]}
    shown = table.shown()
    found = listed["columns"]
    matching = listed["matching"]
    if search:
        text = search.lower()
        matches = [name for name in [*MEMBERS, *_names(table)] if text in name.lower()]
        matching = len(matches)
        named = {*matches[:MAX_FOUND]}
        found = [info for info in found if info["name"] in named]
        wanted = [*matches[:MAX_FOUND], *wanted]
        there = {info["name"] for info in found}
    more = [name for name in checked(wanted) if name not in there]
    infos = [info for name in more if _is_column(name) and (info := _info(table, name, shown)) is not None]
    return TableColumns(version=table.revision, total=listed["total"], matching=matching, columns=[*found, *infos])


def _of_runs(table: Runs, search: str, ids: set[str]) -> TableColumns:
    """Return the columns of some runs; what it says of them does not depend on other runs."""
    shown = table.shown()
    names: dict[str, None] = dict.fromkeys(MEMBERS)
    for at in np.flatnonzero(shown).tolist():
        run = table.entry(at).info
        if run["id"] not in ids:
            shown[at] = False
        elif len(names) <= MAX_NAMES:
            for place in ("config", "summary"):
                names.update(dict.fromkeys(_paths(place, run[place])))
    matching = [name for name in names if search.lower() in name.lower()]
    infos = [info for name in matching[:MAX_COLUMNS] if (info := _info(table, name, shown)) is not None]
    return TableColumns(version=table.revision, total=int(shown.sum()), matching=len(infos), columns=infos)


def _is_column(name: str) -> bool:
    return name in MEMBERS or name.partition(".")[0] in ("config", "summary")


def _listed(table: Runs) -> TableColumns:
    with query_budget.free():
        return _listed_now(table)


def _listed_now(table: Runs) -> TableColumns:
    kept = table.kept("columns")
    if kept is not None:
        revision, (answer, cost, made) = kept
        if revision == table.revision or (cost > _CHEAP_SECONDS and time.monotonic() - made < _STALE_FACTOR * cost):
            known_answer: TableColumns = answer
            return known_answer
    began = time.thread_time()
    shown = table.shown()
    names = [*MEMBERS, *_names(table)]
    infos = [info for name in names[:MAX_COLUMNS] if (info := _info(table, name, shown)) is not None]
    hidden = len(names[MAX_COLUMNS:])
    total = int(shown.sum())
    answer = TableColumns(version=table.revision, total=total, matching=len(infos) + hidden, columns=infos)
    table.keep("columns", (answer, time.thread_time() - began, time.monotonic()))
    return answer


def config_names(table: Runs) -> list[str]:
    """Return the names of all config columns."""
    return [name for name in _names(table) if name.startswith("config.")]


def _names(table: Runs) -> list[str]:
    """Return the names of all config and summary columns, those of the config first."""
    names: dict[str, None]
    shapes: set[tuple[str, ...]]  # most runs have the same keys
    revision, (names, shapes) = table.kept("names") or (-1, (dict[str, None](), set[tuple[str, ...]]()))
    for at in table.touched_since(revision):
        entry = table.entries[at]
        if entry is None:
            continue
        for place in ("config", "summary"):
            members: dict[str, Any] = entry.info[place]
            shape = (place, *members)
            if shape not in shapes or dict in set(map(type, members.values())):
                shapes.add(shape)
                names.update(dict.fromkeys(_paths(place, members)))
        if len(names) > MAX_NAMES:
            names = dict.fromkeys(list(names)[:MAX_NAMES])
        if len(shapes) > MAX_COLUMNS:
            shapes.clear()
    table.keep("names", (names, shapes))
    return sorted(names, key=lambda name: not name.startswith("config."))


def _paths(prefix: str, members: Mapping[str, Any]) -> Iterator[str]:
    for key, value in members.items():
        path = f"{prefix}.{key}"
        if isinstance(value, dict) and value and "_type" not in value:
            yield from _paths(path, value)
        else:
            yield path


def _info(table: Runs, name: str, shown: Mask) -> ColumnInfo | None:
    column = field(table, name, ())
    classes = column.classes[: table.size][shown]
    there = classes != NOTHING
    count = int(there.sum())
    place = name.partition(".")[0]
    if not count and place in ("config", "summary"):
        return None
    types = set(np.unique(classes[there]).tolist())
    kind: Any = place if place in ("config", "summary") else "run"
    info = ColumnInfo(name=name, kind=kind, type="text", count=count, distinct=0, differs=False)
    if types == {NUMBER}:
        info["type"] = "time" if column.name.time else "number"
        numbers = column.numbers[: table.size][shown][there]
        info["distinct"] = len(np.unique(numbers if column.exact else column.codes()[0][shown][there]))
        finite = numbers[np.isfinite(numbers)]
        if len(finite):
            info["min"], info["max"] = float(finite.min()), float(finite.max())
    elif types:
        codes, distinct = column.codes()
        used = [distinct[code] for code in np.unique(codes[shown][there]).tolist()]
        info["distinct"] = len(used)
        info["type"] = _type(types, used)
        texts = _texts(used)
        if texts is not None:
            info["values"] = texts
    info["differs"] = info["distinct"] > 1 or (info["distinct"] == 1 and count < len(classes))
    info["distinct"] = min(info["distinct"], MAX_DISTINCT)
    return info


def _type(types: set[int], used: list[Any]) -> Any:
    if types == {OBJECT}:
        return "media" if all(isinstance(v, dict) and isinstance(v.get("_type"), str) for v in used) else "mixed"
    alone = {BOOLEAN: "boolean", NUMBER: "number", TEXT: "text", LIST: "list"}
    return alone[next(iter(types))] if len(types) == 1 else "mixed"


def _texts(used: list[Any]) -> list[str] | None:
    """Return the texts among values and elements of lists, sorted; None if they are many or long."""
    found: set[str] = set()
    for value in used:
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, str) and len(one) <= 200:
                found.add(one)
        if len(found) > MAX_TEXTS:
            return None
    return sorted(found) if found else None
