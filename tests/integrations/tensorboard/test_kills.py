"""Imports that are killed at any time and started again: nothing is duplicated or missing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("tensorboard", reason="the extra `tensorboard` is not installed")

from tests.integrations.tensorboard.events import NAME, bring, many, rows, runs, scalar, text, version, write
from tests.waiting import PATIENCE, eventually

ROOT = Path(__file__).parents[3]
SCRIPT = Path(__file__).with_name("dying.py")


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"}


def make() -> Path:
    """Create a directory with points, media and damage, with marks between them."""
    damaged = scalar("loss", 0, 0.5)[:-1] + b"?"
    content = [version(), many(0, 400), text("note", 1, "a"), damaged, many(400, 500), text("note", 2, "b" * 2_000_000)]
    write(Path("logs/a") / NAME, *content, many(500, 700), text("note", 3, "c"))
    write(Path("logs/b/tfevents.1"), version(), many(0, 10))
    write(Path("logs/b/tfevents.2"), version(), many(10, 100))
    return Path("logs")


def content_of(root: str) -> dict[str, Any]:
    """Return the content of all runs in a directory, without the times of the import."""
    return {
        name: (rows(run), run.state, run.info["rows"], run.info["lost"], run.info["corrupt"], run.config)
        for name, run in runs(root).items()
    }


def events(root: str) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in Path(root).rglob("history-*.jsonl")}


@pytest.mark.parametrize("part", [0, 500, 999, 1000])
def test_after_a_kill_at_any_write_nothing_is_duplicated_or_missing(part: int) -> None:
    command = [sys.executable, str(SCRIPT), str(make()), str(part)]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=4 * PATIENCE)
    assert done.returncode == 0, done.stderr
    killed = sorted(path.name for path in Path(".").glob("killed-*"))
    assert len(killed) >= 10
    whole = content_of("whole")
    for root in killed:
        assert content_of(root) == whole
        assert events(root) == events("whole")  # the streams have no trace of the kill


def test_after_a_kill_of_all_processes_at_any_time_the_same_command_continues() -> None:
    content = version() + many(0, 20_000)
    for i in range(4):
        write(Path(f"logs/{i}") / NAME, content)
    # In the first two rounds each worker waits after its first write of rows, so the kill always hits the import.
    # In the others the kill comes at any time, or too late.
    code = (
        "import multiprocessing, os, time\n"
        "real = os.write\n"
        "def write(fd, data):\n"
        "    done, parent = real(fd, data), multiprocessing.parent_process()\n"
        "    rows = '/history-' in os.readlink(f'/proc/self/fd/{fd}')\n"
        "    while rows and os.environ['HELD'] == '1' and os.getppid() == parent.pid:\n"
        "        time.sleep(0.05)\n"
        "    return done\n"
        "os.write = write\n"
        "from pathlib import Path; from tracker_tensorboard import importer, pool\n"
        "from tests.integrations.tensorboard.events import bring\n"
        "if __name__ == '__main__':\n"
        "    importer._MIN_PARALLEL_SIZE, importer.process_count = 0, lambda _: 2\n"
        "    bring(Path('logs'), 'killed')\n"
    )
    Path("import.py").write_text(code)
    command = [sys.executable, "import.py"]
    rounds = 0
    while True:
        before = written()
        held = {"HELD": str(int(rounds < 2))}
        with subprocess.Popen(command, env=environment() | held, start_new_session=True) as process:
            eventually(lambda p=process, b=before: written() > b or p.poll() is not None)  # type: ignore[misc]
            if process.poll() is not None:
                break
            # Half of the time only the main process is killed: its workers must end, too.
            os.kill(process.pid, signal.SIGKILL) if rounds % 2 else os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            rounds += 1
    assert process.returncode == 0
    assert rounds >= 2
    bring(Path("logs"), "whole")
    assert content_of("killed") == content_of("whole")


def written() -> int:
    return sum(path.stat().st_size for path in Path("killed").rglob("history-*.jsonl"))
