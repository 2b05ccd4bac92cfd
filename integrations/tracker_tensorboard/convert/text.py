"""Convert text: tensors of byte strings of any rank."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

import orjson

from .lines import Store, Value, table, with_origin
from .tensors import STRING, shape_of, strings

MAX_INLINE = 2**20
"""The most bytes of a text in a row. A longer one becomes a table of one cell, which is a file of the run."""


def from_tensor(value: Value, store: Store) -> dict[str, Any]:
    """Return a text for one string of any rank, or for several a table whose columns are the last axis.

    A list of strings becomes a table of one column. The member `tensorboard` has the shape unless it is (), and in
    `bytes` the strings that are not UTF-8, as base64 by their position. In what is shown, U+FFFD replaces their bytes.
    """
    shape, parts = shape_of(value.tensor), strings(value.tensor)
    cells, odd = _decoded(parts)
    origin = {"shape": list(shape) or None, "bytes": odd or None}
    if len(cells) == 1 and len(parts[0]) <= MAX_INLINE:
        return with_origin({"_type": "text", "value": cells[0]}, value, **origin)
    columns = shape[-1] if len(shape) > 1 else 1
    rows = [cells[at : at + columns] for at in range(0, len(cells), columns or 1)]
    payload = table([str(number) for number in range(columns)], rows, store)
    return with_origin(payload, value, **origin | {"shape": list(shape)})


def to_proto(payload: dict[str, Any], content: bytes, value: Value) -> None:
    """Write a payload, with the content of its file if it is a table, into a value."""
    origin = payload.get("tensorboard", {})
    if payload["_type"] == "text":
        cells = [payload["value"]]
    else:
        cells = [cell for row in orjson.loads(content)["data"] for cell in row]
    parts = [cell.encode() for cell in cells]
    for position, data in origin.get("bytes", {}).items():
        parts[int(position)] = base64.b64decode(data)
    value.metadata.plugin_data.plugin_name = "text"
    value.tensor.dtype = STRING
    value.tensor.tensor_shape.SetInParent()  # also of a single string, which has no axes
    for length in origin.get("shape", ()):
        value.tensor.tensor_shape.dim.add(size=length)
    value.tensor.string_val.extend(parts)


def _decoded(parts: Sequence[bytes]) -> tuple[list[str], dict[str, str]]:
    cells, odd = [], {}
    for position, part in enumerate(parts):
        try:
            cells.append(part.decode())
        except UnicodeDecodeError:
            cells.append(part.decode("utf-8", "replace"))
            odd[str(position)] = base64.b64encode(part).decode()
    return cells, odd
