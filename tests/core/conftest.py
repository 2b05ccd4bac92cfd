"""Provide one real server for all tests that need one."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest

from tests.waiting import PATIENCE


@pytest.fixture(scope="session")
def real_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Start a server in its own process, which tests do not discover. Without its packages, its tests are skipped."""
    pytest.importorskip("fastapi", reason="the extra `server` is not installed")
    from tracker_server.embedded import serve

    root = tmp_path_factory.mktemp("server")
    with contextlib.ExitStack() as stack:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("XDG_STATE_HOME", str(root / "state"))
            server = stack.enter_context(serve(root / "data"))
        yield server


@pytest.fixture
def server(real_server: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Set the server's address and key; agents upload often and sample nothing.

    The timeout is long: a busy machine may answer late.
    """
    monkeypatch.setenv("TRACKER_BASE_URL", real_server.url)
    monkeypatch.setenv("TRACKER_API_KEY", real_server.token)
    monkeypatch.setenv("TRACKER_UPLOAD_INTERVAL", "0.1")
    monkeypatch.setenv("TRACKER_UPLOAD_TIMEOUT", str(PATIENCE))
    monkeypatch.setenv("TRACKER_RESUME_TIMEOUT", str(PATIENCE))
    monkeypatch.setenv("TRACKER_STATS_DISABLED", "true")
    monkeypatch.setenv("TRACKER_FINISH_TIMEOUT", str(PATIENCE))
    monkeypatch.setenv("TRACKER_DRAIN_TIMEOUT", str(PATIENCE))
    return real_server
