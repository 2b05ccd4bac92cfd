from __future__ import annotations

from typing import Any

import pytest

from tracker.names import RunKey
from tracker.runlog.records import encode
from tracker_server.storage.interface import (
    By,
    CommentPlace,
    NameTaken,
    NoSuchProject,
    NoSuchReport,
    NoSuchRun,
    OffsetMismatch,
    RunDeleted,
)

FILE = "a" * 64
STREAM = "history-a.jsonl"


def key(run: str, project: str = "digits", entity: str = "me") -> RunKey:
    return RunKey(entity, project, run)


def head(run: str) -> bytes:
    record = {"name": "model.pt", "digest": FILE, "size": 3}
    return encode("run", {"version": 1, "id": run, "started": 1.0}, 1.0) + encode("file", record, 1.5)


def row(step: int) -> bytes:
    return encode("log", {"loss": 1.0 / (step + 1)}, 2.0 + step, step)


class Agent:
    """Uploads to a run under the name that it had at first, as an agent does."""

    def __init__(self, store: Any, run: RunKey, stream: str = STREAM) -> None:
        self.store, self.run, self.stream = store, run, stream
        self.steps = 0
        self.offset = self._append(0, head(run.id))

    def _append(self, offset: int, lines: bytes) -> int:
        storage = self.store.storage
        return int(storage.append(storage.resolve(self.run), self.stream, offset, lines).offset)

    def log(self) -> None:
        self.offset = self._append(self.offset, row(self.steps))
        self.steps += 1

    def check_offsets(self) -> None:
        storage = self.store.storage
        assert storage.offsets(storage.resolve(self.run)) == {self.stream: self.offset}


def shown(store: Any, project: str = "digits", entity: str = "me") -> dict[str, int]:
    """Which runs a project has, and how many rows: the list, the table and each run agree on it."""
    storage = store.storage
    found = storage.runs(entity, project, {}, "id", 1000, None).items
    for run in found:
        assert (run["entity"], run["project"]) == (entity, project)
        assert storage.run(RunKey(entity, project, run["id"])) == run
    page = storage.table(entity, project, {"columns": ["rows"], "sort": [{"column": "id"}]})
    assert page["runs"] == [run["id"] for run in found]
    counts = {run["id"]: run["rows"] for run in found}
    assert page["columns"]["rows"] == list(counts.values())
    listed = {(one["entity"], one["project"]): one["runs"] for one in storage.projects()}
    assert listed.get((entity, project), 0) == len(found)
    return counts


# -- renaming projects ------------------------------------------------------------------------------------------------


def test_a_renamed_project_has_its_runs_under_the_new_name_alone(store: Any) -> None:
    for run in ("r1", "r2"):
        Agent(store, key(run)).log()
    assert shown(store) == {"r1": 1, "r2": 1}
    store.storage.put_view("me", "digits", "mine", {"a": 1})
    store.storage.rename_project("me", "digits", "team", "letters")
    for _ in range(2):
        assert shown(store) == {}
        assert shown(store, "letters", "team") == {"r1": 1, "r2": 1}
        assert store.storage.view("team", "letters", "mine") == {"a": 1}
        with pytest.raises(NoSuchProject):
            store.storage.project("me", "digits")
        assert store.storage.resolve_project("me", "digits") == ("team", "letters")
        assert store.storage.resolve(key("r1")) == key("r1", "letters", "team")
        assert store.storage.resolve(key("new")) == key("new", "letters", "team")
        assert store.storage.resolve_project("me", "other") == ("me", "other")
        store.reopen()


def test_an_agent_goes_on_under_the_former_name_of_its_project(store: Any) -> None:
    agent = Agent(store, key("r1"))
    agent.log()
    for name in ("letters", "words", "digits", "books"):
        ((before,),) = ([one["project"] for one in store.storage.projects()],)
        store.storage.rename_project("me", before, "me", name)
        agent.log()
        agent.check_offsets()
        assert shown(store, name) == {"r1": agent.steps}
        assert [one["project"] for one in store.storage.projects()] == [name]
    store.reopen()
    agent.log()
    agent.check_offsets()
    assert shown(store, "books") == {"r1": 6}


def test_a_name_that_is_taken_is_refused_and_nothing_changes(store: Any) -> None:
    Agent(store, key("r1")).log()
    Agent(store, key("r2", "letters")).log()
    with pytest.raises(NameTaken, match="me/letters already"):
        store.storage.rename_project("me", "digits", "me", "letters")
    with pytest.raises(NoSuchProject):
        store.storage.rename_project("me", "unknown", "me", "new")
    store.storage.rename_project("me", "digits", "me", "digits")
    assert (shown(store), shown(store, "letters")) == ({"r1": 1}, {"r2": 1})


def test_a_former_name_never_hides_a_project_and_agents_find_their_runs_all_the_same(store: Any) -> None:
    old = Agent(store, key("r1"))
    store.storage.rename_project("me", "digits", "me", "letters")
    other = Agent(store, key("r2", "numbers"))
    store.storage.rename_project("me", "numbers", "me", "digits")
    assert store.storage.resolve_project("me", "digits") == ("me", "digits")
    old.log()
    other.log()
    Agent(store, key("r3")).log()
    assert shown(store) == {"r2": 1, "r3": 1}
    assert shown(store, "letters") == {"r1": 1}


def test_names_in_use_in_memory_follow_a_swap(store: Any) -> None:
    first = Agent(store, key("same", "one"))
    Agent(store, key("same", "two"))
    first.log()
    assert (shown(store, "one"), shown(store, "two")) == ({"same": 1}, {"same": 0})
    storage = store.storage
    storage.rename_project("me", "one", "me", "between")
    storage.rename_project("me", "two", "me", "one")
    storage.rename_project("me", "between", "me", "two")
    assert (shown(store, "one"), shown(store, "two")) == ({"same": 0}, {"same": 1})
    # Under these names, agents now reach what has them: the offset tells them that it is another run.
    with pytest.raises(OffsetMismatch):
        first.log()


# -- deleting projects ------------------------------------------------------------------------------------------------


def test_a_deleted_project_is_gone_and_uploads_of_its_runs_are_refused(store: Any) -> None:
    agents = [Agent(store, key(f"r{i}")) for i in range(3)]
    for agent in agents:
        agent.log()
    storage = store.storage
    storage.rename_project("me", "digits", "me", "letters")
    assert storage.delete_project("me", "letters") == [FILE]
    assert storage.digests_in_use([FILE]) == set()
    for _ in range(2):
        assert store.storage.projects() == []
        for former in ("digits", "letters"):
            assert shown(store, former) == {}
            assert store.storage.resolve(key("r1", former)) == key("r1", former)
            with pytest.raises(RunDeleted):
                store.storage.is_deleted(key("r1", former))
        for agent in agents:
            with pytest.raises(RunDeleted):
                agent.log()
        with pytest.raises(NoSuchProject):
            store.storage.project("me", "letters")
        while store.storage.do_deferred_work():
            pass
        store.reopen()
    with store.storage._engine.connect() as connection:
        for table in ("segments", "chunks", "streams", "keys", "parts", "digests", "runs"):
            assert connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar() == 0


@pytest.mark.parametrize("taken", ["by a new run", "by renaming"])
def test_a_new_project_of_that_name_is_another_one_in_which_the_old_runs_stay_deleted(store: Any, taken: str) -> None:
    old = Agent(store, key("r1"))
    storage = store.storage
    storage.put_view("me", "digits", "mine", {"a": 1})
    content: Any = {"title": "old", "state": "published", "blocks": [], "message": None}
    report = storage.create_report("me", "digits", content)["id"]
    storage.add_comment(CommentPlace("me", "digits", report=report), "old", [])
    storage.set_visibility("me", "digits", "internal")
    storage.delete_project("me", "digits")
    if taken == "by a new run":
        Agent(store, key("r2")).log()
    else:
        Agent(store, key("r2", "letters")).log()
        storage.rename_project("me", "letters", "me", "digits")
    assert shown(store) == {"r2": 1}
    project = storage.project("me", "digits")
    assert (project["views"], storage.reports("me", "digits", "", 10, None).total) == ([], 0)
    with pytest.raises(NoSuchReport):
        storage.report_place(report)
    with pytest.raises(RunDeleted):
        old.log()
    storage.readmit(key("r1"))
    Agent(store, key("r1")).log()
    assert shown(store) == {"r1": 1, "r2": 1}


def test_a_run_of_a_deleted_project_can_be_uploaded_again(store: Any) -> None:
    Agent(store, key("r1")).log()
    Agent(store, key("r2")).log()
    store.storage.delete_project("me", "digits")
    store.storage.readmit(key("r1"))
    Agent(store, key("r1")).log()
    assert shown(store) == {"r1": 1}
    with pytest.raises(RunDeleted):
        Agent(store, key("r2"))


def test_a_run_that_was_moved_away_before_survives_its_former_project(store: Any) -> None:
    agent = Agent(store, key("r1"))
    Agent(store, key("r2", "letters"))
    store.storage.move_runs([key("r1")], "me", "letters")
    store.storage.delete_project("me", "digits")
    agent.log()
    assert shown(store, "letters") == {"r1": 1, "r2": 0}
    Agent(store, key("r3")).log()  # a new project of the old name
    agent.log()
    store.reopen()
    agent.log()
    agent.check_offsets()
    assert (shown(store), shown(store, "letters")) == ({"r3": 1}, {"r1": 3, "r2": 0})


# -- moving runs ------------------------------------------------------------------------------------------------------


def test_a_moved_run_keeps_everything_and_its_agent_goes_on(store: Any) -> None:
    agent = Agent(store, key("r1"))
    printed = encode("run", {"version": 1, "id": "r1"}, 1.0) + encode(
        "console", {"stream": "stdout", "text": "hi"}, 2.0
    )
    store.storage.append(key("r1"), "console-a.jsonl", 0, printed)
    for _ in range(100):
        agent.log()
    Agent(store, key("r2", "letters")).log()
    before = store.storage.run(key("r1"))
    rows = store.read(key=key("r1"))
    storage = store.storage
    assert storage.move_runs([key("r1")], "me", "letters") == [key("r1")]
    here = key("r1", "letters")
    assert storage.run(here) == {**before, "project": "letters"}
    assert store.read(key=here) == rows
    assert list(storage.files(here)) == ["model.pt"]
    assert storage.digests(here) == [FILE]
    assert storage.console(here, 10).total == 1
    assert (shown(store), shown(store, "letters")) == ({}, {"r1": 100, "r2": 1})
    with pytest.raises(NoSuchRun):
        storage.run(key("r1"))
    for _ in range(2):
        agent.log()
        assert store.storage.resolve(key("r1")) == here
        store.reopen()
    assert shown(store, "letters") == {"r1": 102, "r2": 1}


def test_a_run_that_moves_twice_and_back_is_found_under_each_name(store: Any) -> None:
    agent = Agent(store, key("r1", "one"))
    for project in ("one", "two", "three"):
        Agent(store, key(f"of-{project}", project))
    places = ["one"]
    for target in ("two", "three", "one", "three", "one"):
        assert shown(store, places[-1])["r1"] == agent.steps
        store.storage.move_runs([key("r1", places[-1])], "me", target)
        places.append(target)
        agent.log()
        for project in set(places):
            assert store.storage.resolve(key("r1", project)) == key("r1", target)
            expected = {f"of-{project}": 0, **({"r1": agent.steps} if project == target else {})}
            assert shown(store, project) == expected
    store.reopen()
    agent.log()
    agent.check_offsets()
    assert shown(store, "one") == {"of-one": 0, "r1": 6}


def test_the_table_follows_runs_that_change_while_others_come_and_go(store: Any) -> None:
    kept, moved = Agent(store, key("kept")), Agent(store, key("moved"))
    Agent(store, key("there", "other"))
    for _ in range(5):
        moved.log()
    assert shown(store) == {"kept": 0, "moved": 5}
    store.storage.move_runs([key("moved")], "me", "other")
    kept.log()  # takes a version that the moved run had before
    store.storage.move_runs([key("moved", "other")], "me", "digits")
    assert shown(store) == {"kept": 1, "moved": 5}
    kept.log()
    moved.log()
    assert shown(store) == {"kept": 2, "moved": 6}


def test_an_id_that_is_in_the_target_is_refused_before_anything_changes(store: Any) -> None:
    Agent(store, key("r1")).log()
    Agent(store, key("r2")).log()
    Agent(store, key("r2", "letters"))
    Agent(store, key("r1", "words"))
    storage = store.storage
    with pytest.raises(NameTaken, match=r"me/letters has or had runs with the same ids \(r2\)"):
        storage.move_runs([key("r1"), key("r2")], "me", "letters")
    with pytest.raises(NameTaken, match="r1"):
        storage.move_runs([key("r1"), key("r1", "words")], "me", "letters")
    with pytest.raises(NoSuchRun):
        storage.move_runs([key("r1"), key("r9")], "me", "letters")
    with pytest.raises(NoSuchProject):
        storage.move_runs([key("r1")], "me", "unknown")
    assert (shown(store), shown(store, "letters"), shown(store, "words")) == ({"r1": 1, "r2": 1}, {"r2": 0}, {"r1": 0})
    assert storage.move_runs([key("r1")], "me", "digits") == []
    # Agents of the run that was there before still use that name.
    storage.move_runs([key("r2", "letters")], "me", "words")
    with pytest.raises(NameTaken, match="r2"):
        storage.move_runs([key("r2")], "me", "letters")


def test_a_moved_run_that_is_deleted_stays_deleted_under_all_its_names(store: Any) -> None:
    agent = Agent(store, key("r1"))
    Agent(store, key("r2", "letters"))
    Agent(store, key("r3")).log()
    storage = store.storage
    storage.move_runs([key("r1")], "me", "letters")
    storage.delete(key("r1", "letters"))
    for name in ("digits", "letters"):
        with pytest.raises(RunDeleted):
            storage.is_deleted(key("r1", name))
    with pytest.raises(RunDeleted):
        agent.log()
    storage.readmit(key("r1"))
    Agent(store, key("r1")).log()
    assert (shown(store), shown(store, "letters")) == ({"r1": 1, "r3": 1}, {"r2": 0})
    # A run that comes to where another one of its id was deleted can be deleted, too.
    storage.move_runs([key("r1")], "me", "letters")
    storage.delete(key("r1", "letters"))
    while storage.do_deferred_work():
        pass
    with pytest.raises(RunDeleted):
        storage.is_deleted(key("r1", "letters"))


def test_the_trash_and_the_user_move_along(store: Any, accounts: Any) -> None:
    number = accounts.add("ada")
    storage = store.storage
    storage.append(key("r1"), STREAM, 0, head("r1"), By(number))
    Agent(store, key("r2", "letters"))
    storage.trash([key("r1")], 7.0)
    storage.move_runs([key("r1")], "me", "letters")
    assert shown(store, "letters") == {"r2": 0}
    assert storage.trashed(8.0) == [key("r1", "letters")]
    assert storage.trash([key("r1", "letters")], None) == 1
    assert storage.run(key("r1", "letters"))["user"] == "ada"
    assert storage.runs("me", "letters", {"user": "ada"}, "", 10, None).total == 1


def test_a_move_changes_as_few_rows_for_a_large_run_as_for_a_small_one(store: Any) -> None:
    Agent(store, key("there", "letters"))
    changes = []
    for run, rows in (("small", 1), ("large", 50)):
        agent = Agent(store, key(run))
        for _ in range(rows):
            agent.log()
        database = store.storage._writer._connection.connection.driver_connection
        before = database.total_changes
        store.storage.move_runs([key(run)], "me", "letters")
        changes.append(database.total_changes - before)
    assert changes[0] == changes[1] < 10
