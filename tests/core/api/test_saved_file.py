"""Test `tracker.restore`, which fetches one saved file from the run's directory or the server."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import Any

import pytest

import tracker
from tests.removal import remove_run
from tests.waiting import eventually


@pytest.fixture(autouse=True)
def project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACKER_PROJECT", "restore")


def a_run(name: str = "ckpt/best.pt", content: bytes = b"weights", **arguments: Any) -> tracker.Run:
    with tracker.init(**arguments) as run:
        target = Path("made", name)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        run.save(target, base_path="made")
    return run


def test_a_file_of_a_run_on_the_server_is_fetched_by_the_runs_path(server: Any, tmp_path: Path) -> None:
    run = a_run()
    path = tracker.restore("ckpt/best.pt", run.path, root=tmp_path / "out")
    assert path == tmp_path / "out" / "ckpt" / "best.pt"
    assert path.read_bytes() == b"weights"
    assert tracker.restore("ckpt/best.pt", run.path) == Path("ckpt/best.pt").absolute()


def test_an_equal_file_is_left_alone_and_another_one_is_not_overwritten(server: Any) -> None:
    run = a_run("model.pt")
    path = tracker.restore("model.pt", run.path)
    before = path.stat().st_mtime_ns
    assert tracker.restore("model.pt", run.path) == path
    assert path.stat().st_mtime_ns == before
    path.write_bytes(b"of mine")
    with pytest.raises(FileExistsError, match="replace=True"):
        tracker.restore("model.pt", run.path)
    assert path.read_bytes() == b"of mine"
    assert tracker.restore("model.pt", run.path, replace=True).read_bytes() == b"weights"


def test_files_of_the_current_run_come_from_its_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACKER_MODE", "offline")
    monkeypatch.setenv("TRACKER_STATS_DISABLED", "true")
    with tracker.init() as run:
        Path("model.pt").write_bytes(b"weights")
        run.save("model.pt")
        eventually(lambda: tracker.read_run(run.dir).files())
        assert tracker.restore("model.pt", root="out").read_bytes() == b"weights"
        with pytest.raises(KeyError, match=r"no file 'last\.pt'; it has: model\.pt"):
            tracker.restore("last.pt")


def test_a_run_that_is_resumed_elsewhere_gets_its_files_from_the_server(server: Any) -> None:
    run = a_run("model.pt", id="resumed")
    remove_run(run.dir)
    shutil.rmtree("made")
    with tracker.init(id="resumed") as again:
        assert tracker.restore("model.pt").read_bytes() == b"weights"
        with pytest.raises(KeyError, match=r"no file 'last\.pt'"):
            tracker.restore("last.pt")
    assert again.path == run.path


def test_without_a_run_the_error_says_what_to_do() -> None:
    with pytest.raises(tracker.NoRun, match=r"tracker\.init"):
        tracker.restore("model.pt")


def test_a_large_file_is_restored_exactly(server: Any) -> None:
    content = bytes(range(256)) * 40_000  # more than a part of an upload
    run = a_run("large.bin", content)
    file = tracker.Api().run(run.path).file("large.bin")
    assert (file.size, file.digest) == (len(content), hashlib.sha256(content).hexdigest())
    assert tracker.restore("large.bin", run.path).read_bytes() == content
    assert [path.name for path in Path().iterdir() if path.name.endswith(".part")] == []
