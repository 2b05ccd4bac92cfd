"""Whole trainings, in this process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import tracker

torch = pytest.importorskip("torch")

from tracker_lightning import TrackerLogger  # noqa: E402

pytestmark = pytest.mark.usefixtures("no_agents")

STEP = "trainer/global_step"


def series(rows: list[dict[str, Any]], key: str) -> list[Any]:
    return [row[STEP] for row in rows if key in row]


def test_fit_validate_test_and_predict_are_one_run(pl: Any, trainer: Any, model: Any, rows: Any, runs: Any) -> None:
    logger = TrackerLogger(project="digits")
    it, net = trainer(pl, logger, max_epochs=2), model(pl, lr=0.2, width=3)
    it.fit(net)
    it.validate(net)
    it.test(net)
    it.predict(net)
    found = rows(logger)
    assert series(found, "train/loss") == list(range(8))
    assert series(found, "val/loss") == [3, 7, 8]
    assert series(found, "test/loss") == [8]
    assert [row["epoch"] for row in found] == [0] * 5 + [1] * 5 + [2] * 2
    assert all(row["_step"] == row[STEP] for row in found)
    (run,) = runs()
    assert (run.project, run.id, run.state) == ("digits", logger.version, "running")
    assert run.config == {"lr": 0.2, "width": 3}
    assert run.summary["model"]["rows"] == 2


def test_logged_values_are_exactly_those_of_the_model(pl: Any, trainer: Any, rows: Any) -> None:
    losses = []

    class Model(pl.BoringModel):  # type: ignore[misc, name-defined]
        def training_step(self, batch: Any, number: int) -> Any:
            loss = self.step(batch)
            losses.append(loss.item())
            self.log_dict({"loss": loss, "nan": float("nan"), "inf": torch.tensor(float("inf"))})
            return loss

    logger = TrackerLogger()
    trainer(pl, logger).fit(Model())
    found = [row for row in rows(logger) if "loss" in row]
    assert [row["loss"] for row in found] == losses
    assert {str(row["nan"]) + str(row["inf"]) for row in found} == {"naninf"}


def test_hyperparameters_of_module_and_datamodule_are_stored(pl: Any, trainer: Any, model: Any) -> None:
    class Data(pl.BoringDataModule):  # type: ignore[misc, name-defined]
        def __init__(self, batch_size: int = 4) -> None:
            super().__init__()
            self.save_hyperparameters()

    logger = TrackerLogger()
    trainer(pl, logger).fit(model(pl, lr=0.3), datamodule=Data())
    assert tracker.read_run(logger.experiment.dir).config == {"lr": 0.3, "batch_size": 4}


def test_validation_steps_have_their_own_axis_and_no_row_is_lost(pl: Any, trainer: Any, rows: Any) -> None:
    class Model(pl.BoringModel):  # type: ignore[misc, name-defined]
        def validation_step(self, batch: Any, number: int) -> None:
            self.log("v", self.step(batch), on_step=True, on_epoch=True)

        test_step = validation_step

    logger = TrackerLogger()
    it, net = trainer(pl, logger, max_epochs=2, num_sanity_val_steps=0), Model()
    it.fit(net)
    it.test(net)
    found = rows(logger)
    assert [row[STEP] for row in found if set(row) & {"v_step", "v_step/epoch_0", "v_step/epoch_1"}] == [
        0,
        1,
        2,
        3,
        0,
        1,
    ]
    assert series(found, "v_epoch") == [3, 7, 8]


def test_several_optimizers_and_accumulation_lose_no_row(pl: Any, trainer: Any, rows: Any) -> None:
    class Model(pl.BoringModel):  # type: ignore[misc, name-defined]
        automatic_optimization = False

        def training_step(self, batch: Any, number: int) -> None:
            for optimizer in self.optimizers():
                loss = self.step(batch)
                optimizer.zero_grad()
                self.manual_backward(loss)
                optimizer.step()
            self.log("loss", loss)

        def configure_optimizers(self) -> Any:
            return [torch.optim.SGD(self.parameters(), lr=0.1) for _ in range(2)], []

    logger = TrackerLogger()
    trainer(pl, logger).fit(Model())
    assert series(rows(logger), "loss") == [0, 1, 2, 3]
    second = TrackerLogger()
    trainer(pl, second, accumulate_grad_batches=2).fit(pl.BoringModel())
    assert len({second.version, logger.version}) == 2


@pytest.mark.parametrize(("error", "state"), [(ValueError("odd"), "failed"), (KeyboardInterrupt(), "killed")])
def test_an_exception_in_training_decides_the_state_of_the_run(
    pl: Any, trainer: Any, model: Any, runs: Any, rows: Any, error: BaseException, state: str
) -> None:
    class Stop(pl.Callback):  # type: ignore[misc, name-defined]
        def on_train_batch_end(self, trainer: Any, module: Any, outputs: Any, batch: Any, number: int) -> None:
            if number == 1:
                raise error

    logger, net = TrackerLogger(), model(pl)
    with pytest.raises(SystemExit if state == "killed" else ValueError):
        trainer(pl, logger, callbacks=[Stop()]).fit(net)
    (run,) = runs()
    assert (run.state, run.info["rows"]) == (state, 1)
    (end,) = [stream for stream in run.run_state.streams.values() if stream.ended]
    assert end.error.startswith(type(error).__name__)
    assert state == "killed" or "on_train_batch_end" in end.traceback

    logger.finalize("failed")  # no new row
    assert len(list(Path(run.directory).glob("history*"))) == 1
    trainer(pl, logger).validate(net)  # and logging continues
    assert series(rows(logger), "val/loss") == [0]
    (run,) = runs()
    assert (run.state, run.info["rows"]) == ("running", 2)
    logger.experiment.finish()
    (run,) = runs()
    assert run.state == "finished"


def test_finalize_can_be_repeated_and_leaves_no_thread(one: Any, runs: Any, rows: Any) -> None:
    import threading

    threads = threading.active_count()
    logger = TrackerLogger()
    for status in ("success", "success", "finished"):
        logger.log_metrics({"x": 1}, 0)
        logger.finalize(status)
    assert len(rows(logger)) == 3
    assert [run.state for run in runs()] == ["running"]
    logger.finalize("aborted")
    assert [run.state for run in runs()] == ["failed"]
    assert threading.active_count() == threads


def test_alternating_folds_keep_separate_runs(pl: Any, trainer: Any, model: Any, rows: Any, runs: Any) -> None:
    folds = [TrackerLogger(group="folds", name=f"fold {i}") for i in range(2)]
    trainers = [trainer(pl, logger, limit_train_batches=2 + i) for i, logger in enumerate(folds)]
    nets = [model(pl, lr=0.1 * (i + 1)) for i in range(2)]
    for it, net in zip(trainers, nets, strict=True):
        it.fit(net)
    for it, net in zip(trainers, nets, strict=True):
        it.test(net)
    assert [series(rows(logger), "train/loss") for logger in folds] == [[0, 1], [0, 1, 2]]
    assert [series(rows(logger), "test/loss") for logger in folds] == [[2], [3]]
    assert sorted((run.name, run.group, run.config["lr"]) for run in runs()) == [
        ("fold 0", "folds", 0.1),
        ("fold 1", "folds", 0.2),
    ]


def test_two_loggers_of_one_trainer_both_get_everything(pl: Any, trainer: Any, model: Any, rows: Any) -> None:
    first, second = TrackerLogger(), TrackerLogger(prefix="p")
    trainer(pl, [first, second]).fit(model(pl))
    assert series(rows(first), "train/loss") == series(rows(second), "p/train/loss") == [0, 1, 2, 3]


def test_resuming_from_an_earlier_checkpoint_rewinds_the_step_and_keeps_all_rows(
    pl: Any, trainer: Any, model: Any, rows: Any
) -> None:
    logger = TrackerLogger(id="r")
    keep = pl.callbacks.ModelCheckpoint(every_n_train_steps=2, save_top_k=-1)
    trainer(pl, logger, callbacks=[keep]).fit(model(pl))
    earlier = str(Path(logger.log_dir) / "checkpoints" / "epoch=0-step=2.ckpt")
    trainer(pl, logger, max_epochs=2, enable_checkpointing=False).fit(model(pl), ckpt_path=earlier, weights_only=False)
    steps = series(rows(logger), "train/loss")
    assert steps[:4] == [0, 1, 2, 3]
    assert steps[4] < 4  # back to where the checkpoint was
    assert steps[4:] == list(range(steps[4], steps[4] + len(steps) - 4))


@pytest.mark.parametrize("method", ["lr_find", "scale_batch_size"])
def test_the_tuners_keep_the_logger_and_log_nothing(pl: Any, trainer: Any, runs: Any, method: str) -> None:
    class Model(pl.BoringModel):  # type: ignore[misc, name-defined]
        def __init__(self, lr: float = 0.1, batch_size: int = 1) -> None:
            super().__init__()
            self.save_hyperparameters()

        def train_dataloader(self) -> Any:
            data = super().train_dataloader().dataset
            return torch.utils.data.DataLoader(data, batch_size=self.hparams.batch_size)

    logger, net = TrackerLogger(), Model()
    it = trainer(pl, logger, enable_checkpointing=False)
    options = {"num_training": 3} if method == "lr_find" else {"max_trials": 1, "steps_per_trial": 1}
    getattr(pl.Tuner(it), method)(net, **options)
    assert it.logger is logger
    assert net.logger is logger
    assert sum(run.info["rows"] for run in runs()) == 0


def test_fast_dev_run_writes_nothing(pl: Any, trainer: Any, model: Any) -> None:
    logger = TrackerLogger(log_model="all")
    trainer(pl, logger, fast_dev_run=2).fit(model(pl))
    assert not list(Path.cwd().iterdir())


def test_the_standard_callbacks_log_through_the_logger(pl: Any, trainer: Any, rows: Any) -> None:
    class Model(pl.BoringModel):  # type: ignore[misc, name-defined]
        flops_per_batch = 1

        def training_step(self, batch: Any, number: int) -> Any:
            loss = self.step(batch)
            self.log("train_loss", loss, prog_bar=True)
            return loss

    logger = TrackerLogger()
    callbacks = [
        pl.callbacks.LearningRateMonitor("step"),
        pl.callbacks.DeviceStatsMonitor(cpu_stats=True),
        pl.callbacks.RichProgressBar(),
        pl.callbacks.RichModelSummary(),
        pl.callbacks.Timer(),
        pl.callbacks.EarlyStopping("train_loss", patience=100, check_on_train_epoch_end=True),
        pl.callbacks.StochasticWeightAveraging(0.1),
        pl.callbacks.GradientAccumulationScheduler({0: 1}),
        pl.callbacks.ThroughputMonitor(len),
    ]
    trainer(pl, logger, callbacks=callbacks, enable_progress_bar=True, enable_model_summary=True).fit(Model())
    keys = {key for row in rows(logger) for key in row}
    assert "lr-SGD" in keys
    assert "DeviceStatsMonitor.on_train_batch_start/cpu_percent" in keys
    assert series(rows(logger), "lr-SGD") == [0, 1, 2, 3]
    assert series(rows(logger), "train/batches") == [0, 1, 2, 3]


def test_fabric_logs_through_the_logger(pl: Any, rows: Any) -> None:
    import importlib

    package = "lightning.fabric" if pl.name.startswith("lightning.") else "lightning_fabric"
    fabric = importlib.import_module(package).Fabric(accelerator="cpu", devices=1, loggers=TrackerLogger(name="f"))
    fabric.launch()
    for step in range(3):
        fabric.log("loss", torch.tensor(0.5) * step, step=step)
    fabric.log_dict({"a": 1, "b": 2})
    assert isinstance(fabric.logger, TrackerLogger)
    assert rows(fabric.logger) == [
        {"_step": 0, "loss": 0.0, STEP: 0},
        {"_step": 1, "loss": 0.5, STEP: 1},
        {"_step": 2, "loss": 1.0, STEP: 2},
        {"_step": 2, "a": 1, "b": 2},
    ]


def test_the_run_exists_when_callbacks_are_set_up(pl: Any, trainer: Any) -> None:
    seen = []

    class Check(pl.Callback):  # type: ignore[misc, name-defined]
        def setup(self, trainer: Any, module: Any, stage: str) -> None:
            seen.append((tracker.run is not None, trainer.logger.experiment is tracker.run, trainer.log_dir))

    logger = TrackerLogger(save_dir="out")
    trainer(pl, logger, callbacks=[Check()]).fit(pl.BoringModel())
    assert seen == [(True, True, logger.log_dir)]


def test_rows_equal_what_lightning_passes_to_log_metrics(pl: Any, trainer: Any, rows: Any) -> None:
    class Remember(TrackerLogger):
        def __init__(self, **arguments: Any) -> None:
            super().__init__(**arguments)
            self.history: list[tuple[Any, list[str]]] = []

        def log_metrics(self, metrics: Any, step: Any = None) -> None:
            super().log_metrics(metrics, step)
            self.history.append((step, sorted(metrics)))

    class Model(pl.BoringModel):  # type: ignore[misc, name-defined]
        def training_step(self, batch: Any, number: int) -> Any:
            self.log("train", 1.0)
            return self.step(batch)

        def on_validation_epoch_end(self) -> None:
            self.log_dict({"early": torch.tensor(1.0), "val": torch.tensor(0.5)})

        def on_test_epoch_end(self) -> None:
            self.log("test", torch.tensor(2.0))

    logger = Remember()
    it = trainer(pl, logger, limit_train_batches=1, limit_val_batches=1)
    it.fit(net := Model())
    it.test(net)
    assert logger.history == [(0, ["epoch", "train"]), (0, ["early", "epoch", "val"]), (1, ["epoch", "test"])]
    assert [sorted(set(row) - {"_step", STEP}) for row in rows(logger)] == [keys for _, keys in logger.history]


def failing(pl: Any) -> Any:
    class Model(pl.BoringModel):  # type: ignore[misc, name-defined]
        def on_train_epoch_end(self) -> None:
            raise ValueError("mine")

    return Model()


@pytest.mark.parametrize(
    "after",
    [
        lambda logger: logger.experiment.finish(),
        lambda logger: logger.experiment.id,
        lambda logger: (
            logger.name,
            logger.version,
            logger.log_dir,
            logger.experiment.config,
            logger.experiment.summary,
        ),
        lambda logger: logger.finalize("success"),
        lambda logger: logger.finalize("failed"),
        lambda logger: tracker.finish(),
    ],
)
def test_a_failed_run_stays_failed_if_its_attributes_are_read(pl: Any, trainer: Any, runs: Any, after: Any) -> None:
    logger = TrackerLogger(log_model=True)

    def train() -> None:
        try:
            trainer(pl, logger).fit(failing(pl))
        finally:
            after(logger)

    with pytest.raises(ValueError, match="mine"):
        train()
    (run,) = runs()
    assert (run.state, run.info["error"]) == ("failed", "ValueError: mine")


def test_logging_after_a_failure_continues_the_run(pl: Any, trainer: Any, model: Any, rows: Any, runs: Any) -> None:
    logger = TrackerLogger()
    with pytest.raises(ValueError, match="mine"):
        trainer(pl, logger).fit(failing(pl))
    experiment = logger.experiment
    experiment.log({"late": 1})
    experiment.summary["found"] = 2
    assert [run.state for run in runs()] == ["running"]
    trainer(pl, logger).fit(model(pl))
    logger.experiment.finish()
    (run,) = runs()
    assert (run.state, run.summary["found"]) == ("finished", 2)
    assert [row["late"] for row in rows(logger) if "late" in row] == [1]


@pytest.mark.parametrize("method", ["validate", "test", "predict"])
def test_a_failure_in_any_method_of_the_trainer_fails_the_run(pl: Any, trainer: Any, runs: Any, method: str) -> None:
    class Model(pl.BoringModel):  # type: ignore[misc, name-defined]
        def fail(self, *_: Any) -> None:
            raise ValueError("mine")

        validation_step = test_step = predict_step = fail

    logger = TrackerLogger()
    with pytest.raises(ValueError, match="mine"):
        getattr(trainer(pl, logger), method)(Model())
    assert logger.experiment.finished
    assert [run.state for run in runs()] == ["failed"]


def test_a_job_that_slurm_requeues_is_preempted(
    pl: Any, trainer: Any, model: Any, runs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    logger = TrackerLogger()
    logger.log_metrics({"x": 1}, 0)
    logger.finalize("finished")  # as Lightning does when SLURM announces a requeue
    logger.experiment.finish(143)
    assert [run.state for run in runs()] == ["preempted"]
