from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from tracker.runlog import safe_open
from tracker.runlog.directory import agent_alive, lock_directory, lock_path, store
from tracker.runlog.reader import stream_paths
from tracker.runlog.safe_open import Unsafe


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "home-of-user" / "id"
    path.parent.mkdir()
    path.write_text("secret")
    return path


def test_a_regular_file_is_opened_below_folders(tmp_path: Path) -> None:
    safe_open.write_new(tmp_path, "a/b/c", b"content")
    with open(safe_open.open_file(tmp_path, "a/b/c"), "rb") as file:
        assert file.read() == b"content"
    assert safe_open.size_of(tmp_path, "a/b/c") == 7
    assert safe_open.names_in(tmp_path, "a") == ["b"]
    safe_open.remove(tmp_path, "a/b/c")
    assert not safe_open.is_regular(tmp_path, "a/b/c")


@pytest.mark.parametrize("name", ["link", "folder/id", "pipe", "socket", "device", "../x", "/etc/passwd", "a//b", "."])
def test_links_pipes_and_folders_are_not_opened(name: str, tmp_path: Path, secret: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (run / "link").symlink_to(secret)
    (run / "folder").symlink_to(secret.parent)
    os.mkfifo(run / "pipe")
    (run / "device").symlink_to("/dev/zero")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(run / "socket"))
        for flags in (os.O_RDONLY, os.O_RDWR | os.O_CREAT, os.O_WRONLY | os.O_CREAT | os.O_TRUNC):
            with pytest.raises(Unsafe):
                safe_open.open_file(run, name, flags, make=True)
    assert not safe_open.is_regular(run, name)
    assert secret.read_text() == "secret"


def test_targets_of_links_are_not_removed_listed_or_written(tmp_path: Path, secret: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (run / "files").symlink_to(secret.parent)
    safe_open.remove(run, "files/id")
    assert safe_open.names_in(run, "files") == []
    with pytest.raises(Unsafe):
        store(str(run), b"media")
    assert os.listdir(secret.parent) == ["id"]
    (tmp_path / ".gitignore").symlink_to(tmp_path / "made")
    safe_open.ignore(tmp_path, "x")
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("hard", [False, True])
def test_a_lock_that_is_a_link_truncates_nothing(hard: bool, tmp_path: Path, secret: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    if hard:
        os.link(secret, lock_path(str(run)))
    else:
        Path(lock_path(str(run))).symlink_to(secret)
    with pytest.raises(Unsafe):
        lock_directory(str(run))
    assert not agent_alive(str(run))
    assert secret.read_text() == "secret"


def test_streams_are_regular_files(tmp_path: Path, secret: Path) -> None:
    (tmp_path / "history-a.jsonl").write_bytes(b"")
    (tmp_path / "history-b.jsonl").symlink_to(secret)
    os.mkfifo(tmp_path / "history-c.jsonl")
    with (tmp_path / "history-d.jsonl").open("wb") as file:
        file.truncate(1 << 42)
    (tmp_path / "history-e.jsonl").mkdir()
    assert [path.name for path in stream_paths(tmp_path)] == ["history-a.jsonl"]
