"""Run the Keras tests on the backend that KERAS_BACKEND names (JAX by default); skip them if it is not installed.

`test_backends.py` runs them on PyTorch, too.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import tracker
from tracker import errors
from tracker.sdk import exit_hooks

os.environ.setdefault("KERAS_BACKEND", "jax")
BACKEND = os.environ["KERAS_BACKEND"]
HERE = Path(__file__).parent

# Warnings of Keras and its backends.
QUIET = (
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning",
    "ignore:Your input ran out of data:UserWarning",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            for warning in QUIET:
                item.add_marker(pytest.mark.filterwarnings(warning))


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Start each test without a run, and keep its runs on disk."""
    monkeypatch.setenv("TRACKER_MODE", "offline")
    monkeypatch.setenv("TRACKER_STATS_DISABLED", "true")
    monkeypatch.setattr(errors, "_warned", set())
    yield
    for run in list(exit_hooks._live):
        run.finish()
    errors.silence(False)


@pytest.fixture
def runs() -> Callable[[], list[Any]]:
    """Return a function that reads all runs of the test from disk, the oldest first."""

    def runs() -> list[Any]:
        found = [tracker.read_run(path) for path in Path(".tracker/runs").glob("*")]
        return sorted(found, key=lambda run: run.info["created"])

    return runs


@pytest.fixture
def rows(runs: Callable[[], list[Any]]) -> Callable[..., list[dict[str, Any]]]:
    """Return a function that reads the rows of the only run, without times; with a key, only rows that have it."""

    def rows(key: str | None = None) -> list[dict[str, Any]]:
        (run,) = runs()
        found = [{k: v for k, v in r.items() if k not in ("_timestamp", "_runtime")} for r in run.scan_history()]
        return [row for row in found if key is None or key in row]

    return rows


@pytest.fixture
def script(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return a function that runs code in a new process, after common imports."""

    def script(code: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", PRELUDE + code],
            env={**os.environ, "TRACKER_SILENT": "1", **variables},
            capture_output=True,
            text=True,
            timeout=900,
        )

    return script


PRELUDE = """
import os, sys
import keras, numpy as np, tracker
from tracker_keras import TrackerCallback
x = np.random.default_rng(0).normal(size=(12, 3)).astype("float32")
y = x.sum(axis=1, keepdims=True)

def network():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    return model

class Stop(keras.callbacks.Callback):
    def __init__(self, end):
        super().__init__()
        self.end = end
    def on_epoch_end(self, epoch, logs=None):
        self.end()

def fail():
    raise ValueError("mine")
"""
