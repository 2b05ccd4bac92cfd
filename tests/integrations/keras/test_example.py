"""Run `examples/keras_digits.py`."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from .conftest import HERE

pytest.importorskip("keras")
pytest.importorskip("sklearn")

EXAMPLE = HERE.parents[2] / "examples" / "keras_digits.py"


def test_the_example_learns_digits_and_logs_everything(runs: Callable[[], list[Any]]) -> None:
    subprocess.run([sys.executable, EXAMPLE, "--epochs", "4"], check=True, capture_output=True)
    (run,) = runs()
    assert (run.project, run.state, run.config["epochs"]) == ("digits", "finished", 4)
    assert run.summary["test/accuracy"] > 0.85
    assert {"loss", "val_accuracy", "batch/loss", "predictions", "predictions/baseline"} <= {*run.keys()}
    assert run.summary["checkpoint/best_score"] == min(row["val_loss"] for row in run.scan_history(["val_loss"]))
