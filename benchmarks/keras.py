"""`keras`: the time that a callback adds to a batch of training on JAX."""

from __future__ import annotations

import importlib.util
import json
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
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
    """Train the same model with each callback in turn in one process, so that drift of the machine cancels.

    The callbacks of a peer run in a process that has its packages, too.
    """
    if not all(importlib.util.find_spec(name) for name in ("keras", "jax", "tracker_keras")):
        print("keras: Keras or JAX is not installed here; nothing is measured", file=sys.stderr)
        return
    tensorflow = importlib.util.find_spec("tensorflow") is not None
    names = ["epoch", "batch", "again"]
    if tensorflow and importlib.util.find_spec("tensorboard"):
        names += ["tensorboard", "tensorboard-batch"]
    else:
        print("keras: TensorBoard's callback needs TensorFlow, on JAX too; it is left out", file=sys.stderr)
    rounds = options.rounds(ROUNDS)
    for model in MODELS:
        yield from _lines(model, names, rounds, LABELS)
        for peer in options.peers:
            if peer.name == "wandb" and not tensorflow:
                print(f"keras: {peer.label}'s callbacks need TensorFlow, on JAX too; it is left out", file=sys.stderr)
            elif peer.name in ("wandb", "mlflow"):
                labels = {peer.name: f"{peer.label}, epoch", f"{peer.name}-batch": f"{peer.label}, batch"}
                (site,) = Path(peer.python).parents[1].glob("lib/python*/site-packages")
                yield from _lines(model, [*labels], max(1, rounds // 3), labels, site)


def _lines(
    model: str, names: list[str], rounds: int, labels: dict[str, str], site: Path | None = None
) -> Iterator[Line]:
    found = _measure(model, rounds, names, site)
    n = f"{rounds} × {found['steps']} batches"
    for times, clock in ((found["wall"], "wall"), (found["cpu"], "CPU")):
        for name in filter(labels.get, times):
            added = statistics.median(a - b for a, b in zip(times[name], times["none"], strict=True))
            what, value, target = f"added to a batch of {MODELS[model]}, {clock}", added, TARGETS.get(name)
            if name == "none":
                what, value = f"a batch of {MODELS[model]}, {clock}", statistics.median(times[name])
            yield Line(GROUP, labels[name], what, value, "µs", n, None, target if clock == "wall" else None)
    for name in filter(labels.get, found["syncs"]):
        target = 3.0 if name in ("epoch", "batch") else None
        yield Line(GROUP, labels[name], "state syncs in 16 batches", found["syncs"][name], "", "1", None, target)


def _measure(model: str, rounds: int, names: list[str], site: Path | None) -> dict[str, Any]:
    quiet = {"TRACKER_SILENT": "1", "WANDB_SILENT": "true", "TF_CPP_MIN_LOG_LEVEL": "3"}
    more = [] if site is None else ["--site", str(site)]
    with scratch() as directory:
        done = subprocess.run(
            [sys.executable, str(SUBJECTS / "keras_fit.py"), model, str(rounds), *names, *more],
            env=environment(TRACKER, directory, KERAS_BACKEND="jax", TRACKER_MODE="offline", **quiet),
            cwd=directory,
            capture_output=True,
            text=True,
            check=False,  # the error is raised below
        )
    if done.returncode:
        raise RuntimeError(f"keras ended with {done.returncode}: {done.stderr[-800:]}")
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result
