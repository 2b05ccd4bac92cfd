"""Tests of values, and conditions on the runs of a table: what filters of both forms are compiled to.

`filters` compiles objects (`{"config.lr": {"$lt": 1e-3}}`), `expression` compiles text (`config.lr < 1e-3`). Both come
to the same closures over plain comparisons; nothing is evaluated, imported or looked up as an attribute.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from tracker_server.storage.interface import Mask
from tracker_server.storage.patterns import pattern
from tracker_server.storage.query_budget import check

from .column_names import Name
from .fields import BOOLEAN, LIST, NOTHING, NUMBER, TEXT, Field, class_of

MAX_LIST = 100_000
"""Entries of a list to be in."""

MAX_ODD = 100
"""Entries of such a list that are lists or nothing."""

MAX_TERMS, MAX_DEPTH = 500, 20


class Source(Protocol):
    """The runs that a condition is asked about."""

    @property
    def size(self) -> int:
        """How many places there are."""

    def field(self, name: str, what: Name) -> Field:
        """Return the values under a name."""


Condition = Callable[[Source], Mask]
One = Callable[[Any], bool]


class Test(NamedTuple):
    """A test of a value, and where there is one, a quicker way to test a whole column: None if it cannot."""

    one: One
    many: Callable[[Field], Mask | None] | None = None

    def mask(self, field: Field) -> Mask:
        """Return where it holds."""
        found = None if self.many is None else self.many(field)
        return field.matching(self.one) if found is None else found


def of(name: str, what: Name, test: Test) -> Condition:
    """Return the condition that the value under a name passes the test."""
    return lambda source: test.mask(source.field(name, what))


def every(parts: Sequence[Condition]) -> Condition:
    """Return the condition that all hold."""

    def condition(source: Source) -> Mask:
        found = np.ones(source.size, bool)
        for part in parts:
            check()
            found = found & part(source)
        return found

    return condition


def some(parts: Sequence[Condition]) -> Condition:
    """Return the condition that one of them holds."""

    def condition(source: Source) -> Mask:
        found = np.zeros(source.size, bool)
        for part in parts:
            check()
            found = found | part(source)
        return found

    return condition


def opposite(part: Condition) -> Condition:
    """Return the condition that it does not hold."""
    return lambda source: ~part(source)


def all_of(tests: Sequence[Test]) -> Test:
    """Return the test that all hold."""

    def many(field: Field) -> Mask | None:
        found = np.ones(field.size, bool)
        for test in tests:
            check()
            found &= test.mask(field)
        return found

    return Test(lambda value: all(test.one(value) for test in tests), many)


def negated(test: Test) -> Test:
    """Return the test that it does not hold."""
    return Test(lambda value: not test.one(value), lambda field: ~test.mask(field))


class Budget:
    """Bounds the size of one filter."""

    def __init__(self) -> None:
        self._left = MAX_TERMS

    def spend(self, depth: int) -> None:
        """Count one condition. Raises ValueError for one too many, or too deep."""
        self._left -= 1
        if self._left < 0 or depth > MAX_DEPTH:
            raise ValueError(f"the filter is too large: at most {MAX_TERMS} conditions, {MAX_DEPTH} deep")


# -- tests: each raises ValueError, saying why, for what it cannot test for ------------------------------------------


def equal(wanted: Any) -> Test:
    """The value is the same, or a list with such an element. Nothing equals nothing."""
    kind = class_of(wanted)
    if kind == NOTHING:
        return negated(exists(True))

    def one(value: Any) -> bool:
        if class_of(value) == kind and value == wanted:
            return True
        return isinstance(value, list) and any(class_of(v) == kind and v == wanted for v in value)

    if kind != NUMBER or not _is_exact(wanted):
        return Test(one)

    def many(field: Field) -> Mask | None:
        if not field.exact or field.has(LIST):
            return None
        return np.asarray(field.numbers[: field.size] == wanted)

    return Test(one, many)


def ordered(name: str) -> Callable[[Any], Test]:
    """The value is a number beside a number, or a text beside a text, and stands in the order that `name` says: lt,
    lte, gt or gte.
    """
    compare = _ORDERS[name]

    def make(wanted: Any) -> Test:
        kind = class_of(wanted)
        if kind not in (NUMBER, TEXT):
            raise ValueError(f"${name} takes a number or a text; this is {brief(wanted)}")

        def one(value: Any) -> bool:
            return class_of(value) == kind and bool(compare(value, wanted))

        if kind != NUMBER or not _is_exact(wanted):
            return Test(one)

        def many(field: Field) -> Mask | None:
            return np.asarray(compare(field.numbers[: field.size], wanted)) if field.exact else None

        return Test(one, many)

    return make


_ORDERS: dict[str, Callable[[Any, Any], Any]] = {
    "lt": operator.lt,
    "lte": operator.le,
    "gt": operator.gt,
    "gte": operator.ge,
}


def within(wanted: Any) -> Test:
    """The value equals one of a list."""
    if not isinstance(wanted, list):
        raise ValueError(f"$in and $nin take a list; this is {brief(wanted)}")
    if len(wanted) > MAX_LIST:
        raise ValueError(f"a list in a filter has at most {MAX_LIST:,} entries")
    # Values are equal only within their class, so a set for each class finds them at once.
    plain: dict[int, set[Any]] = {}
    odd = []
    for value in wanted:
        if class_of(value) in (BOOLEAN, NUMBER, TEXT):
            plain.setdefault(class_of(value), set()).add(value)
        elif class_of(value) == NOTHING or value not in odd:
            odd.append(value)
            if len(odd) > MAX_ODD:
                raise ValueError(f"a list in a filter has at most {MAX_ODD:,} entries that are lists or nothing")
    tests = [equal(value).one for value in odd]

    def among(value: Any) -> bool:
        return class_of(value) in (BOOLEAN, NUMBER, TEXT) and value in plain.get(class_of(value), ())

    def one(value: Any) -> bool:
        if among(value) or (isinstance(value, list) and any(map(among, value))):
            return True
        return any(test(value) for test in tests)

    numbers = plain.get(NUMBER, set())
    if odd or plain.keys() - {NUMBER} or not all(map(_is_exact, numbers)):
        return Test(one)
    array = np.array(sorted(numbers), np.float64)

    def many(field: Field) -> Mask | None:
        if not field.exact or field.has(LIST):
            return None
        return np.isin(field.numbers[: field.size], array)

    return Test(one, many)


def exists(wanted: Any) -> Test:
    """There is a value (or none, if `wanted` is false)."""
    if not isinstance(wanted, bool):
        raise ValueError(f"$exists takes true or false; this is {brief(wanted)}")
    return Test(
        lambda value: (class_of(value) != NOTHING) == wanted,
        lambda field: np.asarray((field.classes[: field.size] != NOTHING) == wanted),
    )


def matches(wanted: Any) -> Test:
    """The value is a text, or a list with a text, in which the RE2 pattern is found."""
    if not isinstance(wanted, str):
        raise ValueError(f"$regex takes a text; this is {brief(wanted)}")
    search = pattern(wanted)

    def one(value: Any) -> bool:
        if isinstance(value, str):
            return search(value) is not None
        return isinstance(value, list) and any(isinstance(v, str) and search(v) is not None for v in value)

    return Test(one)


def contains(wanted: Any) -> Test:
    """The value is a text with that text in it, or a list with an equal element."""
    same = equal(wanted).one

    def one(value: Any) -> bool:
        if isinstance(value, str):
            return isinstance(wanted, str) and wanted in value
        return isinstance(value, list) and same(value)

    return Test(one)


def brief(value: Any) -> str:
    """Return a value as a message may show it."""
    return repr(value)[:80]


def _is_exact(number: float) -> bool:
    return type(number) is float or abs(number) <= 2**53
