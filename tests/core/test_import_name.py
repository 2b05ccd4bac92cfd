"""Test `tracker_runs`: the same module under a unique name, which also works beside a user's own `tracker`."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

import tracker


def run(code: str, *arguments: str, **variables: str) -> str:
    """Run a script of the working directory and return what it printed."""
    Path("train.py").write_text(code)
    done = subprocess.run(
        [sys.executable, *(arguments or ["train.py"])],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(params=["tracker.py", "tracker/__init__.py"])
def beside(request: Any) -> Path:
    """Make a user's module or package with the name of ours."""
    path = Path(request.param)
    path.parent.mkdir(exist_ok=True)
    path.write_text("class Mine: pass\n")
    if path.name == "__init__.py":
        Path("tracker/errors.py").write_text("mine = True\n")
    return path


@pytest.mark.parametrize("first", ["tracker", "tracker_runs"])
def test_tracker_runs_is_the_same_module_as_tracker(first: str) -> None:
    run(f"""
import {first}
import tracker, tracker_runs
import tracker_runs.media, tracker_runs.api.remote
from tracker_runs import Image
from tracker_runs.settings import Settings
from tracker.settings import Settings as same
assert tracker_runs is tracker and tracker_runs.media is tracker.media and tracker_runs.Image is Image
assert Settings is same and tracker.media.__spec__.name == tracker.media.__name__ == "tracker.media"
assert tracker_runs.run is None and tracker_runs.__version__ == {tracker.__version__!r}
""")


def test_tracker_runs_works_beside_a_users_own_tracker_module(beside: Path) -> None:
    out = run(
        """
import copy, pickle
import tracker_runs
import tracker
from tracker_runs import Run, Text
import tracker_runs.media
assert tracker.Mine.__module__ == "tracker" and not hasattr(tracker, "init")
with tracker_runs.init(config={"a": 1}, settings={"console": "redirect"}) as run:
    run.log({"x": 1})
    run.log({"text": tracker_runs.media.Text("y")})
    print("hello", flush=True)
    assert type(run) is Run and copy.deepcopy(run) is pickle.loads(pickle.dumps(run)) is run
print(run.dropped, len(list(tracker_runs.read_run(run.dir).scan_history())))
try:
    import tracker.errors
    assert tracker.errors.mine
except ModuleNotFoundError:
    pass
""",
        TRACKER_MODE="offline",
    )
    assert out == "hello\n0 2\n"


def test_a_script_named_tracker_works() -> None:
    Path("tracker.py").write_text("import tracker_runs as tracker\ntracker.init(mode='offline').finish()\n")
    run("", "tracker.py")


@pytest.mark.usefixtures("beside")
def test_the_command_works_if_the_path_has_another_tracker() -> None:
    code = "import tracker_runs\ntracker_runs.init(mode='offline', name='mine').finish()"
    run(code)
    here = {"PYTHONPATH": os.getcwd()}
    assert "mine" in run("", "-m", "tracker_runs", "runs", "--local", **here)
    assert "Upload" in run("", "-m", "tracker_runs", "sync", "--help", **here)
    assert "mine" in run("", "-m", "tracker_runs", "run", sys.executable, "-c", "print('mine')", **here)


@pytest.mark.usefixtures("beside")
def test_agents_run_our_code_if_the_path_has_another_tracker() -> None:
    code = """
import tracker_runs as tracker
from tests.waiting import eventually
from tracker_runs.runlog.directory import agent_alive
run = tracker.init(mode="offline")
eventually(lambda: agent_alive(run.dir))
"""
    run(code, PYTHONPATH=os.pathsep.join([os.getcwd(), str(Path(__file__).parents[2])]))


briefly = pytest.mark.parametrize(
    "beside", ["tracker/__init__.py", pytest.param("tracker.py", marks=pytest.mark.slow)], indirect=True
)


@pytest.mark.skipif(find_spec("lightning") is None, reason="Lightning is not installed")
@briefly
@pytest.mark.usefixtures("beside")
def test_the_lightning_logger_works_beside_another_tracker() -> None:
    out = run("""
import tracker
from tracker_lightning import TrackerLogger
import lightning.pytorch as pl
from lightning.pytorch.demos.boring_classes import BoringModel
logger = TrackerLogger(offline=True, save_dir=".")
options = dict(enable_progress_bar=False, enable_model_summary=False, log_every_n_steps=1, enable_checkpointing=False)
pl.Trainer(logger=logger, max_epochs=1, limit_train_batches=2, limit_val_batches=1, **options).fit(BoringModel())
logger.log_metrics({"x": 1}, 1)
import tracker_runs
print(tracker.Mine.__name__, isinstance(logger.experiment, tracker_runs.Run), logger.experiment.summary["x"])
""")
    assert out.splitlines()[-1] == "Mine True 1"


@pytest.mark.skipif(find_spec("keras") is None, reason="Keras is not installed")
@briefly
@pytest.mark.usefixtures("beside")
def test_the_keras_callback_works_beside_another_tracker() -> None:
    out = run(
        """
import tracker, tracker_runs
import keras, numpy as np
from tracker_keras import TrackerCallback, TrackerModelCheckpoint
model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
model.compile("sgd", "mse")
with tracker_runs.init(mode="offline") as run:
    callbacks = [TrackerCallback(), TrackerModelCheckpoint("m.keras")]
    model.fit(np.zeros((4, 2)), np.zeros((4, 1)), verbose=0, callbacks=callbacks)
print(tracker.Mine.__name__, "loss" in run.summary, run.dropped)
""",
        KERAS_BACKEND=os.environ.get("KERAS_BACKEND", "jax"),
    )
    assert out.splitlines()[-1] == "Mine True 0"


@pytest.mark.skipif(find_spec("tensorboardX") is None or find_spec("google_crc32c") is None, reason="no TensorBoard")
@pytest.mark.usefixtures("beside")
def test_event_files_are_imported_beside_another_tracker() -> None:
    run("""
from tensorboardX import SummaryWriter
with SummaryWriter("logs") as writer:
    writer.add_scalar("loss", 0.5, 1)
""")
    here = {"PYTHONPATH": os.getcwd()}
    assert "1 run" in run("", "-m", "tracker_runs", "tensorboard-import", "logs", "--offline", **here)
    (made,) = Path(".tracker/runs").iterdir()
    assert [row["loss"] for row in tracker.read_run(made).scan_history(["loss"])] == [0.5]
