"""`TrackerEvalCallback` logs tables of predictions."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

keras = pytest.importorskip("keras")

import tracker  # noqa: E402
from tracker_keras import TrackerCallback, TrackerEvalCallback  # noqa: E402

from .networks import fit, network, x, y  # noqa: E402

pytestmark = pytest.mark.usefixtures("no_agents")

Rows = Callable[..., list[dict[str, Any]]]


def predict(model: Any, epoch: int | None) -> list[list[Any]]:
    return [[float(a), float(b)] for a, b in zip(y[:3, 0], model.predict(x[:3], verbose=0)[:, 0], strict=True)]


def content(run: Any, value: dict[str, Any]) -> dict[str, Any]:
    table: dict[str, Any] = json.loads(Path(run.dir, "files", value["digest"]).read_text())
    return table


def test_each_epoch_has_a_table_and_the_baseline_is_kept(rows: Rows) -> None:
    with tracker.init() as run:
        model = network()
        untrained = predict(model, None)
        evaluation = TrackerEvalCallback(predict, columns=["truth", "prediction"])
        fit(model, TrackerCallback(), evaluation, epochs=2)
        trained = predict(model, 1)
        fit(model, TrackerCallback(), evaluation)
    (baseline,) = rows("predictions/baseline")
    tables = rows("predictions")
    assert [(row["epoch"], row["_step"]) for row in tables] == [(0, 3), (1, 6), (0, 9)]
    assert content(run, baseline["predictions/baseline"]) == {"columns": ["truth", "prediction"], "data": untrained}
    assert content(run, tables[1]["predictions"])["data"] == trained != untrained


def test_tables_can_be_made_every_few_epochs_without_baseline(rows: Rows) -> None:
    evaluation = TrackerEvalCallback(predict, ["a", "b"], name="mine", every=2, baseline=False)
    fit(network(), TrackerCallback(), evaluation, epochs=5)
    assert [row["epoch"] for row in rows("mine")] == [1, 3]
    assert rows("mine/baseline") == []


def test_the_function_may_return_a_table(rows: Rows) -> None:
    made = TrackerEvalCallback(lambda model, epoch: tracker.Table(["epoch"], [[epoch]]))
    fit(network(), TrackerCallback(), made)
    assert rows("predictions")[0]["predictions"]["rows"] == 1


def test_predicting_for_the_table_does_not_affect_training() -> None:
    def loss(*callbacks: Any) -> Any:
        return fit(network(), *callbacks, epochs=3, validation_data=(x, y), shuffle=False).history

    with tracker.init():
        assert loss(TrackerCallback("batch"), TrackerEvalCallback(predict, ["a", "b"])) == loss()


def test_an_exception_in_the_function_is_raised_before_training() -> None:
    def fail(model: Any, epoch: int | None) -> Any:
        raise RuntimeError("mine")

    with tracker.init(), pytest.raises(RuntimeError, match="mine"):
        fit(network(), TrackerEvalCallback(fail))


def test_invalid_arguments_are_refused() -> None:
    with pytest.raises(TypeError, match="a function"):
        TrackerEvalCallback("table")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="every"):
        TrackerEvalCallback(predict, every=0)
