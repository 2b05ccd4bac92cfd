"""Row 23: the server's disk is full."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.harness import TOKEN, Training, assert_delivered, require, uploaded
from tests.faults.proxy import proxy
from tests.waiting import PATIENCE, eventually
from tracker.agent_protocol.status import read_status
from tracker_server.embedded import serve

PAD = 2000


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 MiB for the server."""
    require(os.geteuid() == 0, "mounting a file system needs root")
    mount = tmp_path / "disk"
    mount.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", mount], check=True)
    try:
        yield mount
    finally:
        subprocess.run(["umount", "--lazy", mount], check=True)


def _fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        size = 1 << 20
        while size:
            try:
                file.write(b"\0" * size)
            except OSError:
                size //= 2


def test_a_full_server_refuses_uploads_keeps_its_data_and_continues_when_there_is_space(
    small_disk: Path, train: Callable[..., Training], monkeypatch: pytest.MonkeyPatch
) -> None:
    data = small_disk / "data"
    data.mkdir(mode=0o700)
    (data / "token").write_text(TOKEN)
    with serve(data) as server, proxy(server.url) as network:
        network.rewrite = (b"retry-after: 30", b"retry-after: 01")  # so that the test does not wait for 30 seconds
        monkeypatch.setenv("TRACKER_BASE_URL", server.url)
        monkeypatch.setenv("TRACKER_API_KEY", TOKEN)
        settings = {"TRACKER_BASE_URL": network.url, "TRACKER_DRAIN_TIMEOUT": "120"}
        training = train("--pause", 0.0005, "--pad", PAD, environment=settings)
        training.reach(200)
        eventually(lambda: any("/history" in seen.line for seen in network.seen), PATIENCE)
        filler = small_disk / "filler"
        _fill(filler)
        trouble = eventually(lambda: (status := read_status(str(training.directory))) and status.trouble, PATIENCE)
        assert "507" in trouble
        training.reach(training.board.returned + 500)
        filler.unlink()
        assert training.stop() == 0
        assert training.board.dropped == 0
        assert_delivered(uploaded(training, "finished"), training.board.returned, pad=PAD)
    (database,) = data.glob("*.db")
    with contextlib.closing(sqlite3.connect(database)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
