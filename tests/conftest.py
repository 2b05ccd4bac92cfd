"""What all tests share: a clean environment."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

# Shells start background jobs with SIGINT ignored, which the programs under test would inherit.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting of the machine reaches a test, no test reaches the user's files, and internal errors are raised."""
    for name in list(os.environ):
        if name.startswith("TRACKER_") and not name.startswith("TRACKER_TEST_"):
            monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TRACKER_RAISE_INTERNAL", "1")
    monkeypatch.setattr("tracker.errors._warned", set())  # what one test was told is told to the next one, too
    monkeypatch.setenv("TRACKER_CAPTURE", "none")  # agents gather nothing but where that is the subject
    monkeypatch.setenv("TRACKER_ENTITY", "me")
    # An agent whose server went away with its test must not linger.
    monkeypatch.setenv("TRACKER_DRAIN_TIMEOUT", "5")
    # The same on a machine as in a container.
    monkeypatch.setenv("TRACKER_FINISH_TIMEOUT", "0")
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
