"""A column of the runs table: the values of all runs under one name, in arrays that are updated when runs change."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from tracker_server.storage.interface import Array, Mask
from tracker_server.storage.query_budget import checked

from .column_names import MISSING, Entry, Name

NOTHING, BOOLEAN, NUMBER, TEXT, LIST, OBJECT = range(6)
"""Classes of values. Only values of the same class can be equal or compared."""

_CLASSES = {
    float: NUMBER, int: NUMBER, str: TEXT, bool: BOOLEAN, list: LIST, tuple: LIST,
    type(None): NOTHING, type(MISSING): NOTHING,
}  # fmt: skip
_EXACT = 2**53
"""float64 holds every integer up to this one exactly."""


def class_of(value: Any) -> int:
    """Return the class of a value."""
    return _CLASSES.get(type(value), OBJECT)


class Field:
    """The values under a name, by the places of the runs in `cache.Runs`. Not thread-safe.

    `numbers` holds them as float64, NaN for values that are not numbers; `classes` holds their classes. The values
    themselves are read from the runs, so a column needs nine bytes for each run.
    """

    def __init__(self, name: Name) -> None:
        self.name = name
        self.revision = -1
        """The revision of the table up to which the column is up to date."""
        self.numbers: Array = np.zeros(0)
        self.classes: Array = np.zeros(0, np.uint8)
        self.exact = True
        """Whether `numbers` holds every number exactly."""
        self._entries: list[Entry | None] = []
        self._codes: tuple[Array, list[Any]] | None = None
        self._ranks: Array | None = None

    def refresh(self, entries: list[Entry | None], places: Iterable[int], revision: int) -> None:
        """Read the values at `places` again."""
        self._entries = entries
        count = len(entries)
        if count > len(self.numbers):
            more = max(count, 2 * len(self.numbers), 64) - len(self.numbers)
            self.numbers = np.concatenate([self.numbers, np.full(more, np.nan)])
            self.classes = np.concatenate([self.classes, np.zeros(more, np.uint8)])
        some = list(places)
        read = self._read(some)
        types = [_CLASSES.get(type(value), OBJECT) for value in read]
        kinds = np.array(types, np.uint8)
        numeric = kinds == NUMBER
        fresh = np.full(len(read), np.nan)
        fresh[numeric] = self._floats([value for value, kind in zip(read, types, strict=True) if kind == NUMBER])
        where = np.array(some, np.int64)
        same = (self.classes[where] == kinds) & (~numeric | (self.numbers[where] == fresh))
        self.numbers[where], self.classes[where] = fresh, kinds
        if self._codes is not None:
            others = np.flatnonzero(same & ~numeric & (kinds != NOTHING)).tolist()
            known = all(self._is_known(some[i], read[i]) for i in others)
            if not (known and same.all() and len(self._codes[0]) == count):
                self._codes = None
        if self._codes is None or (self._ranks is not None and len(self._ranks) != count):
            self._ranks = None
        self.revision = revision  # last, so that an error leaves the column out of date

    def _read(self, places: list[int]) -> list[Any]:
        get, entries = self.name.get, self._entries
        return [MISSING if (entry := entries[at]) is None else get(entry) for at in checked(places)]

    def _floats(self, numbers: list[Any]) -> Array:
        if int in set(map(type, numbers)) and any(not -_EXACT <= n <= _EXACT for n in numbers if type(n) is int):
            self.exact = False
            numbers = [_as_float(number) for number in numbers]
        return np.array(numbers, np.float64)

    def _is_known(self, at: int, value: Any) -> bool:
        # Active runs change all the time, but hardly ever in values that are not numbers.
        assert self._codes is not None
        codes, distinct = self._codes
        return bool(at < len(codes) and codes[at] >= 0 and repr(distinct[codes[at]]) == repr(value))

    @property
    def size(self) -> int:
        """How many places there are."""
        return len(self._entries)

    def value(self, at: int) -> Any:
        """Return the value at a place, `MISSING` where there is none."""
        entry = self._entries[at]
        return MISSING if entry is None else self.name.get(entry)

    def has(self, *classes: int) -> bool:
        """Return whether any value is of one of these classes."""
        return any(bool((self.classes[: self.size] == kind).any()) for kind in classes)

    def codes(self) -> tuple[Array, list[Any]]:
        """Return the code of the value at each place, -1 where there is none, and the distinct values by code."""
        if self._codes is None:
            self._codes = self._factored()
        return self._codes

    def _factored(self) -> tuple[Array, list[Any]]:
        classes = self.classes[: self.size]
        if self.exact and not self.has(BOOLEAN, TEXT, LIST, OBJECT):
            there = np.flatnonzero(classes == NUMBER)
            _, first, inverse = np.unique(self.numbers[there], return_index=True, return_inverse=True)
            codes = np.full(self.size, -1, np.int64)
            codes[there] = inverse
            return codes, [self.value(at) for at in there[first].tolist()]
        places: dict[Any, int] = {}
        distinct: list[Any] = []
        codes = np.full(self.size, -1, np.int64)
        for at in checked(np.flatnonzero(classes).tolist()):
            value, kind = self.value(at), int(classes[at])
            key = (kind, repr(value) if kind >= LIST or value != value else value)
            code = places.get(key)
            if code is None:
                code = places[key] = len(distinct)
                distinct.append(value)
            codes[at] = code
        return codes, distinct

    def ranks(self) -> Array:
        """Return a number for each place that sorts values by class, then by value.

        It is NaN for values without an order: missing values, NaN and objects.
        """
        if self._ranks is None:
            if self.exact and not self.has(BOOLEAN, TEXT, LIST):
                self._ranks = self.numbers[: self.size]
            else:
                codes, distinct = self.codes()
                keys = [sortable(value) for value in distinct]
                order = sorted((key, code) for code, key in enumerate(keys) if key is not None)
                rank = np.full(len(distinct) + 1, np.nan)  # the last one is for code -1
                place = -1.0
                before = None
                for key, code in order:
                    place += key != before
                    rank[code], before = place, key
                self._ranks = rank[codes]
        return self._ranks

    def matching(self, test: Callable[[Any], bool]) -> Mask:
        """Return where a test of single values holds; it is called once for each distinct value."""
        codes, distinct = self.codes()
        hits = np.fromiter((test(value) for value in checked([*distinct, MISSING])), bool, len(distinct) + 1)
        return np.asarray(hits[codes])


def sortable(value: Any) -> tuple[int, Any] | None:
    """Return a sort key for mixed values: by class, then by value; None for missing values, NaN and objects."""
    kind = class_of(value)
    if kind in (NOTHING, OBJECT) or value != value:
        return None
    return kind, ", ".join(map(str, value)) if kind == LIST else value


def _as_float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return np.inf if value > 0 else -np.inf
