"""Records of the run log that a converter makes, and helpers for several sorts of values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias

import orjson
from tensorboard.compat.proto import summary_pb2

from tracker.runlog.records import jsonable

Store = Callable[[bytes], str]
"""Stores bytes as a file of the run, and returns their SHA-256 in lower-case hex. Raises OSError."""

Value: TypeAlias = summary_pb2.Summary.Value

UNKNOWN_FORMAT = "bin"
"""The `format` of images and sounds whose first bytes are of no known format."""


class Line(NamedTuple):
    """A record of FORMAT.md: kind, payload, Unix time as in the event (even NaN), and step (rows only)."""

    kind: str
    payload: dict[str, Any]
    time: float
    step: int | None = None


class ConversionError(ValueError):
    """A value cannot be converted. The text is the reason; it is the same for all values with the same problem."""


def with_origin(payload: dict[str, Any], value: Value, **origin: Any) -> dict[str, Any]:
    """Add the member `tensorboard` to a media payload: what is needed only to write the event file again.

    That is each member of `origin` that is not None, and the display name and description if the value has them.
    """
    display_name = value.metadata.display_name
    if display_name and display_name != value.tag:
        origin["display_name"] = display_name
    if value.metadata.summary_description:
        origin["description"] = value.metadata.summary_description
    origin = {name: jsonable(member) for name, member in origin.items() if member is not None}
    return payload | {"tensorboard": origin} if origin else payload


def table(columns: Sequence[str], rows: Sequence[Sequence[Any]], store: Store) -> dict[str, Any]:
    """Store a table, and return its payload."""
    content = orjson.dumps({"columns": columns, "data": jsonable(rows)})
    return {
        "_type": "table",
        "digest": store(content),
        "size": len(content),
        "format": "json",
        "columns": list(columns),
        "rows": len(rows),
    }


def unknown_media(kind: str, content: bytes, store: Store) -> dict[str, Any]:
    """Store media of an unknown format, and return their payload."""
    return {"_type": kind, "digest": store(content), "size": len(content), "format": UNKNOWN_FORMAT}


def one_or_list(items: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the only payload, or the payload of a list."""
    return items[0] if len(items) == 1 else {"_type": "list", "items": items}
