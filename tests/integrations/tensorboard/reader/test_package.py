"""Importing the reader, with and without TensorBoard."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.waiting import PATIENCE


def run(code: str) -> str:
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=os.environ, capture_output=True, text=True, timeout=4 * PATIENCE)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_without_tensorboard_the_package_can_be_imported_and_its_reader_says_what_to_install() -> None:
    run(
        """
import sys
sys.modules["tensorboard"] = None
import tracker_tensorboard
try:
    from tracker_tensorboard.reader import EventFile
except ModuleNotFoundError as error:
    assert "pip install 'tracker-runs[tensorboard]'" in str(error), error
else:
    raise SystemExit("no error")
"""
    )


def test_the_reader_imports_no_tensorflow_and_only_the_messages_of_tensorboard() -> None:
    pytest.importorskip("tensorboard", reason="the extra `tensorboard` is not installed")
    output = run(
        """
import sys
import tracker_tensorboard.reader
print({"tensorflow", "torch", "grpc", "tensorboard.compat.tensorflow_stub", "tensorboard.util"} & set(sys.modules))
"""
    )
    assert output == "set()\n"
