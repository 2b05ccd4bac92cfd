"""The package needs Keras only to create callbacks."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import tracker_keras

BLOCK = "import sys\nfor name in ('keras', 'tensorflow'): sys.modules[name] = None\n"


def python(code: str, **variables: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code], check=True, env={**os.environ, **variables}, capture_output=True, text=True
    ).stdout.strip()


def test_importing_the_package_imports_no_framework() -> None:
    code = "import sys, tracker_keras; print({'keras', 'jax', 'torch', 'tensorflow', 'numpy'} & {*sys.modules})"
    assert python(code) == "set()"


def test_without_keras_classes_can_be_imported_and_subclassed_and_instances_raise_import_error() -> None:
    code = """
from tracker_keras import TrackerCallback, TrackerEvalCallback, TrackerModelCheckpoint
class Mine(TrackerCallback): pass
for kind in (TrackerCallback, TrackerEvalCallback, TrackerModelCheckpoint, Mine):
    try:
        kind("x", monitor="y")
    except ImportError as error:
        print(kind.__mro__[-2].__name__ in str(error), "pip install keras" in str(error))
"""
    assert set(python(BLOCK + code).splitlines()) == {"True True"}


def test_a_users_own_module_named_keras_is_refused_as_keras(tmp_path: Path) -> None:
    (tmp_path / "keras.py").write_text("")
    code = "from tracker_keras import *\ntry: TrackerCallback()\nexcept ImportError as e: print('Keras 3' in str(e))"
    assert python(code, PYTHONPATH=f"{tmp_path}:{os.environ.get('PYTHONPATH', '')}") == "True"


def test_the_package_has_these_names() -> None:
    names = ["TrackerCallback", "TrackerEvalCallback", "TrackerModelCheckpoint"]
    assert tracker_keras.__all__ == names
    assert {*names} <= {*dir(tracker_keras)}
    with pytest.raises(AttributeError, match="no attribute 'Callback'"):
        tracker_keras.Callback  # noqa: B018
