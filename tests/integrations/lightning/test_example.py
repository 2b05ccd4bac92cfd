"""Run `examples/lightning_digits.py`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

EXAMPLE = Path(__file__).parents[3] / "examples" / "lightning_digits.py"


def test_the_example_learns_digits_and_logs_everything(one: Any, runs: Any) -> None:
    pytest.importorskip("lightning")
    pytest.importorskip("sklearn")
    done = subprocess.run(
        [sys.executable, str(EXAMPLE), "--epochs", "8"], capture_output=True, text=True, check=False, timeout=900
    )
    assert done.returncode == 0, done.stderr[-3000:]
    (run,) = runs()
    assert (run.project, run.state) == ("digits", "finished")
    assert run.summary["test/accuracy"] > 0.9
    assert f"test accuracy {run.summary['test/accuracy']:.3f}" in done.stdout
    assert run.config == {"width": 16, "lr": 0.003, "batch_size": 64}
    assert run.summary["checkpoint/best"] == run.summary["checkpoint/latest"]
    assert {"lr-Adam", "test/samples", "train/loss", "val/accuracy", "gradients/layers.0.weight"} <= set(run.keys())
