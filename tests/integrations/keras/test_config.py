"""The config describes the training and the model."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

keras = pytest.importorskip("keras")

import tracker  # noqa: E402
from tests.waiting import eventually  # noqa: E402
from tracker_keras import TrackerCallback  # noqa: E402

from .networks import fit, network  # noqa: E402

Runs = Callable[[], list[Any]]


def test_optimizer_loss_and_the_arguments_of_compile_and_fit_are_config(runs: Runs) -> None:
    model = network(optimizer=keras.optimizers.Adam(0.25), metrics=["mae"])
    fit(model, TrackerCallback(), epochs=3, initial_epoch=1)
    found = runs()[0].config["keras"]
    assert (found["version"], found["backend"]) == (keras.__version__, keras.backend.backend())
    assert (found["optimizer"]["class"], found["optimizer"]["learning_rate"]) == ("Adam", 0.25)
    assert (found["loss"], found["metrics"]) == ("mse", ["mae"])
    assert found["fit"] == {"epochs": 3, "initial_epoch": 1, "steps": 3, "verbose": 0}


def test_schedules_objects_and_functions_are_stored_with_name_and_config(runs: Runs) -> None:
    def my_metric(y_true: Any, y_pred: Any) -> Any:
        return keras.ops.mean(y_pred)

    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 3, 0.5)
    model = network(optimizer=keras.optimizers.SGD(schedule), loss=keras.losses.Huber(name="mine"), metrics=[my_metric])
    fit(model, TrackerCallback())
    found = runs()[0].config["keras"]
    assert found["optimizer"]["learning_rate"]["class"] == "ExponentialDecay"
    assert found["optimizer"]["learning_rate"]["decay_rate"] == 0.5
    assert (found["loss"]["class"], found["loss"]["name"], found["metrics"]) == ("Huber", "mine", ["my_metric"])


def test_an_object_that_keras_cannot_serialize_becomes_its_name(runs: Runs) -> None:
    class Odd:
        def __call__(self, y_true: Any, y_pred: Any) -> Any:
            return keras.ops.mean(keras.ops.square(y_true - y_pred))

        def get_config(self) -> Any:
            raise RuntimeError("no config")

    fit(network(loss=Odd()), TrackerCallback())
    found = runs()[0].config["keras"]
    assert "Odd" in found["loss"]
    assert found["optimizer"]["class"] == "SGD"


def test_the_table_of_layers_and_the_json_of_the_model_are_config(runs: Runs) -> None:
    model = network()
    fit(model, TrackerCallback())
    found = dict(runs()[0].config["keras_model"])
    assert json.loads(found.pop("json"))["class_name"] == "Sequential"
    layer = {"name": model.layers[0].name, "class": "Dense", "output_shape": [None, 1], "params": 4, "trainable": True}
    assert found == {
        "class": "Sequential",
        "name": "linear",
        "params": 4,
        "trainable_params": 4,
        "layers": [layer],
    }


def test_the_json_of_large_models_is_a_file(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracker_keras.callback._MAX_JSON_IN_CONFIG", 10)
    run = tracker.init()
    fit(network(), TrackerCallback())
    run.finish()
    (found,) = runs()
    assert "json" not in found.config["keras_model"]
    kept = eventually(lambda: (found.reload(), found.files())[1])
    assert [file.name for file in kept] == ["model.json"]


def test_config_and_graph_can_be_omitted_and_the_users_config_is_kept(runs: Runs) -> None:
    fit(network(), TrackerCallback(config=False, log_graph=False))
    fit(network(), TrackerCallback(config={"dataset": "toy"}, log_graph=False))
    first, second = runs()
    assert (dict(first.config), second.config["dataset"], "keras" in second.config) == ({}, "toy", True)


def test_config_members_of_the_user_are_not_changed(runs: Runs) -> None:
    with tracker.init(config={"optimizer": "mine", "epochs": "mine"}):
        fit(network(), TrackerCallback())
    found = runs()[0].config
    assert (found["optimizer"], found["epochs"]) == ("mine", "mine")


def test_a_layer_that_cannot_be_read_does_not_affect_the_rest_of_the_config(runs: Runs) -> None:
    raising: list[bool] = []

    class Odd(keras.layers.Dense):  # type: ignore[misc] # Keras has no types
        @property
        def trainable(self) -> bool:
            if raising:
                raise RuntimeError("no")
            return True

        @trainable.setter
        def trainable(self, value: bool) -> None: ...

    class Only(keras.callbacks.Callback):  # type: ignore[misc]
        """Makes the layer raise while the next callback reads it."""

        def on_train_begin(self, logs: Any = None) -> None:
            raising.append(True)

    class Again(keras.callbacks.Callback):  # type: ignore[misc]
        def on_train_begin(self, logs: Any = None) -> None:
            raising.clear()

    model = keras.Sequential([keras.Input((3,)), Odd(1, name="odd")])
    model.compile("sgd", "mse")
    fit(model, Only(), TrackerCallback(), Again())
    (run,) = runs()
    assert (run.info["rows"], run.config["keras"]["fit"]["epochs"]) == (1, 1)
    (layer,) = run.config["keras_model"]["layers"]
    assert (layer["name"], layer["class"], layer["trainable"]) == ("odd", "Odd", None)


def test_a_huge_config_member_does_not_affect_other_members(runs: Runs) -> None:
    fit(network(), TrackerCallback(config={"lr": 0.1, "vocabulary": {f"token {i}": i for i in range(500_000)}}))
    (run,) = runs()
    assert run.config["lr"] == 0.1
    assert run.config["keras"]["fit"]["epochs"] >= 1
    assert run.config["vocabulary"]["name"] in [file.name for file in run.files()]


def test_a_config_may_be_any_object_with_members(runs: Runs) -> None:
    fit(network(), TrackerCallback(config=SimpleNamespace(lr=0.1)))
    fit(network(), TrackerCallback(config=5))
    first, second = runs()
    assert first.config["lr"] == 0.1
    assert first.config["keras"]["loss"] == second.config["keras"]["loss"] == "mse"
