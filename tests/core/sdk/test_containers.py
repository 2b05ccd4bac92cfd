"""Test runs in containers: the script is process 1 of a pid namespace, and all other processes end with it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import tracker
from tests.waiting import PATIENCE, eventually
from tracker.machine import containers
from tracker.random_names import random_id

TRAIN = """
import os, signal, sys, time, tracker
how = sys.argv[1]
run = tracker.init()
for i in range(100):
    run.log({"x": i})
with open("final.pt", "wb") as file:
    file.write(b"weights" * 300_000)
run.save("final.pt")
if how == "exit":
    sys.exit(3)
if how == "exception":
    raise ValueError("no data")
if how == "terminated":
    print("ready", flush=True)
    while True:
        time.sleep(0.01)
"""
ENDS = {"normal": (0, "finished"), "exit": (3, "failed"), "exception": (1, "failed"), "terminated": (143, "killed")}


@pytest.fixture(autouse=True)
def auto(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACKER_PROJECT", "containers")
    monkeypatch.setenv("TRACKER_MODE", "online")
    monkeypatch.setenv("TRACKER_FINISH_TIMEOUT", "auto")


@pytest.fixture
def container() -> list[str]:
    """Return the command that makes another one process 1."""
    command = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]
    if shutil.which("unshare") is None or subprocess.run([*command, "true"], capture_output=True).returncode:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("a pid namespace needs unshare and root")
    return command


def first_process(command: subprocess.Popen[str]) -> int:
    (pid,) = Path(f"/proc/{command.pid}/task/{command.pid}/children").read_text().split()
    return int(pid)


@pytest.mark.parametrize("how", ENDS)
def test_all_of_a_short_run_arrives_before_its_container_ends(
    how: str, server: Any, container: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRACKER_FINISH_TIMEOUT", "auto")
    run_id = random_id()
    command = [*container, sys.executable, "-c", TRAIN, how]
    environment = {**os.environ, "TRACKER_RUN_ID": run_id}
    with subprocess.Popen(command, env=environment, text=True, stdout=-1, stderr=-1) as process:
        if how == "terminated":
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            os.kill(first_process(process), signal.SIGTERM)  # as `docker stop` does
        _, stderr = process.communicate(timeout=PATIENCE)
    status, state = ENDS[how]
    assert process.returncode == status, stderr
    run = tracker.Api().run(f"me/containers/{run_id}")
    assert (run.state, run.info["rows"], [f.size for f in run.files() if f.name == "final.pt"]) == (
        state,
        100,
        [2_100_000],
    )
    assert "not all of it" not in stderr


def test_a_program_under_the_run_command_arrives_before_its_container_ends(
    server: Any, container: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRACKER_FINISH_TIMEOUT", "auto")
    run_id = random_id()
    Path("train.py").write_text(TRAIN)
    call = "from tracker.cli.run import run; run(prog_name='tracker run')"
    command = [*container, sys.executable, "-c", call, "--", sys.executable, "train.py", "exit"]
    done = subprocess.run(command, env={**os.environ, "TRACKER_RUN_ID": run_id}, timeout=PATIENCE)
    assert done.returncode == 3
    run = tracker.Api().run(f"me/containers/{run_id}")
    assert (run.state, run.info["rows"]) == ("failed", 100)
    assert "final.pt" in {file.name for file in run.files()}


def test_agents_that_become_children_of_process_1_are_collected(
    server: Any, container: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRACKER_FINISH_TIMEOUT", "auto")
    code = """
import os, sys, time, tracker
from pathlib import Path
from tracker.agent_protocol.status import read_status
def processes():
    return {int(p.name): (p / "stat").read_text().rpartition(")")[2].split()[0] for p in Path("/proc").glob("[0-9]*")}
tracker.init(id="one").finish()
agent = read_status(".tracker/runs/one").pid
while processes().get(agent, "Z") != "Z":  # it lingers a little
    time.sleep(0.05)
tracker.init(id="two").finish()
print(list(processes().values()).count("Z"))
try:
    print(os.waitpid(-1, os.WNOHANG))
except ChildProcessError:
    print("no child")
"""
    done = subprocess.run([*container, sys.executable, "-c", code], text=True, capture_output=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == "0"


@pytest.mark.parametrize("end", ["finish", "end of the script"])
def test_if_the_upload_does_not_advance_the_wait_is_short_and_the_last_line_says_what_to_do(
    end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "true")
    monkeypatch.setenv("TRACKER_DRAIN_TIMEOUT", str(PATIENCE))  # longer than anybody waits
    monkeypatch.setenv("TRACKER_BASE_URL", "http://127.0.0.1:9")  # the port of `discard`: nobody listens
    code = "import tracker\nrun = tracker.init(id='r')\nrun.log({'x': 1})\n" + "run.finish()\n" * (end == "finish")
    done = subprocess.run([sys.executable, "-c", code], text=True, capture_output=True, timeout=PATIENCE)
    assert done.returncode == 0
    lines = done.stderr.splitlines()
    assert any("finished, but not all of it is uploaded: no answer from http://127.0.0.1:9" in line for line in lines)
    assert lines[-1].endswith("complete it with: tracker sync .tracker/runs/r")


def test_finish_does_not_wait_where_the_agent_outlives_the_script(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(containers, "_FILES", {})
    monkeypatch.setattr(containers, "_in_namespace", lambda: False)
    for name in (*containers._VARIABLES, "CI", "SYSTEMD_EXEC_PID"):
        monkeypatch.delenv(name, raising=False)
    assert containers.wait_seconds("auto") == 0
    assert containers.wait_seconds(5.0) == 5
    monkeypatch.setenv("SLURM_JOB_ID", "17")
    assert (containers.reason(), containers.wait_seconds("auto"), containers.wait_seconds(0.0)) == ("Slurm", 60, 0)
    monkeypatch.delenv("SLURM_JOB_ID")
    monkeypatch.setenv("CI", "false")
    assert containers.reason() is None


def test_a_users_own_sigterm_handler_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    code = """
import os, signal, tracker
signal.signal(signal.SIGTERM, lambda *_: print("mine", flush=True))
with tracker.init(mode="offline"):
    os.kill(os.getpid(), signal.SIGTERM)
"""
    done = subprocess.run([sys.executable, "-c", code], text=True, capture_output=True, timeout=PATIENCE)
    assert (done.returncode, done.stdout) == (0, "mine\n")


def test_forked_children_end_at_sigterm_as_usual(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    code = """
import os, signal, time, tracker
run = tracker.init(mode="offline", id="r")
child = os.fork()
if not child:
    time.sleep(60)
    os._exit(0)
os.kill(child, signal.SIGTERM)
print(os.WTERMSIG(os.waitpid(child, 0)[1]))
"""
    done = subprocess.run([sys.executable, "-c", code], text=True, capture_output=True, timeout=PATIENCE)
    assert (done.returncode, done.stdout) == (0, f"{int(signal.SIGTERM)}\n")
    eventually(lambda: tracker.read_run(".tracker/runs/r").state == "finished")


@pytest.mark.slow  # it waits for 20 seconds
def test_a_sweep_without_a_reachable_server_waits_once_and_reports_it_at_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CI", "true")
    monkeypatch.setenv("TRACKER_DRAIN_TIMEOUT", str(PATIENCE))  # longer than anybody waits
    monkeypatch.setenv("TRACKER_BASE_URL", "http://127.0.0.1:9")
    code = "import tracker\nfor i in range(5):\n    tracker.init(id=f'r{i}').log({'x': 1})\n    tracker.finish()\n"
    done = subprocess.run([sys.executable, "-c", code], text=True, capture_output=True, timeout=PATIENCE)
    assert done.returncode == 0
    lines = done.stderr.splitlines()
    ends = [line for line in lines if "finished, but not all of it is uploaded" in line]
    assert len(ends) == 5
    assert "no answer" in ends[0]
    # Only the first run was waited for. The agent may have given the reason of the others by then, or not.
    assert all("no answer" in end or "the upload does not advance" in end for end in ends[1:])
    assert lines[-1].startswith("tracker: 5 runs are not completely uploaded: ")
    assert lines[-1].endswith("complete it with: tracker sync .tracker/runs")
