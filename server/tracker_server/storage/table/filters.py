"""Compile filters in the form of objects (`wire.Filter`); texts go to `expression`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from . import conditions
from .column_names import resolve_name
from .conditions import Condition, FilterSize, Test, brief
from .expression import parse


def condition(filters: Mapping[str, Any] | str) -> Condition:
    """Compile a filter, an object or an expression. Raises ValueError, with the reason, if it is invalid."""
    return parse(filters) if isinstance(filters, str) else _all(filters, FilterSize(), 0)


def _all(filters: Any, size: FilterSize, depth: int) -> Condition:
    if not isinstance(filters, Mapping):
        raise ValueError(f"a filter must be an object such as {{'state': 'finished'}}, not {brief(filters)}")
    return conditions.every([_one(name, wanted, size, depth + 1) for name, wanted in filters.items()])


def _one(name: str, wanted: Any, size: FilterSize, depth: int) -> Condition:
    size.spend(depth)
    if name in ("$and", "$or"):
        if not isinstance(wanted, list):
            raise ValueError(f"{name} needs a list of filters, not {brief(wanted)}")
        parts = [_all(part, size, depth) for part in wanted]
        return conditions.every(parts) if name == "$and" else conditions.some(parts)
    if name == "$not":
        return conditions.opposite(_all(wanted, size, depth))
    if name.startswith("$"):
        raise ValueError(f"{name} is not allowed here: write {{'config.lr': {{'{name}': …}}}}")
    what = resolve_name(name)
    return conditions.on_column(name, what, _test(wanted, size, depth))


def _test(wanted: Any, size: FilterSize, depth: int) -> Test:
    """Compile the test of a value: plain JSON that it must equal, or an object of operators that must all hold."""
    if not (isinstance(wanted, Mapping) and any(str(name).startswith("$") for name in wanted)):
        return conditions.equal(wanted)
    tests = []
    for name, operand in wanted.items():
        size.spend(depth + 1)
        if name == "$not":
            tests.append(conditions.negated(_test(operand, size, depth + 1)))
        elif name in _OPERATORS:
            tests.append(_OPERATORS[name](operand))
        else:
            there = " ".join([*_OPERATORS, "$and", "$or", "$not"])
            raise ValueError(f"{brief(name)} is not an operator: use one of {there}")
    return conditions.all_of(tests)


_OPERATORS: dict[str, Callable[[Any], Test]] = {
    "$eq": conditions.equal,
    "$ne": lambda wanted: conditions.negated(conditions.equal(wanted)),
    "$lt": conditions.ordered("lt"),
    "$lte": conditions.ordered("lte"),
    "$gt": conditions.ordered("gt"),
    "$gte": conditions.ordered("gte"),
    "$in": conditions.within,
    "$nin": lambda wanted: conditions.negated(conditions.within(wanted)),
    "$exists": conditions.exists,
    "$regex": conditions.matches,
    "$contains": conditions.contains,
}
