"""Small data and models for the Keras tests."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

ROWS, BATCH = 12, 4  # three batches an epoch
x = np.random.default_rng(0).normal(size=(ROWS, 3)).astype("float32")
y = x.sum(axis=1, keepdims=True)


def network(**compiling: Any) -> Any:
    """Return a compiled linear model."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)], name="linear")
    model.compile(**{"optimizer": "sgd", "loss": "mse", **compiling})
    return model


def fit(model: Any, *callbacks: Any, **arguments: Any) -> Any:
    """Train without output; return the History."""
    return model.fit(x, y, callbacks=list(callbacks), **{"batch_size": BATCH, "verbose": 0, **arguments})


class Each(keras.callbacks.Callback):
    """Calls a function at the end of each epoch."""

    def __init__(self, function: Any) -> None:
        super().__init__()
        self.function = function

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.function(epoch, logs)
