"""Train with each callback by turns and print what a batch took: `python keras_fit.py mlp|deep ROUNDS`."""

from __future__ import annotations

import importlib.util
import json
import sys
import time

import keras
import numpy as np

import tracker
from tracker_keras import TrackerCallback

STEPS = {"mlp": 300, "deep": 100}
BATCH = 32


def network(kind: str) -> keras.Model:
    keras.utils.set_random_seed(0)
    widths = [256, 256] if kind == "mlp" else [64] * 62
    layers = [keras.layers.Dense(width, activation="relu") for width in widths]
    model = keras.Sequential([keras.Input((784,)), *layers, keras.layers.Dense(10)])
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    return model


class Clock(keras.callbacks.Callback):
    """Times an epoch from its begin to the end of all callbacks before this one."""

    def on_epoch_begin(self, epoch: int, logs: object = None) -> None:  # noqa: ARG002
        self.began = time.perf_counter(), time.process_time()

    def on_epoch_end(self, epoch: int, logs: object = None) -> None:  # noqa: ARG002
        self.seconds = time.perf_counter() - self.began[0], time.process_time() - self.began[1]


def callbacks(name: str) -> list[keras.callbacks.Callback]:
    if name in ("epoch", "batch"):
        return [TrackerCallback(name)]
    if name.startswith("tensorboard"):
        freq = "batch" if name.endswith("batch") else "epoch"
        return [keras.callbacks.TensorBoard(f"logs/{name}", update_freq=freq, write_graph=False)]
    return []


def main() -> None:
    kind, rounds = sys.argv[1], int(sys.argv[2])
    steps = STEPS[kind]
    generator = np.random.default_rng(0)
    x = generator.normal(size=(steps * BATCH, 784)).astype("float32")
    y = generator.integers(0, 10, steps * BATCH)
    model = network(kind)
    names = ["none", "epoch", "batch", "again"]
    if all(map(importlib.util.find_spec, ("tensorflow", "tensorboard"))):
        names += ["tensorboard", "tensorboard-batch"]

    def fit(name: str, count: int) -> tuple[float, float]:
        clock = Clock()
        model.fit(x[:count], y[:count], batch_size=BATCH, verbose=0, shuffle=False, callbacks=[*callbacks(name), clock])
        return 1e6 * clock.seconds[0] * BATCH / count, 1e6 * clock.seconds[1] * BATCH / count

    tracker.init()
    for name in names:
        fit(name, len(x))  # compiles and warms up
    wall: dict[str, list[float]] = {name: [] for name in names}
    cpu: dict[str, list[float]] = {name: [] for name in names}
    for number in range(rounds):
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            for times, value in zip((wall, cpu), fit(name, len(x)), strict=True):
                times[name].append(value)

    syncs, sync = dict.fromkeys(names, 0), type(model).jax_state_sync

    def counting(self: keras.Model) -> None:
        if getattr(self, "_jax_state", None) and not self._jax_state_synced:
            syncs[current] += 1
        sync(self)

    type(model).jax_state_sync = counting
    for current in names:
        fit(current, 16 * BATCH)
    tracker.finish()
    del syncs["again"]
    print(json.dumps({"steps": steps, "wall": wall, "cpu": cpu, "syncs": syncs}))


if __name__ == "__main__":
    main()
