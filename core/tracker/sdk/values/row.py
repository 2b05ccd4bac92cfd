"""Turn logged rows into what the run log can hold, except rows of plain numbers: `run` has a fast path for them."""

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

_MAX_COSTLY = 2_000  # costly objects that are read in a row; see `Guard`
_MAX_COSTLY_IN_TEXT = 100
_MAX_TEXT = 10_000
_MAX_KEYS = 10_000  # of a mapping that is not a dict, and may have no end: a run has room for 100,000
_SHOWN = 5  # warnings about one row

Store = Callable[[bytes], str]
"""Keeps content beside the log and returns its digest."""


def to_row(data: Mapping[Any, Any], store: Store, refused: frozenset[str] = RESERVED) -> dict[str, Any]:
    """Return `data` as the payload of a `log` record: flat keys (`a/b` for nesting), values that JSON can write.

    A value that cannot be read becomes text, with a warning. Media that fail, such as an image whose file is gone, and
    the names in `refused` are left out. Raises `Unreadable` if no member of `data` can be read.
    """
    row = _Row(store, refused)
    row.take("", data, 0)
    return row.values


class Unreadable(Exception):
    """No member of an object can be read."""


class _LeftOut(Exception):
    """A value is not logged at all; the user was warned."""


class _Row:
    """Reads one row."""

    def __init__(self, store: Store, refused: frozenset[str]) -> None:
        self._store = store
        self._refused = refused
        self._guard = Guard(_MAX_COSTLY)
        self._warnings = 0
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
            self._warn(f"log(): each row has {names} anyway; values under these names are refused")
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
            self._warn(f"log() got {former!r} more than once in a row; the later value is kept as {name!r}")
        self.values[name] = kept

    def _read_out(self, read: Read, name: str) -> Any:
        try:
            return read()
        except Exception as error:  # noqa: BLE001 - a user's property may raise anything
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
                self._warn(f"{what} ({complaint(error)}); it is left out", f"{what} {type(error).__name__}")
                raise _LeftOut from None
        try:
            return self._read(value, name, depth)
        except _LeftOut:
            raise
        except Exception as error:  # noqa: BLE001 - a user's object may raise anything; the rest of the row stays
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
            media = None  # an odd item of a list does not cost the others
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
        """Return the items that are not left out; leave the list out if there are none."""
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
        self._warn(f"log() of {name!r} got a {kind}, which is not a number, text or media; it is kept as text")
        try:
            if is_a(value, Mapping):  # its own text may have no end if objects refer to each other
                return str(Reading(_MAX_COSTLY_IN_TEXT).value(value, name))[:_MAX_TEXT]
            return foreign_objects.text_of(value)
        except Exception as error:  # noqa: BLE001 - the user's own __str__ may do anything
            return f"<{kind}: no text ({type(error).__name__})>"

    def _unread(self, name: str, error: Exception, then: str = "it is kept as text") -> None:
        what = f"log() of {name!r} cannot read the value"
        self._warn(f"{what} ({complaint(error)}); {then}", f"{what} {type(error).__name__}")

    def _warn(self, message: str, key: str | None = None) -> None:
        self._warnings += 1
        if self._warnings <= _SHOWN:  # a thousand odd values in a row give few warnings
            warn_once(message, key)


def _itself(value: Any) -> Any:
    return value
