"""Importing the package, with and without Lightning."""

from __future__ import annotations

from typing import Any

import pytest


def test_without_lightning_the_package_can_be_imported_and_loggers_raise_an_error(script: Any) -> None:
    script(
        """
import importlib.util
find = importlib.util.find_spec
gone = ("lightning", "pytorch_lightning", "lightning_fabric", "torch")
importlib.util.find_spec = lambda name, *rest: None if name in gone else find(name, *rest)
import sys
for name in gone:
    sys.modules[name] = None
import tracker_lightning
from tracker_lightning import TrackerLogger
try:
    TrackerLogger()
except ModuleNotFoundError as error:
    assert "pip install 'tracker-runs[lightning]'" in str(error), error
    assert not hasattr(tracker_lightning, "other")
else:
    raise SystemExit("no error")
"""
    )


@pytest.mark.parametrize("shadow", ["lightning", "pytorch_lightning"])
def test_a_users_file_named_like_a_framework_does_not_matter(script: Any, tmp_path: Any, shadow: str) -> None:
    (tmp_path / f"{shadow}.py").write_text("raise RuntimeError('not what was meant')")
    script("from tracker_lightning import TrackerLogger\nTrackerLogger().log_metrics({'x': 1}, 0)")


def test_neither_import_nor_use_of_the_package_imports_a_framework(one: Any, script: Any) -> None:
    done = script(
        """
import sys
from tracker_lightning import TrackerLogger
logger = TrackerLogger(project="p", id="early")
logger.log_metrics({"x": 1}, 0)
print({"torch", "lightning", "pytorch_lightning", "lightning_fabric", "requests"} & set(sys.modules))
"""
    )
    assert done.stdout == "set()\n"


@pytest.mark.parametrize("first", ["lightning.pytorch", "pytorch_lightning"])
def test_lightning_can_be_imported_later_and_the_other_package_is_not_imported(script: Any, first: str) -> None:
    pytest.importorskip(first)
    script(
        f"""
import sys
from tracker_lightning import TrackerLogger
early = TrackerLogger(project="p", id="early")
assert not any("lightning" in name and "tracker" not in name for name in sys.modules)
import {first} as pl
from {first}.loggers import CSVLogger, Logger
import tracker_lightning
assert issubclass(tracker_lightning.TrackerLogger, Logger)
assert isinstance(early, Logger) and isinstance(early, CSVLogger)
assert TrackerLogger is tracker_lightning.TrackerLogger
from {first}.demos.boring_classes import BoringModel
options = dict(accelerator="cpu", devices=1, max_steps=1, enable_progress_bar=False, enable_model_summary=False)
trainer = pl.Trainer(logger=early, **options)
assert trainer.logger is early
assert trainer.log_dir == early.log_dir, trainer.log_dir
trainer.fit(BoringModel())
other = "pytorch_lightning" if "{first}" == "lightning.pytorch" else "lightning"
assert other not in sys.modules
assert early.experiment.id == "early"
"""
    )
