"""Validate a server's response before it is used: it may have any names and lack any member."""

from __future__ import annotations

import types
from collections.abc import Callable
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints, is_typeddict

from tracker.errors import ServerError
from tracker.names import is_project_name
from tracker.runlog.records import RUN_ID


def checked(answer: Any, shape: Any) -> Any:
    """Return a response if it has all members of a shape, each of its type.

    `shape` is a TypedDict, or another type that JSON has. Raises `ServerError`, which names the first mistake.
    """
    wrong = _checker(shape)(answer, "it")
    if wrong is not None:
        raise ServerError(f"the server sent an unreadable response: {wrong}")
    return answer


def check_names(info: Any) -> None:
    """Raise `ServerError` unless a run has names that runs may have. They become paths."""
    if not (is_project_name(info["entity"]) and is_project_name(info["project"]) and RUN_ID.fullmatch(info["id"])):
        raise ServerError("the server sent an unreadable response: a run with a name that no run can have")


_Checker = Callable[[Any, str], "str | None"]


@cache
def _checker(shape: Any) -> _Checker:
    if is_typeddict(shape):
        return _of_members({name: _checker(kind) for name, kind in get_type_hints(shape).items()})
    origin = get_origin(shape)
    if origin in (Union, types.UnionType):
        options = [_checker(option) for option in get_args(shape)]
        return lambda value, name: (
            None if any(option(value, name) is None for option in options) else f"{name} is of another type"
        )
    if origin is list:
        return _of_items(list, _checker(get_args(shape)[0]))
    if origin is dict:
        return _of_items(dict, _checker(get_args(shape)[1]))
    if shape is Any or origin is Literal:
        return lambda value, name: None  # noqa: ARG005
    return _of_type({float: (float, int), int: (int,), types.NoneType: (types.NoneType,)}.get(shape, (shape,)))


def _of_type(kinds: tuple[type, ...]) -> _Checker:
    def check(value: Any, name: str) -> str | None:
        right = isinstance(value, kinds) and (not isinstance(value, bool) or bool in kinds)
        return None if right else f"{name} is not of the type {kinds[0].__name__}"

    return check


def _of_members(members: dict[str, _Checker]) -> _Checker:
    def check(value: Any, name: str) -> str | None:
        if not isinstance(value, dict):
            return f"{name} is not an object"
        for member, checker in members.items():
            if member not in value:
                return f"{member} is missing"
            wrong = checker(value[member], member)
            if wrong is not None:
                return wrong
        return None

    return check


def _of_items(kind: Any, item: _Checker) -> _Checker:
    def check(value: Any, name: str) -> str | None:
        if not isinstance(value, kind):
            return f"{name} is not a {kind.__name__}"
        for one in value.values() if isinstance(value, dict) else value:
            wrong = item(one, f"a member of {name}")
            if wrong is not None:
                return wrong
        return None

    return check
