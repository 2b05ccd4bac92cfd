from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import psutil
import pytest

_TRAINING = """
import os, subprocess, sys, threading
BURN = "import time\\nwhile time.process_time() < 0.5: pass"
SLEEP = "import sys; print(1, flush=True); sys.stdin.read()"
started = []
for line in sys.stdin:
    if line == "burn\\n":
        subprocess.run([sys.executable, "-c", BURN])
    elif line == "leave\\n":
        ended = subprocess.Popen([sys.executable, "-c", BURN])
        os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)
    elif line == "child\\n":
        child = subprocess.Popen([sys.executable, "-c", SLEEP], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        child.stdout.readline()
        started.append(child)
    elif line == "thread\\n":
        threading.Thread(target=threading.Event().wait, daemon=True).start()
    print("done", flush=True)
for child in started:
    child.communicate()
"""


class Training:
    """A process that waits for commands and carries them out."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _TRAINING], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.pid = self._process.pid
        self.tell("wait")

    def tell(self, what: str) -> None:
        self._process.stdin.write(what + "\n")
        self._process.stdin.flush()
        self._process.stdout.readline()

    def end(self) -> None:
        self._process.communicate()


@pytest.fixture
def training() -> Iterator[Training]:
    process = Training()
    yield process
    process.end()


@pytest.fixture
def idle() -> Iterator[Training]:
    """Another process, which does nothing."""
    process = Training()
    yield process
    process.end()


def test_a_child_that_ended_between_two_samples_counts(
    average: Callable[..., dict[str, float]], training: Training
) -> None:
    values = average("process", pids=[training.pid], between=lambda: training.tell("burn"))
    assert 40 <= values["process/cpu_percent"] < 150


def test_cpu_time_before_the_monitor_started_does_not_count(
    average: Callable[..., dict[str, float]], training: Training
) -> None:
    training.tell("burn")
    assert average("process", pids=[training.pid])["process/cpu_percent"] < 20


def test_earlier_cpu_time_of_a_process_that_joins_does_not_count(
    monitor: Callable[..., Any], training: Training, idle: Training
) -> None:
    pids: list[int] = [idle.pid]
    made, written = monitor("process", pids=pids, average_over=1e9, sample_interval=1e9)
    made.tick(0.0)
    training.tell("burn")
    pids.append(training.pid)
    made.tick(1000.0)
    made.tick(1001.0)
    made.stop()
    assert written[0]["process/cpu_percent"] < 40


def test_children_and_threads_are_summed(monitor: Callable[..., Any], training: Training) -> None:
    made, written = monitor("process", pids=[training.pid], sample_interval=1.0, average_over=1.0)
    made.tick(0.0)
    made.tick(1000.0)
    alone = written[-1]
    training.tell("child")
    training.tell("thread")
    made.tick(2000.0)
    assert (alone["process/count"], written[-1]["process/count"]) == (1, 2)
    assert written[-1]["process/threads"] == alone["process/threads"] + 2
    assert written[-1]["process/rss_bytes"] > 1.3 * alone["process/rss_bytes"]


def test_a_watched_child_of_a_watched_process_counts_once(
    average: Callable[..., dict[str, float]], training: Training
) -> None:
    training.tell("child")
    (child,) = psutil.Process(training.pid).children()
    both = average("process", pids=[training.pid, child.pid], seconds=1000.0)
    one = average("process", pids=[training.pid], seconds=1000.0)
    assert both["process/count"] == one["process/count"] == 2
    assert both["process/threads"] == one["process/threads"]


def test_the_monitoring_process_itself_is_left_out() -> None:
    # Here it is both; an agent is a child of the training that it watches. This process may have other children.
    code = """
import os
from tracker.agent.monitor import Monitor
written = []
monitor = Monitor(written.append, lambda: [os.getpid()], "/", sources=["process"], average_over=1e9)
for seconds in (0.0, 1.0):
    monitor.tick(seconds)
monitor.stop()
print(written)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_zombie_child_counts_only_with_its_cpu_time(monitor: Callable[..., Any], training: Training) -> None:
    made, written = monitor("process", pids=[training.pid], average_over=1000.0, sample_interval=1.0)
    made.tick(0.0)
    training.tell("leave")
    made.tick(1000.0)
    made.stop()
    assert written[0]["process/count"] == 1
    assert 0.025 <= written[0]["process/cpu_percent"] < 0.2  # half a second in 1,000


def test_there_are_no_values_when_all_processes_have_ended(
    average: Callable[..., dict[str, float]], training: Training
) -> None:
    training.end()
    assert average("process", pids=[training.pid]) == {}
