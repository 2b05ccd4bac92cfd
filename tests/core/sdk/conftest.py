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
    """Start each test without a run and without earlier warnings, and end all its runs."""
    monkeypatch.setenv("TRACKER_MODE", "offline")
    monkeypatch.setenv("TRACKER_STATS_DISABLED", "true")
    monkeypatch.setattr(errors, "_warned", set())
    yield
    for run in exit_hooks.live():
        run.finish()
    errors.silence(False)


@pytest.fixture
def start() -> Callable[..., tracker.Run]:
    """Return `init`, with a new run for each call."""

    def start(**arguments: Any) -> tracker.Run:
        return tracker.init(**{"reinit": "create_new", **arguments})

    return start


@pytest.fixture
def rows() -> Callable[[tracker.Run], list[dict[str, Any]]]:
    """Return a function that reads the rows of a run from disk, without times."""

    def rows(run: tracker.Run) -> list[dict[str, Any]]:
        found = tracker.read_run(run.dir).scan_history()
        return [{k: v for k, v in row.items() if k not in ("_timestamp", "_runtime")} for row in found]

    return rows


@pytest.fixture
def warnings(capsys: pytest.CaptureFixture[str]) -> Callable[[], list[str]]:
    """Return a function that returns new messages, except those about where runs are and how they ended."""
    of_runs = re.compile(r"tracker: run \S+ (in |finished|failed|killed)")

    def warnings() -> list[str]:
        lines = capsys.readouterr().err.splitlines()
        return [line.removeprefix("tracker: ") for line in lines if not of_runs.match(line)]

    return warnings


@pytest.fixture
def streams() -> Callable[[tracker.Run], list[Path]]:
    """Return the history streams of a run, the oldest first."""

    def streams(run: tracker.Run) -> list[Path]:
        from tracker.runlog.reader import stream_paths

        return stream_paths(Path(run.dir), "history")

    return streams
