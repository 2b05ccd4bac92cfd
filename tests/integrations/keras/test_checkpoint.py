"""`TrackerModelCheckpoint` stores Keras's checkpoints with the run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

keras = pytest.importorskip("keras")

import numpy as np  # noqa: E402

import tracker  # noqa: E402
from tests.waiting import eventually  # noqa: E402
from tracker.runlog.directory import agent_alive  # noqa: E402
from tracker_keras import TrackerCallback, TrackerModelCheckpoint  # noqa: E402

from .networks import Each, fit, network, x  # noqa: E402

Rows = Callable[..., list[dict[str, Any]]]
Runs = Callable[[], list[Any]]


def stored(runs: Runs, *names: str) -> Any:
    """Return the run once its agent has ended and has recorded these files."""
    (run,) = runs()

    def seen() -> bool:
        done = not agent_alive(str(run.directory))  # a name may be used again for a later file
        run.reload()
        return done and {*names} <= {file.name for file in run.files()}

    eventually(seen)
    return run


def test_each_epoch_is_stored_with_score_and_aliases(runs: Runs, rows: Rows, tmp_path: Path) -> None:
    model, predictions = network(), []
    losses = iter([3.0, 1.0, 2.0])

    def score(epoch: int, logs: Any) -> None:
        logs["score"] = next(losses)
        predictions.append(model.predict(x, verbose=0))

    saving = TrackerModelCheckpoint("out/{epoch:02d}-{score:.1f}.keras", monitor="score", mode="min")
    fit(model, TrackerCallback(), Each(score), saving, epochs=3)
    names = [f"checkpoints/{name}.keras" for name in ("01-3.0", "02-1.0", "03-2.0")]
    assert [(r["checkpoint/file"], r["checkpoint/score"], r["epoch"]) for r in rows("checkpoint/file")] == [
        (name, score, epoch) for epoch, (name, score) in enumerate(zip(names, [3.0, 1.0, 2.0], strict=True))
    ]
    run = stored(runs, *names, "checkpoints/latest.keras", "checkpoints/best.keras")
    for alias, epoch in (("best", 1), ("latest", 2)):
        path = run.file(f"checkpoints/{alias}.keras").download(tmp_path)
        loaded = keras.models.load_model(path)
        np.testing.assert_allclose(loaded.predict(x, verbose=0), predictions[epoch], rtol=1e-6)
    assert (run.summary["checkpoint/best"], run.summary["checkpoint/best_score"]) == (names[1], 1.0)
    assert (run.summary["checkpoint/latest"], run.summary["checkpoint/latest_score"]) == (names[2], 2.0)


def test_folders_are_part_of_a_checkpoints_name(runs: Runs, rows: Rows, tmp_path: Path) -> None:
    model, predictions = network(), []
    losses = iter([1.0, 2.0])

    def score(epoch: int, logs: Any) -> None:
        logs["score"] = next(losses)
        predictions.append(model.predict(x, verbose=0))

    saving = TrackerModelCheckpoint("ck/{epoch:02d}/model.keras", monitor="score", mode="min")
    fit(model, TrackerCallback(), Each(score), saving, epochs=2)
    names = ["checkpoints/01/model.keras", "checkpoints/02/model.keras"]
    assert [row["checkpoint/file"] for row in rows("checkpoint/file")] == names
    run = stored(runs, *names, "checkpoints/best.keras")
    assert run.summary["checkpoint/best"] == names[0]
    for name, epoch in ((names[0], 0), (names[1], 1), ("checkpoints/best.keras", 0)):
        loaded = keras.models.load_model(run.file(name).download(tmp_path, replace=True))
        np.testing.assert_allclose(loaded.predict(x, verbose=0), predictions[epoch], rtol=1e-6)


def test_two_callbacks_with_equal_file_names_store_both_files(runs: Runs, rows: Rows) -> None:
    both = [TrackerModelCheckpoint(f"{folder}/model.keras") for folder in "ab"]
    fit(network(), TrackerCallback(), *both)
    assert [row["checkpoint/file"] for row in rows("checkpoint/file")] == [
        "checkpoints/model.keras",
        "checkpoints/b/model.keras",
    ]
    run = stored(runs, "checkpoints/model.keras", "checkpoints/b/model.keras", "checkpoints/b/latest.keras")
    assert run.summary["checkpoint/latest"] == "checkpoints/model.keras"


def test_a_users_file_called_best_does_not_replace_the_alias_best(runs: Runs, rows: Rows, tmp_path: Path) -> None:
    model, predictions = network(), []
    losses = iter([1.0, 2.0])

    def score(epoch: int, logs: Any) -> None:
        logs["score"] = next(losses)
        predictions.append(model.predict(x, verbose=0))

    fit(model, TrackerCallback(), Each(score), TrackerModelCheckpoint("best.keras", "score", mode="min"), epochs=2)
    assert [row["checkpoint/file"] for row in rows("checkpoint/file")] == [
        "checkpoints/best.keras",
        "checkpoints/latest.keras",
    ]
    run = stored(runs, "checkpoints/best.keras", "checkpoints/latest.keras")
    for name, epoch in (("best", 0), ("latest", 1)):
        loaded = keras.models.load_model(run.file(f"checkpoints/{name}.keras").download(tmp_path))
        np.testing.assert_allclose(loaded.predict(x, verbose=0), predictions[epoch], rtol=1e-6)


def test_stored_files_do_not_change_when_keras_overwrites_them(runs: Runs, tmp_path: Path) -> None:
    with tracker.init() as run:
        fit(network(), TrackerModelCheckpoint("m.weights.h5", "loss", save_weights_only=True))
        before = [path.read_bytes() for path in Path(run.dir, "files").iterdir()]
        fit(network(), TrackerModelCheckpoint("m.weights.h5", "loss", save_weights_only=True), epochs=2)
        after = [path.read_bytes() for path in Path(run.dir, "files").iterdir()]
    assert all(content in after for content in before)
    stored(runs, "checkpoints/m.weights.h5", "checkpoints/latest.weights.h5", "checkpoints/best.weights.h5")


def test_only_files_that_were_written_are_stored(rows: Rows) -> None:
    losses = iter([1.0, 2.0, 0.5])

    def score(epoch: int, logs: Any) -> None:
        logs["score"] = next(losses)

    saving = TrackerModelCheckpoint("m.keras", monitor="score", mode="min", save_best_only=True)
    fit(network(), TrackerCallback(), Each(score), saving, epochs=3)
    assert [row["checkpoint/score"] for row in rows("checkpoint/file")] == [1.0, 0.5]


def test_checkpoints_by_batches_are_stored(rows: Rows) -> None:
    saving = TrackerModelCheckpoint("{epoch}-{batch}.keras", monitor="loss", save_freq=2)
    fit(network(), TrackerCallback(), saving, epochs=2)
    assert len(rows("checkpoint/file")) == 3


def test_without_a_run_keras_saves_and_one_warning_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    fit(network(), TrackerModelCheckpoint("m.keras", "loss"), epochs=2)
    assert Path("m.keras").exists()
    assert capsys.readouterr().err.count("there is no run") == 1


def test_arguments_are_checked_as_by_model_checkpoint() -> None:
    assert isinstance(TrackerModelCheckpoint("m.keras"), keras.callbacks.ModelCheckpoint)
    with pytest.raises(ValueError, match="must end in"):
        TrackerModelCheckpoint("m")
