"""Conditions on runs (`wire.Filter`), and the names by which conditions and orders refer to a run's values.

A condition becomes a chain of closures over plain comparisons: nothing in it is evaluated, imported or looked up as an
attribute.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

import re2

from tracker.wire import RunInfo

MISSING = object()
"""What a run has under a name that it lacks."""

Getter = Callable[[Mapping[str, Any]], Any]
Test = Callable[[Any], bool]
Condition = Callable[[Mapping[str, Any]], bool]

MAX_PATTERN = 500
"""Characters of a regular expression."""

_MAX_DEPTH = 20
_MAX_TERMS = 500
_MAX_NAME = 1000


def getter(name: str) -> Getter:
    """Return what reads the value that `name` stands for from a `RunInfo`: a member, `config.…` or `summary.…`.

    What follows `config.` or `summary.` is a key, or else a path into nested objects with dots or slashes between the
    keys; a key that matches as a whole wins. Raises ValueError for a name that no run can have.
    """
    if name in RunInfo.__annotations__:
        return lambda run: run.get(name, MISSING)
    place, dot, path = name.partition(".")
    if not dot:
        place, dot, path = name.partition("/")
    if place not in ("config", "summary", "environment") or not path or len(name) > _MAX_NAME:
        members = ", ".join(RunInfo.__annotations__)
        raise ValueError(f"{name[:100]!r} is not something runs have: use config.…, summary.… or one of {members}")
    return lambda run: _dig(run.get(place), path)


def _dig(value: Any, path: str) -> Any:
    if not isinstance(value, Mapping):
        return MISSING
    found = value.get(path, MISSING)
    if found is not MISSING:
        return found
    for i, char in enumerate(path):
        if char in "./" and isinstance(inner := value.get(path[:i]), Mapping):
            found = _dig(inner, path[i + 1 :])
            if found is not MISSING:
                return found
    return MISSING


def condition(filters: Mapping[str, Any]) -> Condition:
    """Return a test of a `RunInfo`. Raises ValueError, saying what is wrong, for what is no filter."""
    return _all(filters, _Budget(), 0)


class _Budget:
    def __init__(self) -> None:
        self._left = _MAX_TERMS

    def spend(self, depth: int) -> None:
        self._left -= 1
        if self._left < 0 or depth > _MAX_DEPTH:
            raise ValueError(f"the filter is too large: at most {_MAX_TERMS} conditions, {_MAX_DEPTH} deep")


def _all(filters: Any, budget: _Budget, depth: int) -> Condition:
    if not isinstance(filters, Mapping):
        raise ValueError(f"a filter is an object, such as {{'state': 'finished'}}; this is {_brief(filters)}")
    parts = [_one(name, wanted, budget, depth + 1) for name, wanted in filters.items()]
    return lambda run: all(part(run) for part in parts)


def _one(name: str, wanted: Any, budget: _Budget, depth: int) -> Condition:
    budget.spend(depth)
    if name in ("$and", "$or"):
        if not isinstance(wanted, list):
            raise ValueError(f"{name} takes a list of filters; this is {_brief(wanted)}")
        parts = [_all(part, budget, depth) for part in wanted]
        combine = all if name == "$and" else any
        return lambda run: combine(part(run) for part in parts)
    if name == "$not":
        inner = _all(wanted, budget, depth)
        return lambda run: not inner(run)
    if name.startswith("$"):
        raise ValueError(f"{name} does not stand here: write {{'config.lr': {{'{name}': …}}}}")
    get = getter(name)
    test = _test(wanted, budget, depth)
    return lambda run: test(get(run))


def _test(wanted: Any, budget: _Budget, depth: int) -> Test:
    """The test of one value: plain JSON to be equal to, or an object of operators that must all hold."""
    if not (isinstance(wanted, Mapping) and any(str(name).startswith("$") for name in wanted)):
        return _equal(wanted)
    tests = []
    for name, operand in wanted.items():
        budget.spend(depth + 1)
        if name == "$not":
            tests.append(_negated(_test(operand, budget, depth + 1)))
        elif name in _OPERATORS:
            tests.append(_OPERATORS[name](operand))
        else:
            known = " ".join([*_OPERATORS, "$and", "$or", "$not"])
            raise ValueError(f"{_brief(name)} is not an operator; there are {known}")
    return lambda value: all(test(value) for test in tests)


def _negated(test: Test) -> Test:
    return lambda value: not test(value)


def type_class(value: Any) -> int:
    """Values compare only within a class: 0 nothing, 1 bool, 2 number, 3 text, 4 list, 5 object."""
    if value is MISSING or value is None:
        return 0
    if isinstance(value, bool):
        return 1
    if isinstance(value, (int, float)):
        return 2
    if isinstance(value, str):
        return 3
    return 4 if isinstance(value, (list, tuple)) else 5


def _equal(wanted: Any) -> Test:
    kind = type_class(wanted)
    if kind == 0:
        return lambda value: type_class(value) == 0

    def test(value: Any) -> bool:
        if type_class(value) == kind and value == wanted:
            return True
        return isinstance(value, list) and any(type_class(v) == kind and v == wanted for v in value)

    return test


def _ordered(compare: Callable[[Any, Any], bool], name: str) -> Callable[[Any], Test]:
    def make(wanted: Any) -> Test:
        kind = type_class(wanted)
        if kind not in (2, 3):
            raise ValueError(f"{name} takes a number or a text; this is {_brief(wanted)}")
        return lambda value: type_class(value) == kind and compare(value, wanted)

    return make


def _in(wanted: Any) -> Test:
    if not isinstance(wanted, list):
        raise ValueError(f"$in and $nin take a list; this is {_brief(wanted)}")
    if len(wanted) > 10_000:
        raise ValueError("a list in a filter has at most 10,000 entries")
    plain = {w for w in wanted if type(w) is str}
    tests = [_equal(w) for w in wanted if type(w) is not str]

    def test(value: Any) -> bool:
        if type(value) is str and value in plain:
            return True
        if isinstance(value, list) and any(type(v) is str and v in plain for v in value):
            return True
        return any(t(value) for t in tests)

    return test


def _exists(wanted: Any) -> Test:
    if not isinstance(wanted, bool):
        raise ValueError(f"$exists takes true or false; this is {_brief(wanted)}")
    return lambda value: (type_class(value) != 0) == wanted


def _regex(wanted: Any) -> Test:
    if not isinstance(wanted, str):
        raise ValueError(f"$regex takes a text; this is {_brief(wanted)}")
    if len(wanted) > MAX_PATTERN:
        raise ValueError(f"the pattern of $regex has {len(wanted):,} characters; at most {MAX_PATTERN} are taken")
    # RE2 and not `re`: time linear in the text. Backtracking lets a short pattern keep a server busy for years.
    options = re2.Options()
    options.max_mem, options.log_errors = 1 << 20, False
    try:
        search = re2.compile(wanted, options).search
    except re2.error as error:
        raise ValueError(f"the pattern of $regex is not understood: {error}") from None

    def test(value: Any) -> bool:
        if isinstance(value, str):
            return search(value) is not None
        return isinstance(value, list) and any(isinstance(v, str) and search(v) is not None for v in value)

    return test


def _contains(wanted: Any) -> Test:
    equal = _equal(wanted)

    def test(value: Any) -> bool:
        if isinstance(value, str):
            return isinstance(wanted, str) and wanted in value
        return isinstance(value, list) and equal(value)

    return test


_OPERATORS: dict[str, Callable[[Any], Test]] = {
    "$eq": _equal,
    "$ne": lambda wanted: _negated(_equal(wanted)),
    "$lt": _ordered(operator.lt, "$lt"),
    "$lte": _ordered(operator.le, "$lte"),
    "$gt": _ordered(operator.gt, "$gt"),
    "$gte": _ordered(operator.ge, "$gte"),
    "$in": _in,
    "$nin": lambda wanted: _negated(_in(wanted)),
    "$exists": _exists,
    "$regex": _regex,
    "$contains": _contains,
}


def _brief(value: Any) -> str:
    return repr(value)[:80]
