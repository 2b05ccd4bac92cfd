"""Run the tests of this folder on PyTorch, too."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

pytest.importorskip("keras")

from .conftest import BACKEND, HERE

ELSEWHERE = (
    "backends",
    "example",
    "package",
    "trainer_suite",
)  # these do not depend on the backend, or choose it themselves
OF_BOTH = ("two_devices", "several_processes")  # these tests run on both backends anyway


@pytest.mark.slow  # all tests of this folder once more
def test_the_callbacks_work_on_pytorch() -> None:
    pytest.importorskip("torch")
    if BACKEND == "torch":
        pytest.skip("this is PyTorch")
    tests = [str(path) for path in sorted(HERE.glob("test_*.py")) if path.stem[5:] not in ELSEWHERE]
    chosen = " and ".join(f"not {name}" for name in OF_BOTH)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", chosen, *tests],
        env={**os.environ, "KERAS_BACKEND": "torch"},
        cwd=HERE.parents[2],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-8000:]
    assert " passed" in done.stdout
