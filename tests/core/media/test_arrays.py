from __future__ import annotations

import decimal
import enum
import fractions
import math
from typing import Any

import numpy as np
import pytest

from tracker.media.arrays import MISSING, is_array, plain, scalar, to_plain_list


class Level(enum.IntEnum):
    HIGH = 3


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1.5, 1.5),
        (7, 7),
        (True, True),
        (Level.HIGH, 3),
        (decimal.Decimal("0.1"), 0.1),
        (decimal.Decimal("-1e999"), -math.inf),
        (fractions.Fraction(1, 3), 1 / 3),
        (fractions.Fraction(10**400), math.inf),
        (np.float64(0.1), 0.1),
        (np.float32(0.1), float(np.float32(0.1))),
        (np.float16(0.1), float(np.float16(0.1))),
        (np.longdouble(0.5), 0.5),
        (np.int64(2**63 - 1), 2**63 - 1),
        (np.uint64(2**64 - 1), 2**64 - 1),
        (np.int8(-3), -3),
        (np.bool_(True), True),
        (np.array(2.5), 2.5),
        (np.array([[4]]), 4),
        (np.array([0.1], dtype=">f4"), float(np.float32(0.1))),
        (np.array([decimal.Decimal("2.5")], dtype=object), 2.5),
    ],
)
def test_a_scalar_becomes_the_same_python_number(value: Any, expected: Any) -> None:
    result = scalar(value)
    assert result == expected
    assert type(result) is type(expected)


@pytest.mark.parametrize("value", [float("nan"), np.float32("nan"), np.array([np.nan]), decimal.Decimal("sNaN")])
def test_nan_stays_nan(value: Any) -> None:
    assert math.isnan(scalar(value))


@pytest.mark.parametrize(
    "value",
    [
        None,
        "1",
        b"1",
        [1],
        {"a": 1},
        object(),
        float,
        np.zeros(2),
        np.zeros(0),
        1j,
        np.complex64(1),
        np.array("text"),
        np.datetime64("2024-01-01"),
        np.datetime64(1, "ns"),
        np.array([1], dtype="timedelta64[ns]"),
    ],
)
def test_values_that_are_not_one_real_number_give_missing(value: Any) -> None:
    assert scalar(value) is MISSING


def test_scalars_of_torch_are_exact_with_and_without_gradient() -> None:
    torch = pytest.importorskip("torch")
    assert scalar(torch.tensor(0.1)) == float(np.float32(0.1))
    assert scalar(torch.tensor([0.5], requires_grad=True) * 2) == 1.0
    assert scalar(torch.nn.Parameter(torch.tensor(0.25))) == 0.25
    assert scalar(torch.tensor(0.1, dtype=torch.bfloat16)) == 0.10009765625
    assert scalar(torch.tensor(2**62)) == 2**62
    assert scalar(torch.tensor(True)) is True
    assert scalar(torch.tensor(1j)) is MISSING
    assert scalar(torch.zeros(2)) is MISSING


def test_tensors_on_a_gpu_are_read() -> None:
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("needs a CUDA device")
    tensor = torch.tensor([0.5, 2.0], dtype=torch.bfloat16, device="cuda", requires_grad=True)
    assert scalar(tensor.sum()) == 2.5
    assert to_plain_list(tensor) == [0.5, 2.0]
    assert plain(tensor).values.tolist() == [0.5, 2.0]


def test_scalars_and_arrays_of_jax_are_exact() -> None:
    jnp = pytest.importorskip("jax.numpy")
    assert scalar(jnp.float32(0.1)) == float(np.float32(0.1))
    assert scalar(jnp.array([3])) == 3
    assert type(scalar(jnp.array(True))) is bool
    assert scalar(jnp.array(0.1, dtype=jnp.bfloat16)) == 0.10009765625
    array = jnp.array([[0.5, 2.0]], dtype=jnp.bfloat16)
    assert is_array(array)
    assert to_plain_list(array) == [[0.5, 2.0]]
    assert plain(array).values.tolist() == [0.5, 2.0]


class NumpyOnly:
    """Like TensorFlow's eager tensors: `numpy` and no `item`."""

    dtype = "float32"

    def __init__(self, array: Any) -> None:
        self.array = array

    @property
    def shape(self) -> Any:
        return self.array.shape

    def numpy(self) -> Any:
        return self.array


def test_tensors_with_only_a_numpy_method_are_read() -> None:
    assert scalar(NumpyOnly(np.float32(0.5))) == 0.5
    assert scalar(NumpyOnly(np.array([[2]]))) == 2
    assert scalar(NumpyOnly(np.zeros(3))) is MISSING
    assert to_plain_list(NumpyOnly(np.arange(3))) == [0, 1, 2]
    assert plain(NumpyOnly(np.arange(3.0))).values.tolist() == [0.0, 1.0, 2.0]


def test_arrays_are_distinguished_from_other_containers() -> None:
    pd = pytest.importorskip("pandas")
    pil = pytest.importorskip("PIL.Image")
    assert is_array(np.zeros(3))
    assert is_array(np.float32(1))
    assert is_array(pd.Series([1]))
    other: Any
    for other in ([1], (1,), "x", 1.0, None, {}, pd.DataFrame({"a": [1]}), pil.new("L", (2, 2)), np.ndarray):
        assert not is_array(other)


def test_lists_of_torch_values_are_exact() -> None:
    torch = pytest.importorskip("torch")
    tensor = torch.tensor([[0.5, 2.0]], dtype=torch.bfloat16, requires_grad=True)
    assert to_plain_list(tensor) == [[0.5, 2.0]]
    assert plain(tensor).shape == (1, 2)
    assert plain([tensor, tensor]).shape == (2, 1, 2)
    assert plain([torch.tensor(1.0), np.float32(2.0), 3]).values.tolist() == [1.0, 2.0, 3.0]


@pytest.mark.parametrize(
    ("value", "shape", "kind", "numbers"),
    [
        ([], (0,), "f", []),
        ([True, False], (2,), "b", [1, 0]),
        ([1, 2, True], (3,), "i", [1, 2, 1]),
        ([1, 2.5], (2,), "f", [1.0, 2.5]),
        ([10**30, 1], (2,), "f", [1e30, 1.0]),
        (range(3), (3,), "i", [0, 1, 2]),
        ([[1, 2], [3, 4]], (2, 2), "i", [1, 2, 3, 4]),
        ([[1, 2], [3.5, 4]], (2, 2), "f", [1.0, 2.0, 3.5, 4.0]),
        (np.arange(6).reshape(2, 3).T, (3, 2), "i", [0, 3, 1, 4, 2, 5]),
        (np.array([1, 2], dtype=">i4"), (2,), "i", [1, 2]),
        (np.array([0.5], dtype=np.float16), (1,), "f", [0.5]),
        (np.array([1, 2.5], dtype=object), (2,), "f", [1.0, 2.5]),
        (np.zeros((0, 3)), (0, 3), "f", []),
        (np.float64(3), (), "f", [3.0]),
    ],
)
def test_plain_gives_the_numbers_in_c_order(value: Any, shape: Any, kind: str, numbers: Any) -> None:
    data = plain(value)
    assert (data.shape, data.kind, data.values.tolist()) == (shape, kind, numbers)


@pytest.mark.parametrize(
    "value", [None, 3, "text", b"text", {"a": 1}, ["a"], [None], np.array(["a"]), np.array([1j]), np.array([None, "x"])]
)
def test_plain_refuses_values_without_real_numbers(value: Any) -> None:
    with pytest.raises(TypeError):
        plain(value)


def test_plain_refuses_ragged_lists() -> None:
    with pytest.raises(ValueError, match="different shapes"):
        plain([[1, 2], [3]])
