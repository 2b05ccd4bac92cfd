"""Test the one agent that serves all runs of a user on a machine."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

import tracker
from tests.faults.harness import TOKEN, data_directory
from tests.ports import free_port
from tests.waiting import eventually
from tracker.agent_protocol import handover
from tracker.agent_protocol.status import read_status
from tracker.runlog.directory import agent_alive

TRIALS = """
import sys, tracker
for i in range(int(sys.argv[1])):
    with tracker.init(id=f"t{i}", config={"trial": i}) as run:
        run.log({"x": i})
"""
MOST_MEMORY = 150 * 2**20


@pytest.fixture(autouse=True)
def project(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("fastapi", reason="the extra `server` is not installed")
    monkeypatch.setenv("TRACKER_PROJECT", "sharing")
    monkeypatch.setenv("TRACKER_STATS_DISABLED", "true")
    monkeypatch.setenv("TRACKER_FINISH_TIMEOUT", "0")
    monkeypatch.setenv("TRACKER_DRAIN_TIMEOUT", "120")


def directories() -> list[Path]:
    return sorted(Path(".tracker/runs").absolute().iterdir())


def agents() -> set[int]:
    """Return the processes that serve the runs here, or served them last."""
    found = [read_status(str(directory)) for directory in directories()]
    return {status.pid for status in found if status is not None}


def runs_with_message(text: str) -> int:
    """Return how many runs have a message with this text."""
    return sum(text in (directory / "agent.log").read_text() for directory in directories())


def states(run_ids: list[str], project: str = "sharing") -> list[str]:
    found = {run.id: run.state for run in tracker.Api().runs(f"me/{project}")}
    return [found.get(run_id, "absent") for run_id in run_ids]


def test_many_short_runs_of_one_process_are_served_by_one_agent(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACKER_PROJECT", "trials")
    monkeypatch.setenv("TRACKER_FINISH_TIMEOUT", "0")
    subprocess.run([sys.executable, "-c", TRIALS, "200"], check=True)
    ids = [f"t{i}" for i in range(200)]
    eventually(lambda: states(ids, "trials") == ["finished"] * 200, 120)
    assert len(agents()) <= 4


def test_ended_runs_wait_for_an_unreachable_server_in_one_small_agent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    monkeypatch.setenv("TRACKER_BASE_URL", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("TRACKER_API_KEY", TOKEN)
    monkeypatch.setenv("TRACKER_MODE", "online")
    subprocess.run([sys.executable, "-c", TRIALS, "100"], check=True)
    eventually(lambda: all(read_status(str(directory)) for directory in directories()), 120)
    eventually(lambda: runs_with_message("Network error") >= 1)
    (agent,) = agents()
    assert psutil.Process(agent).memory_info().rss <= MOST_MEMORY
    assert all(agent_alive(str(directory)) for directory in directories())
    from tracker_server.embedded import serve

    with serve(data_directory(tmp_path), port=port):
        ids = [f"t{i}" for i in range(100)]
        eventually(lambda: states(ids) == ["finished"] * 100, 120)
        eventually(lambda: not any(agent_alive(str(directory)) for directory in directories()))
    assert agents() == {agent}


def test_an_agent_with_a_fast_run_uses_little_memory(server: Any) -> None:
    run = tracker.init()
    for i in range(300_000):
        run.log({"loss": i * 0.1, "accuracy": i / 3, "lr": 1e-3, "i": i})
    eventually(lambda: tracker.Api().run(run.path).info["rows"] == 300_000)
    (agent,) = agents()
    peak = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{agent}/status").read_text())
    assert peak is not None
    assert int(peak[1]) <= 60 * 1024
    run.finish()


def test_runs_that_share_an_agent_keep_their_own_server_key_and_project(server: Any, tmp_path: Path) -> None:
    from tracker_server.embedded import serve

    with serve(data_directory(tmp_path)) as other:
        keys = {server.url: server.token, other.url: other.token}
        runs: list[tuple[str, tracker.Run]] = []
        for url in (server.url, other.url, server.url, other.url):
            settings = {"base_url": url, "api_key": keys[url]}
            run = tracker.init(project=f"p{len(runs)}", settings=settings, reinit="create_new")
            run.log({"x": len(runs)})
            runs.append((url, run))
        for _, run in runs:
            run.finish()
        assert len(agents()) == 1
        for number, (url, run) in enumerate(runs):
            for address, key in keys.items():
                api = tracker.Api(address, key)
                found = [one.id for one in api.runs(f"me/p{number}")]
                assert found == ([run.id] if address == url else [])


def test_a_directory_that_cannot_be_served_does_not_stop_the_others(server: Any) -> None:
    good = tracker.init(id="good", reinit="create_new")
    eventually(lambda: agent_alive(good.dir))
    folder = handover.folder()
    for name, content in (("empty", b""), ("foreign", b"\0" * 5000), ("gone", None)):
        directory = Path("other") / name
        if content is not None:
            directory.mkdir(parents=True)
            (directory / "history-a.jsonl").write_bytes(content)
        handover.put(folder, str(directory.absolute()), {"mode": "online", "upload_interval": "nonsense"})
        handover.put(folder, str((directory / "..").absolute()), {})
    (folder / "queue" / "damaged").write_text("{")
    good.log({"x": 1})
    good.finish()
    eventually(lambda: states(["good"]) == ["finished"])
    eventually(lambda: not handover.waiting(folder))


def test_a_run_that_continues_while_its_upload_waits_is_served_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    monkeypatch.setenv("TRACKER_BASE_URL", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("TRACKER_API_KEY", TOKEN)
    tracker.init(id="r").finish()
    eventually(lambda: runs_with_message("Network error") == 1)
    run = tracker.init(id="r", resume="allow")
    run.save("late.txt", policy="live")
    Path("late.txt").write_text("kept")
    eventually(lambda: len(list(Path(run.dir, "files").iterdir())) == 1)  # the work of an agent
    run.finish()
    from tracker_server.embedded import serve

    with serve(data_directory(tmp_path), port=port):
        eventually(lambda: states(["r"]) == ["finished"], 120)
        eventually(lambda: [file.name for file in tracker.Api().run("me/sharing/r").files()] == ["late.txt"])


def test_only_the_user_can_read_the_agents_folder(server: Any) -> None:
    tracker.init().finish()
    folder = handover.folder()
    lock = eventually(lambda: handover.lock(folder))  # else the agent may take what is put there
    handover.put(folder, "/nowhere", {"api_key": "secret"})
    for path in (folder, folder / "queue", folder / "taken"):
        assert path.stat().st_mode & 0o777 == 0o700
    assert [path.stat().st_mode & 0o777 for path in (folder / "queue").iterdir()] == [0o600]
    os.close(lock)
    folder.parent.chmod(0o777)
    other = handover.folder()  # another user could have put files there
    assert other != folder
    assert not str(other).startswith(str(folder.parent))


def test_without_a_folder_each_run_has_its_own_agent(
    server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "file"))
    with pytest.raises(OSError, match="file"):
        handover.folder()
    runs = [tracker.init(id=f"r{i}", reinit="create_new") for i in range(2)]
    for run in runs:
        run.log({"x": 1})
        run.finish()
    assert states(["r0", "r1"]) == ["finished"] * 2
    assert len(agents()) == 2
    assert os.getpid() not in agents()
