"""Row 15: nothing listens at the server's address."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.harness import (
    TOKEN,
    Training,
    assert_delivered,
    data_directory,
    on_server,
    sync_directory,
    uploaded,
)
from tests.ports import free_port
from tests.waiting import PATIENCE, eventually
from tracker.runlog.directory import agent_alive
from tracker.sdk.agent_supervisor import CHECK_EVERY
from tracker_server.embedded import serve

NOTICE = "tracker: Network error (ConnectionError), entering retry loop."


def test_without_a_server_training_warns_once_keeps_its_exit_status_and_is_uploaded_later(
    tmp_path: Path, train: Callable[..., Training], monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    monkeypatch.setenv("TRACKER_BASE_URL", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("TRACKER_API_KEY", TOKEN)
    long = train("--pause", 0.001, environment={"TRACKER_DRAIN_TIMEOUT": "120"})
    short = train("--pause", 0.001, "--exit", 3, environment={"TRACKER_DRAIN_TIMEOUT": "0.2"})

    short.reach(100)
    eventually(lambda: "Network error" in (short.directory / "agent.log").read_text(), PATIENCE)
    assert short.stop() == 3
    assert short.stderr.count(NOTICE) == 1  # at the end
    eventually(lambda: not agent_alive(str(short.directory)), PATIENCE)

    eventually(lambda: NOTICE in long.stderr, CHECK_EVERY / 1e6 + PATIENCE)  # during logging
    assert long.stop() == 0
    assert long.stderr.count(NOTICE) == 1
    assert long.board.dropped == 0

    with serve(data_directory(tmp_path), port=port):
        assert_delivered(uploaded(long, "finished"), long.board.returned)
        assert on_server(short.path) is None
        sync_directory(short.directory)
        assert_delivered(uploaded(short, "failed"), short.board.returned)
