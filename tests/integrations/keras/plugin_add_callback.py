"""A pytest plugin: add a `TrackerCallback` to every `fit`, `evaluate` and `predict` of Keras, all for one run.

Tests that fail because a package is missing are skipped.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Generator
from typing import Any

import keras
import pytest

import tracker
from tracker_keras import TrackerCallback

LOG_FREQ = os.environ.get("TRACKER_TEST_LOG_FREQ", "epoch")


def adding(method: Any) -> Any:
    @functools.wraps(method)
    def with_callback(self: Any, *arguments: Any, **options: Any) -> Any:
        callbacks = options.get("callbacks")
        if not isinstance(callbacks, keras.callbacks.CallbackList):
            mine = TrackerCallback(LOG_FREQ)  # type: ignore[arg-type]
            options["callbacks"] = [mine, *keras.tree.flatten([] if callbacks is None else callbacks)]
        return method(self, *arguments, **options)

    return with_callback


def pytest_configure() -> None:
    tracker.init(mode="offline")
    trainer = next(kind for kind in keras.Model.__mro__ if "fit" in kind.__dict__)
    for name in ("fit", "evaluate", "predict"):
        setattr(trainer, name, adding(getattr(trainer, name)))


def pytest_unconfigure() -> None:
    run = tracker.run
    if run is not None:
        run.finish()
        rows = list(tracker.read_run(run.dir).scan_history())
        print(f"\nrows of epochs: {sum('epoch' in row for row in rows)}")
        print(f"rows of batches: {sum('batch/loss' in row for row in rows)}")
        print(f"rows of evaluations: {sum('test/loss' in row for row in rows)}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed and call.excinfo is not None and call.excinfo.errisinstance(ImportError):
        report.outcome, report.longrepr = "skipped", (str(item.path), 0, call.excinfo.exconly())
    return report
