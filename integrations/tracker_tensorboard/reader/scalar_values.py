"""Find the scalar values of an event with protobuf."""

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
    """Return the event in the payload of a record; None if it cannot be parsed, or has text that is not UTF-8."""
    try:
        return Event.FromString(payload)
    except DecodeError:
        return None


def note_metadata(event: Event, metadata: dict[str, Metadata]) -> None:
    """Add the metadata of tags that have none yet, since the first metadata of a tag is valid for all its values."""
    for value in event.summary.value:
        if value.HasField("metadata") and value.tag not in metadata:
            metadata[value.tag] = Metadata.FromString(value.metadata.SerializeToString())


def scalars(event: Event, metadata: dict[str, Metadata]) -> list[tuple[str, float]] | None:
    """Return tags and values of an event that has only scalars; None for all others."""
    found = []
    for value in event.summary.value:
        number = scalar(value, metadata.get(value.tag))
        if number is None:
            return None
        found.append((value.tag, number))
    return found or None


def scalar(value: summary_pb2.Summary.Value, metadata: Metadata | None) -> float | None:
    """Return the number in a value, given the first metadata of its tag; None if it is not a scalar."""
    what = value.WhichOneof("value")
    if what == "simple_value":
        return float(value.simple_value)
    if what != "tensor" or (metadata is not None and metadata.plugin_data.plugin_name not in _PLAIN):
        return None
    return number(value.tensor)


def number(tensor: tensor_pb2.TensorProto) -> float | None:
    """Return the element of a tensor with a single number or boolean; None for all others."""
    shape = tensor.tensor_shape
    if shape.unknown_rank or any(axis.size != 1 for axis in shape.dim):
        return None
    try:
        if tensor.dtype in _FLOATS:
            return float(_element(tensor, *_FLOATS[tensor.dtype]))
        if tensor.dtype in _INTEGERS:
            layout, field = _INTEGERS[tensor.dtype]
            element = _element(tensor, layout, field if getattr(tensor, field) else "uint32_val")  # as in PyTorch
            struct.pack(layout, element)  # fails if the type cannot hold it
            return float(element)
        return _half(tensor) if tensor.dtype in _HALF else None
    except (struct.error, ValueError):
        return None


def _half(tensor: tensor_pb2.TensorProto) -> float:
    """Return a 16-bit float from its bits, or, as PyTorch writes them to `half_val`, from the bits of float32."""
    bits = _element(tensor, "<H", "half_val")
    if not 0 <= bits <= 0xFFFF:
        layout, content = "<f", struct.pack("<I", bits & 0xFFFFFFFF)
    elif tensor.dtype == types_pb2.DT_BFLOAT16:
        layout, content = "<f", struct.pack("<I", bits << 16)
    else:
        layout, content = "<e", struct.pack("<H", bits)
    return float(struct.unpack(layout, content)[0])


def _element(tensor: tensor_pb2.TensorProto, layout: str, field: str) -> Any:
    """Return the only element of a tensor. Raises struct.error or ValueError if there is not exactly one."""
    (element,) = struct.unpack(layout, tensor.tensor_content) if tensor.tensor_content else getattr(tensor, field)
    return element
