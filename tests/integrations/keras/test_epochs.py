"""Rows of epochs, evaluations and predictions."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import pytest

keras = pytest.importorskip("keras")

import numpy as np  # noqa: E402

import tracker  # noqa: E402
from tracker_keras import TrackerCallback  # noqa: E402

from .networks import BATCH, Each, fit, network, x, y  # noqa: E402

pytestmark = pytest.mark.usefixtures("no_agents")

Rows = Callable[..., list[dict[str, Any]]]


def assert_equals_history(rows: list[dict[str, Any]], history: Any) -> None:
    assert [row["epoch"] for row in rows] == history.epoch
    for name, values in history.history.items():
        assert [repr(row[name]) for row in rows] == [repr(value) for value in values]


@pytest.mark.parametrize("log_freq", ["epoch", "batch", 2])
def test_rows_of_epochs_equal_history_exactly(rows: Rows, log_freq: Any) -> None:
    history = fit(network(metrics=["mae"]), TrackerCallback(log_freq), epochs=3, validation_data=(x, y))
    assert_equals_history(rows("loss"), history)
    assert {*history.history} == {"loss", "mae", "val_loss", "val_mae"}
    assert [row["_step"] for row in rows("loss")] == [3, 6, 9]


def test_metrics_of_epochs_have_the_epoch_as_their_axis(runs: Callable[[], list[Any]]) -> None:
    fit(network(), TrackerCallback(), epochs=2, validation_split=0.5)
    (run,) = runs()
    axes = {metric["name"]: metric["step_metric"] for metric in run.info["metrics"]}
    assert axes == dict.fromkeys(("loss", "val_loss", "learning_rate"), "epoch")


def test_validation_in_some_epochs_is_part_of_their_rows(rows: Rows) -> None:
    fit(network(), TrackerCallback(), epochs=4, validation_data=(x, y), validation_freq=2)
    assert [row["epoch"] for row in rows("val_loss")] == [1, 3]


def test_values_that_later_callbacks_add_to_the_logs_are_logged_as_in_history(rows: Rows) -> None:
    def add(epoch: int, logs: dict[str, Any]) -> None:
        logs["added"] = epoch * 0.1
        logs["loss"] = -1.0 if epoch == 1 else logs["loss"]

    history = fit(network(), TrackerCallback(), Each(add), epochs=2)
    assert [row["added"] for row in rows("added")] == history.history["added"]
    last = {row["epoch"]: row["loss"] for row in rows("loss")}
    assert [last[0], last[1]] == history.history["loss"] == [last[0], -1.0]


def test_the_learning_rate_of_schedules_is_logged(rows: Rows) -> None:
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 3, 0.5)
    fit(network(optimizer=keras.optimizers.SGD(schedule)), TrackerCallback(), epochs=2)
    assert [row["learning_rate"] for row in rows("learning_rate")] == pytest.approx([0.05, 0.025])


@pytest.mark.parametrize("first", [True, False])
def test_the_learning_rate_that_callbacks_set_is_logged(rows: Rows, first: bool) -> None:
    rates = keras.callbacks.LearningRateScheduler(lambda epoch: 0.1 / (epoch + 1))
    callbacks = [TrackerCallback(), rates] if first else [rates, TrackerCallback()]
    history = fit(network(), *callbacks, epochs=3)
    assert [row["learning_rate"] for row in rows("learning_rate")] == history.history["learning_rate"]


def test_the_learning_rate_can_be_left_out(rows: Rows) -> None:
    fit(network(), TrackerCallback(log_lr=False))
    assert rows("learning_rate") == []


def test_the_learning_rate_of_reduce_lr_on_plateau_is_logged(rows: Rows) -> None:
    plateau = keras.callbacks.ReduceLROnPlateau("loss", factor=0.5, patience=1, min_delta=100.0)
    history = fit(network(), TrackerCallback(), plateau, epochs=4)
    assert [row["learning_rate"] for row in rows("learning_rate")] == history.history["learning_rate"]
    assert len(set(history.history["learning_rate"])) > 1


def test_a_run_that_stops_early_is_finished(rows: Rows, runs: Callable[[], list[Any]]) -> None:
    stopping = keras.callbacks.EarlyStopping("loss", min_delta=100.0, patience=1)
    history = fit(network(), TrackerCallback(), stopping, epochs=20)
    assert_equals_history(rows("loss"), history)
    assert len(history.epoch) < 20
    assert runs()[0].state == "finished"


@pytest.mark.parametrize("log_freq", ["epoch", "batch"])
def test_stopping_within_an_epoch_counts_the_batches_trained(rows: Rows, log_freq: Any) -> None:
    class Nan(keras.losses.Loss):
        def call(self, y_true: Any, y_pred: Any) -> Any:
            return y_pred * math.nan

    history = fit(network(loss=Nan()), TrackerCallback(log_freq), keras.callbacks.TerminateOnNaN(), epochs=3)
    assert_equals_history(rows("loss"), history)
    (row,) = rows("loss")
    assert math.isnan(row["loss"])
    batches = [row["_step"] for row in rows("batch/loss")]
    assert row["_step"] in (1, 2, 3)  # later if Keras runs callbacks in the background
    assert batches == ([] if log_freq == "epoch" else [*range(1, row["_step"] + 1)])


def test_evaluation_alone_is_a_run_with_test_metrics(rows: Rows, runs: Callable[[], list[Any]]) -> None:
    results = network(metrics=["mae"]).evaluate(x, y, verbose=0, callbacks=[TrackerCallback()], return_dict=True)
    assert rows() == [{"_step": 0, **{f"test/{name}": value for name, value in results.items()}}]
    assert runs()[0].state == "finished"


def test_evaluation_after_training_in_one_run_is_at_the_step_of_training(rows: Rows) -> None:
    with tracker.init():
        model = network()
        fit(model, TrackerCallback(), epochs=2)
        loss = model.evaluate(x, y, verbose=0, callbacks=[TrackerCallback()])
    (row,) = rows("test/loss")
    assert (row["_step"], row["test/loss"]) == (6, loss)


def test_an_evaluation_by_the_user_within_fit_does_not_count_as_validation(rows: Rows) -> None:
    model, ours, results = network(), TrackerCallback(), []

    def test(epoch: int, logs: Any) -> None:
        results.append(model.evaluate(x[:4], y[:4], verbose=0, callbacks=[ours]))

    fit(model, ours, Each(test), epochs=2, validation_data=(x, y))
    assert [row["test/loss"] for row in rows("test/loss")] == results
    assert [row["_step"] for row in rows("val_loss")] == [3, 6]


def test_prediction_alone_starts_no_run(runs: Callable[[], list[Any]]) -> None:
    assert network().predict(x, verbose=0, callbacks=[TrackerCallback("batch")]).shape == (12, 1)
    assert runs() == []


def test_prediction_within_fit_does_not_affect_the_rows(rows: Rows) -> None:
    model, ours = network(), TrackerCallback("batch")
    fit(model, ours, Each(lambda *_: model.predict(x, verbose=0, callbacks=[ours])), epochs=2, validation_data=(x, y))
    assert [row["_step"] for row in rows("val_loss")] == [3, 6]
    assert rows("test/loss") == []


@pytest.mark.parametrize("log_freq", ["epoch", "batch"])
def test_generators_of_unknown_length_are_counted(rows: Rows, log_freq: Any) -> None:
    def batches() -> Iterator[Any]:
        for start in range(0, 12, BATCH):
            yield x[start : start + BATCH], y[start : start + BATCH]

    history = network().fit(batches(), shuffle=False, verbose=0, callbacks=[TrackerCallback(log_freq)])
    assert_equals_history(rows("loss"), history)
    # TensorFlow's optimizer counts the step that finds no data, too.
    possible = (3, 4) if (keras.backend.backend(), log_freq) == ("tensorflow", "epoch") else (3,)
    assert next(row["_step"] for row in rows("loss")) in possible


def test_models_with_several_outputs_have_the_metrics_of_each(rows: Rows) -> None:
    inputs = keras.Input((3,))
    outputs = {name: keras.layers.Dense(1, name=name)(inputs) for name in ("left", "right")}
    model = keras.Model(inputs, outputs)
    model.compile("sgd", "mse", metrics={"left": ["mae"]})
    history = model.fit(x, {"left": y, "right": y}, verbose=0, callbacks=[TrackerCallback("batch")])
    assert {"left_loss", "right_loss", "left_mae"} <= {*history.history}
    assert_equals_history(rows("loss"), history)
    assert "batch/right_loss" in rows("batch/loss")[0]


def test_subclassed_models_that_are_not_built_are_logged(rows: Rows, runs: Callable[[], list[Any]]) -> None:
    class Mine(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.dense = keras.layers.Dense(1)

        def call(self, inputs: Any) -> Any:
            return self.dense(inputs)

    model = Mine()
    model.compile("adam", "mse")
    history = fit(model, TrackerCallback())
    assert_equals_history(rows("loss"), history)
    (run,) = runs()
    assert run.config["keras_model"]["class"] == "Mine"
    assert run.config["keras_model"]["params"] == 4


def test_odd_logs_of_custom_steps_are_kept(rows: Rows) -> None:
    class Odd(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.dense = keras.layers.Dense(1)

        def call(self, inputs: Any) -> Any:
            return self.dense(inputs)

        def _get_metrics_result_or_logs(self, logs: Any) -> Any:
            return {"odd/name é": 1, "vector": np.arange(3), "text": "fine", "nested": {"a": 2.0}, "none": None}

    model = Odd()
    model.compile("sgd", "mse")
    fit(model, TrackerCallback("batch"))
    (row,) = rows("text")
    assert (row["odd/name é"], row["vector"], row["text"], row["a"], row["none"]) == (1.0, [0, 1, 2], "fine", 2.0, None)


@pytest.mark.parametrize("log_freq", ["epoch", "batch"])
def test_custom_loops_with_a_callback_list_are_logged(rows: Rows, log_freq: Any) -> None:
    model = network()
    callbacks = keras.callbacks.CallbackList([TrackerCallback(log_freq)], model=model)
    callbacks.on_train_begin()
    for epoch in range(2):
        callbacks.on_epoch_begin(epoch)
        for batch in range(3):
            callbacks.on_train_batch_begin(batch)
            logs = model.train_on_batch(x[:4], y[:4], return_dict=True)
            callbacks.on_train_batch_end(batch, logs)
        callbacks.on_test_begin()
        callbacks.on_test_end({"loss": 0.5})
        callbacks.on_epoch_end(epoch, logs)
    callbacks.on_train_end()
    assert [(row["_step"], row["loss"], row["val_loss"]) for row in rows("loss")] == [
        (3, pytest.approx(rows("loss")[0]["loss"]), 0.5),
        (6, logs["loss"], 0.5),
    ]
    assert [row["_step"] for row in rows("batch/loss")] == ([] if log_freq == "epoch" else [1, 2, 3, 4, 5, 6])


def test_a_custom_loop_without_model_and_epochs_is_logged(rows: Rows) -> None:
    callbacks = keras.callbacks.CallbackList([TrackerCallback("batch")])
    callbacks.on_train_begin()
    for batch in range(3):
        callbacks.on_train_batch_end(batch, {"loss": batch / 2})
    callbacks.on_train_end()
    assert [(row["_step"], row["batch/loss"]) for row in rows()] == [(1, 0.0), (2, 0.5), (3, 1.0)]
