"""The example that needs no framework."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import tracker

pytest.importorskip("sklearn")

EXAMPLE = Path(__file__).parents[2] / "examples" / "sweep_digits.py"


def test_the_sweep_learns_digits_and_logs_all_of_it(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("TRACKER_MODE", "offline")
    monkeypatch.chdir(tmp_path)
    subprocess.run([sys.executable, EXAMPLE, "--runs", "2", "--epochs", "6"], check=True, capture_output=True)
    runs = [tracker.read_run(directory) for directory in (tmp_path / ".tracker" / "runs").iterdir()]
    assert [(run.project, run.state, run.config["epochs"]) for run in runs] == [("digits-sweep", "finished", 6)] * 2
    for run in runs:
        accuracies = [row["val/accuracy"] for row in run.scan_history(["val/accuracy"])]
        assert len(accuracies) == 6
        assert run.summary["val/accuracy"] == max(accuracies) > 0.8
        logged = {"train/loss", "train/grad_norm", "weights/layer0", "examples/mistakes", "examples/digits"}
        assert logged <= {*run.keys()}
