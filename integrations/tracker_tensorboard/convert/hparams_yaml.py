"""Read Lightning's `hparams.yaml` safely: only plain values, with a bounded amount of work.

The file is read event by event. No Python object is created, and pickled ones are skipped: modules, optimizers and data
sets would become megabytes that nobody reads.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tracker.runlog.records import MAX_DEPTH, jsonable

_MOST_BYTES = 16 * 2**20
_MOST_EVENTS = 1_000_000
_MOST_VALUES = 100_000
_MOST_TEXT = 2**20  # characters of one member; all together may have four times as many
_DEEPEST = MAX_DEPTH - 10

_TAG = "tag:yaml.org,2002:"
_PYTHON = f"{_TAG}python/"
_PLAIN = {"none": "null", "bool": "bool", "int": "int", "long": "int", "float": "float"}
_HOLDERS = ("Namespace", "SimpleNamespace", "AttributeDict", "OrderedDict", "defaultdict")
"""Classes that only hold named values, and are read as mappings."""


class _TooLarge(Exception):
    """A member is too large."""


class _Enough(Exception):
    """The file is too large; what was read before counts."""


def hyperparameters(path: Path) -> dict[str, Any]:
    """Return the hyperparameters in a `hparams.yaml`, ready for `config`.

    Python objects become the names of their classes; those that only hold named values, such as an argparse namespace,
    become mappings. No object is created, whatever the file says. A member that is too large becomes a note, and of a
    file larger than 16 MiB only the beginning is read.

    Raises:
        ValueError: If the file is not a YAML mapping, or its aliases expand to more than 100,000 values.
        OSError: If the file cannot be read.
        ImportError: If PyYAML is not installed.
    """
    try:
        import yaml  # Lightning installs it; nothing else here needs it
    except ImportError:
        raise ImportError("reading hyperparameters needs PyYAML: pip install pyyaml") from None
    with path.open("rb") as file:
        text = file.read(_MOST_BYTES + 1)
    reader = _Reader(text)
    try:
        return reader.members()
    except _Enough:
        return reader.found
    except (yaml.YAMLError, RecursionError, StopIteration, _TooLarge) as error:
        if len(text) > _MOST_BYTES and reader.found:
            return reader.found
        raise ValueError(f"not readable as YAML ({type(error).__name__})") from None


class _Reader:
    """Builds values from the events of one document."""

    def __init__(self, text: bytes) -> None:
        import yaml

        self._yaml = yaml
        self._events: Iterator[Any] = yaml.parse(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        self._scalars = yaml.SafeLoader("")
        self._anchors: dict[str, tuple[Any, int] | None] = {}  # the value of each, and how many values it has
        self._seen = 0
        self._open = 0  # collections that are not closed
        self._values = self._text = 0  # of the current member
        self._all_values = self._all_text = 0
        self.found: dict[str, Any] = {}
        """The members read so far."""

    def members(self) -> dict[str, Any]:
        """Return the members of the document. Raises ValueError if it is not a mapping."""
        yaml = self._yaml
        event = self._next()
        while isinstance(event, (yaml.StreamStartEvent, yaml.DocumentStartEvent)):
            event = self._next()
        if isinstance(event, yaml.StreamEndEvent) or (isinstance(event, yaml.ScalarEvent) and not event.value):
            return {}
        python = _python_tag(event.tag) if isinstance(event, yaml.MappingStartEvent) else None
        if not isinstance(event, yaml.MappingStartEvent) or (python is not None and not _is_holder(python[1])):
            raise ValueError("not a mapping of names to values")
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            self._member(event)
        held = self.found.get("dictitems")
        if python is not None and python[0].startswith("object/") and isinstance(held, dict):
            return held
        return self.found

    def _member(self, event: Any) -> None:
        self._values = self._text = 0
        name = _name(self._value(event, 1))
        try:
            value = self._value(self._next(), 1)
        except _TooLarge:
            while self._open > 1:
                self._next()
            value = "left out, since it is too large; hparams.yaml has it"
        else:
            self._all_values, self._all_text = self._all_values + self._values, self._all_text + self._text
            if self._all_values > _MOST_VALUES or self._all_text > 4 * _MOST_TEXT:
                raise _Enough
        self.found[name] = value

    def _next(self) -> Any:
        self._seen += 1
        if self._seen > _MOST_EVENTS:
            raise _Enough
        event = next(self._events)
        if isinstance(event, self._yaml.CollectionStartEvent):
            self._open += 1
        elif isinstance(event, self._yaml.CollectionEndEvent):
            self._open -= 1
        return event

    def _count(self, values: int, text: int = 0) -> None:
        self._values += values
        self._text += text
        if self._values > _MOST_VALUES or self._text > _MOST_TEXT:
            raise _TooLarge

    def _value(self, event: Any, depth: int) -> Any:
        if depth > _DEEPEST:
            raise ValueError("nested too deeply")
        if isinstance(event, self._yaml.AliasEvent):
            return self._alias(event.anchor)
        before = self._values
        if event.anchor is not None:
            self._anchors[event.anchor] = None  # until it is complete
        value = self._build(event, depth)
        if event.anchor is not None:
            self._anchors[event.anchor] = value, self._values - before
        return value

    def _alias(self, anchor: str) -> Any:
        found = self._anchors.get(anchor, ("", 1))  # an anchor in a skipped part
        if found is None or self._values + found[1] > _MOST_VALUES:
            raise ValueError(f"expands to more than {_MOST_VALUES:,} values")
        self._count(found[1])
        return found[0]

    def _build(self, event: Any, depth: int) -> Any:
        self._count(1)
        python = _python_tag(event.tag)
        if isinstance(event, self._yaml.ScalarEvent):
            return self._scalar(event, python)
        if python is not None and python[1] and not _is_holder(python[1]):
            return self._class_name(event, python, depth)
        if isinstance(event, self._yaml.SequenceStartEvent):
            items = self._items(depth)
            return _pairs(items) if python is not None and python[1] else items
        members: dict[str, Any] = {}
        while not isinstance(key := self._next(), self._yaml.MappingEndEvent):
            name = _name(self._value(key, depth + 1))
            members[name] = self._value(self._next(), depth + 1)
        if python is not None and python[0].startswith("object/"):  # the form of subclasses of dict
            held = members.get("dictitems", members.get("args", {}))
            return _pairs(held) if isinstance(held, list) else held
        return members

    def _items(self, depth: int) -> list[Any]:
        items = []
        while not isinstance(item := self._next(), self._yaml.SequenceEndEvent):
            items.append(self._value(item, depth + 1))
        return items

    def _class_name(self, event: Any, python: tuple[str, str], depth: int) -> str:
        """Skip an object and return the name of its class; a path becomes its text."""
        if python[1].startswith("pathlib.") and isinstance(event, self._yaml.SequenceStartEvent):
            return str(Path(*map(str, self._items(depth))))
        around = self._open - 1
        while self._open > around:
            self._next()
        return _name(python[1])

    def _scalar(self, event: Any, python: tuple[str, str] | None) -> Any:
        self._count(0, len(event.value))
        if python is not None and python[1]:
            return _name(python[1])
        kind = _PLAIN.get(python[0]) if python is not None else None
        if kind is not None:
            tag = _TAG + kind
        elif python is not None or (event.tag or "!") != "!":
            tag = event.tag
        else:
            tag = self._scalars.resolve(self._yaml.ScalarNode, event.value, event.implicit)
        make = self._scalars.yaml_constructors.get(tag) if tag and tag.startswith(_TAG) else None
        value = event.value if make is None else make(self._scalars, self._yaml.ScalarNode(tag, event.value))
        if value is None or isinstance(value, (bool, int, float)):
            return jsonable(value)
        return _name(value)


def _python_tag(tag: str | None) -> tuple[str, str] | None:
    """Return the kind and the name in a Python tag, such as `object/apply` and `torch.device`; else None."""
    if tag is None or not tag.startswith(_PYTHON):
        return None
    kind, _, name = tag[len(_PYTHON) :].partition(":")
    return kind, name


def _is_holder(name: str) -> bool:
    return name.rpartition(".")[2] in _HOLDERS


def _pairs(arguments: list[Any]) -> Any:
    """Return the members of a dict that is written as pairs."""
    pairs = arguments[-1] if arguments else []
    if isinstance(pairs, dict):
        return pairs
    sound = isinstance(pairs, list) and all(isinstance(pair, list) and len(pair) == 2 for pair in pairs)
    return {_name(key): value for key, value in pairs} if sound else arguments


def _name(value: Any) -> str:
    """Return a value as text without lone surrogates, which UTF-8 cannot encode."""
    return str(value).encode("utf-8", "replace").decode()
