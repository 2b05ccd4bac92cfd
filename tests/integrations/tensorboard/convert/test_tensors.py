"""Tensors of all number types that writers use become lists in rows."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tensorboard", reason="the extra `tensorboard` is not installed")

from tensorboard.compat.proto import types_pb2

from .converted import convert
from .values import numbers

THREE = [1.5, -2.0, 0.0]


def bits(values: list[float], layout: str) -> list[int]:
    return [struct.unpack("<" + layout[1], struct.pack("<" + layout[0], value))[0] for value in values]


@pytest.mark.parametrize(
    ("dtype", "field", "held", "expected"),
    [
        ("DT_FLOAT", "float_val", THREE, THREE),
        ("DT_DOUBLE", "double_val", [0.1, 1e300, 5e-324], [0.1, 1e300, 5e-324]),
        ("DT_HALF", "half_val", bits(THREE, "eH"), THREE),
        ("DT_HALF", "half_val", bits(THREE, "fi"), THREE),
        ("DT_BFLOAT16", "half_val", [bit >> 16 for bit in bits(THREE, "fI")], THREE),
        ("DT_BFLOAT16", "half_val", bits(THREE, "fi"), THREE),
        ("DT_INT8", "int_val", [-128, 0, 127], [-128, 0, 127]),
        ("DT_INT64", "int64_val", [-(2**63), 0, 2**63 - 1], [-(2**63), 0, 2**63 - 1]),
        ("DT_UINT8", "int_val", [0, 1, 255], [0, 1, 255]),
        ("DT_UINT8", "uint32_val", [0, 1, 255], [0, 1, 255]),
        ("DT_UINT64", "uint64_val", [0, 1, 2**64 - 1], [0, 1, 2**64 - 1]),
        ("DT_BOOL", "bool_val", [True, False, True], [True, False, True]),
        ("DT_FLOAT", "float_val", [2.5], [2.5, 2.5, 2.5]),
        ("DT_HALF", "tensor_content", np.array(THREE, "<f2").tobytes(), THREE),
        ("DT_BFLOAT16", "tensor_content", np.array(THREE, "<f4").view("<u2")[1::2].tobytes(), THREE),
        ("DT_BOOL", "tensor_content", b"\1\0\1", [True, False, True]),
        ("DT_UINT32", "tensor_content", np.array([0, 1, 2**32 - 1], "<u4").tobytes(), [0, 1, 2**32 - 1]),
    ],
)
def test_a_small_tensor_of_numbers_becomes_a_list_in_its_row(
    dtype: str,
    field: str,
    held: Any,
    expected: list[Any],
) -> None:
    found = convert(numbers("x", "tensor", types_pb2.DataType.Value(dtype), [3], field, held)).one("x")
    assert (found, list(map(type, found))) == (expected, list(map(type, expected)))


def test_lists_nest_as_the_axes_do_and_hold_nan() -> None:
    value = numbers("x", "", types_pb2.DT_FLOAT, [2, 2], "float_val", [1, 2, 3, float("nan")])
    assert repr(convert(value).one("x")) == "[[1.0, 2.0], [3.0, nan]]"


@pytest.mark.parametrize(
    ("dtype", "field", "held"),
    [
        ("DT_FLOAT", "float_val", [1, 2, 3, 4]),
        ("DT_FLOAT", "float_val", []),
        ("DT_FLOAT", "tensor_content", bytes(11)),
        ("DT_INT8", "int_val", [1000, 1, 1]),
    ],
    ids=["too many", "none", "too short", "too large"],
)
def test_a_tensor_whose_content_does_not_match_its_shape_is_stored_as_a_file(
    dtype: str,
    field: str,
    held: Any,
) -> None:
    found = convert(numbers("x", "tensor", types_pb2.DataType.Value(dtype), [3], field, held))
    assert found.rows() == []
    assert len(found.of_kind("file")) == sum(found.skipped.values()) == 1


def test_large_and_complex_tensors_become_files_without_a_reason() -> None:
    large = numbers("large", "tensor", types_pb2.DT_FLOAT, [2000], "float_val", range(2000))
    pair = numbers("pair", "tensor", types_pb2.DT_COMPLEX64, [1], "scomplex_val", [1, 2])
    claims = numbers("claims", "tensor", types_pb2.DT_FLOAT, [2**30], "float_val", [1])
    found = convert(large, pair, claims)
    assert [file["tensorboard"]["tag"] for file in found.of_kind("file")] == ["large", "pair", "claims"]
    assert not found.skipped
