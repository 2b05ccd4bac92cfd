from __future__ import annotations

import pytest

pytest.importorskip("tensorboard", reason="the extra `tensorboard` is not installed")

from tensorboard.plugins.hparams import api_pb2, plugin_data_pb2
from tensorboard.plugins.hparams.summary_v2 import hparams_pb

from tracker_tensorboard.convert import Line, finish_state

from .converted import convert
from .values import Value, plugin

Data = plugin_data_pb2.HParamsPluginData


def value(data: plugin_data_pb2.HParamsPluginData) -> Value:
    return plugin("_hparams_/any", "hparams", data.SerializeToString())


def test_the_start_of_a_session_gives_config_and_group() -> None:
    hparams = {"lr": 0.1, "units": 16, "optimizer": "adam", "bias": False}
    found = convert(*hparams_pb(hparams, trial_id="trial").value)
    assert found.config == {"lr": 0.1, "units": 16, "optimizer": "adam", "bias": False}
    (meta,) = found.of_kind("meta")
    (start,) = found.of_kind("tensorboard")
    assert meta["group"] == start["session_start"]["group"]
    assert found.rows() == []


def test_addresses_and_times_of_a_session_become_tensorboard_records() -> None:
    data = Data()
    data.session_start_info.model_uri, data.session_start_info.monitor_url = "s3://m", "http://x"
    data.session_start_info.start_time_secs = 7
    (start,) = convert(value(data)).of_kind("tensorboard")
    assert start == {"session_start": {"model": "s3://m", "monitor": "http://x", "time": 7}}


@pytest.mark.parametrize(
    ("status", "word", "state"),
    [
        ("STATUS_SUCCESS", "success", "finished"),
        ("STATUS_FAILURE", "failure", "failed"),
        ("STATUS_RUNNING", "running", None),
        ("STATUS_UNKNOWN", "unknown", None),
    ],
)
def test_the_end_of_a_session_gives_the_state_of_the_run(
    status: str,
    word: str,
    state: str | None,
) -> None:
    data = Data()
    data.session_end_info.status, data.session_end_info.end_time_secs = api_pb2.Status.Value(status), 9
    found = convert(value(data))
    (record,) = found.records
    assert record.payload["session_end"]["status"] == word
    assert finish_state(Line(record.kind, record.payload, record.time)) == state
    assert finish_state(Line("log", {"session_end": {"state": "finished"}}, 1.0)) is None


def test_an_experiment_gives_config_with_domains_and_metrics() -> None:
    discrete = api_pb2.HParamInfo(name="optimizer", type=api_pb2.DATA_TYPE_STRING)
    discrete.domain_discrete.extend(["adam", "sgd"])
    interval = api_pb2.HParamInfo(name="lr", display_name="learning rate", type=api_pb2.DATA_TYPE_FLOAT64)
    interval.domain_interval.min_value, interval.domain_interval.max_value = 0.0, float("inf")
    metric = api_pb2.MetricInfo(
        name=api_pb2.MetricName(group="validation", tag="accuracy"), dataset_type=api_pb2.DATASET_VALIDATION
    )
    experiment = api_pb2.Experiment(
        user="me", time_created_secs=5, hparam_infos=[discrete, interval], metric_infos=[metric]
    )
    assert convert(value(Data(experiment=experiment))).config == {
        "hparams_experiment": {
            "user": "me",
            "time": 5,
            "hparams": [
                {"name": "optimizer", "type": "string", "values": ["adam", "sgd"]},
                {"name": "lr", "display_name": "learning rate", "type": "float64", "min": 0, "max": float("inf")},
            ],
            "metrics": [{"tag": "accuracy", "group": "validation", "dataset": "validation"}],
        }
    }


def test_the_name_of_an_experiment_is_the_group_of_its_run() -> None:
    found = convert(value(Data(experiment=api_pb2.Experiment(name="search"))))
    assert found.of_kind("meta") == [{"group": "search"}]


def test_hyperparameters_may_be_nested_none_and_not_finite() -> None:
    data = Data()
    data.session_start_info.hparams["a"].number_value = float("-inf")
    data.session_start_info.hparams["b"].null_value = 0
    data.session_start_info.hparams["c"].struct_value.update({"x": [1, {"y": "z"}]})
    found = convert(value(data))
    assert found.config == {"a": float("-inf"), "b": None, "c": {"x": [1, {"y": "z"}]}}


@pytest.mark.parametrize("content", [b"\xff\xff\xff", b""], ids=["damaged", "empty"])
def test_unusable_hparams_are_stored_as_a_file_with_the_reason(content: bytes) -> None:
    found = convert(plugin("_hparams_/experiment", "hparams", content))
    (file,) = found.of_kind("file")
    assert file["name"].startswith("tensorboard/other/_hparams_/experiment.3.")
    assert sum(found.skipped.values()) == 1
