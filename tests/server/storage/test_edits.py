from __future__ import annotations

import time
from typing import Any

import pytest

from tracker.names import RunKey
from tracker.runlog.directory import copy_name
from tracker.runlog.records import encode
from tracker_server.storage.interface import By, NoSuchRun

KEY = RunKey("me", "digits", "r1")


def edit(store: Any, number: int, by: By, *records: tuple[str, Any], file: str = "edits-{}.jsonl") -> None:
    lines = [encode("run", {"version": 1, "id": "r1", "stream": "edits"}, 5.0)]
    lines += [encode(kind, payload, 5.0) for kind, payload in records]
    store.storage.append(KEY, file.format(number), 0, b"".join(lines), by)


def listed(store: Any) -> list[tuple[str | None, dict[str, Any]]]:
    return [(one["user"], one["changes"]) for one in store.storage.edits(KEY, 100, None).items]


def test_edits_tell_who_changed_what_and_when_the_newest_first(store: Any, accounts: Any) -> None:
    store.stream().log(0, {"loss": 1.0}).send()
    number = accounts.add("ada")
    before = time.time()
    edit(store, 1, By(number), ("meta", {"name": "best", "tags": ["a"]}), ("config", {"lr": 0.1}))
    edit(store, 2, By(accounts.add("bob")), ("stop", {}))
    edit(store, 3, By(), ("meta", {"name": None}))
    found = store.storage.edits(KEY, 100, None)
    assert all(before <= one["time"] <= time.time() for one in found.items)
    assert (found.cursor, found.total) == (None, 3)
    assert listed(store) == [
        (None, {"meta": {"name": None}}),
        ("bob", {"stop": {}}),
        ("ada", {"meta": {"name": "best", "tags": ["a"]}, "config": {"lr": 0.1}}),
    ]
    accounts.change(number, name="lovelace")
    store.reopen()
    assert listed(store)[-1][0] == "lovelace"


def test_what_the_processes_of_a_run_write_is_no_edit(store: Any) -> None:
    store.stream().add("config", {"lr": 1}).add("meta", {"name": "n"}).log(0, {"loss": 1.0}).send()
    edit(store, 1, By(), ("config", {"lr": 1}), file=copy_name("edits-{}.jsonl"))  # a copy of a run has its state so
    edit(store, 2, By())
    assert listed(store) == []
    with pytest.raises(NoSuchRun):
        store.storage.edits(RunKey("me", "digits", "none"), 10, None)


def test_edits_are_listed_page_by_page_while_more_arrive(store: Any) -> None:
    for number in range(7):
        edit(store, number, By(), ("config", {"n": number}))
    found, cursor = [], None
    for size in (3, 3, 1):
        page = store.storage.edits(KEY, 3, cursor)
        assert len(page.items) == size
        found += [one["changes"]["config"]["n"] for one in page.items]
        cursor = page.cursor
        edit(store, 100 + size * 10 + len(found), By(), ("config", {"n": -1}))
    assert (found, cursor) == ([6, 5, 4, 3, 2, 1, 0], None)
    for wrong in ("x", "WzBd", "WyJhIl0="):
        with pytest.raises(ValueError, match="cursor"):
            store.storage.edits(KEY, 3, wrong)


def test_long_values_are_shortened(store: Any) -> None:
    edit(
        store, 1, By(), ("meta", {"notes": "x" * 5000}), ("config", {**{str(i): i for i in range(500)}, "0": [1] * 999})
    )
    ((_, changes),) = listed(store)
    assert changes["meta"]["notes"] == "x" * 1000 + "…"
    assert len(changes["config"]) == 100
    assert changes["config"]["0"].startswith("[1,1,")
    assert store.storage.run(KEY)["notes"] == "x" * 5000


def test_edits_are_deleted_with_their_run(store: Any) -> None:
    edit(store, 1, By(), ("config", {"n": 1}))
    store.storage.delete(KEY)
    while store.storage.do_deferred_work():
        pass
    with store.storage._engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM edits").scalar() == 0


def test_views_tell_who_changed_them_last(store: Any, accounts: Any) -> None:
    edit(store, 1, By(), ("config", {"n": 1}))
    storage = store.storage
    project = storage.project("me", "digits")
    assert project["visibility"] == "private"
    ada, bob = By(accounts.add("ada")), By(accounts.add("bob"))
    storage.put_view("me", "digits", "mine", 1, ada)
    storage.put_view("me", "digits", "ours", 1)
    project = storage.project("me", "digits")
    assert [view["user"] for view in project["views"]] == ["ada", None]
    storage.put_view("me", "digits", "mine", 2, bob)
    project = storage.project("me", "digits")
    assert project["views"][0]["user"] == "bob"
