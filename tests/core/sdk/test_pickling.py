"""Test copies and pickles of objects that hold a run, also in other processes."""

from __future__ import annotations

import copy
import dataclasses
import multiprocessing
import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import tracker
from tests.waiting import eventually
from tracker.runlog.directory import agent_alive
from tracker.runlog.reader import stream_paths
from tracker.runlog.records import encode

Start = Any


@dataclasses.dataclass
class Holder:
    """A user's object that holds a run."""

    run: tracker.Run
    weights: list[float]


def elsewhere(pickled: bytes, body: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Unpickle an object in another process and run `body` on it (`it`)."""
    Path("pickled").write_bytes(pickled)
    code = f"import pickle, tracker\nit = pickle.load(open('pickled', 'rb'))\n{body}"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3]), **variables}
    return subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)


# -- in one process -------------------------------------------------------------------------------------------------


def test_every_copy_of_a_run_is_the_same_object(start: Start) -> None:
    cloudpickle = pytest.importorskip("cloudpickle")
    run = start(config={"lr": 1})
    holder = Holder(run, [1.0])
    for made in (
        copy.copy(run),
        copy.deepcopy(run),
        copy.deepcopy(holder).run,
        dataclasses.asdict(holder)["run"],
        pickle.loads(pickle.dumps(run)),
        pickle.loads(cloudpickle.dumps({"run": run}))["run"],
        *pickle.loads(pickle.dumps([run, run])),
    ):
        assert made is run
    run.finish()
    assert pickle.loads(pickle.dumps(run)) is run
    assert copy.deepcopy(holder).weights is not holder.weights


def test_a_model_that_holds_a_run_is_copied_and_saved(start: Start) -> None:
    torch = pytest.importorskip("torch")
    run = start(config={"lr": 1})
    model = torch.nn.Linear(2, 1)
    model.run, model.config, model.values = run, run.config, run.summary
    run.watch(model)
    run.log({"loss": 0.5})
    average = torch.optim.swa_utils.AveragedModel(model)
    torch.save(model, "model.pt")
    for made in (average.module, torch.load("model.pt", weights_only=False)):
        assert made.run is run
        assert (made.config.lr, made.values["loss"]) == (1, 0.5)
        made.config["lr"] = 2
        assert run.config["lr"] == 1


def test_a_disabled_run_is_copied_like_any_other() -> None:
    run = tracker.init(mode="disabled")
    assert copy.deepcopy(run) is pickle.loads(pickle.dumps(run)) is run
    done = elsewhere(pickle.dumps(run), f"assert (it.id, it.mode) == ({run.id!r}, 'disabled'); it.log({{'x': 1}})")
    assert (done.returncode, done.stderr) == (0, "")


def test_media_and_settings_can_be_copied(start: Start) -> None:
    np = pytest.importorskip("numpy")
    run = start()
    for made in (
        tracker.Text("x"),
        tracker.Html("<p>"),
        tracker.Histogram([1.0, 2.0]),
        tracker.Image(np.zeros((2, 2, 3), np.uint8), caption="c"),
        tracker.Audio(np.zeros(8, np.float32), sample_rate=8),
        tracker.Table(["a"], [[tracker.Text("y")]]),
    ):
        for twin in (copy.deepcopy(made), pickle.loads(pickle.dumps(made))):
            run.log({"it": [made, twin]})
    assert run.dropped == 0
    assert pickle.loads(pickle.dumps(run.settings)).project == run.settings.project


def test_no_key_is_in_a_pickle() -> None:
    run = tracker.init(mode="online", settings={"base_url": "http://127.0.0.1:9", "api_key": "s3cretkey"})
    for it in (run, run.settings, run.config, run.summary, tracker.Api("http://127.0.0.1:9", "s3cretkey")):
        assert b"s3cretkey" not in pickle.dumps(it)
    assert copy.deepcopy(run.settings).api_key == "s3cretkey"


# -- in another process ---------------------------------------------------------------------------------------------


def test_a_run_unpickled_in_another_process_joins_the_run_in_a_stream_of_its_own(start: Start) -> None:
    run = start(name="first", config={"lr": 1}, project="p")
    run.log({"x": 0})
    pickled = pickle.dumps(Holder(run, []))
    run.name = "renamed"
    body = """
run = it.run
assert (run.id, run.project, run.name, run.config.lr, run.step) == (ID, "p", "first", 1, 1)
assert tracker.run is None and pickle.loads(pickle.dumps(it)).run is run
run.log({"x": 1})
run.config["more"] = 2
run.finish(1)
"""
    done = elsewhere(pickled, body.replace("ID", repr(run.id)))
    assert done.returncode == 0, done.stderr
    found = tracker.read_run(run.dir)
    assert [row["x"] for row in found.scan_history()] == [0, 1]
    assert (found.config, found.name, found.state) == ({"lr": 1, "more": 2}, "renamed", "running")
    run.finish()
    assert tracker.read_run(run.dir).state == "finished"


def test_a_process_that_only_unpickles_a_run_writes_nothing(start: Start) -> None:
    with start() as run:
        run.log({"x": 0})
    before = stream_paths(Path(run.dir))
    done = elsewhere(pickle.dumps(run), "it.config, it.step, it.name")
    assert (done.returncode, done.stderr) == (0, "")
    assert [p for p in stream_paths(Path(run.dir)) if p.name.startswith("history")] == [
        p for p in before if p.name.startswith("history")
    ]


def _work(run: tracker.Run, number: int) -> None:
    run.log({"worker": number})


def test_spawned_workers_log_to_the_run_that_they_get(start: Start) -> None:
    run = start()
    workers = [multiprocessing.get_context("spawn").Process(target=_work, args=(run, i)) for i in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0]
    found = tracker.read_run(run.dir)
    assert {row["worker"] for row in found.scan_history()} == {0, 1}
    assert found.state == "running"


def test_an_agent_uploads_rows_logged_by_a_copy_after_the_end_of_the_run(start: Start) -> None:
    with start() as run:
        pass
    eventually(lambda: not agent_alive(run.dir))
    body = (
        "it.log({'late': 1})\nfrom tests.waiting import eventually\nfrom tracker.runlog.directory import agent_alive\n"
    )
    done = elsewhere(pickle.dumps(run), body + "eventually(lambda: agent_alive(it.dir))")
    assert done.returncode == 0, done.stderr
    assert tracker.read_run(run.dir).state == "finished"


def test_a_forked_child_of_an_unpickled_run_logs_too(start: Start) -> None:
    run = start()
    body = "import os\nit.log({'x': 1})\nif not os.fork():\n    it.log({'x': 2}); os._exit(0)\nos.wait()"
    assert elsewhere(pickle.dumps(run), body).returncode == 0
    assert {row["x"] for row in tracker.read_run(run.dir).scan_history()} == {1, 2}


@pytest.mark.parametrize("what", ["deleted", "another", "link", "settings", "disabled"])
def test_a_copy_keeps_nothing_if_the_run_directory_is_not_available(start: Start, what: str) -> None:
    with start() as run:
        run.log({"x": 1})
    eventually(lambda: not agent_alive(run.dir))
    pickled = pickle.dumps(run)
    variables = {}
    if what == "settings":
        variables["TRACKER_UPLOAD_INTERVAL"] = "often"
    elif what == "disabled":
        variables["TRACKER_MODE"] = "disabled"
        pickled = pickle.dumps(start(mode="online"))
    else:
        shutil.move(run.dir, "moved")
    if what == "another":
        Path(run.dir).mkdir()
        header = {"version": 1, "id": "other", "entity": "me", "project": "uncategorized"}
        Path(run.dir, "history.jsonl").write_bytes(encode("run", header, 1.0))
    if what == "link":
        Path(run.dir).symlink_to(Path("moved").absolute())
    body = f"""
it.log({{"x": 2}}); it.save("pickled"); it.finish()
assert it.project == {run.project!r}
print(it.mode)
"""
    done = elsewhere(pickled, body, **variables)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "disabled\n"
    assert done.stderr.count("keeps nothing here") == (what != "disabled")


@pytest.mark.parametrize(
    "ticket",
    [
        None,
        {},
        {"mark": 1, "directory": 5},
        {"directory": "/etc", "id": "etc"},
        {"directory": "../.tracker/runs/x", "id": "x"},
    ],
)
def test_a_pickle_from_someone_else_keeps_nothing(ticket: Any, warnings: Any) -> None:
    from tracker.sdk.pickling import unpickle

    run = unpickle(ticket)
    assert isinstance(run, tracker.Run)
    assert run.mode == "disabled"
    assert "keeps nothing here" in warnings()[0]


# -- readers of runs ------------------------------------------------------------------------------------------------


def test_local_runs_can_be_copied_and_pickled(start: Start) -> None:
    with start(config={"lr": 1}) as run:
        run.log({"x": 1})
    found = tracker.read_run(run.dir)
    for made in (copy.deepcopy(found), pickle.loads(pickle.dumps(found))):
        assert (made.config, [row["x"] for row in made.scan_history()]) == ({"lr": 1}, [1])


def test_remote_runs_can_be_copied_and_pickled(server: Any) -> None:
    run = tracker.init(mode="online", project="pickled", config={"lr": 1}, reinit="create_new")
    run.log({"x": 1})
    run.finish()
    api = tracker.Api()
    found = api.run(run.path)
    for made in (
        copy.deepcopy(found),
        pickle.loads(pickle.dumps(found)),
        pickle.loads(pickle.dumps(api)).run(run.path),
    ):
        assert dict(made.config) == {"lr": 1}
        assert [row["x"] for row in made.scan_history()] == [1]
        made.summary["y"] = 2
        made.update()
    assert server.token.encode() not in pickle.dumps([api, found, api.runs("pickled")])
    assert api.run(run.path).summary["y"] == 2


def test_an_api_that_is_unpickled_has_this_process_s_own_key(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    pickled = pickle.dumps(tracker.Api(server.url, "one"))
    monkeypatch.setenv("TRACKER_BASE_URL", server.url)
    monkeypatch.setenv("TRACKER_API_KEY", server.token)
    api = pickle.loads(pickled)
    assert api.base_url == server.url
    api.projects()  # the server accepts this key
    monkeypatch.setenv("TRACKER_BASE_URL", "http://127.0.0.1:8")  # the key of that address, and of no other
    with pytest.raises(tracker.ServerError) as caught:
        pickle.loads(pickled).projects()
    assert caught.value.status == 401
