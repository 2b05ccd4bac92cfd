from __future__ import annotations

import logging
import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.waiting import eventually
from tracker.agent.monitor import SOURCES, Monitor


def test_the_first_averages_come_after_five_samples_and_later_ones_once_per_span(monitor: Callable[..., Any]) -> None:
    made, written = monitor("memory")
    counts = []
    for n in range(40):
        made.tick(2.0 * n)
        counts.append(len(written))
    assert [n + 1 for n in range(1, 40) if counts[n] > counts[n - 1]] == [5, 20, 35]


def test_a_span_shorter_than_five_samples_applies_from_the_start(monitor: Callable[..., Any]) -> None:
    made, written = monitor("memory", sample_interval=1.0, average_over=2.0)
    for n in range(7):
        made.tick(float(n))
    assert len(written) == 3


def test_stopping_writes_the_averages_so_far(monitor: Callable[..., Any]) -> None:
    made, written = monitor("memory")
    made.tick(0.0)
    assert not written
    made.stop()
    assert written[0]["memory/total_bytes"] > 0


def test_stopping_twice_writes_once(monitor: Callable[..., Any]) -> None:
    made, written = monitor("memory")
    made.tick(0.0)
    made.stop()
    made.stop()
    assert len(written) == 1


def test_an_average_weighs_each_value_by_the_time_since_the_sample_before(
    monitor: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> Any:
    values = iter([10.0, 20.0, 40.0])

    class Given:
        def __init__(self, target: str) -> None: ...

        def sample(self, now: float) -> dict[str, float]:
            return {"given/value": next(values)}

    monkeypatch.setitem(SOURCES, "given", Given)
    made, written = monitor("given", sample_interval=2.0)
    for now in (0.0, 2.0, 8.0):
        made.tick(now)
    assert written == [{"given/value": pytest.approx((2 * 10 + 2 * 20 + 6 * 40) / 10)}]


def test_a_failing_source_ends_with_one_warning_and_the_others_continue(
    monitor: Callable[..., Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    directory = tmp_path / "run"
    directory.mkdir()
    made, written = monitor("disk", "memory", directory=str(directory), average_over=1e9, sample_interval=1e9)
    made.tick(0.0)
    shutil.rmtree(directory)
    with caplog.at_level(logging.WARNING):
        for now in (1.0, 2.0, 3.0):
            made.tick(now)
    made.stop()
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "'disk'" in caplog.text
    assert "FileNotFoundError" in caplog.text
    assert "memory/used_percent" in written[0]


def test_a_source_that_cannot_even_be_made_does_not_stop_the_others(
    monitor: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(target: str) -> None:
        raise OSError("no such device")

    monkeypatch.setitem(SOURCES, "broken", broken)
    made, written = monitor("broken", "memory")
    made.tick(0.0)
    made.stop()
    assert "'broken'" in caplog.text
    assert "memory/used_percent" in written[0]


def test_only_the_chosen_sources_are_read(monitor: Callable[..., Any]) -> None:
    made, written = monitor("memory", "process")
    made.tick(0.0)
    made.stop()
    assert {key.split("/")[0] for key in written[0]} == {"memory", "process"}


def test_an_unknown_source_is_an_error_that_lists_the_sources() -> None:
    with pytest.raises(ValueError, match=r"cpus. Choose from cpu, memory, disk, network, process, nvidia"):
        Monitor(print, list, ".", sources=["cpus"])


@pytest.mark.parametrize("bad", [{"sample_interval": 0}, {"average_over": -1.0}, {"sample_interval": float("nan")}])
def test_intervals_must_be_positive(bad: Any) -> None:
    with pytest.raises(ValueError, match="positive"):
        Monitor(print, list, ".", **bad)


def test_the_thread_samples_by_itself_and_ends_with_stop(monitor: Callable[..., Any]) -> None:
    made, written = monitor(sample_interval=0.01, average_over=0.02, pids=[os.getpid()])
    made.start()
    eventually(lambda: len(written) >= 2)
    made.stop()
    assert "system-monitor" not in [thread.name for thread in threading.enumerate()]


def test_a_run_that_ends_at_once_still_gets_its_averages_and_rates(monitor: Callable[..., Any]) -> None:
    made, written = monitor()
    made.start()
    made.stop()
    assert len(written) == 1
    assert {"memory/used_percent", "disk/read_bytes_per_s", "network/sent_bytes_per_s"} <= written[0].keys()
