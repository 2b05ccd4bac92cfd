"""Run Keras's own tests of its trainer, which are in its wheel, with our callback in each fit, evaluate and predict.

By default a part of them runs, and a larger part with the slow tests; TRACKER_TEST_KERAS_ALL=1 runs all, in both modes
of the callback.
"""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys

import pytest

pytest.importorskip("keras")
if importlib.util.find_spec("keras.src.trainers.trainer_test") is None:
    pytest.skip("this version of Keras ships no tests", allow_module_level=True)

from .conftest import BACKEND, HERE

ALL = os.environ.get("TRACKER_TEST_KERAS_ALL")
FLOWS = "callback or fit_flow or evaluate_flow or predict_flow or nested or stop or steps_count_3"
STEPS = "steps_per_execution or steps_count"


@pytest.mark.parametrize("log_freq", ["epoch", "batch"] if ALL else ["batch"])
@pytest.mark.parametrize(
    ("chosen", "least"),
    [("test", 100)] if ALL else [(FLOWS, 20), pytest.param(f"{FLOWS} or {STEPS}", 40, marks=pytest.mark.slow)],
)
def test_kerass_own_trainer_tests_pass_with_the_callback(log_freq: str, chosen: str, least: int) -> None:
    tests = ["--pyargs", "keras.src.trainers.trainer_test", "-k", chosen]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "plugin_add_callback", *tests],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(HERE), *filter(None, [os.environ.get("PYTHONPATH")])]),
            "TRACKER_TEST_LOG_FREQ": log_freq,
            "KERAS_BACKEND": BACKEND,
        },
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    counts = {name: int(n) for n, name in re.findall(r"(\d+) (passed|failed|skipped)", done.stdout)}
    assert counts["passed"] >= least
    rows = dict(re.findall(r"rows of (\w+): (\d+)", done.stdout))
    assert int(rows["epochs"]) > 10
    assert int(rows["evaluations"]) > 3
    assert (int(rows["batches"]) > 30) == (log_freq == "batch")
