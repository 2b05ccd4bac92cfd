"""Row 19: the server accepts connections and does not answer."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.harness import (
    Training,
    agents,
    assert_delivered,
    data_directory,
    on_server,
    uploaded,
)
from tests.waiting import PATIENCE, eventually
from tracker_server.embedded import serve

PAD = 20_000
ROOM = 48 * 1024 * 1024  # bytes that the agent may need to send; the rows that it cannot send are four times as many


def test_a_frozen_server_costs_the_training_nothing_and_the_agent_no_memory(
    tmp_path: Path, train: Callable[..., Training], monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve(data_directory(tmp_path)) as server:
        monkeypatch.setenv("TRACKER_BASE_URL", server.url)
        monkeypatch.setenv("TRACKER_API_KEY", server.token)
        environment = {"TRACKER_UPLOAD_TIMEOUT": "1", "TRACKER_DRAIN_TIMEOUT": "120"}
        training = train("--pause", 0.0002, "--pad", PAD, environment=environment)
        eventually(lambda: on_server(training.path), PATIENCE)
        (agent,) = agents(training.directory)
        before = agent.memory_info().rss
        server.process.send_signal(signal.SIGSTOP)
        try:
            begun = training.board.returned
            training.reach(begun + 4 * ROOM // PAD)
            eventually(lambda: "Network error" in (training.directory / "agent.log").read_text(), PATIENCE)
            assert agent.memory_info().rss - before < ROOM
            assert training.stop() == 0
        finally:
            server.process.send_signal(signal.SIGCONT)
        assert "tracker: Network error (ReadTimeout), entering retry loop." in training.stderr
        assert_delivered(uploaded(training, "finished"), training.board.returned, pad=PAD)
