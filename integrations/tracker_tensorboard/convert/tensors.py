"""Read numbers and byte strings from TensorProtos, without trusting their shapes.

A shape is only a claim: a tensor with a shape of a billion elements may hold one that stands for all. TensorBoard's
`make_ndarray` would create them all, and fails on half, bfloat16 and uint8 as PyTorch writes them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tensorboard.compat.proto import tensor_pb2, types_pb2

from .lines import ConversionError

MAX_REPEATED = 2**20
"""The most elements of a tensor that holds fewer values than its shape says, so that the last one is repeated."""

STRING = types_pb2.DT_STRING
_BFLOAT16 = types_pb2.DT_BFLOAT16
_NUMBERS: dict[int, tuple[str, str]] = {
    types_pb2.DT_FLOAT: ("<f4", "float_val"),
    types_pb2.DT_DOUBLE: ("<f8", "double_val"),
    types_pb2.DT_HALF: ("<f2", "half_val"),
    types_pb2.DT_BFLOAT16: ("<u2", "half_val"),
    types_pb2.DT_INT8: ("i1", "int_val"),
    types_pb2.DT_INT16: ("<i2", "int_val"),
    types_pb2.DT_INT32: ("<i4", "int_val"),
    types_pb2.DT_INT64: ("<i8", "int64_val"),
    types_pb2.DT_UINT8: ("u1", "int_val"),
    types_pb2.DT_UINT16: ("<u2", "int_val"),
    types_pb2.DT_UINT32: ("<u4", "uint32_val"),
    types_pb2.DT_UINT64: ("<u8", "uint64_val"),
    types_pb2.DT_BOOL: ("?", "bool_val"),
}


def shape_of(tensor: tensor_pb2.TensorProto) -> tuple[int, ...]:
    """Return the lengths of the axes. Raises ConversionError if they are unknown or impossibly large."""
    shape = tuple(axis.size for axis in tensor.tensor_shape.dim)
    if tensor.tensor_shape.unknown_rank or any(length < 0 for length in shape):
        raise ConversionError("a tensor of unknown shape")
    if math.prod(max(length, 1) for length in shape) >= (2**31 if all(shape) else MAX_REPEATED):
        raise ConversionError("a tensor that claims to be larger than an event can be")
    return shape


def is_numeric(tensor: tensor_pb2.TensorProto) -> bool:
    """Tell whether the elements are real numbers or booleans."""
    return tensor.dtype in _NUMBERS


def numbers(tensor: tensor_pb2.TensorProto) -> NDArray[Any]:
    """Return the exact numbers or booleans of a tensor; half and bfloat16 become float32.

    Raises ConversionError for other types, and if shape and content do not match.
    """
    if tensor.dtype not in _NUMBERS:
        raise ConversionError("a tensor of a type that holds no real numbers")
    dtype, field = _NUMBERS[tensor.dtype]
    shape = shape_of(tensor)
    size = math.prod(shape)
    if tensor.tensor_content:
        if len(tensor.tensor_content) != size * np.dtype(dtype).itemsize:
            raise ConversionError("a tensor whose content does not match its shape")
        return _decoded(tensor.dtype, np.frombuffer(tensor.tensor_content, dtype)).reshape(shape)
    held = getattr(tensor, field) or tensor.uint32_val  # where PyTorch puts uint8
    try:
        wide = np.fromiter(held, np.float64 if dtype in ("<f4", "<f8") else object, len(held))
        if field == "half_val":
            values = _half(tensor.dtype, wide.astype(np.int64))
        else:
            values = wide.astype(dtype) if dtype in ("<f4", "<f8", "?") else _integers(wide, dtype)
    except (OverflowError, ValueError) as error:
        raise ConversionError("a tensor whose content does not match its type") from error
    if len(values) > size or (size > len(values) and (not len(values) or size > MAX_REPEATED)):
        raise ConversionError("a tensor whose content does not match its shape")
    if len(values) < size:
        values = np.pad(values, (0, size - len(values)), mode="edge")
    return values.reshape(shape)


def strings(tensor: tensor_pb2.TensorProto) -> Sequence[bytes]:
    """Return the elements of a tensor of byte strings, in C order.

    Raises ConversionError for other types, and if shape and content do not match.
    """
    if tensor.dtype != STRING:
        raise ConversionError("a tensor of another type than strings")
    size = math.prod(shape_of(tensor))
    held: Sequence[bytes] = tensor.string_val
    if len(held) == size:
        return held
    if not held or len(held) > size or size > MAX_REPEATED:
        raise ConversionError("a tensor whose content does not match its shape")
    return [*held, *[held[-1]] * (size - len(held))]


def _decoded(kind: int, values: NDArray[Any]) -> NDArray[Any]:
    if kind == _BFLOAT16:
        return (values.astype("<u4") << 16).view("<f4")
    return values.astype(np.float32) if kind == types_pb2.DT_HALF else values


def _half(kind: int, bits: NDArray[np.int64]) -> NDArray[Any]:
    """Return 16-bit floats from their bits, or, as PyTorch writes them, from the bits of float32."""
    if ((bits < 0) | (bits > 0xFFFF)).any():
        return bits.astype("<i4").view("<f4")
    return _decoded(kind, bits.astype("<u2").view("<u2" if kind == _BFLOAT16 else "<f2"))


def _integers(values: NDArray[Any], dtype: str) -> NDArray[Any]:
    """Return integers of a type that may be narrower than their field. Raises OverflowError."""
    limits = np.iinfo(dtype)
    if any(not limits.min <= value <= limits.max for value in values):
        raise OverflowError
    return values.astype(dtype)
