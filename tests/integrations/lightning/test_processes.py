"""Training in several processes, and processes that end early."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import tracker
from tests.ports import free_port
from tests.waiting import eventually
from tracker.runlog.reader import read_stream, stream_paths

from .conftest import PACKAGES
from .processes import TRAINING

if not PACKAGES:
    pytest.skip("needs lightning or pytorch_lightning", allow_module_level=True)

ONE, OTHER = PACKAGES[0], PACKAGES[-1]  # both packages are tested, but not in each test, to save time
both = pytest.mark.parametrize("package", [ONE, pytest.param(OTHER, marks=pytest.mark.slow)])

SAMPLE = {
    "TRACKER_STATS_DISABLED": "false",
    "TRACKER_STATS_SAMPLE_INTERVAL": "0.2",
    "TRACKER_STATS_AVERAGE_OVER": "0.5",
}


def steps(run: Any, key: str) -> list[int]:
    return [row["_step"] for row in run.scan_history([key])]


def headers(run: Any) -> list[dict[str, Any]]:
    """Return the first line of each history stream."""
    return [next(read_stream(path)).records[0].payload for path in stream_paths(Path(run.directory), "history")]


@pytest.mark.parametrize(
    ("strategy", "package"),
    [
        ("ddp", ONE),
        pytest.param("ddp", OTHER, marks=pytest.mark.slow),
        pytest.param("ddp_spawn", ONE, marks=pytest.mark.slow),
        ("ddp_fork", OTHER),
    ],
)
def test_all_ranks_share_one_run_without_duplicate_rows(script: Any, runs: Any, strategy: str, package: str) -> None:
    done = script(
        TRAINING
        + f"""
if __name__ == "__main__":
    logger = TrackerLogger(project="p", id="r", log_model=True)
    it, net = trainer(logger, devices=2, strategy="{strategy}"), Model()
    it.fit(net)
    it.test(net)
    if "{strategy}" == "ddp":
        metrics_arrive()
    else:
        logger.log_metrics({{"after": 1}}, 9)
""",
        PACKAGE=package,
        **SAMPLE,
    )
    assert "Error" not in done.stderr
    (run,) = runs()
    assert steps(run, "loss") == [0, 1, 2, 3]
    # After training in child processes, the step in the parent is up to Lightning.
    assert steps(run, "test") == ([4] if strategy == "ddp" else [0])
    assert {row["rank"] for row in run.scan_history(["rank"])} == {0.0}
    assert run.config == {"lr": 0.1, "seen": 3}
    assert run.summary["checkpoint/best"] == "checkpoints/epoch=0-step=4.ckpt"
    eventually(lambda: tracker.read_run(run.directory).state == "finished")
    assert strategy != "ddp" or len(headers(run)) == 1


def test_the_first_process_of_each_other_node_joins_the_run_for_system_metrics(tmp_path: Path) -> None:
    # The rank variables are set before Lightning is imported, and the run is used before Lightning has read them.
    port = free_port()
    path = tmp_path / "train.py"
    path.write_text(
        TRAINING
        + """
logger = TrackerLogger(project="p", name="over two", tags=["a"])
assert isinstance(logger.experiment, DummyExperiment) == (os.environ["RANK"] == "1")
it, net = trainer(logger, devices=1, num_nodes=2, strategy="ddp", enable_checkpointing=False), Model()
it.fit(net)
metrics_arrive()
it.test(net)
"""
    )
    processes, folders = [], []
    for node in range(2):  # each has its own disk, and the variables that torchrun sets
        folder = tmp_path / f"node{node}"
        folder.mkdir()
        folders.append(folder)
        own = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "GROUP_RANK": str(node), "LOCAL_RANK": "0"}
        own |= {
            "RANK": str(node),
            "WORLD_SIZE": "2",
            "LOCAL_WORLD_SIZE": "1",
            "TORCHELASTIC_RUN_ID": "1",
            "PACKAGE": OTHER,
        }
        pipe, variables = subprocess.PIPE, {**os.environ, **SAMPLE, **own}
        command = [sys.executable, str(path)]
        processes.append(subprocess.Popen(command, cwd=folder, env=variables, stderr=pipe, stdout=pipe, text=True))
    for process in processes:
        _, reported = process.communicate(timeout=900)
        assert process.returncode == 0, reported[-3000:]
    first, second = ([*folder.glob(".tracker/runs/*")] for folder in folders)
    assert [path.name for path in first] == [path.name for path in second]
    here, there = tracker.read_run(first[0]), tracker.read_run(second[0])
    assert (here.path, here.name, here.tags) == (there.path, there.name, there.tags)
    assert steps(here, "loss") == [0, 1, 2, 3]
    assert there.info["rows"] == 0
    eventually(lambda: tracker.read_run(second[0]).state == "finished")


@pytest.mark.parametrize("method", ["fork", pytest.param("spawn", marks=pytest.mark.slow)])
def test_workers_of_a_data_loader_log_into_the_same_run(script: Any, runs: Any, method: str) -> None:
    script(
        f"""
import torch
from tracker_lightning import TrackerLogger

class Data(torch.utils.data.Dataset):
    def __init__(self, logger):
        self.logger = logger

    def __len__(self):
        return 4

    def __getitem__(self, number):
        self.logger.log_metrics({{"loaded": number}})
        return number

if __name__ == "__main__":
    logger = TrackerLogger()
    for batch in torch.utils.data.DataLoader(Data(logger), num_workers=2, multiprocessing_context="{method}"):
        logger.log_metrics({{"used": batch}}, batch)
"""
    )
    (run,) = runs()
    assert sorted(row["loaded"] for row in run.scan_history(["loaded"])) == [0, 1, 2, 3]
    assert steps(run, "used") == [0, 1, 2, 3]
    eventually(lambda: tracker.read_run(run.directory).state == "finished")


@pytest.mark.parametrize(
    ("strategy", "package"), [pytest.param("ddp_spawn", OTHER, marks=pytest.mark.slow), ("ddp_fork", ONE)]
)
def test_a_failure_in_a_child_process_fails_the_run(script: Any, runs: Any, strategy: str, package: str) -> None:
    script(
        TRAINING
        + f"""
class Odd(Model):
    def on_train_batch_end(self, *_):
        if self.global_step == 2:
            raise ValueError("odd")

if __name__ == "__main__":
    options = dict(devices=1, strategy="{strategy}", enable_checkpointing=False)
    trainer(TrackerLogger(), **options).fit(Odd())
""",
        expect=1,
        PACKAGE=package,
    )
    (run,) = runs()
    assert steps(run, "loss") == [0]
    eventually(lambda: tracker.read_run(run.directory).state == "failed")
    assert "ValueError: odd" in tracker.read_run(run.directory).info["error"]  # type: ignore[operator]


@both
def test_fabric_on_two_ranks_has_one_run(script: Any, runs: Any, package: str) -> None:
    fabric = "lightning.fabric" if package == "lightning.pytorch" else "lightning_fabric"
    script(
        f"""
import {fabric} as fabric
from tracker_lightning import TrackerLogger

def train(it):
    for step in range(3):
        it.log("rank", it.global_rank, step=step)
        it.barrier()

if __name__ == "__main__":
    it = fabric.Fabric(accelerator="cpu", devices=2, strategy="ddp_fork", loggers=TrackerLogger(project="p"))
    it.launch(train)
    it.logger.log_metrics({{"after": 1}}, 3)
"""
    )
    (run,) = runs()
    assert [(row["_step"], row["rank"]) for row in run.scan_history(["rank"])] == [(0, 0), (1, 0), (2, 0)]
    assert steps(run, "after") == [3]
    eventually(lambda: tracker.read_run(run.directory).state == "finished")


ENDINGS = {
    "error": ("raise ValueError('odd')", 1, "failed", "ValueError: odd"),
    "exit": ("sys.exit(3)", 3, "failed", None),
    "int": ("os.kill(os.getpid(), signal.SIGINT)", 1, "killed", "KeyboardInterrupt"),
    "term": ("os.kill(os.getpid(), signal.SIGTERM)", 0, "killed", "SIGTERMException: "),
    "kill": ("os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL, "crashed", None),
    "none": ("pass", 0, "finished", None),
}


@both
def test_no_row_is_lost_and_the_exit_code_is_unchanged_however_the_process_ends(script: Any, package: str) -> None:
    # One process imports Lightning and forks a child for each ending, to save time.
    done = script(
        TRAINING
        + f"""
class Ends(pl.Callback):
    def on_train_batch_start(self, trainer, module, batch, number):
        if number == 2:
            exec(ending)

for name, (ending, *_) in {ENDINGS!r}.items():
    child = os.fork()
    if child == 0:
        logger = TrackerLogger(id=name)
        trainer(logger, callbacks=[Ends()], enable_checkpointing=False, limit_train_batches=9).fit(Model())
        break
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print(name, status, "ended", flush=True)
""",
        PACKAGE=package,
    )
    reported = [line.split() for line in done.stdout.splitlines() if line.endswith("ended")]
    assert reported == [[name, str(code), "ended"] for name, (_, code, _, _) in ENDINGS.items()]
    for name, (_, _, state, error) in ENDINGS.items():
        run = tracker.read_run(f".tracker/runs/{name}")
        assert steps(run, "loss")[:2] == [0, 1]
        eventually(lambda path=run.directory, state=state: tracker.read_run(path).state == state)  # type: ignore[misc]
        reported = tracker.read_run(run.directory).info["error"]  # type: ignore[assignment]
        # The signal is known if the agent saw the process end.
        assert reported == error or (name == "kill" and reported.startswith("ended by SIGKILL"))  # type: ignore[attr-defined, comparison-overlap]
