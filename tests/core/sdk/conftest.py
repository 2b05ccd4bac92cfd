from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import tracker
from tracker import errors
from tracker.sdk import exit_hooks


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each test begins without a run and with nothing said yet, and ends all runs that it began."""
    monkeypatch.setenv("TRACKER_MODE", "offline")
    monkeypatch.setenv("TRACKER_STATS_DISABLED", "true")
    monkeypatch.setattr(errors, "_warned", set())
    yield
    for run in list(exit_hooks._live):
        run.finish()
    errors.silence(False)


@pytest.fixture
def start() -> Callable[..., tracker.Run]:
    """`init`, with a run of its own each time."""

    def start(**arguments: Any) -> tracker.Run:
        return tracker.init(**{"reinit": "create_new", **arguments})

    return start


@pytest.fixture
def rows() -> Callable[[tracker.Run], list[dict[str, Any]]]:
    """What is on disk of the rows of a run, without times."""

    def rows(run: tracker.Run) -> list[dict[str, Any]]:
        found = tracker.read_run(run.dir).scan_history()
        return [{k: v for k, v in row.items() if k not in ("_timestamp", "_runtime")} for row in found]

    return rows


@pytest.fixture
def warnings(capsys: pytest.CaptureFixture[str]) -> Callable[[], list[str]]:
    """What was said since the last call, but for where runs are and how they ended."""
    of_runs = re.compile(r"tracker: run \S+ (in |finished|failed|killed)")

    def warnings() -> list[str]:
        lines = capsys.readouterr().err.splitlines()
        return [line.removeprefix("tracker: ") for line in lines if not of_runs.match(line)]

    return warnings


@pytest.fixture
def streams() -> Callable[[tracker.Run], list[Path]]:
    """The history streams of a run, the oldest first."""

    def streams(run: tracker.Run) -> list[Path]:
        from tracker.runlog.reader import stream_paths

        return stream_paths(Path(run.dir), "history")

    return streams
