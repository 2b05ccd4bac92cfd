"""Test that a run on a server is the same as in its directory."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

import tracker
from tests.waiting import eventually


@pytest.fixture
def project(server: Any, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    name = request.node.name.replace("[", "-").replace("]", "")[:100]
    monkeypatch.setenv("TRACKER_PROJECT", name)
    return str(name)


@pytest.fixture
def run(project: str) -> tracker.Run:
    with tracker.init(
        id="r1", name="first", tags=["t"], config={"lr": 0.1, "net": {"depth": 3}, "nan": math.nan}
    ) as run:
        run.define_metric("loss", summary="min")
        for i in range(50):
            run.log({"loss": 1 / (i + 1), "epoch": i // 10})
        run.log({"loss": math.nan, "nested": {"x": 10**30}, "text": "x"}, step=3)
        run.log({"list": [1, None, math.inf], "page": tracker.Html("<p>hi</p>")})
        run.summary["by hand"] = 5
        Path("model.pt").write_bytes(b"weights")
        run.save("model.pt")
    return run


def same(found: Any, expected: Any) -> bool:
    return repr(found) == repr(expected)


def arrived(run: tracker.Run) -> Any:
    remote = tracker.Api().run(run.path)
    assert eventually(lambda: remote.reload() or (remote.state == "finished" and remote.info["rows"] == 52))
    return remote


def test_the_rows_on_the_server_are_the_logged_rows(run: tracker.Run) -> None:
    remote, local = arrived(run), tracker.read_run(run.dir)
    assert (remote.path, remote.name, remote.state, remote.tags) == (local.path, "first", "finished", ["t"])
    assert same(remote.config, local.config)
    assert same(sorted(remote.summary.items()), sorted(local.summary.items()))
    rows, expected = list(remote.scan_history()), list(local.scan_history())
    assert [sorted(map(repr, row.items())) for row in rows] == [sorted(map(repr, row.items())) for row in expected]
    assert remote.keys() == local.keys()
    for member in ("rows", "corrupt", "lost", "suspect", "error", "created", "host", "program", "metrics"):
        assert same(remote.info[member], local.info[member]), member


def test_rows_and_samples_are_the_same_from_the_server_and_the_directory(run: tracker.Run) -> None:
    remote, local = arrived(run), tracker.read_run(run.dir)
    for keys in (["loss"], ["text", "epoch"], ["nothing"]):
        assert same(list(remote.scan_history(keys)), list(local.scan_history(keys)))
    few: Any = remote.history(["epoch"], samples=100, pandas=False)
    assert [row["epoch"] for row in few] == [row["epoch"] for row in local.history(["epoch"], pandas=False)]  # type: ignore[index]
    many: Any = remote.history(["loss"], samples=10, pandas=False)
    assert len(many) <= 11
    assert max(row["loss.max"] for row in many) == 1.0
    assert remote.history(samples=10, keys=[], pandas=False) == []


def test_a_data_frame_has_every_row(run: tracker.Run) -> None:
    pandas = pytest.importorskip("pandas")
    frame = arrived(run).history(keys=["loss", "epoch"])
    assert isinstance(frame, pandas.DataFrame)
    assert len(frame) == 51


def test_files_and_media_can_be_downloaded(run: tracker.Run) -> None:
    remote = arrived(run)
    eventually(remote.files)
    assert remote.file("model.pt").download("back").read_bytes() == b"weights"
    (row,) = remote.scan_history(["page"])
    assert b"<p>hi</p>" in remote.media(row["page"], "page.html").read_bytes()


def test_edits_are_kept_on_the_server(run: tracker.Run) -> None:
    remote = arrived(run)
    remote.config["lr"] = 0.2
    remote.summary["late"] = math.inf
    remote.name = "second"
    remote.tags.append("best")
    remote.update()
    again = tracker.Api().run(run.path)
    assert (again.config["lr"], again.summary["late"], again.name, again.tags) == (
        0.2,
        math.inf,
        "second",
        ["t", "best"],
    )
    assert again.state == "finished"


def test_changes_of_config_and_summary_are_on_the_server_when_the_call_returns(run: tracker.Run) -> None:
    remote = arrived(run)
    remote.summary.update({"late": math.inf, "acc": 0.5})
    remote.summary["acc"] = 0.9
    remote.config["net"] = {"depth": 3}
    again = tracker.Api().run(run.path)
    assert (again.summary["late"], again.summary["acc"], again.config["net"]) == (math.inf, 0.9, {"depth": 3})
    assert again.state == "finished"
    again.config.update(lr=0.25)
    assert tracker.Api().run(run.path).config["lr"] == again.config["lr"] == 0.25


def test_a_value_too_large_for_a_line_arrives_as_a_file(server: Any, project: str) -> None:
    text = "x" * (9 << 20)
    with tracker.init(config={"lr": 0.1, "text": text}) as run:
        run.log({"loss": 1, "text": text + "y"})
        run.summary["text"] = text + "z"
    remote = tracker.Api().run(run.path)
    assert (remote.config["lr"], remote.summary["loss"], remote.info["lost"]) == (0.1, 1, 0)
    (row,) = remote.scan_history()
    names = {remote.config["text"]["name"], remote.summary["text"]["name"]}
    assert eventually(lambda: names <= {file.name for file in remote.files()})
    assert remote.file(remote.config["text"]["name"]).download("text").read_text() == text
    assert eventually(lambda: blob(remote, row["text"]) == text + "y")


def test_rows_after_the_end_are_counted_on_the_server(server: Any, project: str) -> None:
    run = tracker.init()
    run.log({"loss": 1})
    run.finish()
    run.log({"loss": 2})
    remote = tracker.Api().run(run.path)
    assert eventually(lambda: remote.reload() or remote.info["lost"] == 1)
    assert (remote.state, remote.info["rows"], run.dropped) == ("finished", 1, 1)


def blob(remote: Any, value: Any) -> str | None:
    try:
        return Path(remote.media(value, "blob")).read_text()
    except tracker.TrackerError:
        return None  # it has not arrived yet


def test_rows_are_added_to_a_run_that_has_ended(run: tracker.Run) -> None:
    remote = arrived(run)
    remote.log({"final": {"acc": 0.9}, "nan": math.nan})
    remote.log({"final/acc": 0.95, "loss": 0.001}, step=7)
    again = tracker.Api().run(run.path)
    names = ("_step", "final/acc", "nan", "loss")
    added = [tuple(row.get(name) for name in names) for row in again.scan_history()][-2:]
    assert same(added, [(4, 0.9, math.nan, None), (7, 0.95, None, 0.001)])
    assert (again.summary["final/acc"], again.summary["loss"], again.state) == (0.95, 0.001, "finished")
    assert (again.info["updated"], again.info["created"]) == (remote.info["updated"], remote.info["created"])
    resumed = tracker.init(id=run.id, resume="must", dir="elsewhere")
    assert (resumed.step, resumed.summary["final/acc"]) == (8, 0.95)
    resumed.finish()


def test_alerts_can_be_read(project: str) -> None:
    with tracker.init() as run:
        run.alert("loss is NaN", "at step 3", "error")
        tracker.alert("slow")
    alerts = tracker.Api().run(run.path).alerts()
    assert [{k: a[k] for k in a if k != "time"} for a in alerts] == [  # type: ignore[literal-required]
        {"title": "loss is NaN", "text": "at step 3", "level": "error"},
        {"title": "slow", "text": "", "level": "info"},
    ]
    assert alerts == tracker.read_run(run.dir).alerts()


def test_a_deleted_run_is_gone_from_the_server_and_not_from_the_disk(run: tracker.Run) -> None:
    arrived(run).delete()
    with pytest.raises(tracker.ServerError) as caught:
        tracker.Api().run(run.path)
    assert caught.value.status == 404
    assert tracker.read_run(run.dir).info["rows"] == 52


def test_runs_are_found_ordered_and_counted(project: str) -> None:
    for i in range(5):
        with tracker.init(id=f"r{i}", config={"lr": i}, tags=["even"] if i % 2 == 0 else []) as made:
            made.log({"acc": -i})
    api = tracker.Api()
    assert len(api.runs(project)) == 5
    assert [r.id for r in api.runs(f"me/{project}", order="config.lr")] == [f"r{i}" for i in range(5)]
    assert [r.id for r in api.runs(project, {"config.lr": {"$gte": 3}}, order="summary.acc")] == ["r4", "r3"]
    assert [r.id for r in api.runs(project, 'config.lr > 1 and not tags has "even"')] == ["r3"]
    even = api.runs(project, {"tags": "even"}, order="-config.lr")
    assert (len(even), even[0].id, even[-1].id) == (3, "r4", "r0")
    with pytest.raises(IndexError, match="3 runs"):
        even[3]
    assert project in [entry["project"] for entry in api.projects()]


def test_a_wrong_filter_is_an_error_that_says_what_is_wrong(project: str) -> None:
    for filters, order in (({"colour": 1}, ""), ({"state": {"$like": 1}}, ""), ({}, "colour")):
        with pytest.raises(tracker.ServerError) as caught:
            list(tracker.Api().runs(project, filters, order))
        assert caught.value.status in (400, 422)
    with pytest.raises(tracker.ServerError, match=r"text needs quotes.*\n  state == failed\n           \^{6}$"):
        list(tracker.Api().runs(project, "state == failed"))


@pytest.mark.parametrize("path", ["", "a/b/c/d", "a//b", "me/p"])
def test_a_path_that_names_no_run_is_refused(path: str, server: Any) -> None:
    with pytest.raises((ValueError, tracker.ServerError), match=r"must be entity/project/id|404"):
        tracker.Api().run(path)


def test_a_wrong_key_is_refused(server: Any) -> None:
    with pytest.raises(tracker.ServerError) as caught:
        tracker.Api(server.url, "wrong").projects()
    assert caught.value.status == 401


def test_the_address_of_a_run_is_the_same_from_both_sides(run: tracker.Run, server: Any) -> None:
    assert run.url == arrived(run).url
    assert str(run.url).startswith(server.url)
