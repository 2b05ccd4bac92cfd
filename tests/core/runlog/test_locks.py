"""Test locks on file systems without locks: the kernel answers `flock` with an error, through a preloaded library
or strace; here the call is replaced, and the rest is real.
"""

from __future__ import annotations

import errno
import fcntl
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tracker.runlog.directory import agent_alive, lock_directory, lock_stream, unlock_directory
from tracker.runlog.locks import is_taken


@pytest.fixture(params=[errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL])
def lustre(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Make a directory in which no file can be locked."""
    where = tmp_path / "lustre"
    where.mkdir()
    real = fcntl.flock

    def flock(fd: int, how: int) -> None:
        if os.readlink(f"/proc/self/fd/{fd}").startswith(str(where)):
            raise OSError(request.param, os.strerror(request.param))
        real(fd, how)

    monkeypatch.setattr(fcntl, "flock", flock)
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    return where


def test_a_file_system_without_locks_has_one_agent_per_directory(lustre: Path) -> None:
    directory = str(lustre)
    first = lock_directory(directory)
    assert first is not None
    assert (lock_directory(directory), agent_alive(directory)) == (None, True)
    unlock_directory(first)
    assert not agent_alive(directory)
    second = lock_directory(directory)
    assert second is not None
    unlock_directory(second)


def test_a_stream_is_locked_until_its_writer_releases_it(lustre: Path) -> None:
    path = lustre / "console-x.jsonl"
    path.touch()
    lock = lock_stream(str(path))
    assert lock is not None
    with path.open("rb") as file:
        assert is_taken(file.fileno())
        os.close(lock)
        assert not is_taken(file.fileno())


def test_agents_continue_where_nothing_can_be_locked(lustre: Path, tmp_path: Path) -> None:
    (tmp_path / "tmp").rmdir()
    (tmp_path / "tmp").write_text("no directory")
    lock = lock_directory(str(lustre))
    assert lock is not None
    assert not agent_alive(str(lustre))
    unlock_directory(lock)


def test_a_folder_of_locks_that_others_can_write_to_is_not_used(lustre: Path, tmp_path: Path) -> None:
    folder = tmp_path / "tmp" / f"tracker-locks-{os.geteuid()}"
    folder.mkdir()
    folder.chmod(0o777)
    lock = lock_directory(str(lustre))
    assert lock is not None
    assert list(folder.iterdir()) == []
    unlock_directory(lock)


_PRELOADED = """
#include <errno.h>
int flock(int fd, int how) { errno = ENOLCK; return -1; }
"""


def test_a_run_without_locks_arrives_with_its_saved_files(server: Any, tmp_path: Path) -> None:
    library = tmp_path / "no-locks.so"
    built = subprocess.run(
        ["cc", "-shared", "-fPIC", "-o", str(library), "-x", "c", "-"], input=_PRELOADED.encode(), check=False
    )
    if built.returncode:
        pytest.skip("there is no C compiler")
    script = """
import tracker
run = tracker.init(id="lockless", project="agents")
open("m.txt", "w").write("model")
run.save("m.txt", policy="end")
run.log({"x": 1})
run.finish()
"""
    environment = {**os.environ, "LD_PRELOAD": str(library)}
    done = subprocess.run([sys.executable, "-c", script], env=environment, check=False)
    assert done.returncode == 0
    import tracker
    from tests.waiting import eventually

    def arrived() -> bool:
        try:
            run = tracker.Api().run("me/agents/lockless")
        except tracker.ServerError:
            return False
        return run.info["rows"] == 1 and [file.name for file in run.files()] == ["m.txt"]

    eventually(arrived)


def test_asking_whether_an_agent_is_alive_never_keeps_one_from_a_directory(tmp_path: Path) -> None:
    directory = str(tmp_path)
    code = "import sys\nfrom tracker.runlog.directory import agent_alive\nwhile True: agent_alive(sys.argv[1])"
    askers = [subprocess.Popen([sys.executable, "-c", code, directory]) for _ in range(3)]
    try:
        for _ in range(1000):
            lock = lock_directory(directory)
            assert lock is not None
            unlock_directory(lock)
    finally:
        for asker in askers:
            asker.kill()
            asker.wait()
