from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tracker import discovery


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return tmp_path


def _edit(path: Path, **members: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **members}))


def test_without_a_server_nothing_is_found() -> None:
    assert discovery.find() is None


def test_a_published_server_is_found_until_it_withdraws() -> None:
    path = discovery.publish("http://127.0.0.1:8787", "secret", "data")
    found = discovery.find()
    assert found is not None
    assert (found.url, found.token, found.pid) == ("http://127.0.0.1:8787", "secret", os.getpid())
    assert found.directory == str(Path("data").absolute())
    discovery.withdraw(path)
    assert discovery.find() is None


def test_only_the_owner_may_read_an_entry(state: Path) -> None:
    path = discovery.publish("http://127.0.0.1:8787", "secret", "data")
    assert path == state / "tracker" / "servers" / "8787.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_newest_of_several_servers_is_found() -> None:
    for port in (1, 2, 3):
        path = discovery.publish(f"http://127.0.0.1:{port}", "secret", "data")
        _edit(path, started=time.time() + (1000 if port == 2 else port))
    found = discovery.find()
    assert found is not None
    assert found.url.endswith(":2")


def test_an_entry_of_a_dead_process_is_ignored() -> None:
    path = discovery.publish("http://127.0.0.1:8787", "secret", "data")
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    _edit(path, pid=dead.pid)
    assert discovery.find() is None


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o622])
def test_an_entry_that_others_could_read_or_write_is_ignored(mode: int) -> None:
    discovery.publish("http://127.0.0.1:8787", "secret", "data").chmod(mode)
    assert discovery.find() is None


def test_a_link_in_place_of_an_entry_is_ignored(tmp_path: Path) -> None:
    path = discovery.publish("http://127.0.0.1:8787", "secret", "data")
    path.rename(tmp_path / "elsewhere.json")
    path.symlink_to(tmp_path / "elsewhere.json")
    assert discovery.find() is None


@pytest.mark.parametrize("text", ["", "[]", '{"url": 1}', "\x00", '{"url":"u","token":"t","pid":"x","dir":"d"}'])
def test_damaged_entries_are_ignored(text: str) -> None:
    path = discovery.publish("http://127.0.0.1:8787", "secret", "data")
    path.write_text(text)
    assert discovery.find() is None


def test_withdrawing_keeps_the_entry_of_a_newer_server() -> None:
    path = discovery.publish("http://127.0.0.1:8787", "secret", "data")
    _edit(path, pid=os.getppid())
    discovery.withdraw(path)
    assert path.exists()


def test_a_relative_state_directory_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "relative")
    assert discovery.folder() == Path.home() / ".local" / "state" / "tracker" / "servers"


def test_an_entry_whose_pid_another_process_has_now_is_ignored() -> None:
    path = discovery.publish("http://127.0.0.1:8787", "secret", "data")
    host, start, boot, space = json.loads(path.read_text())["process"]
    assert discovery.find() is not None
    for other in (
        [host, start + 1, boot, space],
        ["other", start, boot, space],
        [host, start, "b", space],
        [host, start, boot, "s"],
    ):
        _edit(path, process=other)
        assert discovery.find() is None, other
    _edit(path, process=[host, start, boot, space])
    assert discovery.find() is not None


def test_a_stale_entry_does_not_hide_a_live_one() -> None:
    path = discovery.publish("http://127.0.0.1:1", "old", "data")
    host, start, boot, space = json.loads(path.read_text())["process"]
    _edit(path, process=[host, start - 1, boot, space], started=time.time() + 1000)
    discovery.publish("http://127.0.0.1:2", "new", "data")
    found = discovery.find()
    assert found is not None
    assert found.token == "new"
