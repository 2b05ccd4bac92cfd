"""Run Lightning's own tests of loggers with ours.

They are only in its repository. TRACKER_TEST_LIGHTNING names a checkout of the installed version.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

CHECKOUT = os.environ.get("TRACKER_TEST_LIGHTNING")


@pytest.mark.skipif(CHECKOUT is None, reason="TRACKER_TEST_LIGHTNING names no checkout of Lightning")
def test_lightnings_own_tests_of_loggers_pass(one: Any) -> None:
    pytest.importorskip("lightning")
    tests = Path(str(CHECKOUT)).absolute() / "tests"
    chosen = "TrackerLogger or reset_correctly"  # the other tests are about one other logger each
    suite = tests / "tests_pytorch" / "loggers" / "test_all.py"
    paths = [str(Path(__file__).parent), str(tests), *filter(None, [os.environ.get("PYTHONPATH")])]
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "no:cacheprovider",
            "-p",
            "plugin_take_logger",
            str(suite),
            "-k",
            chosen,
        ],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    assert "5 passed" in done.stdout
