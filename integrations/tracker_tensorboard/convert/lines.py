"""What a converter makes of events: records of the run log, and the small parts that several sorts of values share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias

import orjson
from tensorboard.compat.proto import summary_pb2

from tracker.runlog.records import jsonable

Store = Callable[[bytes], str]
"""Keeps the bytes as a file of the run and returns their SHA-256 in lower-case hex. Raises OSError."""

Value: TypeAlias = summary_pb2.Summary.Value

UNKNOWN_FORMAT = "bin"
"""The `format` of images and sounds whose first bytes say nothing known."""


class Line(NamedTuple):
    """A record of FORMAT.md: kind, payload, Unix time as the event has it (NaN included), and step (rows only)."""

    kind: str
    payload: dict[str, Any]
    time: float
    step: int | None = None


class ConversionError(ValueError):
    """A value cannot be converted; the text is the reason, the same for all values with the same trouble."""


def with_origin(payload: dict[str, Any], value: Value, **origin: Any) -> dict[str, Any]:
    """Add to a media payload, as its member `tensorboard`, what only the way back to an event file needs.

    These are the members given that are not None, and name and description of the tag where the value carries them.
    """
    display_name = value.metadata.display_name
    if display_name and display_name != value.tag:
        origin["display_name"] = display_name
    if value.metadata.summary_description:
        origin["description"] = value.metadata.summary_description
    origin = {name: jsonable(member) for name, member in origin.items() if member is not None}
    return payload | {"tensorboard": origin} if origin else payload


def table(columns: Sequence[str], rows: Sequence[Sequence[Any]], store: Store) -> dict[str, Any]:
    """Return the payload of a table, whose content is stored."""
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
    """Return the payload of media that have bytes, but of no known format."""
    return {"_type": kind, "digest": store(content), "size": len(content), "format": UNKNOWN_FORMAT}


def one_or_list(items: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the one payload there is, or a list of all."""
    return items[0] if len(items) == 1 else {"_type": "list", "items": items}
