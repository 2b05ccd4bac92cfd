"""Train without a callback and with each callback in turn, and print the time of a batch.

    python keras_fit.py mlp|deep ROUNDS CALLBACK… [--site DIRECTORY]

CALLBACK is again (none, a second time), epoch or batch (ours), or tensorboard, wandb or mlflow, perhaps with -batch.
`--site` is a folder of further packages to import from.
"""

from __future__ import annotations

import argparse
import json
import sys
import time

import keras
import numpy as np

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
    """Times an epoch from its start to the end of all callbacks before this one."""

    def on_epoch_begin(self, epoch: int, logs: object = None) -> None:  # noqa: ARG002
        self.began = time.perf_counter(), time.process_time()

    def on_epoch_end(self, epoch: int, logs: object = None) -> None:  # noqa: ARG002
        self.seconds = time.perf_counter() - self.began[0], time.process_time() - self.began[1]


def callbacks(name: str) -> list[keras.callbacks.Callback]:
    name, _, batch = name.partition("-")
    if name in ("epoch", "batch"):
        from tracker_keras import TrackerCallback

        return [TrackerCallback(name)]
    if name == "tensorboard":
        freq = "batch" if batch else "epoch"
        return [keras.callbacks.TensorBoard(f"logs/{freq}", update_freq=freq, write_graph=False)]
    if name == "wandb":
        from wandb.integration.keras import WandbMetricsLogger

        return [WandbMetricsLogger("batch" if batch else "epoch")]
    if name == "mlflow":
        from mlflow.keras import MlflowCallback

        return [MlflowCallback(log_every_epoch=False, log_every_n_steps=1) if batch else MlflowCallback()]
    return []


def begin(names: list[str]) -> None:
    """Start the runs that the callbacks log to."""
    if {"epoch", "batch"} & {*names}:
        import tracker

        tracker.init()
    if any(name.startswith("wandb") for name in names):
        import wandb

        wandb.init(project="bench", mode="offline")
    if any(name.startswith("mlflow") for name in names):
        import mlflow

        mlflow.set_tracking_uri("sqlite:///mlflow.db")
        mlflow.set_experiment("bench")
        mlflow.start_run()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=STEPS)
    parser.add_argument("rounds", type=int)
    parser.add_argument("callbacks", nargs="+")
    parser.add_argument("--site")
    options = parser.parse_args()
    if options.site:
        sys.path.append(options.site)
    kind, rounds, names = options.kind, options.rounds, ["none", *options.callbacks]
    steps = STEPS[kind]
    generator = np.random.default_rng(0)
    x = generator.normal(size=(steps * BATCH, 784)).astype("float32")
    y = generator.integers(0, 10, steps * BATCH)
    model = network(kind)

    def fit(name: str, count: int) -> tuple[float, float]:
        clock = Clock()
        model.fit(x[:count], y[:count], batch_size=BATCH, verbose=0, shuffle=False, callbacks=[*callbacks(name), clock])
        return 1e6 * clock.seconds[0] * BATCH / count, 1e6 * clock.seconds[1] * BATCH / count

    begin(names)
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
    syncs.pop("again", None)
    print("\n" + json.dumps({"steps": steps, "wall": wall, "cpu": cpu, "syncs": syncs}))


if __name__ == "__main__":
    main()
