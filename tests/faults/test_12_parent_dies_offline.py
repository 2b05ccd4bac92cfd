"""Row 12: the training dies while no server can be reached."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.harness import (
    TOKEN,
    Training,
    assert_delivered,
    data_directory,
    has_left,
    on_server,
    sync_directory,
    uploaded,
)
from tests.ports import free_port
from tests.waiting import PATIENCE, eventually
from tracker_server.embedded import serve


def test_the_agent_outlives_the_training_and_uploads_once_the_server_is_up(
    tmp_path: Path, absent_server: int, train: Callable[..., Training]
) -> None:
    training = train("--pause", 0.001, environment={"TRACKER_DRAIN_TIMEOUT": "120"})
    training.reach(100)
    eventually(lambda: "Network error" in (training.directory / "agent.log").read_text())
    training.kill()
    with serve(data_directory(tmp_path), port=absent_server):
        assert_delivered(uploaded(training, "crashed"), training.board.returned, more=1)


def test_sync_uploads_the_rest_after_an_agent_gave_up(
    tmp_path: Path, absent_server: int, train: Callable[..., Training]
) -> None:
    training = train("--pause", 0.001, environment={"TRACKER_DRAIN_TIMEOUT": "0.2"})
    training.reach(100)
    training.kill()
    eventually(lambda: has_left(training.directory), PATIENCE)
    with serve(data_directory(tmp_path), port=absent_server):
        assert on_server(training.path) is None
        sync_directory(training.directory)
        assert_delivered(uploaded(training, "crashed"), training.board.returned, more=1)


@pytest.fixture
def absent_server(monkeypatch: pytest.MonkeyPatch) -> int:
    """Point all settings to a server that does not run; return its port."""
    port = free_port()
    monkeypatch.setenv("TRACKER_BASE_URL", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("TRACKER_API_KEY", TOKEN)
    return port
