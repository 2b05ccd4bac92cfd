"""Turn logged rows into what the run log can hold. Off the fast path: rows of plain numbers never come here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from tracker.errors import warn_once
from tracker.media.arrays import MISSING, is_array, to_plain_list
from tracker.media.base import Media, MediaList
from tracker.media.convert import as_media
from tracker.runlog.records import RESERVED

from . import foreign_objects
from .config_values import Guard, Reading, plain
from .foreign_objects import Read, complaint, free_name, is_a, key_text, outline

_DEAR = 2_000  # objects read in a row that are no lists or dicts in memory, or were read before; see `Guard`
_DEAR_IN_TEXT = 100
_MAX_TEXT = 10_000
_MAX_KEYS = 10_000  # of a mapping that is no dict, and may have no end: a run has room for 100,000
_SHOWN = 5  # warnings about one row

Store = Callable[[bytes], str]
"""Keeps content beside the log and returns its digest."""


def to_row(data: Mapping[Any, Any], store: Store, refused: frozenset[str] = RESERVED) -> dict[str, Any]:
    """Return `data` as the payload of a `log` record: flat keys (`a/b` for nesting), values that JSON can write.

    A value that cannot be read becomes text, with a warning. Left out are media that fail, such as an image whose file
    is gone, and the names in `refused`. Raises `Unreadable` if no member of `data` can be read.
    """
    row = _Row(store, refused)
    row.take("", data, 0)
    return row.values


class Unreadable(Exception):
    """No member of an object can be read."""


class _LeftOut(Exception):
    """A value is not logged at all; the user was warned."""


class _Row:
    """One reading of what is logged."""

    def __init__(self, store: Store, refused: frozenset[str]) -> None:
        self._store = store
        self._refused = refused
        self._guard = Guard(_DEAR)
        self._told = 0
        self.values: dict[str, Any] = {}

    def take(self, prefix: str, data: Mapping[Any, Any], depth: int) -> None:
        """Add the members of a mapping, under names with this prefix."""
        any_read = False
        try:
            for key, read in foreign_objects.members(data, _MAX_KEYS) or ():
                any_read = True
                if not depth:
                    self._guard.next_member()
                self._add(prefix + key_text(key), key, read, depth)
        except Exception as error:
            if not any_read and not depth:
                raise Unreadable(complaint(error)) from error
            self._unread(prefix.rstrip("/"), error, "only a part of it is kept")

    def _add(self, name: str, key: Any, read: Read, depth: int) -> None:
        if name in self._refused:
            names = ", ".join(sorted(RESERVED))
            self._tell(f"log(): each row has {names} anyway; values under these names are refused")
            return
        value = self._read_out(read, name)
        if is_a(value, Mapping) and self._guard.enter(value, depth + 1):
            self.take(name + "/", value, depth + 1)
            self._guard.leave(value)
            return
        try:
            kept = self._value(value, name, 0)
        except _LeftOut:
            return
        if name in self.values:
            name, former = free_name(name, key, self.values), name
            self._tell(f"log() got {former!r} more than once in a row; the later value is kept as {name!r}")
        self.values[name] = kept

    def _read_out(self, read: Read, name: str) -> Any:
        try:
            return read()
        except Exception as error:  # noqa: BLE001 - members are anybody's properties
            self._unread(name, error)
            return f"<unreadable: {complaint(error)}>"

    def _value(self, value: Any, name: str, depth: int) -> Any:
        if issubclass(type(value), MediaList):
            return {
                "_type": "list",
                "items": self._values((partial(_itself, item) for item in value.items), name, depth),
            }
        if issubclass(type(value), Media):
            try:
                return value.record(self._store)
            except Exception as error:  # noqa: BLE001 - a file that is gone, a figure that cannot be drawn
                what = f"log() of {name!r} failed"
                self._tell(f"{what} ({complaint(error)}); it is left out", f"{what} {type(error).__name__}")
                raise _LeftOut from None
        try:
            return self._read(value, name, depth)
        except _LeftOut:
            raise
        except Exception as error:  # noqa: BLE001 - values are anybody's objects; the rest of the row stays
            self._unread(name, error)
            return outline(value)

    def _read(self, value: Any, name: str, depth: int) -> Any:
        number = plain(value)
        if number is not MISSING:
            return number
        try:
            media = as_media(value)
        except Exception:
            if not issubclass(type(value), (list, tuple)):
                raise
            media = None  # one odd item of a list is no reason to give up the others
        if media is not None:
            return self._value(media, name, depth)
        if not self._guard.enter(value, depth):
            return outline(value)
        try:
            if is_array(value):
                return self._value(to_plain_list(value), name, depth + 1)
            listed = None if is_a(value, Mapping) else foreign_objects.items(value)
            if listed is not None:
                return self._values(listed, name, depth + 1)
        finally:
            self._guard.leave(value)
        return self._text(value, name)

    def _values(self, items: Iterator[Read], name: str, depth: int) -> list[Any]:
        """Return the items without those that are left out; if that is all of them, so is the list."""
        found, left_out = [], False
        for read in items:
            try:
                found.append(self._value(self._read_out(read, name), name, depth))
            except _LeftOut:
                left_out = True
        if left_out and not found:
            raise _LeftOut
        return found

    def _text(self, value: Any, name: str) -> str:
        kind = foreign_objects.class_name(type(value))
        self._tell(f"log() of {name!r} got a {kind}, which is no number, text or media; it is kept as text")
        try:
            if is_a(value, Mapping):  # whose own text has no end where objects name each other
                return str(Reading(_DEAR_IN_TEXT).value(value, name))[:_MAX_TEXT]
            return foreign_objects.text_of(value)
        except Exception as error:  # noqa: BLE001 - the user's own __str__ may do anything
            return f"<{kind}: no text ({type(error).__name__})>"

    def _unread(self, name: str, error: Exception, then: str = "it is kept as text") -> None:
        what = f"log() of {name!r} cannot read the value"
        self._tell(f"{what} ({complaint(error)}); {then}", f"{what} {type(error).__name__}")

    def _tell(self, message: str, key: str | None = None) -> None:
        self._told += 1
        if self._told <= _SHOWN:  # of one row: a thousand odd values are one trouble
            warn_once(message, key)


def _itself(value: Any) -> Any:
    return value
