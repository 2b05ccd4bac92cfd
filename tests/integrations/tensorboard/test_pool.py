from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from typing import Any

import pytest

from tracker_tensorboard.pool import Failure, run_apart, run_here


def work(job: Any, tell: Callable[[Any], None]) -> Any:
    if job == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if job == "raise":
        raise ValueError("for the test")
    if job == "wait":
        time.sleep(600)
    tell(("began", job))
    return (job, os.getpid())


def test_every_job_runs_once_in_another_process() -> None:
    progress: list[Any] = []
    done = list(run_apart(work, range(20), progress.append, 3))
    assert sorted(job for job, _ in done) == list(range(20))
    assert all(result[0] == job for job, result in done)
    pids = {result[1] for _, result in done}  # type: ignore[misc]
    assert len(pids) <= 3
    assert os.getpid() not in pids
    assert sorted(progress) == [("began", job) for job in range(20)]


@pytest.mark.parametrize(("job", "reason"), [("die", "exit code -9"), ("raise", "ValueError: for the test")])
def test_a_job_that_kills_its_process_or_raises_does_not_affect_others(job: str, reason: str) -> None:
    results = dict(run_apart(work, [1, job, 2, 3, job], lambda _: None, 1))
    assert isinstance(results[job], Failure)
    assert reason in results[job].reason
    assert [results[n][0] for n in (1, 2, 3)] == [1, 2, 3]


def test_closing_the_iterator_ends_the_processes() -> None:
    pids = []
    for _, result in run_apart(work, [1, "wait", "wait"], lambda _: None, 2):
        pids.append(result[1])  # type: ignore[misc]
        break
    assert len(pids) == 1
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], 0)


def test_jobs_can_run_in_this_process() -> None:
    progress: list[Any] = []
    assert list(run_here(work, [1, 2], progress.append)) == [(1, (1, os.getpid())), (2, (2, os.getpid()))]
    assert progress == [("began", 1), ("began", 2)]
