"""Row 6: the disk is full, a file has reached its size limit, or a quota is used up."""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.harness import Training, assert_delivered, require, sync_directory, uploaded, values
from tests.faults.training import row
from tests.waiting import eventually
from tracker.runlog.directory import agent_alive
from tracker_server.embedded import Embedded

TROUBLE = "the disk does not take the run log"
PAD = 20_000


def test_rows_refused_by_a_full_disk_are_written_when_there_is_space_again(
    small_disk: Path, server: Embedded, train: Callable[..., Training]
) -> None:
    training = train("--pause", 0.001, directory=small_disk)
    training.reach(50)
    eventually(lambda: agent_alive(str(training.directory)))
    with _filled(small_disk):
        eventually(lambda: TROUBLE in training.stderr)
        training.reach(training.board.returned + 500)
    training.reach(training.board.returned + 50)
    assert training.stop() == 0
    assert training.stderr.count(TROUBLE) == 1
    assert training.board.dropped == 0
    run = uploaded(training, "finished")
    assert_delivered(run, training.board.returned)
    assert run.info["corrupt"] <= 1  # the line that took the last bytes of the disk


def test_a_run_started_on_a_full_disk_is_complete_when_there_is_space_again(
    small_disk: Path, server: Embedded, train: Callable[..., Training]
) -> None:
    with _filled(small_disk):
        training = train("--pause", 0.001, directory=small_disk)
        training.reach(200)
        assert TROUBLE in training.stderr
    training.reach(training.board.returned + 50)
    assert training.stop() == 0
    assert training.board.dropped == 0
    # Its agent found no run to serve and left; a run of more than five seconds starts another one.
    sync_directory(training.directory)
    assert_delivered(uploaded(training, "finished"), training.board.returned)


def test_rows_beyond_the_memory_limit_while_a_file_cannot_grow_are_counted_on_the_server(
    server: Embedded, train: Callable[..., Training]
) -> None:
    training = train("--pad", PAD, "--pause", 0.001)
    training.reach(50)
    _limit_files(training, size=sum(p.stat().st_size for p in training.directory.glob("history*")))
    eventually(lambda: TROUBLE in training.stderr)
    training.reach(training.board.returned + 500)  # 10 MB, of which the process keeps 4 MiB
    _limit_files(training, size=resource.RLIM_INFINITY)
    training.reach(training.board.returned + 50)
    assert training.stop() == 0
    run = uploaded(training, "finished")
    rows = values(run)
    found = [r["i"] for r in rows]
    lost = training.board.returned - len(found)
    assert lost > 250
    assert run.info["lost"] == training.board.dropped == lost
    assert f"{lost} records were lost because the disk did not take them" in training.stderr
    gap = next(n for n, i in enumerate(found) if n != i)
    assert found == [*range(gap), *range(gap + lost, training.board.returned)]
    assert rows == [row(i, PAD) for i in found]


def test_if_a_file_can_never_grow_training_continues_and_the_user_gets_the_number_of_lost_records(
    server: Embedded, train: Callable[..., Training]
) -> None:
    training = train("--pause", 0.001)
    training.reach(50)
    _limit_files(training, size=10_000)
    eventually(lambda: TROUBLE in training.stderr)
    training.reach(training.board.returned + 100)
    assert training.stop() == 0
    run = uploaded(training, "finished")  # from its exit status, since its `finish` record is lost
    found = values(run)
    assert found == [row(n) for n in range(len(found))]
    assert len(found) + training.board.dropped == training.board.returned + 1
    assert f"{training.board.dropped} records were lost" in training.stderr


@pytest.mark.parametrize("error", ["ENOSPC", "EDQUOT", "EIO"])
def test_occasional_failed_writes_lose_nothing(
    server: Embedded, train: Callable[..., Training], tmp_path: Path, error: str
) -> None:
    require(shutil.which("strace") is not None, "strace injects the error")
    when = "20..60+3"  # every third write of the 20th to the 60th
    strace = [
        "strace",
        "-o",
        str(tmp_path / "trace"),
        "-e",
        "trace=write",
        "-e",
        f"inject=write:error={error}:when={when}",
    ]
    training = train("--rows", 200, prefix=strace)
    assert training.process.wait() == 0
    assert "(INJECTED)" in (tmp_path / "trace").read_text()
    assert training.board.dropped == 0
    run = uploaded(training, "finished")
    assert_delivered(run, 200)
    assert run.info["corrupt"] == 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 MiB."""
    require(os.geteuid() == 0, "mounting a file system needs root")
    mount = tmp_path / "disk"
    mount.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", mount], check=True)
    yield mount
    subprocess.run(["umount", "--lazy", mount], check=True)  # lazy: an agent may still be ending


@contextlib.contextmanager
def _filled(disk: Path) -> Iterator[None]:
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (65536, 1):
            with contextlib.suppress(OSError):
                while True:
                    file.write(b"x" * size)
    yield
    ballast.unlink()


def _limit_files(training: Training, size: int) -> None:
    """Set `ulimit -f` in the running process. An agent that it starts later would inherit the limit."""
    eventually(lambda: agent_alive(str(training.directory)))
    resource.prlimit(training.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
