from __future__ import annotations

import contextlib
import math
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import tracker
from tests.waiting import PATIENCE, eventually
from tracker.agent.sync import sync
from tracker.client import connect
from tracker.runlog.directory import AUTO, agent_alive, agent_came
from tracker.runlog.reader import read_stream
from tracker.runlog.records import encode
from tracker.settings import Settings


def finished(**arguments: Any) -> tracker.Run:
    run = tracker.init(**arguments)
    run.log({"x": 1})
    run.log({"x": 2})
    run.finish()
    return run


# -- a run that is in this directory --------------------------------------------------------------------------------


@pytest.mark.parametrize("resume", ["allow", True, "must"])
def test_a_resumed_run_continues_after_its_last_step_in_a_new_stream(resume: Any, rows: Any, streams: Any) -> None:
    finished(id="a1", name="first", tags=["t"], notes="n", group="g")
    run = tracker.init(id="a1", resume=resume)
    assert (run.resumed, run.step) == (True, 2)
    assert (run.name, run.tags, run.notes, run.group) == ("first", ("t",), "n", "g")
    run.log({"x": 3})
    assert [(row["_step"], row["x"]) for row in rows(run)] == [(0, 1), (1, 2), (2, 3)]
    assert len(streams(run)) == 2
    assert tracker.read_run(run.dir).state == "running"
    assert tracker.read_run(run.dir).tags == ["t"]


def test_a_name_given_later_outlasts_a_resume() -> None:
    run = tracker.init(id="a1", name="first")
    for i in range(3000):
        run.log({"x": i})
    run.name = "second"
    run.finish()
    edited = tracker.read_run(run.dir)
    edited.tags = ["edited"]
    edited.update()
    run = tracker.init(id="a1", resume="must")
    assert (run.name, run.tags) == ("second", ("edited",))
    assert tracker.read_run(run.dir).name == "second"


def test_allow_starts_a_missing_run() -> None:
    run = tracker.init(id="a1", resume="allow")
    assert (run.resumed, run.id) == (False, "a1")


@pytest.mark.parametrize("resume", ["never", False])
def test_never_refuses_an_existing_run(resume: Any) -> None:
    finished(id="a1")
    with pytest.raises(tracker.SettingsError, match="another id"):
        tracker.init(id="a1", resume=resume)


def test_the_end_of_the_resumed_process_is_the_end_of_the_run() -> None:
    tracker.init(id="a1").finish(1)
    assert tracker.read_run(".tracker/runs/a1").state == "failed"
    tracker.init(id="a1", resume="allow").finish()
    assert tracker.read_run(".tracker/runs/a1").state == "finished"


def test_config_and_summary_of_a_resumed_run_have_the_earlier_values(streams: Any) -> None:
    first = tracker.init(id="a1", config={"lr": 1, "nan": math.nan})
    first.log({"loss": 0.5, "once": 7})
    first.log({"loss": 0.25, "text": "t"})
    first.summary["by hand"] = 5
    first.finish()
    edited = tracker.read_run(first.dir)
    edited.config["late"] = 1
    edited.update()
    run = tracker.init(id="a1", resume="allow", config={"lr": 2})
    assert (run.config["lr"], run.config["late"]) == (2, 1)
    assert math.isnan(run.config["nan"])
    assert run.summary.as_dict() == {"loss": 0.25, "once": 7, "text": "t", "by hand": 5}
    run.log({"loss": 0.125})
    assert (run.summary["loss"], run.summary["once"], "gone" in run.summary, len(run.summary)) == (0.125, 7, False, 4)
    assert run.summary.as_dict() == tracker.read_run(run.dir).summary
    written = [r.payload for parsed in read_stream(streams(run)[1]) for r in parsed.records if r.kind == "config"]
    assert written == [{"lr": 2}]


def test_explicit_summary_values_win_in_the_resumed_run_too() -> None:
    first = tracker.init(id="a1")
    first.summary["acc"] = 0.9
    first.finish()
    run = tracker.init(id="a1", resume="allow")
    run.log({"acc": 0.1})
    assert run.summary["acc"] == 0.9 == tracker.read_run(run.dir).summary["acc"]


@pytest.mark.parametrize("defined", ["before", "after", "after reading"])
def test_extremes_and_means_cover_all_processes_of_the_run(defined: str) -> None:
    def define(run: tracker.Run) -> None:
        run.define_metric("loss", summary="min")
        run.define_metric("acc", summary="mean")

    first = tracker.init(id="a1")
    if defined == "before":
        define(first)
    for value in (4, 2, 3):
        first.log({"loss": value, "acc": value})
    first.finish()
    run = tracker.init(id="a1", resume="allow")
    if defined == "after reading":
        assert run.summary["loss"] == 3
    if defined != "before":
        define(run)
    assert (run.summary["loss"], run.summary["acc"]) == (2, 3)
    run.log({"loss": 9, "acc": 11})
    assert (run.summary["loss"], run.summary["acc"]) == (2, 5)
    assert run.summary.as_dict() == tracker.read_run(run.dir).summary


# -- auto -----------------------------------------------------------------------------------------------------------


def test_auto_continues_the_run_that_it_began_until_that_ends_well() -> None:
    first = tracker.init(resume="auto", config={"lr": 1})
    first.log({"x": 1})
    first.finish(1)
    Path(".tracker/runs/stray-file").touch()
    Path(".tracker/runs/not an id").mkdir()
    run = tracker.init(resume="auto")
    assert (run.id, run.resumed, run.step, run.config["lr"]) == (first.id, True, 1, 1)
    run.finish()
    assert tracker.init(resume="auto").id != first.id


def test_auto_leaves_other_projects_programs_and_runs_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    tracker.init(id="plain").finish(1)
    other = tracker.init(resume="auto", project="other")
    other.finish(1)
    with monkeypatch.context() as patch:
        patch.setattr(sys.modules["__main__"], "__file__", __file__, raising=False)  # a worker of xdist has none
        program = tracker.init(resume="auto", project="p")
        program.finish(1)
    assert tracker.init(resume="auto", project="p", reinit="create_new").id not in (program.id, "plain")
    assert tracker.init(resume="auto", project="other", reinit="create_new").id == other.id


def test_auto_does_not_continue_a_running_run() -> None:
    first = tracker.init(resume="auto")
    second = tracker.init(resume="auto", reinit="create_new")
    assert second.id != first.id


SCRIPT = """
import os, signal, sys, tracker
run = tracker.init(resume="auto")
print(run.id, run.step, flush=True)
run.log({"x": 1})
if "die" in sys.argv:
    os.kill(os.getpid(), signal.SIGKILL)
if "wait" in sys.argv:
    sys.stdin.read()
"""


def start_script(*arguments: str) -> subprocess.Popen[str]:
    script = Path("train.py")
    if not script.exists():  # a running agent may be reading it
        script.write_text(SCRIPT)
    command = [sys.executable, "train.py", *arguments]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_of_several_restarts_one_continues_the_run_of_a_killed_script() -> None:
    killed = start_script("die")
    run_id = killed.communicate()[0].split()[0]
    assert killed.returncode == -signal.SIGKILL
    both = [start_script("wait"), start_script("wait")]
    first = [process.stdout.readline().split() for process in both if process.stdout is not None]
    for process in both:
        process.communicate()
    assert sorted(words[1] for words in first) == ["0", "1"]  # one of them continues the run
    assert [words[0] for words in first if words[1] == "1"] == [run_id]
    assert not Path(".tracker/runs", run_id, AUTO).exists()
    assert start_script().communicate()[0].split()[0] not in [words[0] for words in first]


def test_a_run_of_another_machine_has_ended_only_if_nothing_is_added() -> None:
    run = tracker.init(resume="auto")
    mark = Path(run.dir, AUTO)
    content = mark.read_text()
    run.finish(1)
    mark.write_text(content.replace(os.uname().nodename, "elsewhere"))
    assert tracker.init(resume="auto").id != run.id
    tracker.run.finish()
    for path in Path(run.dir).glob("*.jsonl"):
        os.utime(path, (1e9, 1e9))
    assert tracker.init(resume="auto").id == run.id


# -- a run that is elsewhere ----------------------------------------------------------------------------------------


@pytest.fixture
def online(server: Any, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Any:
    monkeypatch.setenv("TRACKER_MODE", "online")
    monkeypatch.setenv("TRACKER_PROJECT", request.node.name.replace("[", "-").replace("]", "")[:100])
    return server


@pytest.mark.parametrize("resume", ["allow", "must"])
def test_a_run_that_is_not_in_this_directory_starts_with_the_servers_state(online: Any, resume: str) -> None:
    with tracker.init(id="a1", name="first", tags=["t"], config={"lr": 1, "net": {"depth": 2}}) as first:
        first.define_metric("loss", summary="mean")
        for value in (4, 2, math.nan):
            first.log({"loss": value, "epoch": value}, step=10)
        first.summary["by hand"] = math.inf
    run = tracker.init(id="a1", resume=resume, dir="elsewhere")
    assert (run.resumed, run.step, run.name, run.tags) == (True, 11, "first", ("t",))
    assert run.config.as_dict() == {"lr": 1, "net": {"depth": 2}}
    assert (run.summary["loss"], run.summary["by hand"]) == (3, math.inf)
    run.log({"loss": 6, "by hand": 0})
    assert (run.summary["loss"], run.summary["by hand"]) == (4, math.inf)
    run.finish()
    remote = tracker.Api().run(run.path)
    assert repr(sorted(remote.summary.items())) == repr(sorted(run.summary.items()))
    assert [row["_step"] for row in remote.scan_history()] == [10, 10, 10, 11]


def test_must_refuses_a_missing_run_and_never_an_existing_one(online: Any) -> None:
    with pytest.raises(tracker.SettingsError, match="nor on http"):
        tracker.init(id="a1", resume="must")
    assert not os.path.exists(".tracker")
    finished(id="a1")
    with pytest.raises(tracker.SettingsError, match=r"is on http.*choose another id"):
        tracker.init(id="a1", resume="never", dir="elsewhere")
    assert tracker.init(id="a2", resume="never", dir="elsewhere").resumed is False


@pytest.fixture
def hung(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Start a server that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        monkeypatch.setenv("TRACKER_MODE", "online")
        monkeypatch.setenv("TRACKER_BASE_URL", f"http://127.0.0.1:{listener.getsockname()[1]}")
        monkeypatch.setenv("TRACKER_RESUME_TIMEOUT", "0.2")
        yield listener


@pytest.mark.parametrize("where", ["hung", "refused"])
def test_a_server_that_does_not_answer_does_not_stop_a_run_from_starting(
    where: str, hung: Any, warnings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    if where == "refused":
        hung.close()
        monkeypatch.setenv("TRACKER_RESUME_TIMEOUT", "60")
    run = tracker.init(id="a1", resume="allow")
    assert (run.resumed, run.step) == (False, 0)
    assert any("cannot find out whether run a1 is on the server" in text for text in warnings())
    run.finish()
    with pytest.raises(tracker.SettingsError, match="the server cannot be asked"):
        tracker.init(id="a2", resume="must")


def test_a_run_in_this_directory_and_one_without_an_id_need_no_server(hung: Any) -> None:
    for _ in range(2):
        tracker.init(id="a1", resume=None).finish()
    for arguments in ({"id": "a1", "resume": "must"}, {"resume": "allow"}, {"resume": "auto"}):
        tracker.init(**arguments).finish()  # type: ignore[arg-type]
    hung.settimeout(0)
    with contextlib.suppress(BlockingIOError):
        while True:  # agents connect, too, but with other requests
            connection, _ = hung.accept()
            connection.settimeout(PATIENCE)
            assert b"/resumption" not in connection.recv(1000)


def test_two_offline_directories_with_one_id_become_one_run_however_often_they_are_synced(
    server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRACKER_PROJECT", "meet")
    monkeypatch.setenv("TRACKER_FINISH_TIMEOUT", "0")

    def train(place: str, values: range) -> str:
        with tracker.init(id="one", dir=place, resume="allow", config={place: True}) as run:
            for value in values:
                run.log({"x": value})
        eventually(lambda: agent_came(run.dir, 0.0) and not agent_alive(run.dir))
        return run.dir

    places = [train("a", range(3)), train("b", range(10, 13))]
    for directory in (*places, *reversed(places)):
        sync(Path(directory), connect(Settings()), Settings(), lambda _: None)
    places.append(train("a", range(3, 6)))
    for directory in places * 2:
        sync(Path(directory), connect(Settings()), Settings(), lambda _: None)
    run = tracker.Api().run("me/meet/one")
    found = [(row["_step"], row["x"]) for row in run.scan_history()]
    assert found == [(0, 0), (1, 1), (2, 2), (0, 10), (1, 11), (2, 12), (3, 3), (4, 4), (5, 5)]
    assert (run.state, run.config, run.info["last_step"]) == ("finished", {"a": True, "b": True}, 5)


@pytest.mark.parametrize("resume", ["allow", None])
def test_a_failure_counts_even_if_an_earlier_machines_clock_was_ahead(resume: str | None) -> None:
    run = finished(id="a1")
    (path,) = Path(run.dir).glob("history-*.jsonl")
    ahead = [
        encode(record.kind, {**record.payload, "host": "elsewhere"} if record.kind == "run" else record.payload,
               record.time + 3600, record.step)
        for parsed in read_stream(path) for record in parsed.records
    ]  # fmt: skip
    path.unlink()
    path.with_name("history-ahead.jsonl").write_bytes(b"".join(ahead))
    assert tracker.read_run(run.dir).state == "finished"
    again = tracker.init(id="a1", resume=resume, reinit="create_new")
    assert tracker.read_run(run.dir).state == "running"
    again.finish(1)
    assert tracker.read_run(run.dir).state == "failed"


def test_a_failure_counts_even_if_the_clock_of_a_machine_known_to_the_server_was_ahead(online: Any) -> None:
    server = connect(Settings())
    path = f"/api/runs/me/{Settings().project}/a1"
    late = time.time() + 3600
    about = {"version": 1, "id": "a1", "entity": "me", "project": Settings().project, "host": "far", "pid": 7}
    lines = (
        encode("run", about, late) + encode("log", {"x": 1}, late, 1) + encode("finish", {"state": "finished"}, late)
    )
    server.json("POST", f"{path}/streams/history-far.jsonl?offset=0", data=lines)
    run = tracker.init(id="a1", resume="must", dir="elsewhere")
    run.finish(1)
    assert tracker.Api().run(run.path).state == "failed"
