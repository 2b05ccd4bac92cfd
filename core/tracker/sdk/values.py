"""Turn what users log into what the run log can hold. Off the fast path: plain numbers and text never come here."""

from __future__ import annotations

import dataclasses
import enum
import os
from collections.abc import Callable, Mapping
from typing import Any

from tracker.errors import contain, warn_once
from tracker.media.arrays import MISSING, is_array, scalar, to_plain_list
from tracker.media.base import Media
from tracker.media.convert import as_media
from tracker.runlog.records import jsonable

_MAX_DEPTH = 20
_MAX_TEXT = 10_000
_MAX_BITS = 10_000  # of an integer; Python itself refuses to write much larger ones in decimal

Store = Callable[[bytes], str]
"""Keeps content beside the log and returns its digest."""


def to_row(data: Mapping[Any, Any], store: Store) -> dict[str, Any]:
    """Return `data` as the payload of a `log` record: flat keys (`a/b` for nesting), values that JSON can write.

    A value that cannot be read, such as an image whose file is gone, is left out with a warning.
    """
    row: dict[str, Any] = {}
    _flatten(row, "", data, store, 0)
    return row


def _flatten(row: dict[str, Any], prefix: str, data: Mapping[Any, Any], store: Store, depth: int) -> None:
    for key, value in data.items():
        name = _key(key, prefix)
        if isinstance(value, Mapping) and depth < _MAX_DEPTH:
            _flatten(row, name + "/", value, store, depth + 1)
        else:
            try:
                row[name] = _value(value, store, name)
            except Exception as error:  # noqa: BLE001 - values are anybody's objects; the rest of the row stays
                contain(error, f"log() of {name!r}")


def _key(key: Any, prefix: str = "") -> str:
    text = key if isinstance(key, str) else str(key)
    return prefix + text.encode("utf-8", "replace").decode("utf-8")  # lone surrogates have no UTF-8


def _value(value: Any, store: Store, name: str, depth: int = 0) -> Any:
    plain = _plain(value)
    if plain is not MISSING:
        return plain
    media = value if isinstance(value, Media) else as_media(value)
    if media is not None:
        return media.record(store)
    if depth < _MAX_DEPTH:
        if isinstance(value, (list, tuple, set, frozenset)):
            return [_value(item, store, name, depth + 1) for item in value]
        if is_array(value):
            return _value(to_plain_list(value), store, name, depth + 1)
    return _as_text(value, f"log() of {name!r}")


def _plain(value: Any) -> Any:
    """Return numbers, text and None as JSON can write them, or MISSING."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _key(value)
    number = value if type(value) is float or type(value) is int else scalar(value)
    if number is MISSING or (type(number) is int and number.bit_length() > _MAX_BITS):
        return MISSING
    return jsonable(number)


def _as_text(value: Any, where: str) -> str:
    kind = f"{type(value).__module__}.{type(value).__qualname__}"
    warn_once(f"{where} got a {kind}, which is no number, text or media; it is kept as text")
    try:
        return _key(str(value))[:_MAX_TEXT]
    except Exception as error:  # noqa: BLE001 - the user's own __str__ may do anything
        return f"<{kind}: no text ({type(error).__name__})>"


def to_mapping(source: Any) -> dict[str, Any]:
    """Return the members of a dict, an argparse namespace, a dataclass or an omegaconf-like mapping.

    Raises TypeError for anything else.
    """
    if isinstance(source, Mapping):
        return dict(source)
    if hasattr(source, "__dataclass_fields__") and not isinstance(source, type):
        return {field.name: getattr(source, field.name) for field in dataclasses.fields(source)}
    if hasattr(source, "keys") and hasattr(source, "__getitem__"):
        return {key: source[key] for key in source.keys()}  # noqa: SIM118 - all that such a mapping need have
    if hasattr(source, "__dict__") and not isinstance(source, type) and not callable(source):
        return {k: v for k, v in vars(source).items() if not k.startswith("_")}
    raise TypeError(f"config takes a dict, a namespace, a dataclass or a mapping, not a {type(source).__name__}")


def to_config(value: Any, depth: int = 0) -> Any:
    """Return a config value as JSON can write it. Classes and functions become their names, paths and enums their
    text.
    """
    plain = _plain(value)
    if plain is not MISSING:
        return plain
    if depth < _MAX_DEPTH:
        if isinstance(value, (list, tuple, set, frozenset)):
            return [to_config(item, depth + 1) for item in value]
        if is_array(value):
            return to_config(to_plain_list(value), depth + 1) if _small(value) else _array_text(value)
        if _is_mapping(value):
            return {_key(k): to_config(v, depth + 1) for k, v in to_mapping(value).items()}
    if isinstance(value, enum.Enum):
        return value.name
    if isinstance(value, os.PathLike):
        return _key(os.fspath(value) if isinstance(os.fspath(value), str) else repr(value))
    if isinstance(value, type) or callable(value):
        return f"{getattr(value, '__module__', '')}.{getattr(value, '__qualname__', type(value).__qualname__)}"
    try:
        return _key(str(value))[:_MAX_TEXT]
    except Exception as error:  # noqa: BLE001 - the user's own __str__ may do anything
        return f"<{type(value).__qualname__}: no text ({type(error).__name__})>"


def _is_mapping(value: Any) -> bool:
    if isinstance(value, type):
        return False
    if isinstance(value, Mapping) or hasattr(value, "__dataclass_fields__"):
        return True
    return type(value).__name__ in ("Namespace", "SimpleNamespace", "DictConfig") or (
        hasattr(value, "keys") and hasattr(value, "__getitem__")
    )


def _small(array: Any) -> bool:
    size = 1
    for side in array.shape:
        size *= int(side)
    return size <= 1000


def _array_text(array: Any) -> str:
    return f"<{type(array).__name__} of shape {tuple(array.shape)}, {array.dtype}>"
