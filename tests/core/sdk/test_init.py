from __future__ import annotations

import math
import os
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import psutil
import pytest

import tracker
from tests.removal import remove_run
from tests.waiting import PATIENCE, eventually
from tracker.runlog.directory import agent_alive
from tracker.settings import directory_file, write_directory_file

Start = Any


# -- new runs -------------------------------------------------------------------------------------------------------


def test_a_run_is_on_disk_with_all_its_arguments_when_init_returns(start: Start) -> None:
    run = start(
        project="digits", entity="team", name="first", id="abc", group="g", job_type="train",
        tags=["a", "b"], notes="n", color="#a0b1c2",
        config={"lr": 1},
    )  # fmt: skip
    found = tracker.read_run(".tracker/runs/abc")
    assert (found.path, found.name, found.group, found.job_type) == ("team/digits/abc", "first", "g", "train")
    assert (found.tags, found.notes, found.config, found.state) == (["a", "b"], "n", {"lr": 1}, "running")
    assert (run.id, run.name, run.path, run.dir) == (
        "abc",
        "first",
        "team/digits/abc",
        os.path.abspath(".tracker/runs/abc"),
    )
    assert (run.group, run.job_type, run.tags, run.notes) == ("g", "train", ("a", "b"), "n")
    assert (run.color, found.color) == ("#a0b1c2", "#a0b1c2")
    assert (run.mode, run.url, run.resumed, run.step, run.finished) == ("offline", None, False, 0, False)
    assert found.info["program"] == sys.argv[0]
    assert tracker.run is run


def test_without_a_name_a_run_has_a_readable_random_one_and_an_id(start: Start) -> None:
    first, second = start(), start()
    assert first.id != second.id
    assert len(first.id) == 8
    assert all(part.isalnum() for part in first.name.split("-"))
    assert tracker.read_run(first.dir).name == first.name


def test_a_seeded_random_module_does_not_make_ids_repeat(start: Start) -> None:
    import random

    ids = set()
    for _ in range(3):
        random.seed(0)
        ids.add(start().id)
    assert len(ids) == 3


def test_tags_may_be_one_text_separated_by_commas(start: Start) -> None:
    assert start(tags="a, b").tags == ("a", "b")


def test_settings_can_be_given_as_one_mapping_and_arguments_win_over_it(start: Start) -> None:
    run = start(project="of-argument", settings={"project": "of-mapping", "group": "of-mapping"})
    assert (run.project, run.group) == ("of-argument", "of-mapping")


@pytest.mark.parametrize(
    "arguments",
    [
        {"mode": "onlin"},
        {"project": "a/b"},
        {"id": "a b"},
        {"resume": "perhaps"},
        {"resume": "must"},
        {"resume": "must", "id": "missing"},
        {"reinit": "maybe"},
        {"settings": {"learning_rate": 1}},
        {"settings": {"stats_sources": ["gpu"]}},
    ],
)
def test_unusable_arguments_are_refused_before_anything_is_written(arguments: dict[str, Any]) -> None:
    with pytest.raises(tracker.SettingsError):
        tracker.init(**arguments)
    assert os.listdir(".") == []
    assert tracker.run is None


@pytest.mark.parametrize("config", [5, "text", [("lr", 1)], print])
def test_a_config_without_members_is_a_type_error_before_anything_is_written(config: Any) -> None:
    with pytest.raises(TypeError, match="config takes a dict"):
        tracker.init(config=config)
    assert os.listdir(".") == []


def test_runs_are_made_where_dir_says(start: Start, tmp_path: Path) -> None:
    run = start(dir=tmp_path / "elsewhere")
    assert Path(run.dir).parent == tmp_path / "elsewhere" / ".tracker" / "runs"


def test_run_directories_are_kept_out_of_version_control_and_settings_are_not(start: Start) -> None:
    start()
    assert Path(".tracker/.gitignore").read_text() == "runs/\n"


def test_undecodable_names_do_not_stop_training(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["/home/j\udcfcrgen/train.py"])
    run = start(name="a\udcff", notes="n\ud800", tags=["\ud800"], group="g\0")
    run.log({"x": 1})
    run.name = "b\ud800"
    run.define_metric("m\ud800", summary="min")
    assert tracker.read_run(run.dir).name == "b?"
    assert tracker.read_run(run.dir).info["program"] == "/home/j?rgen/train.py"


# -- modes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["argument", "variable", "off"])
def test_disabled_accepts_everything_and_writes_no_file(how: str, monkeypatch: pytest.MonkeyPatch, capfd: Any) -> None:
    monkeypatch.delenv("TRACKER_MODE")
    if how == "variable":
        monkeypatch.setenv("TRACKER_MODE", "disabled")
    if how == "off":
        write_directory_file(directory_file(), {"mode": "disabled"})  # what `tracker off` does
    before = sorted(p for p in Path().rglob("*"))
    Path("model.pt").touch()
    run = tracker.init(config={"lr": 1}, mode="disabled" if how == "argument" else None)
    tracker.log({"loss": 0.5, "page": tracker.Html("<p>")})
    tracker.config["a"] = 1
    tracker.summary["b"] = 2
    run.name = "x"
    run.define_metric("loss", summary="min")
    assert tracker.save("model.pt") == []
    assert (run.mode, run.config["lr"], run.summary["b"], run.dropped, run.url) == ("disabled", 1, 2, 0, None)
    assert (run.summary["loss"], run.step) == (0.5, 1)  # a script that reads these works as usual
    with run:
        pass
    assert tracker.run is None
    Path("model.pt").unlink()
    assert sorted(p for p in Path().rglob("*")) == before
    assert capfd.readouterr().err == ""


def test_dryrun_is_offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACKER_MODE", "dryrun")
    assert tracker.init().mode == "offline"


def test_silent_prints_nothing(monkeypatch: pytest.MonkeyPatch, capfd: Any) -> None:
    monkeypatch.setenv("TRACKER_SILENT", "true")
    with tracker.init() as run:
        run.log({"x": object()}, step=0.5)  # type: ignore[arg-type]
    assert capfd.readouterr() == ("", "")


def test_online_without_a_server_behaves_like_offline_until_there_is_one(
    monkeypatch: pytest.MonkeyPatch, rows: Any
) -> None:
    monkeypatch.setenv("TRACKER_MODE", "online")
    with tracker.init() as run:
        run.log({"x": 1})
    assert run.url is None
    assert len(rows(run)) == 1


def test_online_with_a_server_the_run_has_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    run = tracker.init(mode="online", project="my project", id="a1", settings={"base_url": "http://127.0.0.1:9/"})
    assert run.url == "http://127.0.0.1:9/runs/me/my%20project/a1"


# -- a run while another is active ------------------------------------------------------------------------------------


def test_in_scripts_a_second_init_returns_the_active_run_and_takes_its_config(warnings: Any) -> None:
    first = tracker.init(name="first", project="p", config={"a": 1, "n": math.nan}, tags=["t"])
    assert tracker.init() is first
    assert tracker.init(name="first", project="p", config={"b": 2, "n": math.nan}, tags="t", dir=".") is first
    first.name = "renamed"
    assert tracker.init(name="renamed", id=first.id) is first
    assert (first.config["a"], first.config["b"]) == (1, 2)
    assert warnings() == []
    first.finish()
    assert tracker.init() is not first


@pytest.mark.parametrize(
    "naming",
    [
        {"id": "other"},
        {"project": "other"},
        {"entity": "other"},
        {"name": "other"},
        {"group": "other"},
        {"job_type": "other"},
        {"dir": "other"},
        {"mode": "disabled"},
        {"config": {"lr": 2}},
        {"settings": {"name": "other"}},
    ],
)
def test_a_second_init_that_names_another_run_gets_it_and_the_first_stays_open(
    naming: dict[str, Any], warnings: Any
) -> None:
    first = tracker.init(project="p", config={"lr": 1})
    second = tracker.init(**{"config": {"lr": 3}, **naming})
    assert second is not first
    assert tracker.run is second
    for name, value in naming.items():
        if name not in ("dir", "config", "settings"):
            assert getattr(second, name) == value
    first.log({"x": 1})
    second.log({"x": 2})
    assert [row["x"] for row in tracker.read_run(first.dir).scan_history()] == [1]
    assert (tracker.read_run(first.dir).config, first.finished) == ({"lr": 1}, False)
    (warning,) = warnings()
    assert f"run {first.name} is still open and stays so" in warning


def test_a_loop_of_trials_without_finish_has_a_run_per_trial() -> None:
    runs = [tracker.init(project="p", config={"lr": lr}) for lr in (0.1, 0.01, 0.001)]
    for run in runs:
        run.log({"x": 1})
    assert [tracker.read_run(run.dir).config for run in runs] == [{"lr": 0.1}, {"lr": 0.01}, {"lr": 0.001}]


def test_a_live_run_that_is_named_by_its_id_is_returned_and_current_again(warnings: Any) -> None:
    first = tracker.init(id="a", config={"lr": 1})
    second = tracker.init(id="b")
    assert tracker.init(id="a", config={"lr": 2}) is first
    assert tracker.run is first
    assert dict(first.config) == {"lr": 1}
    assert tracker.init(id="b", project="other") not in (first, second)
    assert "config.lr had no effect" in warnings()[1]


def test_a_variable_changed_since_the_first_init_names_another_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACKER_GROUP", "unused")
    monkeypatch.setenv("TRACKER_PROJECT", "of-variable")
    first = tracker.init(project="of-argument")
    assert tracker.init() is first
    monkeypatch.setenv("TRACKER_NAME", "second")
    second = tracker.init()
    assert (second is not first, second.name) == (True, "second")


def test_arguments_that_return_previous_ignores_are_reported_and_nothing_is_overwritten(warnings: Any) -> None:
    first = tracker.init(name="first", config={"lr": 1})
    assert tracker.init(reinit="return_previous", name="x", notes="n", config={"lr": 2, "more": 3}) is first
    assert (first.name, first.notes, dict(first.config)) == ("first", None, {"lr": 1, "more": 3})
    assert tracker.init(tags=["x"], settings={"live_interval": 3}) is first
    one, two = warnings()
    assert "name, config.lr, notes had no effect" in one
    assert "tags, live_interval had no effect" in two


def test_a_forked_child_that_names_its_own_run_gets_it() -> None:
    code = """
import os, tracker
run = tracker.init(id="parent", config={"lr": 1})
for i in range(2):
    if not os.fork():
        own = tracker.init(id=f"child{i}", config={"lr": i + 2})
        own.log({"x": i})
        own.finish()
        assert tracker.init(id="parent") is run
        run.log({"child": i})
        os._exit(0)
for _ in range(2):
    assert os.wait()[1] == 0
run.log({"x": 9})
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = {name: tracker.read_run(f".tracker/runs/{name}") for name in ("parent", "child0", "child1")}
    assert [run.config["lr"] for run in found.values()] == [1, 2, 3]
    assert [row["x"] for row in found["child1"].scan_history(["x"])] == [1]
    assert {row.get("child", row.get("x")) for row in found["parent"].scan_history()} == {0, 1, 9}


@pytest.mark.parametrize("reinit", ["finish_previous", True])
def test_finish_previous_ends_the_active_run(reinit: Any) -> None:
    first = tracker.init()
    second = tracker.init(reinit=reinit)
    assert first.finished
    assert tracker.run is second
    assert tracker.read_run(first.dir).state == "finished"


def test_create_new_lets_runs_live_side_by_side(rows: Any) -> None:
    first = tracker.init()
    second = tracker.init(reinit="create_new")
    first.log({"x": 1})
    second.log({"x": 2})
    assert tracker.run is second
    assert [rows(first)[0]["x"], rows(second)[0]["x"]] == [1, 2]


def test_a_run_without_references_is_finished_at_the_end() -> None:
    code = """
import gc, tracker
for i in range(3):
    tracker.init(id=f"r{i}", reinit="create_new").log({"x": i})
    gc.collect()
"""
    subprocess.run([sys.executable, "-c", code], check=True)
    assert [tracker.read_run(f".tracker/runs/r{i}").state for i in range(3)] == ["finished"] * 3


def test_a_notebook_cell_that_runs_again_starts_a_new_run() -> None:
    code = """
import sys, types
sys.modules["IPython"] = types.SimpleNamespace(get_ipython=lambda: types.SimpleNamespace(kernel=object()))
import tracker
first = tracker.init(name="cell")
first.log({"x": 1})
second = tracker.init(name="cell")
assert first.finished and second is not first, "the first run goes on"
print(first.dir)
"""
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert tracker.read_run(done.stdout.strip()).state == "finished"


def test_another_module_named_ipython_is_not_a_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "IPython", types.ModuleType("IPython"))
    first = tracker.init()
    assert tracker.init() is first


# -- unusable directories -------------------------------------------------------------------------------------------


def test_training_continues_if_no_directory_can_be_created(warnings: Any) -> None:
    Path(".tracker").touch()
    run = tracker.init(config={"a": 1})
    for i in range(10):
        run.log({"x": i})
    run.log({"page": tracker.Text("x")})
    run.save(__file__)
    run.finish()
    messages = warnings()
    assert "nothing of this run will be kept" in messages[0]
    assert run.dropped >= 11


def test_training_continues_in_a_read_only_directory() -> None:
    code = """
import os, sys, tracker
if os.getuid() == 0:
    os.setuid(54321)  # the superuser may write anywhere
run = tracker.init(mode="offline")
run.log({"x": 1})
run.finish()
print(run.dropped)
"""
    Path("place").mkdir(mode=0o555)
    os.chmod(".", 0o755)
    done = subprocess.run([sys.executable, "-c", code], cwd="place", capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 1
    assert "nothing of this run will be kept" in done.stderr


def test_training_continues_on_a_full_disk() -> None:
    code = """
import resource, tracker
resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
run = tracker.init(mode="offline", id="full")
for i in range(100):
    run.log({"x": i})
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
run.log({"x": 100})
run.finish()
assert run.dropped == 0, run.dropped
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "the disk does not take the run log" in done.stderr
    assert [row["x"] for row in tracker.read_run(".tracker/runs/full").scan_history()] == list(range(101))


def test_a_run_directory_deleted_during_training_is_reported_and_lost_rows_counted(
    warnings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tracker.sdk import run as module

    run = tracker.init()
    run.log({"x": 1})
    remove_run(run.dir)
    monkeypatch.setattr(module, "CHECK_EVERY", -1.0)  # check with every row
    run.log({"x": [1]})  # the slow path checks, too
    run.log({"x": 3})
    assert run.dropped == 1
    assert "was deleted" in warnings()[0]


# -- the agent ------------------------------------------------------------------------------------------------------


def test_an_agent_serves_the_directory_while_the_run_goes_on() -> None:
    run = tracker.init()
    eventually(lambda: agent_alive(run.dir))
    run.finish()
    eventually(lambda: not agent_alive(run.dir))


def test_a_dead_agent_is_restarted_even_if_only_arrays_are_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.faults.harness import kill_agents
    from tracker.sdk import agent_supervisor as supervisor
    from tracker.sdk import run as module

    run = tracker.init()
    eventually(lambda: agent_alive(run.dir))
    assert kill_agents(Path(run.dir)) == 1
    monkeypatch.setattr(module, "CHECK_EVERY", -1.0)
    monkeypatch.setattr(supervisor, "_STARTING", 0.0)
    run.log({"x": [1]})
    monkeypatch.setattr(supervisor, "_STARTING", 60.0)
    eventually(lambda: agent_alive(run.dir))


ADOPTS = """
import ctypes, psutil, tracker
from tests.waiting import eventually
from tracker.agent_protocol.status import read_status

ctypes.CDLL(None).prctl(36, 1)  # PR_SET_CHILD_SUBREAPER: agents become children of this process, as in a container
for i in range(3):
    run = tracker.init(id=f"r{i}")
    eventually(lambda: read_status(run.dir))  # from which this process knows the agent
    run.finish()
left = psutil.Process().children()
eventually(lambda: all(child.status() == psutil.STATUS_ZOMBIE for child in left))
tracker.init(id="last").finish()
assert not any(child.is_running() for child in left), left
print(len(left))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has subreapers")
def test_agents_of_short_runs_that_became_children_are_collected() -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    command = [sys.executable, "-c", ADOPTS]
    done = subprocess.run(command, capture_output=True, text=True, timeout=2 * PATIENCE, env=environment)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 1


@pytest.mark.skipif(os.getpid() == 1, reason="as process 1, the test adopts every orphan")
def test_agents_are_not_children_of_the_training() -> None:
    before = {child.pid for child in psutil.Process().children()}
    run = tracker.init()
    eventually(lambda: agent_alive(run.dir))
    assert {child.pid for child in psutil.Process().children()} <= before
