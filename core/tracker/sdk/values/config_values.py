"""Turn config values into what the run log can hold; `row` does the same for logged values.

Users' objects may do anything when they are read. One that raises costs its own value only, which becomes text with one
warning; it is not an internal error.
"""

from __future__ import annotations

import enum
import os
from collections.abc import Container, Iterator
from typing import Any, NamedTuple

from tracker.capture.secret_names import is_secret_name
from tracker.errors import warn_once
from tracker.media.arrays import MISSING, count, is_array, scalar, to_plain_list
from tracker.runlog.records import jsonable

from . import foreign_objects
from .foreign_objects import Read, clean, complaint, free_name, is_a, key_text, outline

_MAX_DEPTH = 20
_MAX_AGAIN = 2  # times that an object is written within itself
_MAX_COSTLY = 10_000  # costly objects that are read in a config; see `Guard`
_MAX_BITS = 10_000  # of an integer; Python itself refuses to write much larger ones in decimal
_SMALL = 1000  # most elements of an array or data frame that a config keeps
_FEW = 100  # most items of a collection in an object of any class
_PLAIN = frozenset({type(None), bool, int, float, str})
_SHOWN = 5  # unreadable members that a warning names


class Members(NamedTuple):
    """The members of a config as JSON can write them, and by name why some could not be read."""

    values: dict[str, Any]
    unreadable: dict[str, str]

    def without(self, names: Container[str]) -> Members:
        """Return the members except those with these names."""
        return self._replace(values={name: value for name, value in self.values.items() if name not in names})

    def warn(self) -> None:
        """Warn once about what could not be read."""
        if not self.unreadable:
            return
        some = list(self.unreadable.items())[:_SHOWN]
        named = ", ".join(f"{repr(name) if name else 'the whole'} ({why})" for name, why in some)
        more = len(self.unreadable) - len(some)
        also = f" and {more:,} more" if more else ""
        warn_once(f"config: what cannot be read is kept as text: {named}{also}", f"config {[name for name, _ in some]}")


def read_config(*sources: Any) -> Members:
    """Return the members of dicts, namespaces, dataclasses and other objects.

    An object has members by any protocol that `foreign_objects.members` knows, or as public attributes. Raises
    TypeError if it has none, and nothing else: see `Members.unreadable`.
    """
    reading = Reading()
    found: dict[str, Any] = {}
    for source in sources:
        if source is not None:
            found.update(reading.config(source))
    return Members(found, reading.unreadable)


def to_config(value: Any) -> Any:
    """Return a config value as JSON can write it.

    Classes and functions become their names, paths and enums their text. What cannot be read becomes text, without a
    warning.
    """
    return Reading().value(value, "")


class Guard:
    """Limits the reading of objects that contain themselves or each other, or make new objects when they are read.

    A list or dict in memory is free the first time. Everything else is costly: at most `most` such objects are read,
    half of them in one member of a config or row.
    """

    def __init__(self, most: int) -> None:
        self._remaining = most
        self._share = self._remaining_of_member = most // 2
        self._around: dict[int, int] = {}
        self.refused = False
        """Whether something in the current member was not read because it was too much."""

    def next_member(self) -> None:
        """Start with another member."""
        self._remaining_of_member = self._share
        self.refused = False

    def enter(self, value: Any, depth: int) -> bool:
        """Tell whether to read what is in a value; if so, call `leave` after that."""
        around = self._around.get(id(value), 0)
        if depth >= _MAX_DEPTH or around > _MAX_AGAIN:
            return False
        if id(value) in self._around or type(value) not in (list, dict, tuple):
            if self._remaining <= 0 or self._remaining_of_member <= 0:
                self.refused = True
                return False
            self._remaining -= 1
            self._remaining_of_member -= 1
        self._around[id(value)] = around + 1
        return True

    def leave(self, value: Any) -> None:
        """Note that a value was read."""
        self._around[id(value)] -= 1


# -- config ---------------------------------------------------------------------------------------------------------


class Reading:
    """Reads one config."""

    def __init__(self, most: int = _MAX_COSTLY) -> None:
        self._guard = Guard(most)
        self.unreadable: dict[str, str] = {}

    def config(self, source: Any) -> dict[str, Any]:
        """Return the members of a whole config."""
        try:
            members = _members_of(source)
            found = {} if members is None else self._named(members, "", 0)
        except Exception as error:  # noqa: BLE001 - a user's object may raise anything
            self._note("", error)
            return {}
        if members is None:
            kind = type(source).__name__
            raise TypeError(f"config takes a dict, a namespace, a dataclass or a mapping, not a {kind}")
        return found

    def value(self, value: Any, name: str, depth: int = 0) -> Any:
        """Return a value as JSON can write it. Never raises."""
        try:
            return self._read(value, name, depth)
        except Exception as error:  # noqa: BLE001 - a user's object may raise anything
            self._note(name, error)
            return outline(value)

    def _read(self, value: Any, name: str, depth: int) -> Any:
        number = plain(value)
        if number is not MISSING:
            return number
        if is_a(value, enum.Enum):
            return clean(foreign_objects.enum_name(value))
        if is_a(value, type):
            return foreign_objects.callable_name(value)
        if not self._guard.enter(value, depth):
            return outline(value)
        try:
            return self._parts(value, name, depth)
        finally:
            self._guard.leave(value)

    def _parts(self, value: Any, name: str, depth: int) -> Any:
        kind = type(value)
        simple = _simple(value)
        if simple is not None:
            return simple
        if hasattr(kind, "shape") and (is_array(value) or hasattr(kind, "keys")) and count(value) > _SMALL:
            return outline(value)
        if is_array(value) and not hasattr(kind, "keys"):
            return self.value(to_plain_list(value), name, depth + 1)
        if not hasattr(kind, "__next__"):
            members = foreign_objects.members(value)
            if members is not None:
                return self._named(members, name, depth + 1)
            listed = foreign_objects.items(value)
            if listed is not None:
                return self._listed(listed, name, depth + 1)
        if is_a(value, os.PathLike):
            path = os.fspath(value)
            return clean(path if isinstance(path, str) else repr(path))
        held = foreign_objects.bound(value)
        if held is not None:
            function, arguments, keywords = held
            parts = {"function": function, "args": list(arguments), "kwargs": dict(keywords)}
            return {k: self.value(v, f"{name}/{k}", depth + 1) for k, v in parts.items() if k == "function" or v}
        return self._thing(value, name, depth)

    def _thing(self, value: Any, name: str, depth: int) -> Any:
        """Return what identifies a callable, or an object of any class."""
        known = foreign_objects.callable_name(value)
        if known is not None:
            return known
        if callable(value):
            text = foreign_objects.instance_name(value)
            if text is not None:
                return text
        elif foreign_objects.describes_itself(value):
            return foreign_objects.text_of(value)
        if hasattr(type(value), "__next__"):
            return foreign_objects.text_of(value)
        return self._object(value, name, depth)

    def _object(self, value: Any, name: str, depth: int) -> Any:
        """Return the class and the public attributes of an object.

        Leaves out attributes with the name of a secret, and the content of large collections: not all attributes are
        meant to be shown.
        """
        kind = foreign_objects.class_name(type(value))
        found: dict[str, Any] = {}
        for key, read in foreign_objects.attributes(value) or ():
            text = key_text(key)
            if is_secret_name(text):
                continue
            found[text] = self._member(read, f"{name}/{text}", max(depth + 1, _MAX_DEPTH - 2), few=True)
        return {"class": kind, **found} if found else kind

    def _named(self, members: Iterator[tuple[Any, Read]], name: str, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        try:
            for key, read in members:
                text = key_text(key)
                if text in found:
                    text = free_name(text, key, found)
                path = f"{name}/{text}" if name else text
                if not depth:
                    self._guard.next_member()
                found[text] = self._member(read, path, depth)
                if not depth and self._guard.refused:
                    self.unreadable.setdefault(path, "there is too much in it")
        except Exception as error:
            if not found:
                raise
            self._note(name, error)
        return found

    def _listed(self, items: Iterator[Read], name: str, depth: int) -> list[Any]:
        found: list[Any] = []
        try:
            for read in items:
                found.append(self._member(read, name, depth))  # noqa: PERF401 - items before an error are kept
        except Exception as error:
            if not found:
                raise
            self._note(name, error)
            found.append(f"<unreadable: {complaint(error)}>")
        return found

    def _member(self, read: Read, name: str, depth: int, few: bool = False) -> Any:
        """Return what `read` returns as JSON can write it; with `few`, large collections only as an outline."""
        try:
            item = read()
        except foreign_objects.Unresolved as error:
            self._note(name, error)
            return error.text
        except Exception as error:  # noqa: BLE001 - a user's property may raise anything
            self._note(name, error)
            return f"<unreadable: {complaint(error)}>"
        large = few and not issubclass(type(item), str) and _length(item) > _FEW
        return outline(item) if large else self.value(item, name, depth)

    def _note(self, name: str, error: Exception) -> None:
        why = str(error) if isinstance(error, foreign_objects.Unresolved) else complaint(error)
        self.unreadable.setdefault(name, why)


def _members_of(source: Any) -> Iterator[tuple[Any, Read]] | None:
    if _has_no_members(source):
        return None
    found = foreign_objects.members(source)
    if found is not None or callable(source):
        return found
    return foreign_objects.attributes(source)


def _has_no_members(source: Any) -> bool:
    kind = type(source)
    known = (str, bytes, bytearray, int, float, complex, type, list, set, frozenset)
    return issubclass(kind, known) or (issubclass(kind, tuple) and not hasattr(kind, "_fields")) or is_array(source)


def _simple(value: Any) -> Any:
    """Return a list or dict of plain values only, such as a vocabulary, in a tenth of the time; else None."""
    if type(value) in (list, tuple) and _PLAIN.issuperset(map(type, value)):
        listed = list(map(plain, value))
        return listed if MISSING not in listed else None
    if type(value) is dict and _PLAIN.issuperset(map(type, value.values())) and set(map(type, value)) <= {str}:
        named = {clean(key): plain(item) for key, item in value.items()}
        return named if len(named) == len(value) and MISSING not in named.values() else None
    return None


def _length(value: Any) -> int:
    try:
        return len(value) if hasattr(type(value), "__len__") else 0
    except Exception:  # noqa: BLE001 - a user's object may raise anything
        return 0


def plain(value: Any) -> Any:
    """Return numbers, text and None as JSON can write them, or MISSING."""
    if value is None or value is True or value is False:
        return value
    kind = type(value)
    if kind is int and -(2**63) <= value < 2**64:
        return value
    if issubclass(kind, str):
        return clean(value)
    number = value if kind is float or kind is int else scalar(value)
    if number is MISSING or (type(number) is int and number.bit_length() > _MAX_BITS):
        return MISSING
    return jsonable(number)
