"""Test requests to stop a run through the server, with real processes and agents."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import tracker
from tests.waiting import PATIENCE, eventually
from tracker.random_names import random_id
from tracker.runlog.directory import agent_alive
from tracker.runlog.reader import scan_stream
from tracker.settings import Settings

TRAIN = """
import hashlib, sys, time, tracker
run = tracker.init(id=sys.argv[1] or None, resume="allow")
run.log({"x": 1})
print("begun", flush=True)
"""
LOOPS = {
    "python": "while True: time.sleep(0.01)",
    "blocked in C": "hashlib.pbkdf2_hmac('sha256', b'', b'', 8_000_000)\nwhile True: time.sleep(0.01)",
    "catches": """
try:
    while True: time.sleep(0.01)
except KeyboardInterrupt as error:
    print("interrupted", flush=True)
    try:
        sys.stdin.read()  # a second interrupt would be an exception
    except KeyboardInterrupt:
        sys.exit("interrupted again")
    raise error
""",
}


@pytest.fixture(autouse=True)
def project(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACKER_PROJECT", "stopping")


Started = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def started() -> Iterator[Started]:
    """Start a training and wait until it has begun; kill it at the end if it still runs."""
    with contextlib.ExitStack() as stack:

        def started(loop: str, run_id: str, *before: str, **options: Any) -> subprocess.Popen[str]:
            command = [*before, sys.executable, "-c", TRAIN + LOOPS[loop], run_id]
            pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
            process = stack.enter_context(subprocess.Popen(command, **pipes, **options))
            stack.callback(process.kill)
            assert line_of(process) == "begun"
            return process

        yield started


def line_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def on_server(run_id: str) -> tracker.api.RemoteRun:
    def look() -> Any:
        try:
            found = tracker.Api().run(f"me/stopping/{run_id}")
        except tracker.ServerError:
            return None
        return found if found.info["rows"] else None

    return eventually(look)  # type: ignore[no-any-return]


def ended(process: subprocess.Popen[str]) -> int:
    process.communicate(timeout=PATIENCE)
    return process.returncode


@pytest.mark.parametrize("loop", ["python", "blocked in C"])
def test_a_run_that_is_asked_to_stop_is_interrupted_and_ends_as_killed(loop: str, started: Started) -> None:
    run_id = random_id()
    process = started(loop, run_id)
    run = on_server(run_id)
    assert (run.info["allow_stop"], run.info["stop_requested"]) == (True, None)
    run.stop()
    assert run.info["stop_requested"] is not None
    assert ended(process) == -signal.SIGINT
    eventually(lambda: run.reload() or run.state == "killed")
    assert run.info["error"] == "KeyboardInterrupt"
    with pytest.raises(tracker.TrackerError, match="is killed: there is nothing to stop"):
        run.stop()


def test_a_request_interrupts_once_and_never_a_process_that_came_later(
    started: Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRACKER_FINISH_TIMEOUT", "0")  # the agent continues with the later process
    run_id = random_id()
    process = started("catches", run_id)
    run = on_server(run_id)
    run.stop()
    assert line_of(process) == "interrupted"
    directory = Path(".tracker/runs", run_id)

    def passed_on() -> int:
        return sum(1 for path in directory.glob("system*") for _ in scan_stream(path, ("stopped",)))

    eventually(lambda: passed_on() == 1)
    later = started("catches", run_id)
    eventually(lambda: run.reload() or run.info["stop_requested"] is None)
    assert ended(process) == -signal.SIGINT
    on_server(run_id).stop()
    assert line_of(later) == "interrupted"
    assert ended(later) == -signal.SIGINT
    eventually(lambda: not agent_alive(str(directory)))  # it interrupts first, and notes it then
    assert passed_on() == 2


def test_a_process_that_ignores_interrupts_is_terminated_and_counts_as_killed(started: Started) -> None:
    run_id = random_id()
    process = started("python", run_id, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN))
    run = on_server(run_id)
    run.stop()
    assert ended(process) == -signal.SIGTERM
    eventually(lambda: run.reload() or run.state == "killed")


def test_a_program_under_the_run_command_is_stopped(started: Started) -> None:
    call = "from tracker.cli.run import run; run(prog_name='tracker run')"
    process = started("catches", "", sys.executable, "-c", call, "--")
    (directory,) = Path(".tracker/runs").iterdir()
    run = on_server(directory.name)
    run.stop()
    assert line_of(process) == "interrupted"
    assert ended(process) == 128 + signal.SIGINT
    eventually(lambda: run.reload() or run.state == "killed")


def test_a_run_that_does_not_allow_it_cannot_be_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACKER_ALLOW_STOP", "false")
    with tracker.init() as run:
        run.log({"x": 1})
        found = on_server(run.id)
        assert found.info["allow_stop"] is False
        with pytest.raises(tracker.TrackerError, match="was started without `allow_stop`"):
            found.stop()


@pytest.mark.parametrize(
    ("url", "allowed", "expected"),
    [
        (None, None, True),
        ("http://127.0.0.1:1", None, True),
        ("https://tracker.example.org", None, False),
        ("https://tracker.example.org", True, True),
        ("http://localhost:1", False, False),
    ],
)
def test_by_default_only_a_server_on_this_machine_may_stop_a_run(
    url: Any, allowed: Any, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TRACKER_BASE_URL")
    assert Settings({"base_url": url, "allow_stop": allowed}).stoppable is expected


def test_a_header_from_someone_else_stops_no_process(tmp_path: Path) -> None:
    from tracker.agent.journal import Journal
    from tracker.agent.saves import Saves
    from tracker.agent.stream_watcher import StreamWatcher
    from tracker.runlog.directory import process_start, this_process
    from tracker.runlog.records import encode

    victim = subprocess.Popen([sys.executable, "-c", "import time\nwhile True: time.sleep(0.01)"])
    try:
        about = {**this_process(), "pid": victim.pid, "pid_start": process_start(victim.pid)}
        for seal in (None, "0" * 64, 7):
            directory = tmp_path / str(seal)
            directory.mkdir()
            head = {"version": 1, "id": "x", "allow_stop": True, "seal": seal, **about, "process": {"cwd": "/"}}
            (directory / "history.jsonl").write_bytes(encode("run", head, 1.0))
            journal = Journal(directory)
            watch = StreamWatcher(directory, journal, Saves(directory, journal, "x", 1.0))
            watch.look()
            assert not watch.stoppable()
            watch.stop(2.0)
            watch.close()
        assert victim.poll() is None
    finally:
        victim.kill()
        victim.wait()
