"""What a logger guarantees before, during and after training."""

from __future__ import annotations

import copy
import os
import pickle
import threading
from pathlib import Path
from typing import Any

import pytest

import tracker
from tracker.errors import SettingsError
from tracker_lightning import TrackerLogger

pytestmark = pytest.mark.usefixtures("no_agents")


def everything() -> tuple[Any, ...]:
    files = sorted(str(path) for path in Path.cwd().rglob("*"))
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text()
    return files, children, threading.active_count(), tracker.run


def test_it_is_a_logger_of_both_packages_and_of_fabric(pl: Any) -> None:
    logger = TrackerLogger()
    assert isinstance(logger, pl.Logger)
    assert isinstance(logger, pl.Logger.__mro__[1])  # Fabric's
    assert issubclass(TrackerLogger, pl.Logger)


def test_creating_a_logger_and_reading_its_attributes_writes_nothing(one: Any) -> None:
    before = everything()
    logger = TrackerLogger(name="mine", project="digits", save_dir="out", log_model=True, tags=["a"])
    assert (logger.name, logger.save_dir, logger.group_separator) == ("digits", "out", "/")
    version = logger.version
    assert version
    assert logger.version == version  # the id is chosen once
    assert (logger.root_dir, logger.log_dir) == ("out/digits", f"out/digits/{logger.version}")
    logger.save()
    logger.finalize("success")
    logger.finalize("failed")
    copy.deepcopy(logger)
    pickle.loads(pickle.dumps(logger))
    assert everything() == before


def test_a_url_as_save_dir_is_refused(one: Any) -> None:
    with pytest.raises(SettingsError, match=r"s3://bucket/out.*dirpath"):
        TrackerLogger(save_dir="s3://bucket/out")


def test_the_experiment_is_the_run_that_the_arguments_describe(one: Any) -> None:
    logger = TrackerLogger(
        "mine", "digits", save_dir=Path("out"), id="r1", offline=True, entity="we", group="g", job_type="train",
        tags=["a", "b"], notes="a remark", config={"lr": 1},
    )  # fmt: skip
    run = logger.experiment
    assert isinstance(run, tracker.Run)
    assert run is logger.experiment
    assert (run.path, run.name, run.group, run.job_type) == ("we/digits/r1", "mine", "g", "train")
    assert (run.tags, run.notes, run.mode, dict(run.config)) == (("a", "b"), "a remark", "offline", {"lr": 1})
    assert run.dir == str(Path("out/.tracker/runs/r1").absolute())
    assert (logger.name, logger.version) == ("digits", "r1")


def test_omitted_arguments_come_from_the_settings(one: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TRACKER_PROJECT", "of-variable")
    monkeypatch.setenv("TRACKER_RUN_ID", "r7")
    monkeypatch.setenv("TRACKER_DIR", str(tmp_path / "scratch"))
    logger = TrackerLogger()
    assert (logger.name, logger.version, logger.save_dir) == ("of-variable", "r7", str(tmp_path / "scratch"))
    assert logger.experiment.dir == str(tmp_path / "scratch/.tracker/runs/r7")


def test_version_is_another_name_for_id(one: Any) -> None:
    assert TrackerLogger(version=3).version == "3"
    assert TrackerLogger(version="a", id="a").version == "a"
    with pytest.raises(ValueError, match="two names of one argument"):
        TrackerLogger(version="a", id="b")


def test_invalid_arguments_are_refused_at_once(one: Any) -> None:
    with pytest.raises(SettingsError, match="project 'a/b'"):
        TrackerLogger(project="a/b")
    with pytest.raises(SettingsError, match="id"):
        TrackerLogger(id="no spaces")
    with pytest.raises(SettingsError, match="mode"):
        TrackerLogger(mode="on")
    with pytest.raises(TypeError, match="colour"):
        TrackerLogger(colour="red")
    with pytest.raises(ValueError, match="log_model"):
        TrackerLogger(log_model="some")  # type: ignore[arg-type]
    assert not Path(".tracker").exists()


def test_an_existing_run_can_be_passed(one: Any, rows: Any) -> None:
    with tracker.init(project="given", id="r") as run:
        logger = TrackerLogger(experiment=run, project="another")
        assert logger.experiment is run
        assert (logger.name, logger.version) == ("given", "r")
        copy.deepcopy(logger).log_metrics({"x": 1}, 0)
        assert rows(logger) == [{"_step": 0, "x": 1, "trainer/global_step": 0}]


def test_two_loggers_have_separate_runs_even_with_an_active_run_of_the_user(one: Any, rows: Any) -> None:
    with tracker.init(project="own") as own:
        first, second = TrackerLogger(), TrackerLogger()
        for step in range(3):
            first.log_metrics({"x": step}, step)
            second.log_metrics({"x": -step}, step)
            own.log({"y": step})
        assert [row["x"] for row in rows(first)] == [0, 1, 2]
        assert [row["x"] for row in rows(second)] == [0, -1, -2]
        assert len({first.experiment.id, second.experiment.id, own.id}) == 3


def test_an_existing_id_is_continued(one: Any, rows: Any, runs: Any) -> None:
    first = TrackerLogger(id="r", name="first")
    first.log_metrics({"x": 1}, 0)
    first.experiment.finish()
    second = TrackerLogger(id="r")
    second.log_metrics({"x": 2}, 1)
    assert second.experiment.name == "first"
    assert [row["x"] for row in rows(second)] == [1, 2]
    assert len(runs()) == 1


@pytest.mark.parametrize("way", ["deepcopy", "pickle", "cloudpickle"])
@pytest.mark.parametrize("opened", [False, True])
def test_copies_share_the_run_and_start_none(one: Any, rows: Any, runs: Any, way: str, opened: bool) -> None:
    logger = TrackerLogger(prefix="p")
    if opened:
        logger.log_metrics({"x": 0}, 0)
    if way == "deepcopy":
        other = copy.deepcopy(logger)
    else:
        module = pytest.importorskip(way)
        other = module.loads(module.dumps(logger))
    assert len(runs()) == opened
    assert (other.version, other.name, other.save_dir) == (logger.version, logger.name, logger.save_dir)
    other.log_metrics({"x": 1}, 1)
    logger.log_metrics({"x": 2}, 2)
    assert other.experiment is logger.experiment
    assert [row["p/x"] for row in rows(logger)] == [0, 1, 2][not opened :]
    assert len(runs()) == 1


def test_pickling_a_trainer_keeps_the_run(pl: Any, trainer: Any, rows: Any) -> None:
    logger = TrackerLogger()
    logger.log_metrics({"a": 1})
    other = pickle.loads(pickle.dumps(trainer(pl, logger)))
    other.logger.log_metrics({"acc": 1.0})
    assert (other.logger.name, other.logger.save_dir) == (logger.name, logger.save_dir)
    assert [sorted(row) for row in rows(logger)] == [["_step", "a"], ["_step", "acc"]]


@pytest.mark.parametrize("variable", ["RANK", "LOCAL_RANK", "SLURM_PROCID", "JSM_NAMESPACE_RANK"])
def test_on_other_ranks_nothing_is_written_and_the_experiment_accepts_every_call(
    one: Any, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    from lightning_utilities.core.rank_zero import rank_zero_only

    monkeypatch.delattr(rank_zero_only, "rank")  # as if the variable was set before Lightning is imported
    monkeypatch.setenv(variable, "1")
    before = everything()
    logger = TrackerLogger(log_model="all")
    dummy = logger.experiment
    assert isinstance(dummy, one.DummyExperiment)
    assert dummy.log({"x": 1}) is None
    dummy.config.update({"lr": 1})
    dummy.summary["x"] = dummy.config["lr"]
    dummy.tags += ("a",)
    with dummy as inside:
        inside.name = "b"
    assert "lr" not in dummy.config
    assert list(copy.deepcopy(dummy).tags) == []
    logger.log_metrics({"x": 1}, 0)
    logger.log_hyperparams({"x": 1})
    logger.log_graph(one.BoringModel())
    logger.watch(one.BoringModel())
    logger.log_text("t", ["x"])
    logger.log_image("i", ["missing.png"])
    logger.finalize("success")
    logger.finalize("failed")
    assert everything() == before


def test_a_disabled_logger_stores_nothing(one: Any, trainer: Any, model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACKER_MODE", "disabled")
    logger = TrackerLogger(log_model="all")
    trainer(one, logger).fit(model(one))
    assert not Path(".tracker").exists()


def test_a_tilde_in_save_dir_means_the_home_directory() -> None:
    logger = TrackerLogger(save_dir="~/lightning", project="p")
    assert logger.save_dir == f"{Path.home()}/lightning"
    assert Path(logger.experiment.dir).parents[2] == Path.home() / "lightning"


def test_a_rank_variable_that_is_not_a_number_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "")
    monkeypatch.setenv("LOCAL_RANK", " 0\n")
    with monkeypatch.context() as patch:
        patch.delattr("lightning_utilities.core.rank_zero.rank_zero_only.rank", raising=False)
        TrackerLogger().log_metrics({"x": 1})


def test_the_pickle_of_a_logger_has_no_key_and_a_copy_has_it() -> None:
    logger = TrackerLogger(settings={"base_url": "http://127.0.0.1:9", "api_key": "s3cretkey"})
    assert b"s3cretkey" not in pickle.dumps(logger)
    assert copy.deepcopy(logger)._arguments["settings"]["api_key"] == "s3cretkey"
