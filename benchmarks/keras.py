"""`keras`: what a callback adds to a batch of training on JAX."""

from __future__ import annotations

import importlib.util
import json
import statistics
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from .measure import SUBJECTS, TRACKER, Options, environment, scratch
from .report import Line

GROUP = "keras"
ROUNDS = 15
LABELS = {
    "none": "no callback",
    "again": "no callback, once more",
    "epoch": "tracker, epoch",
    "batch": "tracker, batch",
    "tensorboard": "TensorBoard, epoch",
    "tensorboard-batch": "TensorBoard, batch",
}
MODELS = {"mlp": "784-256-256-10", "deep": "64 layers"}
TARGETS = {"batch": 50.0}


def run(options: Options) -> Iterator[Line]:
    """Train the same model with each callback, by turns in one process, so that the machine's drift cancels."""
    if not all(importlib.util.find_spec(name) for name in ("keras", "jax", "tracker_keras")):
        print("keras: Keras or JAX is not installed here; nothing is measured", file=sys.stderr)
        return
    rounds = options.rounds(ROUNDS)
    for model in MODELS:
        found = _measure(model, rounds)
        for times, clock in ((found["wall"], "wall"), (found["cpu"], "CPU")):
            for name in times:
                n = f"{rounds} × {found['steps']} batches"
                added = statistics.median(a - b for a, b in zip(times[name], times["none"], strict=True))
                what, value, target = f"added to a batch of {MODELS[model]}, {clock}", added, TARGETS.get(name)
                if name == "none":
                    what, value = f"a batch of {MODELS[model]}, {clock}", statistics.median(times[name])
                yield Line(GROUP, LABELS[name], what, value, "µs", n, None, target if clock == "wall" else None)
        for name, syncs in found["syncs"].items():
            target = 3.0 if name in ("epoch", "batch") else None
            yield Line(GROUP, LABELS[name], "state syncs in 16 batches", syncs, "", "1", None, target)


def _measure(model: str, rounds: int) -> dict[str, Any]:
    with scratch() as directory:
        variables = environment(TRACKER, directory, KERAS_BACKEND="jax", TRACKER_MODE="offline", TRACKER_SILENT="1")
        done = subprocess.run(
            [sys.executable, str(SUBJECTS / "keras_fit.py"), model, str(rounds)],
            env=variables,
            cwd=directory,
            capture_output=True,
            text=True,
            check=False,  # what went wrong is told below
        )
    if done.returncode:
        raise RuntimeError(f"keras ended with {done.returncode}: {done.stderr[-800:]}")
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result
