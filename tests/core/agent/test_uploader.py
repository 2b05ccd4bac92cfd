"""Test uploads by agents and `sync` to a real server. tests/faults has the faults that they must survive."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import tracker
from tests.waiting import eventually
from tracker.agent import uploader
from tracker.agent.backoff import Backoff
from tracker.agent.sync import sync, total_size
from tracker.client import Retry, connect
from tracker.random_names import random_id
from tracker.runlog.directory import agent_alive, agent_came, lock_directory, lock_path, unlock_directory
from tracker.runlog.records import encode
from tracker.settings import Settings


@pytest.fixture(autouse=True)
def project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACKER_PROJECT", "agents")


def steps(path: str) -> list[int]:
    return [row["_step"] for row in tracker.Api().run(path).scan_history()]


def on_server(path: str) -> Any:
    try:
        return tracker.Api().run(path)
    except tracker.ServerError:
        return None


def offline(rows: int, **arguments: Any) -> tracker.Run:
    with tracker.init(mode="offline", settings={"finish_timeout": 0}, **arguments) as run:
        for i in range(rows):
            run.log({"x": i})
    left_alone(run)
    return run


def left_alone(run: tracker.Run) -> None:
    """Wait until the run's agent has come and gone."""
    eventually(lambda: agent_came(run.dir, 0.0) and not agent_alive(run.dir))


def do_sync(directory: str, progress: Any = lambda _: None) -> Any:
    return sync(Path(directory), connect(Settings()), Settings(), progress)


# -- agents ---------------------------------------------------------------------------------------------------------


def test_a_run_is_on_the_server_when_finish_has_waited_for_it(server: Any) -> None:
    with tracker.init() as run:
        for i in range(100):
            run.log({"x": i})
    found = tracker.Api().run(run.path)
    assert (found.state, found.info["rows"]) == ("finished", 100)


def test_rows_arrive_while_the_run_goes_on(server: Any) -> None:
    with tracker.init() as run:
        run.log({"x": 1})
        eventually(lambda: (found := on_server(run.path)) and found.info["rows"] == 1)
        assert on_server(run.path).state == "running"
        run.log({"x": 2})
        eventually(lambda: on_server(run.path).info["rows"] == 2)


def test_a_killed_process_has_crashed_on_the_server_with_all_its_rows(server: Any) -> None:
    run_id = random_id()
    code = f"""
import os, tracker
run = tracker.init(id={run_id!r})
for i in range(500):
    run.log({{"x": i}})
os.kill(os.getpid(), 9)
"""
    done = subprocess.run([sys.executable, "-c", code])
    assert done.returncode == -signal.SIGKILL
    path = f"me/agents/{run_id}"
    # The end is in another stream, which may arrive before the last rows.
    eventually(lambda: (found := on_server(path)) and (found.state, found.info["rows"]) == ("crashed", 500))
    assert steps(path) == list(range(500))


def test_system_metrics_arrive(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRACKER_STATS_DISABLED")
    settings = {"stats_sample_interval": 0.1, "stats_average_over": 0.2, "stats_sources": ["cpu", "memory"]}
    with tracker.init(settings=settings) as run:
        eventually(lambda: (found := on_server(run.path)) and found.keys("system"))
    assert run.path
    keys = tracker.Api().run(run.path).keys("system")
    assert all(key.split("/")[0] in ("cpu", "memory") or "cpu" in key or "memory" in key for key in keys), keys


def test_a_run_without_a_server_arrives_when_one_is_found(
    server: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from tracker.discovery import publish

    monkeypatch.delenv("TRACKER_BASE_URL")
    monkeypatch.delenv("TRACKER_API_KEY")
    with tracker.init() as run:
        run.log({"x": 1})
        publish(server.url, server.token, tmp_path)
        eventually(lambda: on_server(run.path))


# -- sync -----------------------------------------------------------------------------------------------------------


def test_sync_uploads_an_offline_run_and_repeats_nothing(server: Any) -> None:
    run = offline(100)
    reached: list[int] = []
    done = do_sync(run.dir, reached.append)
    assert (done.run, done.absent, done.refused) == (run.path, [], {})
    assert done.size == total_size(Path(run.dir)) == reached[-1]
    assert steps(run.path) == list(range(100))
    again: list[int] = []
    assert do_sync(run.dir, again.append).size == done.size
    assert again == []
    assert steps(run.path) == list(range(100))


def test_sync_in_batches_of_any_size_uploads_every_row_once(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for size in (1, 100, 1000):
        monkeypatch.setattr(uploader, "BATCH", size)
        run = offline(30)
        do_sync(run.dir)
        assert steps(run.path) == list(range(30))


def test_sync_uploads_saved_files_and_media_even_empty_ones(server: Any) -> None:
    with tracker.init(mode="offline", settings={"finish_timeout": 0}) as run:
        for name, content in (("full", b"content"), ("empty", b"")):
            Path(name).write_bytes(content)
            run.save(name)
        run.log({"page": tracker.Html("<p>hi")})
    left_alone(run)
    assert do_sync(run.dir).absent == []
    found = tracker.Api().run(run.path)
    assert {f.name: f.download("back").read_bytes() for f in found.files()} == {"full": b"content", "empty": b""}


def test_sync_names_missing_files(server: Any) -> None:
    with tracker.init(mode="offline", settings={"finish_timeout": 0}) as run:
        run.log({"page": tracker.Html("<p>of this run alone")})
    left_alone(run)
    for file in Path(run.dir, "files").iterdir():
        file.unlink()
    (absent,) = do_sync(run.dir).absent
    assert len(absent) == 64


def test_sync_does_what_the_agent_of_a_vanished_process_would_have_done(server: Any, tmp_path: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    directory = tmp_path / "vanished"
    (directory / "files").mkdir(parents=True)
    (directory / "files" / "save-1").write_bytes(b"content")
    name = random_id()
    head = {
        "version": 1,
        "id": name,
        "entity": "me",
        "project": "agents",
        "host": os.uname().nodename,
        "pid": child.pid,
        "pid_start": 1,
    }
    lines = [
        encode("run", head, 1.0),
        encode("log", {"x": 1}, 2.0, 0),
        encode("save", {"name": "model.pt", "path": "files/save-1"}, 3.0),
        encode("save", {"name": "evil", "path": "../../etc/passwd"}, 3.0),
    ]
    (directory / "history.jsonl").write_bytes(b"".join(lines) + b'{"c":"torn')
    done = do_sync(str(directory))
    found = tracker.Api().run(done.run)
    assert (found.state, found.info["rows"], [f.name for f in found.files()]) == ("crashed", 1, ["model.pt"])


def test_sync_follows_no_link_out_of_a_directory_that_came_from_someone_else(server: Any, tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "key").write_text("secret")
    for name, links in (("file", ["files/key"]), ("folder", ["files"])):
        directory = tmp_path / name
        directory.mkdir()
        for link in links:
            (directory / link).parent.mkdir(exist_ok=True)
            (directory / link).symlink_to(tmp_path / "secrets" / link.removeprefix("files").strip("/"))
        head = {"version": 1, "id": random_id(), "entity": "me", "project": "agents"}
        lines = [encode("run", head, 1.0), encode("save", {"name": "key", "path": "files/key"}, 2.0)]
        (directory / "history.jsonl").write_bytes(b"".join(lines))
        found = tracker.Api().run(do_sync(str(directory)).run)
        assert (found.files(), found.info["lost"]) == ([], 1)


def test_sync_leaves_an_agents_work_to_a_running_agent(server: Any) -> None:
    run = offline(3)
    before = sorted(os.listdir(run.dir))
    lock = lock_directory(run.dir)
    assert lock is not None
    try:
        assert lock_directory(run.dir) is None
        do_sync(run.dir)
    finally:
        unlock_directory(lock)
    assert sorted(os.listdir(run.dir)) == before
    assert steps(run.path) == [0, 1, 2]


def test_a_run_synced_from_two_copies_is_on_the_server_once(server: Any, tmp_path: Path) -> None:
    import shutil

    run = offline(50)
    shutil.copytree(run.dir, tmp_path / "copy")
    do_sync(run.dir)
    do_sync(str(tmp_path / "copy"))
    assert steps(run.path) == list(range(50))


def test_a_stream_whose_copy_on_the_server_ends_inside_one_of_its_lines_is_not_sent(
    server: Any, tmp_path: Path
) -> None:
    head = {"version": 1, "id": random_id(), "entity": "me", "project": "agents"}
    for directory, name in ((tmp_path / "one", "x"), (tmp_path / "other", "a longer name")):
        directory.mkdir()
        rows = [encode("log", {name: i}, 2.0, i) for i in range(5 if name == "x" else 50)]
        (directory / "history-tb_1.jsonl").write_bytes(b"".join([encode("run", head, 1.0), *rows]))
        (directory / "history-own.jsonl").write_bytes(encode("run", head, 3.0) + encode("log", {"own": 1}, 4.0, 7))
    assert do_sync(str(tmp_path / "one")).refused == {}
    done = do_sync(str(tmp_path / "other"))
    ((stream, reason),) = done.refused.items()
    assert (stream, "they differ" in reason) == ("history-tb_1.jsonl", True)
    assert steps(done.run) == [0, 1, 2, 3, 4, 7]
    assert tracker.Api().run(done.run).keys() == ["own", "x"]


def test_a_directory_without_a_run_is_not_sent(server: Any, tmp_path: Path) -> None:
    with pytest.raises(tracker.NotARun):
        do_sync(str(tmp_path))


# -- back-off -------------------------------------------------------------------------------------------------------


def test_the_wait_grows_with_failures_up_to_a_minute_and_starts_over_after_a_success() -> None:
    patience = Backoff()
    waits = [patience.delay(tracker.Unreachable("no answer")) for _ in range(30)]
    assert all(low <= wait <= 2 * low for wait, low in zip(waits, (0.25 * 2.0**i for i in range(7)), strict=False))
    assert all(30 <= wait <= 60 for wait in waits[8:])
    patience.reset()
    assert patience.delay(tracker.Unreachable("no answer")) <= 0.5


def test_the_wait_is_no_shorter_than_the_server_asked_for() -> None:
    assert Backoff().delay(Retry("busy", 429, after=120.0)) == 120.0


# -- directories that came from someone else ------------------------------------------------------------------------


def strange(directory: Path, *more: bytes) -> Path:
    """Make a run directory as someone else may send it."""
    directory.mkdir()
    head = {"version": 1, "id": random_id(), "entity": "me", "project": "agents"}
    (directory / "history.jsonl").write_bytes(b"".join([encode("run", head, 1.0), *more]))
    return directory


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Make files that sync must neither send nor change."""
    path = tmp_path / "of-user"
    path.mkdir()
    (path / "id_rsa").write_text("secret\n")
    (path / f"part-{os.uname().nodename}-x.part").write_text("mine")
    return path


def test_a_linked_lock_file_makes_sync_truncate_nothing(server: Any, tmp_path: Path, home: Path) -> None:
    directory = strange(tmp_path / "run", encode("log", {"x": 1}, 2.0, 0))
    Path(lock_path(str(directory))).symlink_to(home / "id_rsa")
    assert steps(do_sync(str(directory)).run) == [0]
    assert (home / "id_rsa").read_text() == "secret\n"


def test_a_linked_folder_makes_sync_remove_nothing(server: Any, tmp_path: Path, home: Path) -> None:
    content = [
        encode("file", {"name": "m", "digest": digit * 64, "size": 1, "path": path, "live": True}, when)
        for digit, path, when in (("a", "files/id_rsa", 2.0), ("b", "files/save-abcdefghijkl", 3.0))
    ]
    directory = strange(tmp_path / "run", *content)
    (directory / "files").symlink_to(home)
    before = sorted(os.listdir(home))
    do_sync(str(directory))
    assert sorted(os.listdir(home)) == before


def test_sync_sends_no_target_of_a_link(server: Any, tmp_path: Path, home: Path) -> None:
    digest = hashlib.sha256(b"secret\n").hexdigest()
    row = {"page": {"_type": "html", "digest": digest, "size": 7, "format": "html"}}
    directory = strange(tmp_path / "run", encode("log", row, 2.0, 0))
    (directory / "files").mkdir()
    (directory / "files" / digest).symlink_to(home / "id_rsa")
    (directory / "history-other.jsonl").symlink_to(home / "id_rsa")
    os.mkfifo(directory / "system-pipe.jsonl")
    done = do_sync(str(directory))
    assert done.absent == [digest]
    assert sorted(done.refused) == ["history-other.jsonl", "system-pipe.jsonl"]
    assert tracker.Api().run(done.run).info["rows"] == 1


# -- many streams, long lines ---------------------------------------------------------------------------------------


def test_a_run_may_have_more_streams_than_a_process_has_descriptors(server: Any, tmp_path: Path) -> None:
    directory = strange(tmp_path / "run", encode("log", {"x": 1}, 2.0, 0))
    for i in range(300):
        line = encode("console", {"stream": "stdout", "text": f"epoch {i}"}, 3.0 + i)
        (directory / f"console-{i}.jsonl").write_bytes(line)
    program = "import resource, sys; resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64)); sys.argv[0] = 'tracker'"
    command = f"{program}; from tracker.cli.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", command, "sync", str(directory)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    run = tracker.Api().run(f"me/agents/{tracker.read_run(directory).id}")
    assert len(list(run.console())) == 300


def test_an_agent_follows_more_streams_than_it_has_descriptors(
    server: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    script = """
import os, resource, tracker
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
run = tracker.init(id="forks", project="agents")
for i in range(150):
    if not (pid := os.fork()):
        run.log({"x": i})
        os._exit(0)
    os.waitpid(pid, 0)
run.finish()
"""
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
    assert eventually(lambda: (found := on_server("me/agents/forks")) and found.info["rows"] == 150)


def test_only_the_line_that_is_too_long_is_lost(server: Any, tmp_path: Path) -> None:
    long = b'{"c":"00000000","t":1.0,"s":0,"log":{"x":"' + b"y" * (20 << 20) + b'"}}\n'
    directory = strange(
        tmp_path / "run", encode("log", {"x": 1}, 2.0, 0), long, encode("log", {"x": 2}, 3.0, 1), b"z" * (9 << 20)
    )
    done = do_sync(str(directory))
    assert done.refused == {}
    found = tracker.Api().run(done.run)
    assert steps(done.run) == [0, 1]
    local = tracker.read_run(directory)
    assert [row["_step"] for row in local.scan_history()] == [0, 1]
    assert found.info["corrupt"] == local.info["corrupt"] == 4  # three pieces of one line, and the piece at the end
    with (directory / "history.jsonl").open("ab") as file:
        file.write(b"z\n" + encode("log", {"x": 3}, 4.0, 2))
    do_sync(str(directory))
    assert steps(done.run) == [0, 1, 2]


# -- deleted on the server ------------------------------------------------------------------------------------------


def test_a_run_that_is_deleted_during_training_stays_deleted_and_is_reported(
    server: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    from click.testing import CliRunner

    from tracker.cli.sync import sync as command

    run = tracker.init()
    run.log({"x": 0})
    eventually(lambda: (found := on_server(run.path)) and found.info["rows"] == 1)
    on_server(run.path).delete()
    log = Path(run.dir, "agent.log")
    run.log({"x": 1})
    eventually(lambda: "deleted on the server" in log.read_text())
    run.log({"x": 2})
    run.finish()
    stderr = capsys.readouterr().err
    assert "deleted on the server" in stderr
    assert f"tracker sync --again {run.dir}" in stderr.replace("\n", " ")
    eventually(lambda: not agent_alive(run.dir))
    assert on_server(run.path) is None
    result = CliRunner().invoke(command, [run.dir])
    assert (result.exit_code, "deleted on the server" in result.output) == (1, True)
    assert on_server(run.path) is None
    assert CliRunner().invoke(command, ["--again", run.dir]).exit_code == 0
    assert steps(run.path) == [0, 1, 2]


def test_a_live_run_in_the_trash_is_reported(server: Any) -> None:
    with tracker.init() as run:
        run.log({"x": 0})
        eventually(lambda: (found := on_server(run.path)) and found.info["rows"] == 1)
        connect(Settings()).json("POST", "/api/trash", json={"runs": [run.path]})
        run.log({"x": 1})
        eventually(lambda: "trash" in Path(run.dir, "agent.log").read_text())
