"""Tests of values and conditions on runs, to which both forms of filters are compiled.

`filters` compiles objects (`{"config.lr": {"$lt": 1e-3}}`), `expression` compiles text (`config.lr < 1e-3`). Both
create the same closures over plain comparisons. Nothing in a filter is evaluated, imported or used as an attribute.
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
"""Entries of a list after `in`."""

MAX_ODD = 100
"""Entries of such a list that are lists or null."""

MAX_TERMS, MAX_DEPTH = 500, 20


class Source(Protocol):
    """The runs to which a condition is applied."""

    @property
    def size(self) -> int:
        """How many places there are."""

    def field(self, name: str, what: Name) -> Field:
        """Return the column of a name."""


Condition = Callable[[Source], Mask]
One = Callable[[Any], bool]


class Test(NamedTuple):
    """A test of a single value and, optionally, a faster one of a whole column, which may return None to decline."""

    one: One
    many: Callable[[Field], Mask | None] | None = None

    def mask(self, field: Field) -> Mask:
        """Return at which places the test holds."""
        found = None if self.many is None else self.many(field)
        return field.matching(self.one) if found is None else found


def on_column(name: str, what: Name, test: Test) -> Condition:
    """Return the condition that the value in a column passes the test."""
    return lambda source: test.mask(source.field(name, what))


def every(parts: Sequence[Condition]) -> Condition:
    """Return the condition that all parts hold."""

    def condition(source: Source) -> Mask:
        found = np.ones(source.size, bool)
        for part in parts:
            check()
            found = found & part(source)
        return found

    return condition


def some(parts: Sequence[Condition]) -> Condition:
    """Return the condition that at least one part holds."""

    def condition(source: Source) -> Mask:
        found = np.zeros(source.size, bool)
        for part in parts:
            check()
            found = found | part(source)
        return found

    return condition


def opposite(part: Condition) -> Condition:
    """Return the condition that `part` does not hold."""
    return lambda source: ~part(source)


def all_of(tests: Sequence[Test]) -> Test:
    """Return the test that all tests hold."""

    def many(field: Field) -> Mask | None:
        found = np.ones(field.size, bool)
        for test in tests:
            check()
            found &= test.mask(field)
        return found

    return Test(lambda value: all(test.one(value) for test in tests), many)


def negated(test: Test) -> Test:
    """Return the test that `test` does not hold."""
    return Test(lambda value: not test.one(value), lambda field: ~test.mask(field))


class FilterSize:
    """Limits the size of one filter."""

    def __init__(self) -> None:
        self._left = MAX_TERMS

    def spend(self, depth: int) -> None:
        """Count one condition. Raises ValueError if there are too many, or it is nested too deeply."""
        self._left -= 1
        if self._left < 0 or depth > MAX_DEPTH:
            raise ValueError(f"the filter is too large: at most {MAX_TERMS} conditions, {MAX_DEPTH} deep")


# -- tests: each raises ValueError for an operand that it does not support -------------------------------------------


def equal(wanted: Any) -> Test:
    """Test that the value is equal, or a list with an equal element. No value equals null."""
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
    """Return a factory of tests that compare numbers or texts; `name` is lt, lte, gt or gte.

    A number and a text never compare.
    """
    compare = _ORDERS[name]

    def make(wanted: Any) -> Test:
        kind = class_of(wanted)
        if kind not in (NUMBER, TEXT):
            raise ValueError(f"${name} needs a number or a text, not {brief(wanted)}")

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
    """Test that the value equals one of a list."""
    if not isinstance(wanted, list):
        raise ValueError(f"$in and $nin need a list, not {brief(wanted)}")
    if len(wanted) > MAX_LIST:
        raise ValueError(f"a list in a filter can have at most {MAX_LIST:,} entries")
    # Values are equal only within their class, so one set for each class is enough for a fast look-up.
    plain: dict[int, set[Any]] = {}
    odd = []
    for value in wanted:
        if class_of(value) in (BOOLEAN, NUMBER, TEXT):
            plain.setdefault(class_of(value), set()).add(value)
        elif class_of(value) == NOTHING or value not in odd:
            odd.append(value)
            if len(odd) > MAX_ODD:
                raise ValueError(f"a list in a filter can have at most {MAX_ODD:,} entries that are lists or null")
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
    """Test that there is a value or, if `wanted` is false, none."""
    if not isinstance(wanted, bool):
        raise ValueError(f"$exists needs true or false, not {brief(wanted)}")
    return Test(
        lambda value: (class_of(value) != NOTHING) == wanted,
        lambda field: np.asarray((field.classes[: field.size] != NOTHING) == wanted),
    )


def matches(wanted: Any) -> Test:
    """Test that the value is a text, or a list with a text, in which the RE2 pattern is found."""
    if not isinstance(wanted, str):
        raise ValueError(f"$regex needs a text, not {brief(wanted)}")
    search = pattern(wanted)

    def one(value: Any) -> bool:
        if isinstance(value, str):
            return search(value) is not None
        return isinstance(value, list) and any(isinstance(v, str) and search(v) is not None for v in value)

    return Test(one)


def contains(wanted: Any) -> Test:
    """Test that the value is a text that contains `wanted`, or a list with an equal element."""
    same = equal(wanted).one

    def one(value: Any) -> bool:
        if isinstance(value, str):
            return isinstance(wanted, str) and wanted in value
        return isinstance(value, list) and same(value)

    return Test(one)


def brief(value: Any) -> str:
    """Return a value, shortened for an error message."""
    return repr(value)[:80]


def _is_exact(number: float) -> bool:
    return type(number) is float or abs(number) <= 2**53
