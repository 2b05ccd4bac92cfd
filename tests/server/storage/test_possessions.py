from __future__ import annotations

from typing import Any

import pytest

from tracker.names import RunKey
from tracker.runlog.records import encode
from tracker_server.storage.interface import Appended, By

A, B = "a" * 64, "b" * 64
ADA, EVE, BOT = (
    By(1, lambda entity, _: entity == "ada"),
    By(2, lambda entity, _: entity == "eve"),
    By(1, lambda *_: False),
)
FIRST, OTHER = RunKey("ada", "digits", "first"), RunKey("eve", "spying", "other")


def _name(store: Any, run: RunKey, by: By | None, *digests: str, stream: str = "history-a.jsonl") -> list[str]:
    """Name digests as files of a run; return those that it does not hold."""
    at = store.storage.offsets(run).get(stream, 0)
    lines = b"" if at else encode("run", {"version": 1, **run._asdict()}, 1000.0)
    for digest in digests:
        lines += encode("file", {"name": f"f{digest[:3]}", "digest": digest, "size": 3}, 1001.0)
    appended: Appended = store.storage.append(run, stream, at, lines, *([] if by is None else [by]))
    assert appended.digests == list(digests)
    held = store.storage.held(run, list(digests))
    return [digest for digest in digests if digest not in held]


def test_the_owner_holds_whatever_they_name(store: Any) -> None:
    assert _name(store, FIRST, None, A, B) == []
    assert store.storage.held(FIRST, [A, B, "c" * 64]) == {A, B}
    assert store.storage.held(OTHER, [A]) == set()


def test_an_account_holds_what_it_has_sent_before_and_nothing_else(store: Any) -> None:
    assert _name(store, FIRST, ADA, A, B) == [A, B]
    assert store.storage.held(FIRST, [A, B]) == set()
    store.storage.possess(FIRST, A, 10, ADA)
    assert store.storage.held(FIRST, [A, B]) == {A}
    assert _name(store, RunKey("ada", "elsewhere", "second"), BOT, A, B) == [B]


def test_naming_the_digest_of_another_s_file_does_not_read_it(store: Any) -> None:
    _name(store, FIRST, ADA, A)
    store.storage.possess(FIRST, A, 10, ADA)
    assert _name(store, OTHER, EVE, A) == [A]
    assert store.storage.names_digest(OTHER, A)
    assert store.storage.held(OTHER, [A]) == set()
    assert not store.storage.possesses(A, EVE)
    assert _name(store, OTHER, EVE, A) == [A]  # however often
    store.storage.possess(OTHER, A, 10, EVE)
    assert store.storage.held(OTHER, [A]) == {A}


def test_what_one_may_read_need_not_be_sent_again(store: Any) -> None:
    _name(store, FIRST, ADA, A)
    reader = By(3, lambda *_: True)
    assert _name(store, OTHER, reader, A) == [A]  # nobody holds it yet
    store.storage.possess(FIRST, A, 10, ADA)
    assert _name(store, OTHER, reader, A) == []
    assert store.storage.held(OTHER, [A]) == {A}


def test_a_key_that_may_not_read_can_name_what_its_project_holds(store: Any) -> None:
    _name(store, FIRST, ADA, A)
    store.storage.possess(FIRST, A, 10, ADA)
    blind = By(9, lambda *_: False)
    assert _name(store, RunKey("ada", "digits", "next"), blind, A) == []
    assert _name(store, RunKey("ada", "other", "next"), blind, A) == [A]


def test_a_digest_that_is_held_stays_held_when_someone_else_names_it(store: Any) -> None:
    _name(store, FIRST, ADA, A)
    store.storage.possess(FIRST, A, 10, ADA)
    assert _name(store, FIRST, By(7, lambda *_: False), A, stream="history-b.jsonl") == []
    assert store.storage.held(FIRST, [A]) == {A}


def test_the_owner_s_naming_makes_a_run_hold_it(store: Any) -> None:
    _name(store, FIRST, ADA, A)
    _name(store, FIRST, None, A, stream="history-b.jsonl")
    assert store.storage.held(FIRST, [A]) == {A}


def test_only_runs_that_hold_a_file_keep_it(store: Any) -> None:
    _name(store, FIRST, ADA, A, B)
    assert store.storage.digests_in_use([A, B]) == set()
    store.storage.possess(FIRST, A, 10, ADA)
    assert store.storage.digests_in_use([A, B]) == {A}
    assert store.storage.digests(FIRST) == [A, B]


def test_possession_is_forgotten_with_the_content(store: Any) -> None:
    _name(store, FIRST, ADA, A)
    store.storage.possess(FIRST, A, 10, ADA)
    store.storage.delete(FIRST)
    store.storage.forget([A])
    assert not store.storage.possesses(A, ADA)
    assert _name(store, RunKey("ada", "digits", "next"), ADA, A) == [A]


def test_possession_can_come_before_the_run(store: Any) -> None:
    store.storage.possess(FIRST, A, 10, ADA)
    assert _name(store, FIRST, ADA, A) == []


def test_a_digest_in_very_many_unreadable_runs_is_sent_again(store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracker_server.storage.possessions._MOST_RUNS", 3)
    for number in range(5):
        run = RunKey("eve", "spying", f"r{number}")
        _name(store, run, EVE, A)
        store.storage.possess(run, A, 10, EVE)
    late = RunKey("ada", "digits", "late")
    _name(store, late, By(4), A)
    assert _name(store, FIRST, ADA, A) == [A]


def test_usage_counts_each_content_of_an_entity_once(store: Any) -> None:
    second = RunKey("ada", "elsewhere", "second")
    for run in (FIRST, second):
        _name(store, run, ADA, A, B)
        store.storage.possess(run, A, 10, ADA)
    assert store.storage.usage("ada") == (10, [])
    assert store.storage.usage("eve") == (0, [])
    _name(store, second, None, B, stream="history-b.jsonl")
    assert store.storage.usage("ada") == (10, [B])
    store.storage.put_sizes({B: 5})
    assert store.storage.usage("ada") == (15, [])
    store.storage.delete(second)
    assert store.storage.usage("ada") == (10, [])
