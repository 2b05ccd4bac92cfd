"""The methods of the logger, called directly."""

from __future__ import annotations

import math
from argparse import Namespace
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tracker

torch = pytest.importorskip("torch")

from tracker_lightning import TrackerLogger  # noqa: E402

pytestmark = pytest.mark.usefixtures("no_agents")

STEP = "trainer/global_step"


@pytest.fixture
def logger(one: Any) -> TrackerLogger:
    return TrackerLogger(project="digits")


def test_metrics_are_rows_at_their_step(logger: TrackerLogger, rows: Any) -> None:
    logger.log_metrics(metrics={"loss": 0.5, "epoch": 0}, step=3)
    logger.log_metrics({"loss": 0.25})
    assert rows(logger) == [{"_step": 3, "loss": 0.5, "epoch": 0, STEP: 3}, {"_step": 3, "loss": 0.25}]


def test_values_of_all_kinds_are_logged(logger: TrackerLogger, rows: Any) -> None:
    values = {
        "tensor": torch.tensor(1.5, requires_grad=True),
        "one": torch.tensor([2]),
        "half": torch.tensor(0.5, dtype=torch.bfloat16),
        "bool": torch.tensor(True),
        "numpy": np.float32(0.25),
        "inf": math.inf,
        "minus": -torch.tensor(math.inf),
        "int": 2**70,
        "nested": {"a": {"b": 1}},
    }
    logger.log_metrics({**values, "nan": torch.tensor(math.nan)}, torch.tensor(7))
    (row,) = rows(logger)
    assert math.isnan(row.pop("nan"))
    assert row == {
        "_step": 7, "tensor": 1.5, "one": 2, "half": 0.5, "bool": True, "numpy": 0.25, "inf": math.inf,
        "minus": -math.inf, "int": 2**70, "nested/a/b": 1, STEP: 7,
    }  # fmt: skip


def test_odd_names_are_kept(logger: TrackerLogger, rows: Any) -> None:
    names = ["", " ", "a b", "a/b/", "ä", "null", "x" * 1000, "_step_", '"[{}]', "a\nb", "a.b", "50%"]
    logger.log_metrics({**dict.fromkeys(names, 1), 3: 1}, 0)  # type: ignore[dict-item]
    (row,) = rows(logger)
    assert row == {"_step": 0, STEP: 0, **dict.fromkeys([*names, "3"], 1)}


def test_steps_may_repeat_and_go_backwards(logger: TrackerLogger, rows: Any) -> None:
    for step in (5, 5, 2, 0, 9):
        logger.log_metrics({"x": step}, step)
    assert [(row["_step"], row[STEP], row["x"]) for row in rows(logger)] == [(s, s, s) for s in (5, 5, 2, 0, 9)]


def test_lightnings_step_is_the_x_axis_of_all_metrics(logger: TrackerLogger) -> None:
    assert tracker.read_run(logger.experiment.dir).info["metrics"] == [{"name": "*", "step_metric": STEP}]


def test_the_prefix_precedes_all_names(one: Any, rows: Any) -> None:
    logger = TrackerLogger(prefix="fold1")
    logger.log_metrics({"loss": 1, 2: 3}, 0)  # type: ignore[dict-item]
    assert rows(logger) == [{"_step": 0, "fold1/loss": 1, "fold1/2": 3, STEP: 0}]


@dataclass
class Inner:
    width: int = 3
    path: Path = Path("a/b")


def test_hyperparameters_of_all_kinds_become_config(logger: TrackerLogger) -> None:
    logger.log_hyperparams(Namespace(lr=0.1, inner=Namespace(a=1)))
    logger.log_hyperparams(Inner())  # type: ignore[arg-type]
    logger.log_hyperparams(
        {
            "dict": {"a": [1, (2, 3)], 4: None},
            "activation": torch.nn.functional.relu,
            "optimizer": torch.optim.Adam,
            "module": torch.nn.ReLU(),
            "tensor": torch.tensor([1.0, 2.0]),
            "scalar": torch.tensor(3),
            "dtype": torch.float16,
            "nan": math.nan,
            7: "seven",  # type: ignore[dict-item]
        }
    )
    config = tracker.read_run(logger.experiment.dir).config
    assert math.isnan(config.pop("nan"))
    assert config == {
        "lr": 0.1, "inner": {"a": 1}, "width": 3, "path": "a/b", "dict": {"a": [1, [2, 3]], "4": None},
        "activation": "torch.nn.functional.relu", "optimizer": "torch.optim.adam.Adam",
        "module": "torch.nn.modules.activation.ReLU", "tensor": [1.0, 2.0], "scalar": 3, "dtype": "torch.float16",
        "7": "seven",
    }  # fmt: skip


def test_changed_hyperparameters_replace_the_former_ones(logger: TrackerLogger) -> None:
    logger.log_hyperparams({f"p{i}": i for i in range(600)})
    logger.log_hyperparams({"p1": "new"}, {"metric": 0})
    config = tracker.read_run(logger.experiment.dir).config
    assert (len(config), config["p0"], config["p1"]) == (600, 0, "new")


def test_omegaconf_values_are_resolved_if_possible(logger: TrackerLogger) -> None:
    omegaconf = pytest.importorskip("omegaconf")
    inner = {"a": 1, "b": "${a}", "list": [1, {"c": 2}], "missing": "???"}
    logger.log_hyperparams(omegaconf.OmegaConf.create(inner))
    logger.log_hyperparams({"cfg": omegaconf.OmegaConf.create({"x": "${nowhere}", "y": [1]})})
    assert tracker.read_run(logger.experiment.dir).config == {
        "a": 1, "b": 1, "list": [1, {"c": 2}], "missing": "???", "cfg": {"x": "${nowhere}", "y": [1]},
    }  # fmt: skip


class Odd:
    def __repr__(self) -> str:
        raise RuntimeError("no")


@pytest.mark.parametrize("metrics", [{"hp/acc": 0.5}, 0.5])
def test_metrics_of_log_hyperparams_become_a_row(metrics: Any, logger: TrackerLogger, rows: Any) -> None:
    logger.log_hyperparams({"lr": 0.1}, metrics)
    logger.log_metrics({"hp/acc": 0.9, "hp_metric": 0.9}, 5)
    first, last = rows(logger)
    name = "hp/acc" if isinstance(metrics, dict) else "hp_metric"
    assert first == {"_step": 0, name: 0.5, STEP: 0}
    found = tracker.read_run(logger.experiment.dir)
    assert found.config == {"lr": 0.1}
    assert found.summary[name] == last[name] == 0.9  # the first value is not the final one


def test_unreadable_hyperparameters_do_not_stop_training(pl: Any, trainer: Any) -> None:
    omegaconf = pytest.importorskip("omegaconf")
    around: list[Any] = [1]
    around.append(around)

    class Model(pl.BoringModel):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            missing = omegaconf.OmegaConf.create({"a": "???", "b": 1})
            self.save_hyperparameters({"lr": 0.1, "around": around, "odd": Odd(), "missing": missing, "last": 2})

    logger = TrackerLogger()
    trainer(pl, logger).fit(Model())
    logger.log_hyperparams(5)  # type: ignore[arg-type]
    config = tracker.read_run(logger.experiment.dir).config
    assert (config["lr"], config["last"], config["around"][0]) == (0.1, 2, 1)
    assert config["missing"] == {"a": "???", "b": 1}


def test_a_huge_hyperparameter_does_not_affect_the_others(logger: TrackerLogger) -> None:
    vocabulary = {f"token {i}": i for i in range(500_000)}
    logger.log_hyperparams({"lr": 0.1, "model": {"depth": 3, "vocabulary": vocabulary}, "last": 1})
    found = tracker.read_run(logger.experiment.dir)
    assert (found.config["lr"], found.config["model"]["depth"], found.config["last"]) == (0.1, 3, 1)
    assert found.config["model"]["vocabulary"]["name"] == found.files()[0].name
    assert found.info["lost"] == 0


def test_log_graph_stores_a_table_of_modules(logger: TrackerLogger) -> None:
    model = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.BatchNorm1d(3), torch.nn.LazyLinear(2))
    model[1].requires_grad_(False)
    logger.log_graph(model)
    kind = "torch.nn.modules."
    assert table(logger, "model") == [
        ["", f"{kind}container.Sequential", None, None],
        ["0", f"{kind}linear.Linear", 15, 15],
        ["1", f"{kind}batchnorm.BatchNorm1d", 6, 0],
        ["2", f"{kind}linear.LazyLinear", None, None],
    ]


def test_with_an_input_the_table_has_shapes_and_the_model_is_unchanged(logger: TrackerLogger) -> None:
    model = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.BatchNorm1d(3))
    before = {key: value.clone() for key, value in model.state_dict().items()}
    logger.log_graph(model, torch.ones(5, 4))
    assert [row[-1] for row in table(logger, "model")] == ["[5, 3]"] * 3
    assert model.training
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
    assert not model._forward_hooks


def table(logger: TrackerLogger, key: str) -> list[list[Any]]:
    import json

    value = tracker.read_run(logger.experiment.dir).summary[key]
    assert value["_type"] == "table"
    content: dict[str, list[list[Any]]] = json.loads(
        (Path(logger.experiment.dir) / "files" / value["digest"]).read_bytes()
    )
    return content["data"]


def test_lists_of_media_take_one_item_of_each_argument(logger: TrackerLogger, rows: Any) -> None:
    picture = torch.rand(3, 8, 8)
    logger.log_image("image", [picture, np.zeros((4, 4))], step=1, caption=["first", "second"])
    logger.log_audio("audio", [np.zeros(100)], step=2, sample_rate=[8000], caption=["silence"])
    logger.log_video("video", [np.zeros((2, 3, 4, 4), np.uint8)], step=3, fps=[10])
    logger.log_text("text", ["one", "two"], step=4)
    logger.log_table("table", columns=["a", "b"], data=[[1, picture.mean()]], step=5)
    logger.log_text("texts", columns=["a"], data=[["one"]], step=6)
    found = rows(logger)
    assert [row["_step"] for row in found] == [row[STEP] for row in found] == [1, 2, 3, 4, 5, 6]
    first, second = found[0]["image"]["items"]
    assert (first["width"], first["caption"], second["caption"]) == (8, "first", "second")
    assert [found[i][key]["items"][0]["_type"] for i, key in enumerate(["image", "audio", "video", "text"])] == [
        "image", "audio", "video", "text",
    ]  # fmt: skip
    assert found[1]["audio"]["items"][0]["sample_rate"] == 8000
    assert [found[4]["table"]["columns"], found[5]["texts"]["columns"]] == [["a", "b"], ["a"]]


@pytest.mark.parametrize("method", ["log_image", "log_audio", "log_video", "log_text"])
def test_media_without_lists_of_equal_length_are_refused(logger: TrackerLogger, method: str) -> None:
    log = getattr(logger, method)
    with pytest.raises(TypeError, match="list"):
        log("key", "not a list")
    if method != "log_text":
        with pytest.raises(ValueError, match="2 of caption"):
            log("key", [np.zeros((4, 4))], caption=["a", "b"])


def test_a_finished_run_is_continued_by_the_next_log(logger: TrackerLogger, rows: Any, runs: Any) -> None:
    logger.log_metrics({"x": 1}, 0)
    logger.experiment.finish()
    logger.log_metrics({"x": 2}, 1)
    assert [row["x"] for row in rows(logger)] == [1, 2]
    assert [run.state for run in runs()] == ["running"]
