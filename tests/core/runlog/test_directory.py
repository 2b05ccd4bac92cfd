from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from tracker.runlog.directory import agent_alive, agent_came, lock_directory, unlock_directory


def test_one_agent_of_a_machine_can_lock_a_directory_until_it_releases_it(tmp_path: Path) -> None:
    directory = str(tmp_path)
    assert not agent_came(directory, 0)
    lock = lock_directory(directory)
    assert lock is not None
    assert (lock_directory(directory), agent_alive(directory), agent_came(directory, 0)) == (None, True, True)
    unlock_directory(lock)
    assert (agent_alive(directory), agent_came(directory, 0)) == (False, True)


def test_each_machine_has_a_lock_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = str(tmp_path)
    first = lock_directory(directory)
    monkeypatch.setattr(os, "uname", lambda: SimpleNamespace(nodename="another/host"))
    assert not agent_alive(directory)
    second = lock_directory(directory)
    assert first is not None
    assert second is not None
    assert agent_alive(directory)
    unlock_directory(second)
    unlock_directory(first)
