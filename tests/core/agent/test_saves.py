"""Test how agents, and `sync` without an agent, keep files that a run saves."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import tracker
from tests.waiting import eventually
from tracker.agent.sync import Synced, sync
from tracker.agent_protocol.sealing import seal
from tracker.client import connect
from tracker.errors import SettingsError
from tracker.random_names import random_id
from tracker.runlog.directory import agent_alive, agent_came
from tracker.runlog.reader import read_stream, stream_paths
from tracker.runlog.records import encode
from tracker.sdk.agent_supervisor import Supervisor
from tracker.settings import Settings


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACKER_PROJECT", "saves")
    monkeypatch.setenv("TRACKER_STATS_DISABLED", "true")
    monkeypatch.setenv("TRACKER_LIVE_INTERVAL", "0.05")


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACKER_MODE", "offline")


def write(path: str | Path, content: str) -> Path:
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(content)
    return target


def kept(directory: str | Path) -> dict[str, str]:
    """Return the saved files of a run directory with their content; {} while an agent replaces content."""
    files = tracker.read_run(directory).files()
    try:
        return {file.name: file.download("kept", replace=True).read_text() for file in files}
    except FileNotFoundError:
        return {}


def left_alone(directory: str | Path) -> None:
    """Wait until the run's agent has come and gone."""
    eventually(lambda: agent_came(str(directory), 0.0) and not agent_alive(str(directory)))


def records(directory: str | Path, kind: str) -> list[Any]:
    paths = stream_paths(Path(directory))
    return [r.payload for path in paths for parsed in read_stream(path) for r in parsed.records if r.kind == kind]


def contents(directory: str | Path) -> list[str]:
    return sorted(path.read_text() for path in Path(directory, "files").iterdir())


def do_sync(directory: str | Path) -> Synced:
    return sync(Path(directory), connect(Settings()), Settings(), lambda _: None)


def vanish(body: str, agent: bool) -> Path:
    """Run a script that is killed after its `body`; return its run directory. Without `agent`, no agent survives."""
    run_id = random_id()
    code = f"""
import os, signal, tracker
from pathlib import Path
{"" if agent else "tracker.sdk.agent_supervisor.Supervisor.start = lambda self: None"}
run = tracker.init(id={run_id!r})
{body}
os.kill(os.getpid(), signal.SIGKILL)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -signal.SIGKILL
    return Path(".tracker", "runs", run_id).absolute()


# -- end ------------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("offline")
def test_files_of_the_policy_end_are_kept_as_they_are_when_the_run_ends() -> None:
    with tracker.init() as run:
        write("ckpt/first.pt", "draft")
        assert run.save("ckpt/*.pt", policy="end") == ["ckpt/first.pt"]
        write("ckpt/first.pt", "final")
        write("ckpt/later.pt", "late")
        assert run.save("nothing-yet/**", policy="end") == []
        write("nothing-yet/deep/er.txt", "deep")
    left_alone(run.dir)
    shutil.rmtree("ckpt")
    assert kept(run.dir) == {"ckpt/first.pt": "final", "ckpt/later.pt": "late", "nothing-yet/deep/er.txt": "deep"}


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize("policy", ["end", "live"])
def test_files_outside_that_have_one_name_are_kept_as_two(tmp_path: Path, policy: Any) -> None:
    there = tmp_path / "out"
    with tracker.init() as run:
        assert run.save(there / "a" / "*.pt", policy=policy) == []
        assert run.save(there / "b" / "*.pt", policy=policy) == []
        for name in "ab":
            write(there / name / "model.pt", name)
        write(there / "c" / "1" / "x.txt", "1")
        assert run.save(there / "c" / "**", policy=policy) == ["1/x.txt"]
    left_alone(run.dir)
    assert kept(run.dir) == {"model.pt": "a", "b/model.pt": "b", "1/x.txt": "1"}


@pytest.mark.usefixtures("offline")
def test_files_of_the_policy_end_are_kept_when_the_training_is_killed() -> None:
    directory = vanish("run.save('out.txt', policy='end'); Path('out.txt').write_text('last words')", agent=True)
    left_alone(directory)
    assert kept(directory) == {"out.txt": "last words"}


@pytest.mark.usefixtures("offline")
def test_changes_after_the_end_are_not_saved(server: Any) -> None:
    with tracker.init() as run:
        run.save("out.txt", policy="end")
        run.save("log.txt", policy="live")
        write("out.txt", "of this run")
        write("log.txt", "of this run")
    left_alone(run.dir)
    write("out.txt", "of the next run")
    write("log.txt", "of the next run")
    do_sync(run.dir)
    assert kept(run.dir) == {"out.txt": "of this run", "log.txt": "of this run"}
    found = tracker.Api().run(run.path)
    assert {file.name: file.download("server").read_text() for file in found.files()} == kept(run.dir)


# -- live -----------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("offline")
def test_live_files_are_followed_and_their_last_state_is_kept() -> None:
    with tracker.init() as run:
        run.save("*.log", policy="live")
        write("train.log", "one\n")
        eventually(lambda: kept(run.dir) == {"train.log": "one\n"})
        with open("train.log", "a") as file:
            file.write("two\n")
        write("other.log", "later\n")
        eventually(lambda: kept(run.dir) == {"train.log": "one\ntwo\n", "other.log": "later\n"})
        write("new", "replaced\n").replace("train.log")
        eventually(lambda: kept(run.dir).get("train.log") == "replaced\n")
        with open("train.log", "a") as file:
            file.write("the end\n")
    left_alone(run.dir)
    assert kept(run.dir) == {"train.log": "replaced\nthe end\n", "other.log": "later\n"}
    assert contents(run.dir) == ["later\n", "replaced\nthe end\n"]  # earlier versions are removed


def test_versions_of_live_files_arrive_while_the_run_goes_on(server: Any) -> None:
    def on_server() -> str | None:
        try:
            return tracker.Api().run(run.path).file("train.log").download("server", replace=True).read_text()
        except (tracker.ServerError, KeyError):
            return None

    with tracker.init() as run:
        run.save("train.log", policy="live")
        for text in ("one", "two", "one", "three"):
            write("train.log", text)
            eventually(lambda text=text: on_server() == text)  # type: ignore[misc]
        write("train.log", "last")
    eventually(lambda: on_server() == "last")
    left_alone(run.dir)
    assert do_sync(run.dir).absent == []


@pytest.mark.usefixtures("offline")
def test_partial_copies_of_a_killed_agent_are_removed() -> None:
    directory = vanish("Path(run.dir, 'files', f'part-{os.uname().nodename}-x.part').write_text('half')", agent=True)
    left_alone(directory)
    assert contents(directory) == []


@pytest.mark.usefixtures("offline")
def test_a_live_file_that_is_deleted_is_kept_as_it_was_last_seen() -> None:
    with tracker.init() as run:
        run.save("state.txt", policy="live")
        write("state.txt", "here")
        eventually(lambda: kept(run.dir) == {"state.txt": "here"})
        os.unlink("state.txt")
    left_alone(run.dir)
    assert kept(run.dir) == {"state.txt": "here"}


@pytest.mark.usefixtures("offline")
def test_a_live_file_that_changes_all_the_time_is_kept(
    start_writer: Callable[[str], subprocess.Popen[bytes]],
) -> None:
    with tracker.init() as run:
        run.save("busy.log", policy="live")
        writer = start_writer("busy.log")
        eventually(lambda: len(records(run.dir, "file")) >= 3)
        writer.kill()
        writer.wait()
    left_alone(run.dir)
    assert kept(run.dir) == {"busy.log": Path("busy.log").read_text()}


@pytest.fixture
def start_writer() -> Any:
    started = []

    def start(path: str) -> subprocess.Popen[bytes]:
        write = f"import time\nfile = open({path!r}, 'a', buffering=1)\n"
        code = write + "while True: file.write('x\\n'); time.sleep(0.001)"
        started.append(subprocess.Popen([sys.executable, "-c", code]))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


@pytest.mark.usefixtures("offline")
def test_saving_the_same_files_again_writes_no_line() -> None:
    with tracker.init() as run:
        for _ in range(10):
            run.save("*.log", policy="live")
        run.save("*.log", policy="end")
    assert [record["policy"] for record in records(run.dir, "save")] == ["live", "end"]


@pytest.mark.usefixtures("offline")
def test_a_glob_that_covers_the_run_directory_saves_nothing_from_it(tmp_path: Path) -> None:
    with tracker.init() as run:
        write(Path(run.dir, "shown.txt"), "of the run directory")
        run.save(os.path.dirname(run.dir) + "/**/*.txt", base_path=os.path.dirname(run.dir), policy="end")
        write(Path(run.dir).parent / "beside.txt", "beside")
    left_alone(run.dir)
    assert kept(run.dir) == {"beside.txt": "beside"}


@pytest.mark.usefixtures("offline")
def test_an_agent_continues_the_work_of_a_killed_agent(server: Any) -> None:
    from tests.faults.harness import kill_agents
    from tracker.sdk.agent_launch import start_agent

    with tracker.init() as run:
        write("train.log", "one")  # first: in between, the file is empty, which is a version, too
        run.save("train.log", policy="live")
        eventually(lambda: kept(run.dir) == {"train.log": "one"})
        kill_agents(Path(run.dir))
        write("train.log", "two")
        start_agent(run.dir, {})
        eventually(lambda: kept(run.dir) == {"train.log": "two"})
    left_alone(run.dir)
    assert len(records(run.dir, "file")) == 2
    assert contents(run.dir) == ["two"]
    done = do_sync(run.dir)
    assert (done.absent, done.refused, done.elsewhere) == ([], {}, [])
    assert tracker.Api().run(run.path).file("train.log").download("server").read_text() == "two"


# -- sync in the agent's place --------------------------------------------------------------------------------------


def test_sync_saves_files_that_no_agent_saved(server: Any) -> None:
    body = """
run.save("*.pt", policy="end")
run.save("*.log", policy="live")
Path("model.pt").write_text("weights")
Path("train.log").write_text("the end")
"""
    directory = vanish(body, agent=False)
    done = do_sync(directory)
    assert (done.absent, done.refused, done.elsewhere) == ([], {}, [])
    write("model.pt", "of another run")
    assert do_sync(directory).absent == []
    found = tracker.Api().run(done.run)
    assert {f.name: f.download("server").read_text() for f in found.files()} == {
        "model.pt": "weights",
        "train.log": "the end",
    }
    assert found.info["lost"] == 0


@pytest.mark.parametrize("harm", ["short", "hole", "gone"])
def test_an_incomplete_pinned_file_is_counted_as_lost_once_if_its_process_vanished(server: Any, harm: str) -> None:
    directory = vanish('Path("model.pt").write_bytes(b"weights" * 10_000)\nrun.save("model.pt")', agent=False)
    (kept,) = Path(directory, "files").glob("save-*")
    size = kept.stat().st_size
    if harm == "gone":
        kept.unlink()
    else:
        os.truncate(kept, 10_000)
        os.truncate(kept, size if harm == "hole" else 10_000)
    for _ in range(2):
        done = do_sync(directory)
        found = tracker.Api().run(done.run)
        assert (found.files(), tracker.read_run(directory).files(), found.info["lost"]) == ([], [], 1)


def test_a_pinned_file_that_had_holes_when_it_was_saved_is_kept(server: Any) -> None:
    directory = vanish(
        'os.truncate(os.open("sparse", os.O_CREAT | os.O_RDWR), 70_000)\nrun.save("sparse")', agent=False
    )
    done = do_sync(directory)
    assert tracker.Api().run(done.run).file("sparse").download("server").read_bytes() == bytes(70_000)


def test_sync_of_a_running_run_saves_live_files_and_none_of_the_policy_end(
    server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Supervisor, "start", lambda _self: None)  # an agent would do the same
    with tracker.init(settings={"finish_timeout": 0}) as run:
        run.save("train.log", policy="live")
        run.save("model.pt", policy="end")
        write("train.log", "so far")
        write("model.pt", "unfinished")
        do_sync(run.dir)
        assert [f.name for f in tracker.Api().run(run.path).files()] == ["train.log"]
        write("model.pt", "finished")
    do_sync(run.dir)
    assert kept(run.dir) == {"train.log": "so far", "model.pt": "finished"}


@pytest.mark.parametrize("mark", [None, "", "0" * 64, 5, "ü", "of another glob", "of another run"])
def test_a_directory_from_someone_else_gets_no_files_of_the_user_who_syncs_it(
    server: Any, tmp_path: Path, mark: Any
) -> None:
    """The record is valid and its process is gone: only the seal is not this user's."""
    secret = write(tmp_path / "secrets" / "key", "secret")
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    run_id = random_id()
    glob, base = str(secret), str(secret.parent)
    if mark == "of another glob":
        mark = seal(run_id, "end", glob + "*", base)
    if mark == "of another run":
        mark = seal(random_id(), "end", glob, base)
    head = {"version": 1, "id": run_id, "entity": "me", "project": "saves", "host": os.uname().nodename}
    lines = [
        encode("run", {**head, "pid": child.pid, "pid_start": 1}, 1.0),
        encode("save", {"policy": "end", "glob": glob, "base": base, "seal": mark}, 2.0),
        encode("save", {"policy": "live", "glob": glob, "base": base, "seal": mark}, 2.0),
        encode("finish", {"state": "finished"}, 3.0),
    ]
    directory = tmp_path / "foreign"
    (directory / "files").mkdir(parents=True)
    (directory / "history.jsonl").write_bytes(b"".join(lines))
    done = do_sync(directory)
    assert done.elsewhere == [glob, glob]
    assert tracker.Api().run(done.run).files() == []
    assert contents(directory) == []


# -- now ------------------------------------------------------------------------------------------------------------


def test_a_file_that_grows_after_save_is_kept_as_it_was(server: Any) -> None:
    directory = vanish("Path('a.log').write_text('one'); run.save('a.log')", agent=False)
    state = Settings()
    with pytest.raises(tracker.Unreachable):
        sync(directory, tracker.client.Client("http://127.0.0.1:9", "key"), state, lambda _: None)
    with open("a.log", "a") as file:
        file.write(" and two")
    done = do_sync(directory)
    assert (done.absent, done.refused) == ([], {})
    assert tracker.Api().run(done.run).file("a.log").download("server").read_text() == "one"


@pytest.mark.parametrize("size", [10, 5 * 1024 * 1024], ids=["small", "in-parts"])
def test_a_file_that_is_rewritten_before_its_upload_is_kept_with_its_new_content(server: Any, size: int) -> None:
    directory = vanish(f"Path('a.pt').write_text({size} * 'a'); run.save('a.pt')", agent=False)
    with pytest.raises(tracker.Unreachable):
        sync(directory, tracker.client.Client("http://127.0.0.1:9", "key"), Settings(), lambda _: None)
    write("a.pt", size * "b")
    done = do_sync(directory)
    assert (done.absent, done.refused) == ([], {})
    assert tracker.Api().run(done.run).file("a.pt").download("server").read_text() == size * "b"
    assert do_sync(directory).absent == []


def test_of_versions_that_share_a_file_the_last_one_arrives(server: Any) -> None:
    """Like `torch.save` to one path in each epoch: hard links to one file, which is rewritten in place."""
    body = """
from tracker.agent.sync import sync
from tracker.client import Client
from tracker.settings import Settings
for epoch in range(3):
    Path("last.pt").write_text(f"epoch {epoch}")
    run.save("last.pt")
    try:
        sync(Path(run.dir), Client("http://127.0.0.1:9", "key"), Settings(), lambda _: None)
    except tracker.Unreachable:
        pass
"""
    directory = vanish(body, agent=False)
    assert len({file["digest"] for file in records(directory, "file")}) == 3
    done = do_sync(directory)
    assert (done.absent, done.refused) == ([], {})
    assert tracker.Api().run(done.run).file("last.pt").download("server").read_text() == "epoch 2"


# -- arguments ------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("offline")
def test_an_unknown_policy_is_refused() -> None:
    with tracker.init() as run, pytest.raises(ValueError, match="live, now, end"):
        run.save("x", policy="later")  # type: ignore[arg-type]


@pytest.mark.usefixtures("offline")
def test_without_a_place_for_the_key_files_are_saved_at_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with tracker.init() as run:
        write(tmp_path / "no-directory", "")
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "no-directory"))
        write("out.txt", "now")
        assert run.save("out.txt", policy="end") == ["out.txt"]
        write("new", "later").replace("out.txt")
    assert "as they are now" in capsys.readouterr().err
    left_alone(run.dir)
    assert kept(run.dir) == {"out.txt": "now"}


def test_live_interval_must_be_positive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACKER_LIVE_INTERVAL", "0")
    with pytest.raises(SettingsError, match="live_interval"):
        Settings()
