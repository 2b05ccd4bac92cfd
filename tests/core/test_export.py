"""Test runs in files: exported from directories and servers, imported and uploaded again."""

from __future__ import annotations

import math
import os
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest

import tracker
from tests.waiting import eventually
from tracker.agent.sync import Sync
from tracker.api.rebuild import rebuild
from tracker.client import connect
from tracker.errors import NotARun, ServerError, TrackerError
from tracker.export import export_runs, import_runs
from tracker.random_names import random_id
from tracker.runlog.directory import is_copy, lock_directory, store, unlock_directory
from tracker.runlog.fold import RunState
from tracker.runlog.records import encode, encode_points, jsonable
from tracker.settings import Settings
from tracker.wire import run_path

ROOT = Path(".tracker/runs")
RUN_ROWS = [{"loss": 0.5, "n": 3}, {"loss": math.nan, "text": "ä"}, {"loss": -math.inf, "big": 10**25, "flag": True}]


def stream(directory: Path, stream_name: str, *records: Any, corrupt: int = 0, **header: Any) -> None:
    """Write a stream; each record is a kind, a payload, a time and, for rows, a step."""
    head = {"version": 1, "id": directory.name, "entity": "me", "project": "carried", **header}
    lines = [encode("run", head, records[0][2] if records else 1.0)]
    lines += [
        encode(kind, jsonable(payload), time, *step) if kind != "raw" else payload
        for kind, payload, time, *step in records
    ]
    lines += [b'{"c":"00000000",damaged}\n'] * corrupt
    (directory / stream_name).write_bytes(b"".join(lines))


def a_run(run_id: str | None = None, mark: str = "") -> Path:
    """Make a run with a record of every kind, from several processes on two machines.

    With `mark`, no other run has the same content.
    """
    run_id = run_id or random_id()
    directory = ROOT / run_id
    (directory / "files").mkdir(parents=True)
    media = store(str(directory), f"<b>media</b>{mark}".encode())
    weights = store(str(directory), f"weights{mark}".encode())
    (directory / "files/save-w").write_text(f"weights{mark}")
    html = {"_type": "html", "digest": media, "size": 12 + len(mark), "format": "html"}
    stream(
        directory, "history-bb.jsonl",
        ("config", {"lr": 0.1, "nested": {"a": [1, math.nan]}}, 10.0),
        ("metric", {"name": "loss", "summary": "min"}, 10.0),
        ("metric", {"name": "n", "step_metric": "epoch"}, 10.0),
        *(("log", row, 11.0 + step / 8, step) for step, row in enumerate(RUN_ROWS)),
        ("log", {"sample": html}, 12.0, 3),
        ("summary", {"best": math.inf, "n": 3}, 13.0),
        ("alert", {"title": "Careful", "text": "it diverges", "level": "warn"}, 13.5),
        ("lost", {"count": 2, "reason": "No space left on device"}, 14.0),
        ("preempting", {}, 14.0),
        ("finish", {"state": "failed", "exit_code": 3, "error": "ValueError: x", "traceback": "Traceback …"}, 15.0),
        corrupt=2, name="carried away", group="g", tags=["a", "b"], notes="many\nlines", host="box-1", pid=77,
        program="train.py", python="3.12.1", allow_stop=True,
    )  # fmt: skip
    stream(
        directory, "history-aa.jsonl",
        ("log", {"loss": 9.0}, 11.5, 0),
        ("finish", {"state": "finished", "exit_code": 0}, 14.5),
        host="box-2", pid=78, parent="history-bb.jsonl",
    )  # fmt: skip
    stream(
        directory, "history-ev.jsonl",
        ("session", {"status": "start", "row": 0, "step": 0}, 10.5),
        ("raw", encode_points(["tb/x", "tb/y"], [0, 1, 0], [10.6, 10.7, 10.8], [0, 0, 1], [1.5, 2.5, 3.5]), 10.6),
        ("session", {"status": "start", "row": 3, "step": 1}, 10.8),
        ("finish", {"state": "finished", "exit_code": 0}, 10.9),
        event_file={"name": "events.out.tfevents.1.box", "version": 2.0},
    )  # fmt: skip
    stream(
        directory, "system-s1.jsonl",
        ("system", {"cpu": 12.5, "gpu.0.memory": 1e9}, 12.0),
        ("system", {"cpu": 13.5}, 14.0),
        ("file", {"name": "best.pt", "digest": weights, "size": 7 + len(mark), "path": "files/save-w"}, 14.2),
        ("environment", {"stream": "history-bb.jsonl", "started": 10.0, "command": ["python"], "files": []}, 14.3),
        ("suspect", {"stream": "history-bb.jsonl", "reason": "fsync failed"}, 14.4),
        ("unheard", {"of": 1}, 16.25),
        host="box-1", pid=79, heartbeat=60.0,
    )  # fmt: skip
    for number in (2, 1):
        stream(
            directory, f"console-c{number}.jsonl",
            ("console", {"stream": "stdout", "text": f"from {number}"}, 10.0 + number),
            ("console", {"stream": "stderr", "text": "\x1b[31mred"}, 12.0 + number),
            host="box-1", pid=80 + number,
        )  # fmt: skip
    stream(
        directory, "edits-e1.jsonl",
        ("config", {"lr": 0.2}, 90.0),
        ("meta", {"tags": ["a", "later"], "notes": None}, 90.0),
        ("stop", {}, 91.0),
    )  # fmt: skip
    return directory


def data_of(run: Any) -> dict[str, Any]:
    """Return all data of a run, wherever it is; `seen` and `ordinal` are the server's own."""
    apart = ("seen", "ordinal", "event_files", "environment")
    info = {member: value for member, value in run.info.items() if member not in apart}
    return {
        "info": repr(sorted(info.items())),
        "environment": {k: v for k, v in run.environment.items() if k != "stream"},
        "event_files": list(run.info["event_files"].values()),
        "rows": repr(list(run.scan_history(restarts="all"))),
        "latest": repr(list(run.scan_history())),
        "system": repr(list(run.system_history(pandas=False))),
        "console": list(run.console()),
        "files": sorted((file.name, file.size, file.digest) for file in run.files()),
        "alerts": run.alerts(),
    }


@pytest.fixture
def uploaded(server: Any) -> tuple[Path, Any]:
    """Return a run directory, and the run on the server."""
    directory = a_run()
    assert Sync().upload(directory).absent == []
    return directory, tracker.Api().run(f"me/carried/{directory.name}")


# -- from a server ---------------------------------------------------------------------------------------------------


def test_a_run_exported_from_a_server_has_all_the_servers_data(uploaded: tuple[Path, Any], tmp_path: Path) -> None:
    _, remote = uploaded
    (exported,) = export_runs(tmp_path / "x.zip", [remote])
    assert exported.missing == []
    copy = tracker.read_run(tmp_path / "x.zip")
    expected = data_of(remote)
    assert data_of(copy) == expected
    assert "nan" in expected["rows"]
    assert expected["console"] == [
        {"time": t, "stream": s, "text": x}
        for number in (1, 2)
        for t, s, x in ((10.0 + number, "stdout", f"from {number}"), (12.0 + number, "stderr", "\x1b[31mred"))
    ]
    assert copy.file("best.pt").download(tmp_path).read_bytes() == b"weights"
    (media,) = (row["sample"]["digest"] for row in copy.scan_history() if "sample" in row)
    assert (copy.directory / "files" / media).read_bytes() == b"<b>media</b>"


def test_a_copy_keeps_every_member_of_the_run_state(uploaded: tuple[Path, Any], tmp_path: Path) -> None:
    # A new member of RunState needs a line in rebuild.py, and a record in `a_run`.
    _, remote = uploaded
    rebuild(remote, tmp_path / "copy")
    answer = connect(Settings()).json("GET", run_path(remote.entity, remote.project, remote.id) + "/fold")
    theirs, ours = RunState.from_json(answer["fold"]), tracker.read_run(tmp_path / "copy").run_state
    for member, value in vars(theirs).items():
        if member == "touched":
            continue  # is not part of the run
        assert value not in (None, {}, []), f"{member} is not put to the test"
        if member in ("streams", "stats", "environment", "files"):
            continue  # their names differ, and `data_of` compares what they say
        assert _said(getattr(ours, member)) == _said(value), member
    for name, stream in theirs.streams.items():
        if not name.startswith("edits"):
            mine = ours.streams[name.replace(".jsonl", "_rebuilt.jsonl")]
            for member in vars(stream).keys() - {"unknown", "parent", "event_file"}:
                assert getattr(mine, member) == getattr(stream, member), f"{member} of {name}"
    assert ours.streams["history-aa_rebuilt.jsonl"].parent == "history-bb_rebuilt.jsonl"


def _said(value: Any) -> str:
    """Check that two values are equal, NaN included, in any order of their members."""
    return repr(sorted(value.items()) if isinstance(value, dict) else value)


def test_a_config_that_is_too_long_for_a_line_comes_back_whole(server: Any, tmp_path: Path) -> None:
    config = {f"{i:05} {'n' * 200}": i for i in range(45_000)}
    with tracker.init(config=config, id="long", project="carried") as run:
        run.log({"x": 1})
    export_runs(tmp_path / "x.zip", [tracker.Api().run(run.path)])
    copy = tracker.read_run(tmp_path / "x.zip")
    assert (copy.config, copy.info["corrupt"]) == (config, 0)


def test_content_that_the_server_lacks_is_named(server: Any, tmp_path: Path) -> None:
    directory = a_run(mark=random_id())  # which no test has uploaded
    for name in (directory / "files").iterdir():
        name.unlink()
    assert len(Sync().upload(directory).absent) == 2
    remote = tracker.Api().run(f"me/carried/{directory.name}")
    (exported,) = export_runs(tmp_path / "x.zip", [remote])
    assert "best.pt" in exported.missing
    assert len(exported.missing) == 2


def test_an_imported_copy_can_be_uploaded_but_never_beside_its_original(
    uploaded: tuple[Path, Any], tmp_path: Path
) -> None:
    directory, remote = uploaded
    export_runs(tmp_path / "x.zip", [remote])
    before = data_of(remote)
    (imported,) = import_runs(tmp_path / "x.zip", tmp_path / "elsewhere/runs")
    Sync().upload(imported.directory)
    remote.reload()
    assert data_of(remote) == before
    # Like an upload to another server, which does not have the run.
    remote.delete()
    with pytest.raises(ServerError, match="was deleted on the server"):
        Sync().upload(imported.directory)
    Sync(again=True).upload(imported.directory)
    Sync().upload(imported.directory)
    again = tracker.Api().run(remote.path)
    assert data_of(again) == before
    assert again.file("best.pt").download(tmp_path).read_bytes() == b"weights"
    # There, the original would be the second copy.
    refused = Sync().upload(directory).refused
    assert {name for name in os.listdir(directory) if name.startswith("history")} <= set(refused)
    assert "delete the run there first" in refused["history-bb.jsonl"]
    again.reload()
    assert data_of(again)["rows"] == before["rows"]


def test_a_copy_of_a_copy_is_the_same(uploaded: tuple[Path, Any], tmp_path: Path) -> None:
    _, remote = uploaded
    before = data_of(remote)
    export_runs(tmp_path / "one.zip", [remote])
    remote.delete()
    copy = import_runs(tmp_path / "one.zip", tmp_path / "a/runs")[0].directory
    Sync(again=True).upload(copy)
    export_runs(tmp_path / "two.zip", [tracker.Api().run(remote.path)])
    assert data_of(tracker.read_run(tmp_path / "two.zip")) == before


# -- from directories ------------------------------------------------------------------------------------------------


def content(directory: Path) -> dict[str, bytes]:
    return {str(p.relative_to(directory)): p.read_bytes() for p in directory.rglob("*") if p.is_file()}


def test_a_run_exported_from_a_directory_is_identical_and_importing_it_twice_is_safe(tmp_path: Path) -> None:
    directory = a_run("k3")
    export_runs(tmp_path / "x.zip", [tracker.read_run(directory)])
    (first,) = import_runs(tmp_path / "x.zip", tmp_path / "b/runs")
    assert (first.run, first.directory, first.new) == ("me/carried/k3", tmp_path / "b/runs/k3", True)
    assert content(first.directory) == content(directory)
    (second,) = import_runs(tmp_path / "x.zip", tmp_path / "b/runs")
    assert not second.new
    assert content(first.directory) == content(directory)
    (here,) = import_runs(tmp_path / "x.zip", ROOT)
    assert (here.directory, here.new) == (directory, False)
    assert sorted(p.name for p in (tmp_path / "b").iterdir()) == [".gitignore", "runs"]


def test_an_older_copy_is_completed_and_a_newer_one_is_left_alone(tmp_path: Path) -> None:
    directory = a_run("k3")
    export_runs(tmp_path / "early.zip", [tracker.read_run(directory)])
    with (directory / "history-bb.jsonl").open("ab") as file:
        file.write(encode("log", {"loss": 0.1}, 20.0, 9))
    (directory / "files/save-late").write_bytes(b"late")
    export_runs(tmp_path / "late.zip", [tracker.read_run(directory)])
    target = tmp_path / "b/runs"
    for name, new in (("early.zip", True), ("late.zip", True), ("late.zip", False), ("early.zip", False)):
        (imported,) = import_runs(tmp_path / name, target)
        assert imported.new is new
    assert content(target / "k3") == content(directory)


def test_files_that_differ_or_would_double_a_run_are_refused(uploaded: tuple[Path, Any], tmp_path: Path) -> None:
    directory, remote = uploaded
    export_runs(tmp_path / "copy.zip", [remote])
    export_runs(tmp_path / "run.zip", [tracker.read_run(directory)])
    for first, second in (("copy.zip", "run.zip"), ("run.zip", "copy.zip")):
        (one,) = import_runs(tmp_path / first, tmp_path / "of" / first / "runs")
        before = content(one.directory)
        with pytest.raises(TrackerError, match="would have every row twice"):
            import_runs(tmp_path / second, one.directory.parent)
        assert content(one.directory) == before
    path = directory / "history-aa.jsonl"
    path.write_bytes(path.read_bytes().replace(b"9.0", b"8.0"))
    with pytest.raises(TrackerError, match="differs from the exported file"):
        import_runs(tmp_path / "run.zip", ROOT)


def test_a_run_with_a_running_agent_is_not_changed(tmp_path: Path) -> None:
    directory = a_run("k3")
    export_runs(tmp_path / "x.zip", [tracker.read_run(directory)])
    (directory / "history-aa.jsonl").unlink()
    lock = lock_directory(str(directory))
    assert lock is not None
    with pytest.raises(TrackerError, match="has an agent at work"):
        import_runs(tmp_path / "x.zip", ROOT)
    unlock_directory(lock)
    import_runs(tmp_path / "x.zip", ROOT)
    assert (directory / "history-aa.jsonl").exists()


def test_runs_of_two_projects_with_one_id_get_directories_of_their_own(tmp_path: Path) -> None:
    export_runs(tmp_path / "x.zip", [tracker.read_run(a_run("k3"))])
    shutil.rmtree(ROOT / "k3")
    (ROOT / "k3").mkdir()
    (ROOT / "k3/history.jsonl").write_bytes(
        encode("run", {"version": 1, "id": "k3", "entity": "me", "project": "o"}, 1.0)
    )
    (imported,) = import_runs(tmp_path / "x.zip", ROOT)
    assert imported.directory != ROOT / "k3"
    assert tracker.read_run(imported.directory).path == "me/carried/k3"
    (again,) = import_runs(tmp_path / "x.zip", ROOT)
    assert (again.directory, again.new) == (imported.directory, False)


def test_a_live_run_is_exported_as_it_is_at_that_moment(server: Any, tmp_path: Path) -> None:
    with tracker.init(project="carried") as run:
        run.log({"loss": 1})
        export_runs(tmp_path / "run.zip", [tracker.read_run(run.dir)])
        remote = eventually(lambda: [r for r in tracker.Api().runs("me/carried") if r.id == run.id and r.info["rows"]])[
            0
        ]
        export_runs(tmp_path / "copy.zip", [remote])
        run.log({"loss": 2})
        for name in ("run.zip", "copy.zip"):
            copy = tracker.read_run(tmp_path / name)
            assert (copy.state, [row["loss"] for row in copy.scan_history()]) == ("running", [1])


# -- reading a file --------------------------------------------------------------------------------------------------


def test_a_run_is_read_from_a_file_and_its_unpacked_files_are_removed_with_it(tmp_path: Path) -> None:
    export_runs(tmp_path / "two.zip", [tracker.read_run(a_run(name)) for name in ("k3", "k4")])
    run = tracker.read_run(tmp_path / "two.zip/k4")
    assert run.id == "k4"
    unpacked = run.directory
    file = run.file("best.pt")
    del run
    assert file.download(tmp_path / "out").read_bytes() == b"weights"
    del file
    assert not unpacked.exists()
    with pytest.raises(NotARun, match="me/carried/k3, me/carried/k4: name one of them"):
        tracker.read_run(tmp_path / "two.zip")
    with pytest.raises(NotARun, match="name one of them"):
        tracker.read_run(tmp_path / "two.zip/k5")


def test_a_run_in_a_file_cannot_be_changed_there(tmp_path: Path) -> None:
    export_runs(tmp_path / "x.zip", [tracker.read_run(a_run("k3"))])
    run = tracker.read_run(tmp_path / "x.zip")
    run.name = "other"
    with pytest.raises(TrackerError, match="import"):
        run.update()
    with pytest.raises(TrackerError, match="import"):
        run.summary["acc"] = 0.9
    assert "acc" not in run.summary


def test_a_file_that_names_another_run_than_it_holds_is_refused(tmp_path: Path) -> None:
    export_runs(tmp_path / "x.zip", [tracker.read_run(a_run("k3"))])
    with zipfile.ZipFile(tmp_path / "x.zip") as sound, zipfile.ZipFile(tmp_path / "y.zip", "w") as forged:
        for member in sound.infolist():
            name = member.filename.replace("/k3/", "/k9/")
            forged.writestr(name, sound.read(member).replace(b'"id":"k3","files"', b'"id":"k9","files"'))
    with pytest.raises(TrackerError, match="is another run"):
        import_runs(tmp_path / "y.zip", ROOT)
    assert [p.name for p in ROOT.iterdir()] == ["k3"]
    assert not any(is_copy(p.name) for p in (ROOT / "k3").iterdir())
