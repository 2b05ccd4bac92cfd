"""Convert the payload of a row to a value of an event file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tracker.runlog.records import decode_special

from . import audio, histograms, images, text
from .lines import Value

Load = Callable[[str], bytes]
"""Returns the content of a file of the run with this digest. Raises OSError."""


def to_value(tag: str, payload: dict[str, Any], load: Load) -> Value | None:
    """Return the Summary.Value for a histogram, image, sound or text; None for other payloads.

    A payload from an event file gets its original form, so importing it again makes the same payload. The items of a
    list must have one type.

    Args:
        tag: The tag of the value.
        payload: The payload, as in a row.
        load: Returns the content of a file of the run.

    Raises:
        OSError: If `load` raises it.
    """
    value = Value(tag=tag)
    origin = decode_special(payload.get("tensorboard", {}))
    payload = payload | {"tensorboard": origin}
    kind, items = _kind(payload)
    if kind == "histogram":
        histograms.to_proto(payload, value)
    elif kind == "image":
        images.to_proto(payload, [load(item["digest"]) for item in items], value)
    elif kind == "audio":
        audio.to_proto(payload, [load(item["digest"]) for item in items], value)
    elif kind == "text":
        text.to_proto(payload, b"" if "value" in payload else load(payload["digest"]), value)
    else:
        return None
    for name, field in (("display_name", "display_name"), ("description", "summary_description")):
        if name in origin:
            setattr(value.metadata, field, origin[name])
    return value


def _kind(payload: dict[str, Any]) -> tuple[str | None, list[dict[str, Any]]]:
    """Return the type of a payload, and the media in it."""
    kind = payload.get("_type")
    if kind == "table":  # a text if it has the shape of a tensor
        return ("text" if "shape" in payload["tensorboard"] else None), []
    if kind != "list":
        return kind, [payload]
    items = payload["items"]
    if not items:
        return ("audio" if "shape" in payload["tensorboard"] else "image"), []
    kinds = {item.get("_type") for item in items}
    return (kinds.pop() if len(kinds) == 1 else None), items
