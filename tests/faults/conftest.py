"""Fixtures of the fault matrix: a real server for the folder, and trainings that end with their test."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.harness import PROJECT, Training
from tests.waiting import PATIENCE
from tracker_server.embedded import Embedded, serve


@pytest.fixture(scope="session")
def real_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    """Run one server for all tests that do not harm it."""
    root = tmp_path_factory.mktemp("server")
    with contextlib.ExitStack() as stack:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("XDG_STATE_HOME", str(root / "state"))  # so that no test discovers it
            server = stack.enter_context(serve(root / "data"))
        yield server


@pytest.fixture(autouse=True)
def quick_agents(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make agents do only what the tests check, and do it often."""
    monkeypatch.setenv("TRACKER_PROJECT", PROJECT)
    monkeypatch.setenv("TRACKER_STATS_DISABLED", "true")
    monkeypatch.setenv("TRACKER_UPLOAD_INTERVAL", "0.1")
    monkeypatch.setenv("TRACKER_UPLOAD_TIMEOUT", str(PATIENCE))  # a busy machine may answer late


@pytest.fixture
def server(real_server: Embedded, monkeypatch: pytest.MonkeyPatch) -> Embedded:
    """Return the server, after pointing all settings to it."""
    monkeypatch.setenv("TRACKER_BASE_URL", real_server.url)
    monkeypatch.setenv("TRACKER_API_KEY", real_server.token)
    monkeypatch.setenv("TRACKER_DRAIN_TIMEOUT", str(PATIENCE))  # it does not go away with its test
    return real_server


@pytest.fixture
def train(tmp_path: Path) -> Iterator[Callable[..., Training]]:
    """Return a function that starts trainings; all are killed after the test."""
    started: list[Training] = []

    def start(*arguments: object, **options: object) -> Training:
        started.append(Training(tmp_path, *arguments, **options))  # type: ignore[arg-type]
        return started[-1]

    yield start
    for training in started:
        with contextlib.suppress(ProcessLookupError):  # it may just have ended
            os.killpg(training.process.pid, signal.SIGKILL)
        training.process.wait()


@pytest.fixture
def rng() -> random.Random:
    """Return a random generator. A failed test shows its seed; `TRACKER_TEST_SEED` sets it."""
    seed = int(os.environ.get("TRACKER_TEST_SEED") or random.randrange(2**32))
    sys.stdout.write(f"TRACKER_TEST_SEED={seed}\n")
    return random.Random(seed)
