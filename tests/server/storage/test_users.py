from __future__ import annotations

from typing import Any

from tracker.names import RunKey
from tracker.runlog.records import encode
from tracker_server.storage.interface import By


def write(store: Any, run: str, by: By, stream: str = "history-a.jsonl") -> None:
    lines = encode("run", {"version": 1, "id": run}, 1.0) + encode("log", {"loss": 1.0}, 2.0, 0)
    store.storage.append(RunKey("me", "digits", run), stream, 0, lines, by)


def shown(store: Any) -> dict[str, str | None]:
    """The user of each run, which the table, the list and the run itself agree on."""
    found = {run["id"]: run["user"] for run in store.storage.runs("me", "digits", {}, "id", 100, None).items}
    page = store.storage.table("me", "digits", {"columns": ["id", "user"]})
    assert dict(zip(page["runs"], page["columns"]["user"], strict=True)) == found
    for run, user in found.items():
        assert store.storage.run(RunKey("me", "digits", run))["user"] == user
    return found


def test_a_run_belongs_to_whoever_first_wrote_it(store: Any, accounts: Any) -> None:
    ada, bob = By(accounts.add("ada")), By(accounts.add("bob"))
    write(store, "r1", ada)
    write(store, "r1", bob, "history-b.jsonl")
    write(store, "r2", bob)
    write(store, "r3", By())
    assert shown(store) == {"r1": "ada", "r2": "bob", "r3": None}
    store.reopen()
    assert shown(store) == {"r1": "ada", "r2": "bob", "r3": None}


def test_runs_are_filtered_sorted_and_grouped_by_their_user(store: Any, accounts: Any) -> None:
    ada, bob = By(accounts.add("ada")), By(accounts.add("bob"))
    for run, by in (("r1", bob), ("r2", ada), ("r3", bob)):
        write(store, run, by)
    storage = store.storage
    assert [run["id"] for run in storage.runs("me", "digits", 'user = "bob"', "id", 10, None).items] == ["r1", "r3"]
    assert [run["id"] for run in storage.runs("me", "digits", {}, "user,id", 10, None).items] == ["r2", "r1", "r3"]
    groups = storage.groups("me", "digits", {"by": ["user"]})
    assert {group["key"]["user"]: group["count"] for group in groups["groups"]} == {"ada": 1, "bob": 2}
    assert [group["filter"] for group in groups["groups"]] == ['user == "bob"', 'user == "ada"']
    (column,) = (one for one in storage.columns("me", "digits")["columns"] if one["name"] == "user")
    assert (column["values"], column["count"], column["differs"]) == (["ada", "bob"], 3, True)


def test_a_new_name_of_an_account_shows_everywhere(store: Any, accounts: Any) -> None:
    number = accounts.add("ada")
    write(store, "r1", By(number))
    write(store, "r2", By(accounts.add("bob")))
    assert shown(store) == {"r1": "ada", "r2": "bob"}
    accounts.change(number, name="lovelace")
    assert shown(store) == {"r1": "lovelace", "r2": "bob"}
    assert store.storage.runs("me", "digits", {"user": "ada"}, "", 10, None).total == 0
    groups = store.storage.groups("me", "digits", {"by": ["user"]})["groups"]
    assert {group["key"]["user"] for group in groups} == {"lovelace", "bob"}
    accounts.change(number, kind="removed")
    assert shown(store) == {"r1": "lovelace", "r2": "bob"}


def test_runs_have_no_user_once_all_accounts_are_removed(store: Any, accounts: Any) -> None:
    write(store, "r1", By(accounts.add("ada")))
    assert shown(store) == {"r1": "ada"}
    accounts.remove_all()
    assert shown(store) == {"r1": None}
