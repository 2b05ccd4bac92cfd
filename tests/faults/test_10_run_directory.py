"""Row 10: the run directory is read-only, or is deleted during the run."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.harness import (
    Training,
    agents,
    assert_delivered,
    has_left,
    on_server,
    require,
    sync_directory,
    uploaded,
    values,
)
from tests.faults.training import row
from tests.removal import remove_run
from tests.waiting import PATIENCE, eventually
from tracker.runlog.directory import agent_alive, lock_path
from tracker.sdk.agent_supervisor import CHECK_EVERY
from tracker_server.embedded import Embedded

DELETED = "was deleted while the run was going on"

# Root may write in read-only directories, unless it gives up that right.
OBEDIENT = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-dac_override,-dac_read_search"]


@pytest.fixture
def obedient() -> list[str]:
    """Return a command that runs another one without root's right to ignore file permissions."""
    if os.geteuid() != 0:
        return []
    require(shutil.which("setpriv") is not None, "setpriv makes root obey the rights of files")
    return OBEDIENT


def test_if_the_run_directory_cannot_be_created_training_continues_with_a_warning(
    tmp_path: Path, server: Embedded, train: Callable[..., Training], obedient: list[str]
) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o555)
    training = train("--rows", 100, directory=locked, prefix=obedient)
    assert training.process.wait() == 0
    assert training.board.returned == 100
    assert training.board.dropped >= 100
    assert training.stderr.count("nothing of this run will be kept") == 1
    assert on_server(training.path) is None


def test_a_run_whose_directory_becomes_read_only_is_still_uploaded(
    server: Embedded, train: Callable[..., Training], obedient: list[str]
) -> None:
    training = train("--pause", 0.001, prefix=obedient)
    training.reach(50)
    eventually(lambda: agent_alive(str(training.directory)))
    training.directory.chmod(0o555)
    training.reach(training.board.returned + 200)
    assert training.stop() == 0
    assert training.board.dropped == 0
    assert_delivered(uploaded(training, "finished"), training.board.returned)


def test_a_training_killed_in_a_read_only_directory_is_uploaded_and_crashed_once_it_is_writable(
    server: Embedded, train: Callable[..., Training], obedient: list[str]
) -> None:
    training = train("--pause", 0.001, prefix=obedient)
    training.reach(50)
    eventually(lambda: agent_alive(str(training.directory)))
    training.directory.chmod(0o555)
    training.reach(training.board.returned + 200)
    training.kill()
    # If the agent had opened its own stream before, it can still record the end.
    assert_delivered(uploaded(training, "running", "crashed"), training.board.returned, more=1)
    training.directory.chmod(0o755)
    sync_directory(training.directory)
    assert_delivered(uploaded(training, "crashed"), training.board.returned, more=1)


def test_a_directory_on_a_read_only_file_system_can_be_synced(
    tmp_path: Path, server: Embedded, train: Callable[..., Training]
) -> None:
    require(os.geteuid() == 0, "mounting a file system needs root")
    training = train("--rows", 100, environment={"TRACKER_MODE": "offline"})
    assert training.process.wait() == 0
    eventually(lambda: has_left(training.directory), PATIENCE)
    os.unlink(lock_path(str(training.directory)))
    mount = tmp_path / "archive"
    mount.mkdir()
    subprocess.run(["mount", "--bind", training.directory, mount], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", mount], check=True)
        assert not sync_directory(mount).refused
    finally:
        subprocess.run(["umount", mount], check=True)
    assert_delivered(uploaded(training, "finished"), 100)


def test_if_the_run_directory_is_deleted_training_continues_with_one_warning(
    server: Embedded, train: Callable[..., Training]
) -> None:
    training = train("--pause", 0.001)
    training.reach(50)
    eventually(lambda: on_server(training.path))
    remove_run(training.directory)
    eventually(lambda: DELETED in training.stderr, CHECK_EVERY / 1e6 + PATIENCE)
    training.reach(training.board.returned + 100)
    assert training.stop() == 0
    assert training.stderr.count(DELETED) == 1
    assert training.board.dropped >= 100
    eventually(lambda: not agents(training.directory), PATIENCE)
    run = on_server(training.path)
    assert run is not None
    found = values(run)
    assert found == [row(n) for n in range(len(found))]


def test_a_run_directory_deleted_shortly_before_the_end_is_reported_at_the_end(
    server: Embedded, train: Callable[..., Training]
) -> None:
    training = train("--pause", 0.001)
    training.reach(50)
    remove_run(training.directory)
    assert training.stop() == 0
    assert training.stderr.count(DELETED) == 1
