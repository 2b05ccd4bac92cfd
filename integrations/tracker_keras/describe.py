"""Describe a model and its training, for the config of a run."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping
from typing import Any

from ._keras import keras


def describe_training(model: Any, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return versions, the arguments of `compile`, and those of `fit` that Keras passes to callbacks.

    Serialized objects become `{"class": name, …their config}`; an object that cannot be serialized becomes its name.
    """
    compiled = _or_none(model.get_compile_config) if hasattr(model, "get_compile_config") else None
    if compiled is None:  # one part cannot be serialized; keep the others
        compiled = {name: getattr(model, name, None) for name in ("optimizer", "loss")}
        compiled = {k: _serialized(v) or _name(v) for k, v in compiled.items() if v is not None}
    return {
        "version": keras.__version__,
        "backend": keras.backend.backend(),
        **{name: _readable(value) for name, value in compiled.items() if value is not None},
        "fit": dict(arguments),
    }


def describe_model(model: Any) -> dict[str, Any]:
    """Return class, name, parameter counts and layers of a model: the table of `model.summary()`."""
    return {
        "class": type(model).__name__,
        "name": getattr(model, "name", None),
        "params": _count(getattr(model, "weights", ())),
        "trainable_params": _count(getattr(model, "trainable_weights", ())),
        "layers": [_layer(layer) for layer in getattr(model, "layers", ())],
    }


def _layer(layer: Any) -> dict[str, Any]:
    return {
        "name": _or_none(lambda: layer.name),
        "class": type(layer).__name__,
        "output_shape": _output_shape(layer),
        "params": _or_none(lambda: _count(layer.weights)),
        "trainable": _or_none(lambda: layer.trainable),
    }


def model_json(model: Any) -> str | None:
    """Return the architecture for `keras.models.model_from_json`; None if the model has no JSON."""
    text = _or_none(model.to_json) if hasattr(model, "to_json") else None
    return text if isinstance(text, str) else None


def learning_rates(optimizer: Any) -> dict[str, float]:
    """Return the current `learning_rate`, or `learning_rate_<name>` for each of several optimizers.

    Keras's own callbacks use these names. Empty if no rate can be read.
    """
    several = getattr(optimizer, "optimizers", None)
    if several is not None:
        rates = {f"learning_rate_{one.name}": _rate(one) for one in several}
    else:
        rates = {"learning_rate": _rate(optimizer)}
    return {name: rate for name, rate in rates.items() if rate is not None}


def _rate(optimizer: Any) -> float | None:
    rate: float | None = _or_none(lambda: float(keras.ops.convert_to_numpy(optimizer.learning_rate)))
    return rate


def optimizer_updates(model: Any) -> int | None:
    """Return how many batches the optimizer has seen; None if an update may not be one batch."""
    optimizer: Any = getattr(model, "optimizer", None)
    step_of_keras = getattr(getattr(type(model), "train_step", None), "__module__", "").startswith("keras.")
    if (
        not step_of_keras
        or getattr(optimizer, "gradient_accumulation_steps", None)
        or hasattr(optimizer, "inner_optimizer")  # loss scaling skips updates that overflow
        or not hasattr(optimizer, "iterations")
    ):
        return None
    seen: int | None = _or_none(lambda: int(keras.ops.convert_to_numpy(optimizer.iterations)))
    return seen


def _or_none(read: Callable[[], Any]) -> Any:
    """Return what `read` returns, or None if it raises: users write models, and no description is worth an error."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # for example that lambdas are hard to load again
            return read()
    except Exception:  # noqa: BLE001
        return None


def _readable(value: Any) -> Any:
    if isinstance(value, Mapping):
        if "class_name" not in value or "config" not in value:
            return {str(key): _readable(item) for key, item in value.items()}
        kind, config = value["class_name"], value["config"]
        if kind == "__lambda__":
            return "<lambda>"
        if not isinstance(config, Mapping):
            return config if isinstance(config, str) else kind  # a function's name
        return {"class": kind, **{str(key): _readable(item) for key, item in config.items()}}
    if isinstance(value, (list, tuple)):
        return [_readable(item) for item in value]
    return value


def _serialized(value: Any) -> Any:
    return _or_none(lambda: keras.saving.serialize_keras_object(value))


def _name(value: Any) -> str:
    return str(getattr(value, "__qualname__", type(value).__qualname__))


def _count(weights: Any) -> int:
    return sum(math.prod(weight.shape) for weight in weights)


def _output_shape(layer: Any) -> Any:
    return _or_none(lambda: _shapes(layer.output))


def _shapes(output: Any) -> Any:
    if isinstance(output, Mapping):
        return {str(name): _shapes(one) for name, one in output.items()}
    if isinstance(output, (list, tuple)):
        return [_shapes(one) for one in output]
    return list(output.shape)
