from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

import pytest

import tracker
from tests.removal import remove_run
from tests.waiting import eventually
from tracker.runlog.records import encode, encode_points


def parent(**arguments: Any) -> tracker.Run:
    run = tracker.init(id="parent", config={"lr": 1, "seed": 3}, **arguments)
    run.define_metric("best", summary="max")
    for step in range(10):
        run.log({"loss": 1 / (step + 1), "best": step, "odd": math.nan})
    run.log({"page": tracker.Html("<p>early")}, step=2)
    run.log({"page": tracker.Html("<p>late")}, step=9)
    run.finish()
    return run


def test_a_fork_has_its_own_copy_of_the_rows_and_config_of_its_parent(rows: Any) -> None:
    origin = parent()
    run = tracker.init(fork_from="parent?_step=4", config={"lr": 2})
    assert (run.id != "parent", run.step, run.resumed) == (True, 5, False)
    assert run.config.as_dict() == {"lr": 2, "seed": 3}
    assert (run.summary["loss"], run.summary["best"]) == (0.2, 4)
    remove_run(origin.dir)
    run.log({"loss": 0.1, "best": 2})
    assert run.summary["best"] == 4
    run.finish()
    found = tracker.read_run(run.dir)
    assert [row["_step"] for row in rows(run)] == [0, 1, 2, 3, 4, 2, 5]
    assert [row.get("loss") for row in rows(run)] == [1, 1 / 2, 1 / 3, 1 / 4, 1 / 5, None, 0.1]
    assert found.info["forked_from"] == "me/uncategorized/parent?_step=4"
    assert (found.config, found.summary["best"], found.state) == ({"lr": 2, "seed": 3}, 4, "finished")
    assert found.info["created"] >= run.start_time - 1
    (page,) = [row["page"] for row in rows(run) if "page" in row]
    assert Path(run.dir, "files", page["digest"]).read_text().endswith("<p>early")


def test_rows_of_all_processes_and_points_are_copied_except_damaged_ones(rows: Any) -> None:
    run = tracker.init(id="parent")
    run.log({"x": 0})
    run.finish()
    head = {"version": 1, "id": "parent", "entity": "me", "project": "uncategorized"}
    other = [
        encode("run", head, 1.0),
        encode_points(["a", "b"], [0, 1, 0], [2.0, 3.0, 4.0], [1, 5, 2], [0.5, math.nan, math.inf]),
        encode("log", {"x": 1}, 5.0, 1).replace(b'"x":1', b'"x":7'),
        encode("log", {"x": 2}, 5.0, 3),
        encode("log", {"x": 3}, 6.0, 2),
    ]
    Path(run.dir, "history-other.jsonl").write_bytes(b"".join(other))
    fork = tracker.init(fork_from="parent?_step=2")
    found = [{k: v for k, v in row.items() if k != "_step"} for row in rows(fork)]
    assert found == [{"a": 0.5}, {"a": math.inf}, {"x": 3}, {"x": 0}]
    assert tracker.read_run(fork.dir).info["corrupt"] == 0


@pytest.mark.parametrize("reference", ["parent", "parent?_step=x", "a/parent?_step=1", "../x?_step=1", ""])
def test_a_reference_without_a_run_and_a_step_is_refused(reference: str) -> None:
    with pytest.raises(tracker.SettingsError, match=r"must read id\?_step=N"):
        tracker.init(fork_from=reference)


def test_a_fork_needs_an_existing_parent_with_such_a_row_and_a_new_id() -> None:
    with pytest.raises(tracker.SettingsError, match="no server is asked"):
        tracker.init(fork_from="parent?_step=4")
    assert os.listdir(".tracker/runs") == []
    run = tracker.init(id="parent")
    run.log({"x": 1}, step=10)
    run.finish()
    with pytest.raises(tracker.SettingsError, match="no row up to step 4"):
        tracker.init(fork_from="parent?_step=4")
    with pytest.raises(tracker.SettingsError, match="choose another id"):
        tracker.init(id="parent", fork_from="parent?_step=10")
    assert os.listdir(".tracker/runs") == ["parent"]


def test_a_resumed_fork_continues_and_is_not_forked_again(rows: Any) -> None:
    parent()
    for step in (3, 4):
        run = tracker.init(id="fork", resume="allow", fork_from="parent?_step=2")
        assert run.step == step
        run.log({"loss": 0})
        run.finish()
    assert [row["_step"] for row in rows(run)] == [0, 1, 2, 2, 3, 4]
    assert tracker.read_run(run.dir).info["forked_from"] == "me/uncategorized/parent?_step=2"


def test_the_parent_may_be_only_on_the_server(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACKER_MODE", "online")
    monkeypatch.setenv("TRACKER_PROJECT", "forks")
    origin = parent()
    remote = tracker.Api().run(origin.path)
    eventually(lambda: remote.reload() or remote.info["rows"] == 12)
    with tracker.init(fork_from="parent?_step=4", dir="elsewhere") as run:
        assert (run.step, run.config["seed"], run.summary["best"]) == (5, 3, 4)
        run.log({"loss": 0.0})
    remote.delete()
    fork = tracker.Api().run(run.path)
    assert [row["_step"] for row in fork.scan_history()] == [0, 1, 2, 3, 4, 2, 5]
    assert [row["_step"] for row in fork.history(["loss"], samples=100, pandas=False)] == [0, 1, 2, 3, 4, 5]  # type: ignore[index]
    local = tracker.read_run(run.dir)
    for member in ("config", "summary", "metrics", "forked_from", "last_step", "state", "created"):
        assert repr(fork.info[member]) == repr(local.info[member])
    (row,) = fork.scan_history(["page"])
    assert fork.media(row["page"], "page.html").read_text().endswith("<p>early")
    with pytest.raises(tracker.SettingsError, match="nor on http"):
        tracker.init(fork_from="gone?_step=4")


def test_a_fork_has_a_config_that_is_too_long_for_a_line(tmp_path: Path) -> None:
    many = {f"{i:05} {'n' * 200}": i for i in range(45_000)}
    text = "x" * (9 << 20)
    with tracker.init(id="parent", config={"lr": 1, "model": {"text": text}, **many}) as origin:
        origin.log({"x": 1})
    with tracker.init(fork_from="parent?_step=0") as run:
        assert (run.config["lr"], len(run.config)) == (1, len(many) + 2)
    remove_run(origin.dir)
    found = tracker.read_run(run.dir)
    assert found.info["corrupt"] == 0
    assert (found.config["lr"], len(found.config)) == (1, len(many) + 2)
    name = found.config["model"]["text"]["name"]
    assert found.file(name).download(tmp_path / "text").read_text() == text
