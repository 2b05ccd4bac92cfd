"""Convert images. The encoded bytes stay as they are; only their header is read."""

from __future__ import annotations

from typing import Any

import tracker

from .lines import ConversionError, Store, Value, one_or_list, unknown_media, with_origin
from .tensors import STRING, strings


def from_proto(value: Value, store: Store) -> dict[str, Any]:
    """Return the payload for a Summary.Image."""
    image = value.image
    payload = _image(image.encoded_image_string, store)
    size = _other_size(payload, image.width, image.height)
    return with_origin(payload, value, colorspace=image.colorspace, size=size)


def from_tensor(value: Value, store: Store) -> dict[str, Any]:
    """Return the payload for a tensor of strings: width, height, and images (several become a list)."""
    parts = strings(value.tensor)
    try:
        width, height = int(parts[0]), int(parts[1])
    except (IndexError, ValueError):
        raise ConversionError("images without width and height before them") from None
    items = [_image(parts[at], store) for at in range(2, len(parts))]
    sizes = [_other_size(item, width, height) for item in items]
    different = [width, height] if any(sizes) or not items else None
    return with_origin(one_or_list(items), value, size=different)


def to_proto(payload: dict[str, Any], contents: list[bytes], value: Value) -> None:
    """Write a payload, with the bytes of its images, into a value, in its original form."""
    origin = payload.get("tensorboard", {})
    items = payload["items"] if payload["_type"] == "list" else [payload]
    first = items[0] if items else {}
    width, height = origin.get("size") or (first.get("width", 0), first.get("height", 0))
    if "colorspace" in origin:
        value.image.width, value.image.height, value.image.colorspace = width, height, origin["colorspace"]
        value.image.encoded_image_string = contents[0]
        return
    value.metadata.plugin_data.plugin_name = "images"
    value.tensor.dtype = STRING
    value.tensor.tensor_shape.dim.add(size=2 + len(contents))
    value.tensor.string_val.extend([b"%d" % width, b"%d" % height, *contents])


def _image(content: bytes, store: Store) -> dict[str, Any]:
    try:
        return tracker.Image(content).record(store)
    except ValueError:
        return unknown_media("image", content, store)


def _other_size(payload: dict[str, Any], width: int, height: int) -> list[int] | None:
    """Return width and height from the event if the image itself has others or none, else None."""
    same = (payload.get("width", 0), payload.get("height", 0)) == (width, height)
    return None if same else [width, height]
