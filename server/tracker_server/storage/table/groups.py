"""Group runs that have equal values in some columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from tracker.runlog.records import jsonable
from tracker.wire import GroupQuery, RunGroup, Sort, Summed, TableGroups
from tracker_server.storage.interface import Array

from .cache import Runs
from .column_names import MISSING
from .conditions import MAX_TERMS
from .fields import LIST, OBJECT, Field
from .runs import MAX_ORDERS, arrange
from .table import checked, config_names, field, is_numeric, orders_of, select
from .tokens import written_name, written_value

MAX_IDS = 1000
"""Most run ids that are listed with a group."""


class _Grouped(NamedTuple):
    """Places of runs (the newest first), the group of each, and the number of groups."""

    places: Array
    group: Array
    groups: int

    @property
    def first(self) -> Array:
        """The index in `places` of the first run of each group."""
        return np.unique(self.group, return_index=True)[1]


def groups(table: Runs, query: GroupQuery) -> TableGroups:
    """See `Storage.groups`."""
    found = select(table, query)
    places = arrange(table, found, orders_of(table, [], found))
    by = {name: field(table, name, places.tolist()) for name in _by(table, query)}
    if "except" in query:
        by = {name: column for name, column in by.items() if _differs(column, places)}
    grouped = _group(places, list(by.values()))
    order = _order(table, grouped, query.get("sort", []))
    offset, limit = query.get("offset", 0), query.get("limit", 100)
    some = order[offset : offset + limit]
    names = checked(query.get("columns", []), 5 * len(some))
    wanted = {name: field(table, name, places.tolist()) for name in names}
    sums = {name: _summed(column, grouped, some) for name, column in wanted.items()}
    by_group = np.argsort(grouped.group, kind="stable")
    ends = np.cumsum(np.bincount(grouped.group, minlength=grouped.groups))
    made = []
    for number in some.tolist():
        members = places[by_group[ends[number - 1] if number else 0 : ends[number]]]
        key = {name: column.value(int(members[0])) for name, column in by.items()}
        made.append(
            RunGroup(
                key={name: None if value is MISSING else jsonable(value) for name, value in key.items()},
                count=len(members),
                runs=[table.entry(at).info["id"] for at in members[:MAX_IDS].tolist()],
                values={name: found[number] for name, found in sums.items()},
                filter=_filter(table, query.get("filter", "").strip(), by, key, members),
            )
        )
    return TableGroups(total=grouped.groups, version=table.revision, groups=made)


def _by(table: Runs, query: GroupQuery) -> list[str]:
    if ("by" in query) == ("except" in query):
        raise ValueError("give either `by`, the columns in which runs of a group are equal, or `except`")
    if "by" in query:
        return checked(query["by"])
    left_out = tuple(query["except"])
    nested = tuple(f"{name}." for name in left_out)
    return [name for name in config_names(table) if name not in left_out and not name.startswith(nested)]


def _differs(column: Field, places: Array) -> bool:
    codes = column.codes()[0][places]
    return len(codes) > 0 and bool((codes != codes[0]).any())


def _group(places: Array, by: Sequence[Field]) -> _Grouped:
    if not len(places):
        return _Grouped(places, np.zeros(0, np.int64), 0)
    # A 64-bit sum with random factors identifies a group, so the number of columns hardly matters.
    factors = np.random.default_rng(0).integers(1, 2**63, len(by), np.uint64) * np.uint64(2) + np.uint64(1)
    total = np.zeros(len(places), np.uint64)
    for column, factor in zip(by, factors, strict=True):
        total += (column.codes()[0][places] + 1).astype(np.uint64) * factor
    distinct, group = np.unique(total, return_inverse=True)
    return _Grouped(places, group, len(distinct))


def _order(table: Runs, grouped: _Grouped, sort: Sequence[Sort]) -> Array:
    """Return the groups in order: by default the largest first, among equals the one with the newest run."""
    if len(sort) > MAX_ORDERS:
        raise ValueError(f"groups can be sorted by at most {MAX_ORDERS} columns at a time")
    order = np.argsort(grouped.first, kind="stable")
    sizes = np.bincount(grouped.group, minlength=grouped.groups).astype(float)
    for one in reversed(sort or [Sort(column="count", descending=True)]):
        if one["column"] == "count":
            ranks = sizes
        else:
            column = field(table, one["column"], grouped.places.tolist())
            ranks = _stats(column, grouped)[1] if is_numeric(column) else column.ranks()[grouped.places[grouped.first]]
        ranks = ranks[order]
        order = order[np.argsort(-ranks if one.get("descending", False) else ranks, kind="stable")]
    return np.asarray(order)


def _summed(column: Field, grouped: _Grouped, some: Array) -> dict[int, Summed]:
    """Return the aggregate of a column for each of the groups in `some`."""
    if is_numeric(column):
        stats = (part[some].tolist() for part in _stats(column, grouped))
        return {
            number: Summed(n=n, mean=mean, std=std, min=low, max=high)
            if n
            else Summed(n=0, mean=None, std=None, min=None, max=None)
            for number, n, mean, std, low, high in zip(some.tolist(), *stats, strict=True)
        }
    codes, distinct = column.codes()
    here = codes[grouped.places]
    pairs = np.unique(np.stack([grouped.group, here], axis=1)[here >= 0], axis=0)
    counts = np.bincount(pairs[:, 0], minlength=grouped.groups)
    code = np.full(grouped.groups, -1)
    code[pairs[:, 0]] = pairs[:, 1]
    return {
        i: Summed(distinct=int(counts[i]), value=jsonable(distinct[code[i]]) if counts[i] == 1 else None)
        for i in some.tolist()
    }


def _stats(column: Field, grouped: _Grouped) -> tuple[Array, Array, Array, Array, Array]:
    """Return by group: number of finite values, mean, standard deviation (n - 1; 0 for one value), min and max."""
    numbers = column.numbers[grouped.places]
    finite = np.isfinite(numbers)
    group, numbers, count = grouped.group[finite], numbers[finite], grouped.groups
    n = np.bincount(group, minlength=count)
    low, high = np.full(count, np.inf), np.full(count, -np.inf)
    np.minimum.at(low, group, numbers)
    np.maximum.at(high, group, numbers)
    with np.errstate(invalid="ignore", over="ignore"):
        mean = np.bincount(group, numbers, count) / np.where(n, n, np.nan)
        spread = np.bincount(group, (numbers - mean[group]) ** 2, count)
        std = np.sqrt(spread / np.where(n, np.maximum(n - 1, 1), np.nan))
    return n, np.clip(mean, low, high), std, low, high


def _filter(table: Runs, base: str, by: Mapping[str, Field], key: Mapping[str, Any], members: Array) -> str:
    """Return an expression that selects exactly the runs of a group among those of the query's search."""
    parts = [f"({base})"] if base else []
    for name, value in key.items():
        column, written = by[name], written_name(name)
        if value is MISSING or value is None:
            part: str | None = f"{written} is null"
        else:
            # `==` would also match lists that contain the value.
            operand = None if column.has(LIST, OBJECT) else written_value(value)
            part = None if operand is None else f"{written} == {operand}"
        if part is None or len(parts) > MAX_TERMS // 2:
            ids = ", ".join(f'"{table.entry(at).info["id"]}"' for at in members.tolist())
            return f"id in [{ids}]"
        parts.append(part)
    return " and ".join(parts)
