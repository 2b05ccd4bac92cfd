"""Which values of an event are scalars, and what they are, by protobuf."""

from __future__ import annotations

import struct
from typing import Any

from google.protobuf.message import DecodeError
from tensorboard.compat.proto import summary_pb2, tensor_pb2, types_pb2

from .results import Event, Metadata

_PLAIN = ("", "scalars", "tensor")  # plugins whose tensors are just numbers; PyTorch's add_tensor says "tensor"
_HALF = (types_pb2.DT_HALF, types_pb2.DT_BFLOAT16)
_FLOATS = {types_pb2.DT_FLOAT: ("<f", "float_val"), types_pb2.DT_DOUBLE: ("<d", "double_val")}
_INTEGERS = {
    types_pb2.DT_INT8: ("<b", "int_val"),
    types_pb2.DT_INT16: ("<h", "int_val"),
    types_pb2.DT_INT32: ("<i", "int_val"),
    types_pb2.DT_INT64: ("<q", "int64_val"),
    types_pb2.DT_UINT8: ("<B", "int_val"),
    types_pb2.DT_UINT16: ("<H", "int_val"),
    types_pb2.DT_UINT32: ("<I", "uint32_val"),
    types_pb2.DT_UINT64: ("<Q", "uint64_val"),
    types_pb2.DT_BOOL: ("<?", "bool_val"),
}


def parse(payload: bytes) -> Event | None:
    """Return the event in the payload of a record; None if it is none, or holds text that is not UTF-8."""
    try:
        return Event.FromString(payload)
    except DecodeError:
        return None


def note_metadata(event: Event, metadata: dict[str, Metadata]) -> None:
    """Add the metadata of tags that have none yet: the first one of a tag holds for all of its values."""
    for value in event.summary.value:
        if value.HasField("metadata") and value.tag not in metadata:
            metadata[value.tag] = Metadata.FromString(value.metadata.SerializeToString())


def scalars(event: Event, metadata: dict[str, Metadata]) -> list[tuple[str, float]] | None:
    """Return tags and values of an event that holds nothing but scalars; None for all others."""
    found = []
    for value in event.summary.value:
        number = scalar(value, metadata.get(value.tag))
        if number is None:
            return None
        found.append((value.tag, number))
    return found or None


def scalar(value: summary_pb2.Summary.Value, metadata: Metadata | None) -> float | None:
    """Return the number that a value is, by the first metadata of its tag; None if it is no scalar."""
    what = value.WhichOneof("value")
    if what == "simple_value":
        return float(value.simple_value)
    if what != "tensor" or (metadata is not None and metadata.plugin_data.plugin_name not in _PLAIN):
        return None
    return number(value.tensor)


def number(tensor: tensor_pb2.TensorProto) -> float | None:
    """Return the element of a tensor that holds a single real number or truth value; None for all others."""
    shape = tensor.tensor_shape
    if shape.unknown_rank or any(axis.size != 1 for axis in shape.dim):
        return None
    try:
        if tensor.dtype in _FLOATS:
            return float(_element(tensor, *_FLOATS[tensor.dtype]))
        if tensor.dtype in _INTEGERS:
            layout, field = _INTEGERS[tensor.dtype]
            element = _element(tensor, layout, field if getattr(tensor, field) else "uint32_val")  # so PyTorch's uint8
            struct.pack(layout, element)  # fails for what the type cannot hold
            return float(element)
        return _half(tensor) if tensor.dtype in _HALF else None
    except (struct.error, ValueError):
        return None


def _half(tensor: tensor_pb2.TensorProto) -> float:
    """The bits of a 16-bit float; or, as PyTorch writes them to `half_val`, of the same number as float32."""
    bits = _element(tensor, "<H", "half_val")
    if not 0 <= bits <= 0xFFFF:
        layout, content = "<f", struct.pack("<I", bits & 0xFFFFFFFF)
    elif tensor.dtype == types_pb2.DT_BFLOAT16:
        layout, content = "<f", struct.pack("<I", bits << 16)
    else:
        layout, content = "<e", struct.pack("<H", bits)
    return float(struct.unpack(layout, content)[0])


def _element(tensor: tensor_pb2.TensorProto, layout: str, field: str) -> Any:
    """The only element of a tensor. Raises struct.error or ValueError if there is none or are several."""
    (element,) = struct.unpack(layout, tensor.tensor_content) if tensor.tensor_content else getattr(tensor, field)
    return element
