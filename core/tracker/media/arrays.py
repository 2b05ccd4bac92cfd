"""Read numbers from arrays of any library by their protocols, without importing the library."""

from __future__ import annotations

import math
import sys
from array import array
from collections.abc import Callable
from typing import Any, NamedTuple


class _Missing:
    def __repr__(self) -> str:
        return "MISSING"


MISSING = _Missing()
"""The result of `scalar` for a value that is not one number."""


class Array(NamedTuple):
    """Numbers in memory: `values` is flat, in C order, of native byte order; it may alias the array it came from."""

    shape: tuple[int, ...]
    kind: str
    """`b` truth values, `i` integers, `f` float32 or float64."""
    values: memoryview[Any]


# -- one number -------------------------------------------------------------------------------------------------


def scalar(value: Any) -> Any:
    """Return the float, int or bool that `value` stands for, or `MISSING`.

    It reads Python's numbers, `Decimal`, `Fraction`, and scalars and one-element arrays of NumPy, PyTorch (any device
    and dtype, with or without gradient), JAX, TensorFlow and others that have `shape`, `dtype` and `item()` or
    `numpy()`. The result is exact, except that numbers wider than float64 are rounded. Complex numbers and dates give
    `MISSING`. Errors of the array's library are passed on.
    """
    kind = type(value)
    convert = _converters.get(kind)
    if convert is None:
        convert = _converters[kind] = _converter(kind)
    return convert(value)


def is_array(value: Any) -> bool:
    """Tell whether `value` is an array, tensor or array scalar; lists, images and data frames are not."""
    kind = type(value)
    known = _array_types.get(kind)
    if known is None:
        known = _array_types[kind] = is_array_type(kind)
    return known


def count(value: Any) -> int:
    """Return the number of elements of an array (see `is_array`)."""
    return math.prod(value.shape)


def to_plain_list(value: Any) -> Any:
    """Return an array as nested lists of Python numbers (a 0-d array as one number), each element exact."""
    if hasattr(value, "detach"):
        value = value.detach().cpu()
    return value.tolist() if hasattr(value, "tolist") else value.numpy().tolist()


def names(kind: type) -> set[tuple[str, str]]:
    """Return the top-level package and the name of a class and its bases, which identify it without an import."""
    return {(base.__module__.partition(".")[0], base.__name__) for base in kind.__mro__}


def is_array_type(kind: type) -> bool:
    """Tell whether the instances of a class are arrays for `is_array`."""
    readable = any(hasattr(kind, name) for name in ("__array__", "numpy", "detach"))
    return readable and hasattr(kind, "shape") and hasattr(kind, "dtype")


def _converter(kind: type) -> Callable[[Any], Any]:
    if issubclass(kind, int):
        return int
    if issubclass(kind, float):
        return float
    if names(kind) & {("decimal", "Decimal"), ("fractions", "Fraction")}:
        return _real
    if is_array_type(kind):
        return _one_element if hasattr(kind, "item") else _one_element_of_numpy
    return _not_a_number


def _itself(value: Any) -> Any:
    return value


def _not_a_number(_value: Any) -> Any:
    return MISSING


def _real(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
    except ValueError:  # a signalling NaN of decimal
        return math.nan


def _one_element(value: Any) -> Any:
    for length in value.shape:
        if length != 1:
            return MISSING
    result = value.item()
    kind = type(result)
    if kind is float or kind is bool:
        return result
    if kind is int:  # NumPy gives dates in nanoseconds as integers, too
        return MISSING if getattr(value.dtype, "kind", "i") in "mM" else result
    if kind is complex:
        return MISSING
    if kind is type(value):  # NumPy has no Python number for its long double and for bfloat16
        try:
            return float(result)
        except (TypeError, ValueError):
            return MISSING
    return scalar(result)


def _one_element_of_numpy(value: Any) -> Any:
    if any(length != 1 for length in value.shape):
        return MISSING
    return scalar(value.numpy())


_converters: dict[type, Callable[[Any], Any]] = {float: _itself, int: _itself, bool: _itself}
_array_types: dict[type, bool] = {}


# -- many numbers -----------------------------------------------------------------------------------------------


def numpy_if_loaded() -> Any:
    """Return the numpy module if the program has loaded it, as programs with its arrays have; else None."""
    return sys.modules.get("numpy")


def plain(value: Any) -> Array:
    """Return the numbers of an array of any library, of a buffer, or of (nested) sequences of numbers and arrays.

    float16, bfloat16 and the 8-bit floats become float32, exactly. Raises TypeError for values that are not
    real numbers, and ValueError for ragged sequences.
    """
    if isinstance(value, Array):
        return value
    if hasattr(value, "detach"):
        value = _host_array(value)
    elif hasattr(value, "numpy") and not hasattr(value, "__array__"):
        value = value.numpy()
    numpy = numpy_if_loaded()
    if numpy is not None and (hasattr(value, "__array__") or hasattr(value, "__array_interface__")):
        return _from_numpy(numpy, value)
    if isinstance(value, (array, memoryview)):
        view = memoryview(value)
        if view.ndim == 1 and view.contiguous and view.format in set("bBhHiIlLqQfd"):
            return Array(view.shape or (0,), "f" if view.format in "fd" else "i", view)
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, (str, bytes, dict)) or not hasattr(value, "__iter__"):
        raise TypeError(f"expected an array or a sequence of numbers, not {type(value).__name__}")
    return _from_sequence(list(value))


def _host_array(tensor: Any) -> Any:
    """Return a PyTorch tensor as a NumPy array, or as a (nested) list if NumPy is not installed."""
    tensor = tensor.detach().cpu()
    try:
        return tensor.numpy()
    except (TypeError, RuntimeError):  # bfloat16, which NumPy lacks; or no NumPy
        pass
    try:
        return tensor.float().numpy()
    except (TypeError, RuntimeError):
        return tensor.tolist()


def _from_numpy(numpy: Any, value: Any) -> Array:
    data = numpy.asarray(value)
    kind, dtype = data.dtype.kind, data.dtype.newbyteorder("=")
    if kind in "f":
        dtype = numpy.float32 if data.dtype.itemsize <= 4 else numpy.float64
    elif kind in "VO":  # NumPy takes bfloat16 and similar types for void; objects may be numbers
        dtype = numpy.float32 if kind == "V" and data.dtype.names is None else numpy.float64
        kind = "f"
    elif kind not in "bui":
        hint = "; log its real part, its absolute value, or both" if kind == "c" else ""
        raise TypeError(f"an array of {data.dtype} is not made of real numbers{hint}")
    try:
        data = numpy.ascontiguousarray(data, dtype=dtype).reshape(-1)
    except (TypeError, ValueError):
        raise TypeError(f"an array of {data.dtype} is not made of numbers") from None
    return Array(tuple(numpy.shape(value)), {"u": "i"}.get(kind, kind), memoryview(data))


def _from_sequence(items: list[Any]) -> Array:
    shape = (len(items),)
    kinds = set(map(type, items))
    if kinds == {bool}:
        return Array(shape, "b", memoryview(array("B", items)))
    if kinds and kinds <= {int, bool}:
        try:
            return Array(shape, "i", memoryview(array("q", items)))
        except OverflowError:
            kinds = {float}
    if kinds <= {int, float, bool}:
        return Array(shape, "f", memoryview(array("d", map(_real, items))))
    numbers = [scalar(item) for item in items]
    if MISSING not in numbers:
        return _from_sequence(numbers)
    return _stack([plain(item) for item in items])


def _stack(parts: list[Array]) -> Array:
    shapes = sorted({part.shape for part in parts})
    if len(shapes) > 1:
        raise ValueError(f"the parts of a sequence have different shapes, for example {shapes[0]} and {shapes[-1]}")
    same = len({(part.kind, part.values.format) for part in parts}) == 1
    kind, code = (parts[0].kind, parts[0].values.format or "d") if same else ("f", "d")
    joined = array("B" if code == "?" else code)
    for part in parts:
        if same:
            joined.frombytes(part.values.tobytes())
        else:
            joined.extend(array("d", part.values))
    return Array((len(parts), *shapes[0]), kind, memoryview(joined))
