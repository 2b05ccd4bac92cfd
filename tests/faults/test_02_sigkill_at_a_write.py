"""Row 2: the training is killed with SIGKILL at a chosen system call."""

from __future__ import annotations

import shutil
from collections.abc import Callable

import pytest

from tests.faults.harness import Training, assert_delivered, require, sync_directory, uploaded
from tracker_server.embedded import Embedded


@pytest.mark.parametrize("writes", [range(4, 10), range(20, 80, 10)], ids=["early", "later"])
def test_after_a_kill_at_a_write_the_rows_before_it_are_uploaded(
    server: Embedded, train: Callable[..., Training], writes: range
) -> None:
    require(shutil.which("strace") is not None, "strace kills at a system call")
    trainings = [train("--rows", 200, prefix=_kill_at("write", n)) for n in writes]
    for training in trainings:
        training.process.wait()
        assert training.board.returned < 200
        if training.board.returned == 0:  # it may have died before it gave its run to an agent
            sync_directory(training.directory)
        run = uploaded(training, "crashed")
        assert_delivered(run, training.board.returned, more=1)
        assert run.info["corrupt"] == 0


def test_after_a_kill_in_the_last_fsync_the_run_is_finished_and_complete(
    server: Embedded, train: Callable[..., Training]
) -> None:
    require(shutil.which("strace") is not None, "strace kills at a system call")
    training = train("--rows", 200, prefix=_kill_at("fsync", 1))
    training.process.wait()
    assert "finished" not in training.stderr
    assert_delivered(uploaded(training, "finished"), 200)


def _kill_at(call: str, number: int) -> list[str]:
    return ["strace", "-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={number}"]
