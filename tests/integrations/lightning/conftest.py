"""Fixtures: both Lightning packages in one process, tiny models, and loggers whose runs end with their test."""

from __future__ import annotations

import importlib
import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import tracker
from tracker import errors
from tracker.sdk import exit_hooks

ROOT = Path(__file__).parents[3]
PACKAGES = [name for name in ("lightning.pytorch", "pytorch_lightning") if importlib.util.find_spec(name.split(".")[0])]

# Warnings of the frameworks about themselves and about small trainings, none of them about loggers.
_OF_FRAMEWORKS = (
    "ignore:.*does not have many workers:UserWarning",
    "ignore:The number of training batches .* is smaller than the logging interval:UserWarning",
    "ignore:Checkpoint directory .* exists and is not empty:UserWarning",
    r"ignore:`isinstance\(treespec, LeafSpec\)` is deprecated",
    "ignore:.*You are running in `fast_dev_run` mode",
    "ignore:You defined a `validation_step` but have no `val_dataloader`:UserWarning",
    "ignore:Experiment logs directory .* exists and is not empty:UserWarning",
    "ignore:The dirpath has changed from:UserWarning",
    "ignore:Be aware that when using `ckpt_path`, callbacks used to create the checkpoint:UserWarning",
    "ignore:You're resuming from a checkpoint that ended before the epoch ended:UserWarning",
    "ignore:.*is a wildcard import or fork:DeprecationWarning",
    "ignore:.*use of fork.* may lead to deadlocks:DeprecationWarning",
    "ignore:.*torch.jit.*is deprecated:DeprecationWarning",
    "ignore:.*is deprecated.*:FutureWarning:torch",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            for line in _OF_FRAMEWORKS:
                item.add_marker(pytest.mark.filterwarnings(line))


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Start each test offline on rank 0 without a run; finish its runs at the end."""
    monkeypatch.setenv("TRACKER_MODE", "offline")
    monkeypatch.setenv("TRACKER_STATS_DISABLED", "true")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # with such small models, scheduling threads takes most of the time
    monkeypatch.setattr(errors, "_warned", set())
    for name in ("RANK", "LOCAL_RANK", "SLURM_PROCID", "JSM_NAMESPACE_RANK"):
        monkeypatch.delenv(name, raising=False)
    yield
    for run in list(exit_hooks._live):
        run.finish()
    errors.silence(False)


def _package(name: str) -> Any:
    module = importlib.import_module(name)
    boring = importlib.import_module(f"{name}.demos.boring_classes")
    loggers = importlib.import_module(f"{name}.loggers.logger")
    cli = importlib.import_module(f"{name}.cli")
    return SimpleNamespace(
        name=name,
        Trainer=module.Trainer,
        callbacks=module.callbacks,
        Callback=module.Callback,
        BoringModel=boring.BoringModel,
        BoringDataModule=boring.BoringDataModule,
        Logger=loggers.Logger,
        DummyExperiment=loggers.DummyExperiment,
        Tuner=importlib.import_module(f"{name}.tuner").Tuner,
        LightningCLI=cli.LightningCLI,
    )


@pytest.fixture(params=PACKAGES)
def pl(request: pytest.FixtureRequest) -> Any:
    """Return the parts of each of the two packages that the tests use."""
    return _package(request.param)


@pytest.fixture
def one() -> Any:
    """Return the same of one package, for tests in which the other makes no difference."""
    if not PACKAGES:
        pytest.skip("needs lightning or pytorch_lightning")
    return _package(PACKAGES[0])


@pytest.fixture
def trainer() -> Callable[..., Any]:
    """Return a function that creates a quiet Trainer: one epoch of 4 training and 2 other batches, all logged."""

    def trainer(pl: Any, logger: Any, **options: Any) -> Any:
        quiet = {"enable_progress_bar": False, "enable_model_summary": False, "accelerator": "cpu", "devices": 1}
        size = {"max_epochs": 1, "limit_train_batches": 4, "limit_val_batches": 2, "limit_test_batches": 2}
        return pl.Trainer(**{**quiet, **size, "log_every_n_steps": 1, "logger": logger, **options})

    return trainer


@pytest.fixture
def model() -> Callable[..., Any]:
    """Return a function that creates a model with hyperparameters that logs its loss in every stage."""

    def model(pl: Any, **hyperparameters: Any) -> Any:
        class Model(pl.BoringModel):  # type: ignore[misc, name-defined]
            def __init__(self, lr: float = 0.1, **more: Any) -> None:
                super().__init__()
                self.save_hyperparameters()

            def training_step(self, batch: Any, number: int) -> Any:
                loss = self.step(batch)
                self.log("train/loss", loss)
                return loss

            def validation_step(self, batch: Any, number: int) -> None:
                self.log("val/loss", self.step(batch))

            def test_step(self, batch: Any, number: int) -> None:
                self.log("test/loss", self.step(batch))

        return Model(**hyperparameters)

    return model


def rows_of(directory: str | Path) -> list[dict[str, Any]]:
    """Return the rows in a run directory, without times."""
    found = tracker.read_run(directory).scan_history()
    return [{k: v for k, v in row.items() if k not in ("_timestamp", "_runtime")} for row in found]


@pytest.fixture
def rows() -> Callable[[Any], list[dict[str, Any]]]:
    """Return a function that reads the rows of a logger from disk."""
    return lambda logger: rows_of(logger.experiment.dir)


@pytest.fixture
def runs() -> Callable[[], list[tracker.api.LocalRun]]:
    """Return a function that reads all runs of the working directory."""

    def runs() -> list[tracker.api.LocalRun]:
        directories = Path(".tracker/runs").glob("*/history*.jsonl")
        return [tracker.read_run(directory) for directory in sorted({path.parent for path in directories})]

    return runs


@pytest.fixture
def script(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return a function that runs Python code in a new process, and shows its output if it fails."""

    def script(code: str, expect: int = 0, **variables: str) -> subprocess.CompletedProcess[str]:
        path = tmp_path / "script.py"
        path.write_text(code)
        done = subprocess.run(
            [sys.executable, str(path)], env={**os.environ, **variables}, capture_output=True, text=True, timeout=900
        )
        assert done.returncode == expect, done.stderr[-3000:]
        return done

    return script
