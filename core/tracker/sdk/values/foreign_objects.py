"""Read the objects that users hand in by their protocols, without importing the libraries that made them.

An object may raise anything when it is read. Functions here pass that on, unless their docstring says otherwise.
"""

from __future__ import annotations

import collections
import enum
import functools
import os
import re
import sys
import types
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from typing import Any

Read = Callable[[], Any]
"""Returns one value of an object, or raises what the object does."""

MAX_ITEMS = 100_000
"""Most items that are read of a sequence or mapping that is not in memory: it may have no end."""

_MAX_RANGE = 1000
_MAX_TEXT = 10_000
_MAX_DETAIL = 300
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
_BUILT_IN: tuple[type, ...] = (list, tuple, set, frozenset, collections.deque)
_TEXT_LIKE: tuple[type, ...] = (str, bytes, bytearray, memoryview, collections.UserString)
_VIEWS: tuple[type, ...] = (type({}.keys()), type({}.values()), type({}.items()))
_SINGLE = frozenset({("pydantic", "BaseModel"), ("argparse", "Namespace"), ("jsonargparse", "Namespace")})
"""Classes, by package and name, whose objects hold their members in `__dict__` and describe themselves as text."""


def is_a(value: Any, kind: type) -> bool:
    """Tell whether a value is of a class, or claims to be, as proxies do. Never raises."""
    if issubclass(type(value), kind):
        return True
    try:
        return isinstance(value, kind)
    except Exception:  # noqa: BLE001 - `__class__` may be a property that does anything
        return False


def class_name(kind: type) -> str:
    """Return module and qualified name of a class. Never raises."""
    try:
        return f"{kind.__module__}.{kind.__qualname__}"
    except Exception:  # noqa: BLE001 - a metaclass may do anything
        return type.__getattribute__(kind, "__name__")  # type: ignore[no-any-return]


def complaint(error: BaseException) -> str:
    """Return the type and text of an error, shortened. Never raises."""
    try:
        text = " ".join(str(error).split())[:_MAX_DETAIL]
    except Exception:  # noqa: BLE001 - the user's own __str__ may do anything
        text = ""
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def clean(text: str) -> str:
    """Return a plain str that UTF-8 can hold: lone surrogates become question marks."""
    if type(text) is str and text.isascii():
        return text
    return str.encode(text, "utf-8", "replace").decode("utf-8")


def shown(value: Any) -> str:
    """Return a value as messages show it. Never raises."""
    try:
        return repr(value)[:_MAX_DETAIL]
    except Exception:  # noqa: BLE001 - the user's own __repr__ may do anything
        return outline(value)


def key_text(key: Any) -> str:
    """Return a key as text. Never raises."""
    try:
        if issubclass(type(key), enum.Enum) and not issubclass(type(key), (str, int, float)):
            return clean(enum_name(key))
        return clean(key if issubclass(type(key), str) else str(key))
    except Exception as error:  # noqa: BLE001 - the user's own __str__ may do anything
        return f"<{class_name(type(key))}: no text ({type(error).__name__})>"


def free_name(name: str, key: Any, taken: Iterable[str]) -> str:
    """Return another name for a key whose text is taken already."""
    other = f"{name} ({type(key).__name__})" if not issubclass(type(key), str) else f"{name} (2)"
    number = 2
    while other in taken:
        number += 1
        other = f"{name} ({number})"
    return other


# -- text -----------------------------------------------------------------------------------------------------------


def describes_itself(value: Any) -> bool:
    """Tell whether the class of a value defines its text."""
    return _own(type(value), "__str__") or _own(type(value), "__repr__")


def _own(kind: type, method: str) -> bool:
    return getattr(kind, method) is not getattr(object, method)


def text_of(value: Any) -> str:
    """Return a value as text without addresses, which would differ from run to run."""
    if not describes_itself(value):
        return f"<{class_name(type(value))}>"
    return clean(_ADDRESS.sub("", str(value)))[:_MAX_TEXT]


def outline(value: Any) -> str:
    """Return a short description of a value, without reading its content. Never raises."""
    kind = type(value)
    try:
        if issubclass(kind, int):
            return f"<{kind.__name__} of {int.bit_length(value)} bits>"
        if hasattr(kind, "shape") and hasattr(kind, "dtype"):
            return f"<{kind.__name__} of shape {tuple(value.shape)}, {value.dtype}>"
        if hasattr(kind, "shape"):
            return f"<{kind.__name__} of shape {tuple(value.shape)}>"
        if hasattr(kind, "__len__"):
            return f"<{kind.__name__} of {len(value)} items>"
    except Exception:  # noqa: BLE001 - it has a name at least
        return f"<{class_name(kind)}>"
    return f"<{class_name(kind)}>"


def enum_name(value: enum.Enum) -> str:
    """Return the name of an enum's member; for a combination of flags, the names of its parts (`R|W`)."""
    name = value.name
    if name is None and isinstance(value, enum.Flag):
        parts = [str(flag.name) for flag in type(value) if flag.value and flag in value]
        name = "|".join(parts) or "0"
    return str(name)


# -- members --------------------------------------------------------------------------------------------------------


def members(value: Any, most: int = MAX_ITEMS) -> Iterator[tuple[Any, Read]] | None:
    """Yield the names of a value's members, each with a function that reads it; None if the value has no members.

    Mappings, dataclasses and named tuples have members; so do the classes of attrs, msgspec, pydantic and argparse,
    classes with `from_dict` and `to_dict`, and `SimpleNamespace`. `most`: how many members to read of a mapping that is
    not a dict, which may have no end.
    """
    kind = type(value)
    if is_a(value, Mapping) or (hasattr(kind, "keys") and hasattr(kind, "__getitem__")):
        return _of_mapping(value, most)
    for names in (_field_names, _attrs_names, _tuple_names, _struct_names):
        found = names(kind)
        if found is not None:
            return _of_attributes(value, found)
    if is_a(value, types.SimpleNamespace) or _bases(kind) & _SINGLE:
        return _of_dict(value)
    if hasattr(kind, "to_dict") and hasattr(kind, "from_dict") and not callable(value):
        return _of_mapping(value.to_dict(), most)
    return None


def attributes(value: Any) -> Iterator[tuple[Any, Read]] | None:
    """Yield the public attributes that an object itself holds; None if its class allows none."""
    kind = type(value)
    slots = [name for base in kind.__mro__ for name in _slots(base)]
    held = _holds_dict(kind)
    if not held and not slots:
        return None
    return _public(value, held, slots)


def _public(value: Any, held: bool, slots: list[str]) -> Iterator[tuple[Any, Read]]:
    for name in slots:
        if not name.startswith("_") and hasattr(value, name):
            yield name, functools.partial(getattr, value, name)
    for name, item in list(vars(value).items()) if held else ():
        if not key_text(name).startswith("_"):
            yield name, functools.partial(_itself, item)


def _holds_dict(kind: type) -> bool:
    return any("__dict__" in vars(base) for base in kind.__mro__)


def _slots(kind: type) -> list[str]:
    slots = vars(kind).get("__slots__", ())
    return [slots] if isinstance(slots, str) else [name for name in slots if isinstance(name, str)]


def _of_mapping(value: Any, most: int) -> Iterator[tuple[Any, Read]]:
    kind = type(value)
    in_memory = issubclass(kind, dict) and kind.__getitem__ is dict.__getitem__
    for key in _keys(value, most):
        yield key, functools.partial(dict.__getitem__ if in_memory else _looked_up, value, key)


def _keys(value: Any, most: int) -> Iterable[Any]:
    kind = type(value)
    if kind is dict:
        return list(value)
    failure: Exception | None = None
    for name in ("keys", "__iter__"):
        try:
            keys = iter(getattr(value, name)())
            return list(keys) if issubclass(kind, dict) else _limited(keys, most)
        except Exception as error:  # noqa: BLE001 - the other way may work
            failure = failure or error
    if issubclass(kind, dict):
        return list(dict.keys(value))
    assert failure is not None
    raise failure


def _limited(keys: Iterator[Any], most: int) -> Iterator[Any]:
    for count, key in enumerate(keys):
        if count >= most:
            raise OverflowError(f"it has more than {count:,} members")
        yield key


def _looked_up(value: Any, key: Any) -> Any:
    try:
        return value[key]
    except Exception as error:
        raw = _unresolved(value, key)
        if raw is None:
            raise
        raise Unresolved(complaint(error), raw) from error


class Unresolved(Exception):
    """A value refers to something that does not exist; `text` is the reference as it is written."""

    def __init__(self, message: str, text: str) -> None:
        super().__init__(message)
        self.text = text


def _unresolved(value: Any, key: Any) -> str | None:
    """Return how an unresolvable member of an OmegaConf container is written; None if that is not known."""
    omegaconf = sys.modules.get("omegaconf")
    try:
        if omegaconf is None or not omegaconf.OmegaConf.is_config(value):
            return None
        raw = omegaconf.OmegaConf.to_container(value, resolve=False)[key]
        return raw if type(raw) is str else None
    except Exception:  # noqa: BLE001 - the first error is reported
        return None


def _of_attributes(value: Any, names: Iterable[str]) -> Iterator[tuple[Any, Read]]:
    for name in names:
        yield name, functools.partial(getattr, value, name)


def _of_dict(value: Any) -> Iterator[tuple[Any, Read]]:
    more = getattr(value, "__pydantic_extra__", None) if hasattr(type(value), "__pydantic_extra__") else None
    for part in (vars(value), more or {}):
        for name, item in list(part.items()):
            if not key_text(name).startswith("_"):
                yield name, functools.partial(_itself, item)


def _itself(value: Any) -> Any:
    return value


def _field_names(kind: type) -> list[str] | None:
    fields = getattr(kind, "__dataclass_fields__", None)
    if not isinstance(fields, dict):
        return None
    ordinary = {"_FIELD"}  # neither class variables nor arguments of __init__ alone
    return [name for name, field in fields.items() if getattr(field._field_type, "name", "_FIELD") in ordinary]


def _attrs_names(kind: type) -> list[str] | None:
    fields = getattr(kind, "__attrs_attrs__", None)
    return [str(field.name) for field in fields] if isinstance(fields, tuple) else None


def _tuple_names(kind: type) -> tuple[str, ...] | None:
    fields = getattr(kind, "_fields", None)
    return fields if issubclass(kind, tuple) and isinstance(fields, tuple) else None


def _struct_names(kind: type) -> tuple[str, ...] | None:
    fields = getattr(kind, "__struct_fields__", None)
    return fields if isinstance(fields, tuple) else None


def _bases(kind: type) -> set[tuple[str, str]]:
    return {(str(base.__module__).partition(".")[0], base.__name__) for base in kind.__mro__}


# -- items ----------------------------------------------------------------------------------------------------------


def items(value: Any) -> Iterator[Read] | None:
    """Yield a function that reads each item of a sequence or set; return None for other values.

    Sets are sorted if possible. Views of dicts have items, too; text and iterators have none.
    """
    kind = type(value)
    if issubclass(kind, _TEXT_LIKE) or hasattr(kind, "__next__"):
        return None
    if issubclass(kind, range):
        return map(_reader, value) if len(value) <= _MAX_RANGE else None
    if issubclass(kind, (*_BUILT_IN, *_VIEWS)) or is_a(value, list) or is_a(value, tuple):
        return map(_reader, _sorted(value) if issubclass(kind, (set, frozenset)) else value)
    if is_a(value, Set):
        return map(_reader, _sorted(value))
    if is_a(value, Sequence):
        length = len(value)
        return None if length > MAX_ITEMS else (functools.partial(_looked_up, value, i) for i in range(length))
    return None


def _reader(item: Any) -> Read:
    return functools.partial(_itself, item)


def _sorted(values: Iterable[Any]) -> list[Any]:
    found = list(values)
    try:
        return sorted(found)
    except Exception:  # noqa: BLE001 - values of several types, or without an order
        return sorted(found, key=lambda item: (type(item).__name__, key_text(item)))


# -- callables ------------------------------------------------------------------------------------------------------


def bound(value: Any) -> tuple[Any, Sequence[Any], Mapping[str, Any]] | None:
    """Return the function, arguments and keywords of a `functools.partial` or a similar object; else None."""
    like = all(hasattr(type(value), name) for name in ("func", "args", "keywords"))
    if not like and not is_a(value, functools.partial) and not is_a(value, functools.partialmethod):
        return None
    function, arguments, keywords = value.func, value.args, value.keywords
    if not is_a(arguments, tuple) or not is_a(keywords or {}, Mapping):
        return None
    return function, arguments, keywords or {}


def callable_name(value: Any) -> str | None:
    """Return the name of a function, method, class or module; None for other objects.

    The name of a lambda is followed by its file and line, since a module may have many.
    """
    # Before the check for classes: in Python 3.10, list[int] is an instance of `type`, too.
    if isinstance(value, (types.GenericAlias, types.UnionType)) or type(value).__module__ == "typing":
        return str(value)
    if is_a(value, type):
        return class_name(value)
    if is_a(value, types.ModuleType):
        return str(value.__name__)
    if isinstance(value, types.MethodType):
        function = callable_name(value.__func__)
        name = getattr(value.__func__, "__name__", "")
        owner = value.__self__ if isinstance(value.__self__, type) else type(value.__self__)
        return f"{class_name(owner)}.{name}" if name else function
    name = getattr(value, "__qualname__", None) or getattr(value, "__name__", None)
    if not callable(value) or not isinstance(name, str):
        return None
    module = getattr(value, "__module__", None) or _module_of_builtin(value)
    text = f"{module}.{name}" if isinstance(module, str) and module else name
    code = getattr(getattr(value, "__wrapped__", value), "__code__", None)
    if name.endswith("<lambda>") and isinstance(code, types.CodeType):
        text = f"{text} ({os.path.basename(code.co_filename)}:{code.co_firstlineno})"
    return clean(text)


def _module_of_builtin(value: Any) -> str | None:
    owner = getattr(value, "__self__", None)
    if isinstance(owner, types.ModuleType):
        return owner.__name__
    kind = type(value)
    return kind.__module__ if kind.__module__ != "builtins" else None


def instance_name(value: Any) -> str | None:
    """Return the class of an object that describes itself as `Class(arguments)`, with those arguments; else None.

    `torch.nn.Dropout(0.5)` is `torch.nn.modules.dropout.Dropout(p=0.5, inplace=False)`.
    """
    kind = type(value)
    if not _own(kind, "__repr__"):
        return None
    text = clean(_ADDRESS.sub("", repr(value)))[:_MAX_TEXT]
    if not text.startswith(f"{kind.__name__}("):
        return text
    return class_name(kind) + text[len(kind.__name__) :].removesuffix("()")
