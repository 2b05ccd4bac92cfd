from __future__ import annotations

from typing import Any

import pytest

from tracker.names import RunKey
from tracker_server.storage import copies
from tracker_server.storage.interface import By, CopyStopped, NameTaken, NoSuchProject

FILE = "a" * 64


def key(run: str, project: str = "digits", entity: str = "me") -> RunKey:
    return RunKey(entity, project, run)


def fill(store: Any, run: str, rows: int = 30, finish: bool = True) -> Any:
    """A run with rows in several uploads, so in segments and chunks, console lines, a file and an edit."""
    stream = store.stream("history-a.jsonl", key(run), opened=10.0)
    stream.add("file", {"name": "model.pt", "digest": FILE, "size": 3}).add("config", {"lr": 0.1})
    for step in range(rows):
        stream.log(step, {"loss": 1 / (step + 1), "acc": step})
    if finish:
        stream.add("finish", {"state": "finished"})
    stream.send(7)
    system = store.stream("system-a.jsonl", key(run), opened=11.0)
    for n in range(5):
        system.sample({"cpu": n})
    system.send(2)
    console = store.stream("console-a.jsonl", key(run), opened=12.0)
    for n in range(5):
        console.add("console", {"stream": "stdout", "text": f"line {n}"})
    console.send(2)
    store.stream("edits-a.jsonl", key(run), opened=13.0).add("meta", {"notes": "good"}).send()
    return stream


def content(store: Any, run: RunKey) -> dict[str, Any]:
    storage = store.storage
    info = storage.run(run)
    return {
        "info": {k: v for k, v in info.items() if k not in ("ordinal", "entity", "project")},
        "history": store.read(key=run),
        "system": store.read("system", key=run),
        "keys": storage.keys(run, "history"),
        "console": storage.console(run, 100).items,
        "files": storage.files(run),
        "digests": storage.digests(run),
        "offsets": storage.offsets(run),
        "edits": storage.edits(run, 10, None).items,
        "chart": [{**one, "run": ""} for one in store.chart(["loss"], ["/".join(run)], buckets=10)],
        "fold": storage.folded(run),
    }


def names(store: Any) -> list[str]:
    return sorted(f"{one['entity']}/{one['project']}" for one in store.storage.projects())


def test_a_copy_has_the_same_content_and_goes_its_own_way(store: Any, accounts: Any) -> None:
    number = accounts.add("ada")
    storage = store.storage
    streams = {run: fill(store, run, finish=run != "r2") for run in ("r1", "r2")}
    fill(store, "binned")
    storage.trash([key("binned")], 5.0)
    plan: Any = {"title": "Plan", "state": "published", "blocks": [{"id": "a"}], "message": "first"}
    former = storage.create_report("me", "digits", {**plan, "title": "Former"}, By(number))
    report = storage.save_report("me", "digits", former["id"], 1, plan, By(number))
    storage.create_report("me", "digits", {**plan, "state": "draft"}, By(number))
    storage.put_view("me", "digits", "mine", {"a": 1})
    storage.set_visibility("me", "digits", "internal")
    storage.copy_project("me", "digits", "team", "copied")
    for _ in range(2):
        for run in ("r1", "r2"):
            assert content(store, key(run, "copied", "team")) == content(store, key(run))
        assert [run["id"] for run in store.storage.runs("team", "copied", {}, "id", 10, None).items] == ["r1", "r2"]
        project = store.storage.project("team", "copied")
        (copied,) = store.storage.reports("team", "copied", "", 10, None).items
        assert copied["id"] != report["id"]
        read = store.storage.report("team", "copied", copied["id"])
        assert {**read, "id": report["id"], "entity": "me", "project": "digits", "version": 2} == report
        assert store.storage.report_versions("team", "copied", copied["id"], 10, None).total == 1
        assert [view["name"] for view in project["views"]] == ["mine"]
        assert (project["runs"], project["visibility"]) == (2, "private")
        assert names(store) == ["me/digits", "team/copied"]
        while store.storage.do_deferred_work():
            pass
        store.reopen()
    # Both go on, apart.
    before = content(store, key("r2", "copied", "team"))
    stream = streams["r2"]
    stream.storage = store.storage
    stream.log(30, {"loss": 0.5, "acc": 1}).add("finish", {"state": "finished"}).send()
    assert content(store, key("r2", "copied", "team")) == before
    stream.key, stream.offset, stream.lines = key("r2", "copied", "team"), before["offsets"][stream.name], []
    stream.log(30, {"loss": 0.25, "acc": 2}).add("finish", {"state": "finished"}).send()
    assert store.read(key=key("r2"))[-1][2]["loss"] == 0.5
    assert store.read(key=key("r2", "copied", "team"))[-1][2]["loss"] == 0.25


def test_files_stay_while_one_of_both_projects_names_them(store: Any) -> None:
    fill(store, "r1")
    storage = store.storage
    storage.copy_project("me", "digits", "me", "copied")
    assert storage.delete_project("me", "digits") == [FILE]
    assert storage.digests_in_use([FILE]) == {FILE}
    assert storage.delete_project("me", "copied") == [FILE]
    assert storage.digests_in_use([FILE]) == set()


def test_names_are_refused_before_and_after_copying(store: Any) -> None:
    fill(store, "r1")
    storage = store.storage
    with pytest.raises(NoSuchProject):
        storage.copy_project("me", "none", "me", "copied")
    with pytest.raises(NameTaken):
        storage.copy_project("me", "digits", "me", "digits")

    def take_the_name() -> bool:
        if "me/copied" not in names(store):
            storage.append(key("x", "copied"), "history-a.jsonl", 0, store.stream(key=key("x")).lines[0])
        return False

    with pytest.raises(NameTaken):
        storage.copy_project("me", "digits", "me", "copied", take_the_name)
    assert names(store) == ["me/copied", "me/digits"]
    assert [run["id"] for run in storage.runs("me", "copied", {}, "", 10, None).items] == ["x"]
    assert_nothing_is_left(store, runs=2)


def test_a_copy_appears_at_once_and_a_stopped_one_leaves_nothing(store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for run in ("r1", "r2", "r3"):
        fill(store, run)
    monkeypatch.setattr(copies, "_PIECE", 2)
    seen = []

    def look() -> bool:
        seen.append(names(store))
        return len(seen) > 20

    with pytest.raises(CopyStopped):
        store.storage.copy_project("me", "digits", "me", "copied", look)
    assert set(map(tuple, seen)) == {("me/digits",)}
    assert_nothing_is_left(store, runs=3)
    store.storage.copy_project("me", "digits", "me", "copied", lambda: False)
    assert content(store, key("r3", "copied")) == content(store, key("r3"))


def test_an_incomplete_copy_is_removed_by_the_next_server(store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(store, "r1")

    class Killed(BaseException):
        pass

    def kill() -> bool:
        raise Killed

    monkeypatch.setattr(copies, "discard", lambda *_: None)  # a killed server does not come to it
    with pytest.raises(Killed):
        store.storage.copy_project("me", "digits", "me", "copied", kill)
    store.reopen()
    assert names(store) == ["me/digits"]
    assert_nothing_is_left(store, runs=1)


def test_a_run_that_is_deleted_meanwhile_is_copied_or_left_out(store: Any) -> None:
    for run in ("r1", "r2"):
        fill(store, run)
    storage = store.storage

    def delete() -> bool:
        for run in ("r1", "r2"):
            if storage.offsets(key(run)):
                storage.delete(key(run))
                while storage.do_deferred_work():
                    pass
        return False

    fill(store, "r3")
    expected = content(store, key("r1"))
    storage.copy_project("me", "digits", "me", "copied", delete)
    assert [run["id"] for run in storage.runs("me", "copied", {}, "id", 10, None).items] == ["r1", "r3"]
    assert content(store, key("r1", "copied")) == expected


def assert_nothing_is_left(store: Any, runs: int) -> None:
    """Only so many runs have rows, once deferred work is done."""
    while store.storage.do_deferred_work():
        pass
    with store.storage._engine.connect() as connection:
        for table in ("runs", "streams", "keys", "digests", "parts"):
            column = "id" if table == "runs" else "run"
            count = connection.exec_driver_sql(f"SELECT count(DISTINCT {column}) FROM {table}").scalar()
            assert count <= runs, table


def test_a_copy_of_a_run_whose_rows_are_being_merged_is_whole(store: Any) -> None:
    stream = store.stream("history-a.jsonl", key("r1"), opened=10.0)
    for step in range(3):
        stream.log(step, {f"k{n}": step + n for n in range(600)})
    stream.add("finish", {"state": "finished"}).send()
    storage = store.storage
    assert storage.has_deferred_work
    storage.copy_project("me", "digits", "me", "before")
    storage.prepare_deferred_work()
    storage._writer.do_deferred_work()
    storage.copy_project("me", "digits", "me", "within")
    expected = store.read(key=key("r1"))
    for _ in range(2):
        for project in ("digits", "before", "within"):
            assert store.read(key=key("r1", project)) == expected
        while storage.do_deferred_work():
            pass
