"""Checkpoints: where they are saved, which are stored with the run, and how to download them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

import tracker

torch = pytest.importorskip("torch")

from tests.waiting import eventually  # noqa: E402
from tracker_lightning import TrackerLogger, checkpoints  # noqa: E402


def falling(pl: Any, values: list[float]) -> Any:
    """Return a model whose validation loss takes these values, epoch by epoch."""

    class Model(pl.BoringModel):  # type: ignore[misc, name-defined]
        def on_validation_epoch_end(self) -> None:
            if not self.trainer.sanity_checking:
                self.log("val", torch.tensor(values[min(self.current_epoch, len(values) - 1)]))

    return Model()


def stored(logger: TrackerLogger) -> dict[str, int]:
    """Return the saved files that the agent has recorded; the last row shows that it has recorded all."""
    directory = logger.experiment.dir
    wanted = {row["checkpoint/file"] for row in tracker.read_run(directory).scan_history(["checkpoint/file"])}

    def noted() -> dict[str, int]:
        files = {file.name: file.size for file in tracker.read_run(directory).files()}
        return files if wanted <= files.keys() else {}

    return eventually(noted)


def scores(logger: TrackerLogger) -> dict[str, Any]:
    rows = tracker.read_run(logger.experiment.dir).scan_history(["checkpoint/file", "checkpoint/score"])
    return {row["checkpoint/file"].removeprefix("checkpoints/"): row.get("checkpoint/score") for row in rows}


def aliases(logger: TrackerLogger) -> dict[str, Any]:
    summary = tracker.read_run(logger.experiment.dir).summary
    return {name: summary.get(f"checkpoint/{name}") for name in ("latest", "best", "best_score")}


def test_checkpoints_are_in_the_folder_of_the_run_and_not_stored_by_default(pl: Any, trainer: Any, model: Any) -> None:
    logger = TrackerLogger(save_dir="out", project="digits", id="r")
    it = trainer(pl, logger)
    it.fit(model(pl))
    assert it.checkpoint_callback.best_model_path == "out/digits/r/checkpoints/epoch=0-step=4.ckpt"
    assert scores(logger) == {}


def test_checkpoints_on_another_file_system_are_not_stored_with_a_warning(
    one: Any, trainer: Any, model: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    logger = TrackerLogger(log_model=True)
    checkpoint = one.callbacks.ModelCheckpoint(dirpath="memory://elsewhere")
    trainer(one, logger, callbacks=[checkpoint]).fit(model(one))
    assert scores(logger) == {}
    assert "checkpoints in memory://elsewhere are not stored with the run" in capsys.readouterr().err


def test_folders_are_part_of_a_name_and_two_callbacks_never_share_a_name(
    one: Any, trainer: Any, tmp_path: Path
) -> None:
    logger = TrackerLogger(log_model="all")
    common = {"filename": "{epoch}/model", "auto_insert_metric_name": False, "monitor": "val", "save_top_k": -1}
    saving = [
        one.callbacks.ModelCheckpoint(dirpath=tmp_path / name, mode=mode, **common)
        for name, mode in (("a", "min"), ("b", "max"))
    ]
    trainer(one, logger, max_epochs=2, callbacks=saving).fit(falling(one, [1.0, 2.0]))
    names = ["0/model.ckpt", "b/0/model.ckpt", "1/model.ckpt", "b/1/model.ckpt"]
    assert list(scores(logger)) == names
    assert set(stored(logger)) == {f"checkpoints/{name}" for name in names}
    assert aliases(logger)["best"] == "checkpoints/b/1/model.ckpt"


def test_all_stores_each_checkpoint_with_its_score_before_lightning_deletes_it(pl: Any, trainer: Any) -> None:
    logger = TrackerLogger(log_model="all")
    keep = pl.callbacks.ModelCheckpoint(monitor="val", save_last=True)
    trainer(pl, logger, max_epochs=3, callbacks=[keep]).fit(falling(pl, [0.5, 0.25, 0.75]))
    assert scores(logger) == {"epoch=0-step=4.ckpt": 0.5, "last.ckpt": 0.25, "epoch=1-step=8.ckpt": 0.25}
    assert aliases(logger) == {
        "latest": "checkpoints/last.ckpt", "best": "checkpoints/epoch=1-step=8.ckpt", "best_score": 0.25,
    }  # fmt: skip
    assert sorted(os.listdir(Path(logger.log_dir) / "checkpoints")) == ["epoch=1-step=8.ckpt", "last.ckpt"]
    assert set(stored(logger)) == {f"checkpoints/{name}" for name in scores(logger)}
    steps = [row["_step"] for row in tracker.read_run(logger.experiment.dir).scan_history(["checkpoint/file"])]
    assert steps == [3, 3, 7, 7]


def test_true_stores_the_checkpoints_that_exist_at_the_end(pl: Any, trainer: Any) -> None:
    logger = TrackerLogger(log_model=True, checkpoint_name="model")
    keep = pl.callbacks.ModelCheckpoint(monitor="val", mode="max", save_top_k=2)
    it = trainer(pl, logger, max_epochs=4, callbacks=[keep])
    it.fit(net := falling(pl, [0.5, 0.25, 0.75, 0.6]))
    it.validate(net)
    found = scores(logger)
    assert found == {"model/epoch=2-step=12.ckpt": 0.75, "model/epoch=3-step=16.ckpt": pytest.approx(0.6)}
    assert aliases(logger)["best"] == "model/epoch=2-step=12.ckpt"
    assert aliases(logger)["latest"] == "model/epoch=3-step=16.ckpt"
    assert set(stored(logger)) == set(found)


@pytest.mark.parametrize("log_model", [True, "all"])
def test_checkpoints_are_stored_if_training_fails(pl: Any, trainer: Any, runs: Any, log_model: Any) -> None:
    class Fail(pl.Callback):  # type: ignore[misc, name-defined]
        def on_train_epoch_start(self, trainer: Any, module: Any) -> None:
            if trainer.current_epoch == 2:
                raise ValueError("odd")

    logger = TrackerLogger(log_model=log_model)
    keep = pl.callbacks.ModelCheckpoint(monitor="val")
    with pytest.raises(ValueError, match="odd"):
        trainer(pl, logger, max_epochs=3, callbacks=[keep, Fail()]).fit(falling(pl, [0.5, 0.25, 0.1]))
    (run,) = runs()
    assert run.state == "failed"
    assert run.summary["checkpoint/best"] == "checkpoints/epoch=1-step=8.ckpt"
    assert run.info["error"] == "ValueError: odd"


def test_best_follows_the_callback_with_a_monitor(one: Any, trainer: Any) -> None:
    logger = TrackerLogger(log_model="all")
    keep = [
        one.callbacks.ModelCheckpoint(monitor="val", filename="by-val-{epoch}"),
        one.callbacks.ModelCheckpoint(every_n_train_steps=2, save_top_k=-1, filename="by-step-{step}"),
    ]
    trainer(one, logger, max_epochs=2, callbacks=keep).fit(falling(one, [0.5, 0.75]))
    assert aliases(logger)["best"] == "checkpoints/by-val-epoch=0.ckpt"
    assert scores(logger) == {
        "by-step-step=2.ckpt": None, "by-step-step=4.ckpt": None, "by-val-epoch=0.ckpt": 0.5,
        "by-step-step=6.ckpt": None, "by-step-step=8.ckpt": None,
    }  # fmt: skip


def test_a_file_that_is_written_again_is_stored_again_and_the_former_content_is_unchanged(
    one: Any, trainer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "_written_in_place", lambda path: True)  # as if /tmp were another file system
    logger = TrackerLogger(log_model="all")
    keep = one.callbacks.ModelCheckpoint(monitor="val", save_last=True)
    trainer(one, logger, max_epochs=2, callbacks=[keep]).fit(falling(one, [0.5, 0.25]))
    kept = list(Path(logger.experiment.dir, "files").glob("save-*"))
    assert sorted(torch.load(path, weights_only=False)["epoch"] for path in kept) == [0, 0, 1, 1]
    last = Path(logger.log_dir, "checkpoints", "last.ckpt")
    assert not any(os.path.samefile(path, last) for path in kept)


def test_checkpoints_that_are_folders_are_stored_with_all_their_files(one: Any, tmp_path: Path) -> None:
    class Callback:
        monitor, best_model_score = "val", torch.tensor(0.5)
        last_model_path = ""

    folder = tmp_path / "epoch=0.ckpt"
    (folder / "shards").mkdir(parents=True)
    for name in ("meta.pt", "shards/0.pt", "shards/[1].pt"):
        (folder / name).write_bytes(name.encode())
    Callback._last_checkpoint_saved = Callback.best_model_path = str(folder)  # type: ignore[attr-defined]
    logger = TrackerLogger(log_model="all")
    logger.after_save_checkpoint(Callback())
    got = logger.download_checkpoint(f"{logger.experiment.dir}:best", tmp_path / "got")
    assert got == str(tmp_path / "got/checkpoints/epoch=0.ckpt")
    assert {str(p.relative_to(got)) for p in Path(got).rglob("*.pt")} == {"meta.pt", "shards/0.pt", "shards/[1].pt"}


def test_checkpoints_can_be_downloaded_from_a_run_directory_by_alias_or_name(one: Any, trainer: Any) -> None:
    logger = TrackerLogger(project="digits", id="r", log_model="all")
    keep = one.callbacks.ModelCheckpoint(monitor="val", save_top_k=-1)
    trainer(one, logger, max_epochs=2, callbacks=[keep]).fit(net := falling(one, [0.25, 0.5]))
    for ref, epoch in (
        ("me/digits/r:best", 0), ("me/digits/r:latest", 1), ("digits/r", 1), (logger.experiment.dir, 1),
        (f"{logger.experiment.dir}:best", 0), ("me/digits/r:epoch=0-step=4.ckpt", 0),
        ("me/digits/r:checkpoints/epoch=1-step=8.ckpt", 1),
    ):  # fmt: skip
        path = TrackerLogger.download_checkpoint(ref, "got")
        assert path == f"got/checkpoints/epoch={epoch}-step={4 + 4 * epoch}.ckpt"
        assert torch.load(path, weights_only=False)["epoch"] == epoch
    trainer(one, False).test(net, ckpt_path=path, weights_only=False)
    with pytest.raises(FileNotFoundError, match="no checkpoint 'best2'; its files: checkpoints/epoch=0"):
        TrackerLogger.download_checkpoint("me/digits/r:best2")


def test_checkpoints_can_be_downloaded_from_a_server(
    one: Any, trainer: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    embedded = pytest.importorskip("tracker_server.embedded")
    with embedded.serve(tmp_path / "server") as server:
        monkeypatch.setenv("TRACKER_BASE_URL", server.url)
        monkeypatch.setenv("TRACKER_API_KEY", server.token)
        monkeypatch.setenv("TRACKER_MODE", "online")
        monkeypatch.setenv("TRACKER_UPLOAD_INTERVAL", "0.1")
        logger = TrackerLogger(project="digits", id="r", save_dir="away", log_model=True)
        keep = one.callbacks.ModelCheckpoint(monitor="val")
        trainer(one, logger, max_epochs=2, callbacks=[keep]).fit(falling(one, [0.25, 0.5]))
        logger.experiment.finish()

        def get() -> str | None:
            try:
                return TrackerLogger.download_checkpoint("me/digits/r:best", tmp_path / "got")
            except (FileNotFoundError, tracker.ServerError):
                return None  # not uploaded yet

        path = eventually(get)
        assert path == str(tmp_path / "got/checkpoints/epoch=0-step=4.ckpt")
        assert torch.load(path, weights_only=False)["epoch"] == 0
        assert tracker.Api().run("me/digits/r").summary["checkpoint/best_score"] == 0.25
