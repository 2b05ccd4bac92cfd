"""Rows with very many keys are merged in pieces, and read the same before, between and after them."""

from __future__ import annotations

from typing import Any

import pytest

from tracker.names import RunKey
from tracker_server.storage import maintenance

KEY = RunKey("me", "digits", "r1")
NAMES = [f"key{i}" for i in range(730)]
SHOWN = [NAMES[0], NAMES[99], NAMES[100], NAMES[500], NAMES[729], "_step", "_timestamp"]


@pytest.fixture(autouse=True)
def short_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maintenance, "_SECONDS", 0.0)


def _wide(store: Any, finish: bool = True) -> Any:
    stream = store.stream()
    for step in range(6):
        names = NAMES if step != 3 else NAMES[50:650:7]
        stream.log(
            step, {name: step + i / 7 if i % 5 else {"_type": "text", "value": name} for i, name in enumerate(names)}
        )
        stream.send()
    if finish:
        stream.add("finish", {"state": "finished", "exit_code": 0}).send()
    return stream


def _everything(store: Any) -> Any:
    rows = [(step, time, dict(sorted(row.items()))) for step, time, row in store.read()]
    charts = [store.chart(SHOWN, x=x, buckets=3) for x in ("_step", "_timestamp", NAMES[101])]
    keys = store.storage.keys(KEY, "history")
    steps = store.storage.table("me", "digits", {"columns": [f"summary.{NAMES[101]}@step=2"]})["columns"]
    return rows, repr(charts), keys, steps, store.storage.common_keys([KEY], "history")


def test_a_wide_run_reads_the_same_after_each_piece_of_its_merge(store: Any) -> None:
    _wide(store)
    before = _everything(store)
    pieces = 0
    while store.storage.do_deferred_work():
        pieces += 1
        assert _everything(store) == before
        if pieces == 3:
            store.reopen()  # it continues where it was
            assert _everything(store) == before
    assert pieces >= 6
    assert _everything(store) == before
    store.reopen()
    assert _everything(store) == before


def test_rows_that_arrive_during_a_merge_are_kept_and_merged_later(store: Any) -> None:
    stream = _wide(store, finish=False)
    stream.add("finish", {"state": "finished"}).send()
    assert store.storage.do_deferred_work()
    stream.log(9, dict.fromkeys(NAMES, 9.0), time=2000.0).send()
    stream.add("finish", {"state": "finished"}).send()
    before = _everything(store)
    while store.storage.do_deferred_work():
        assert _everything(store) == before
    assert _everything(store) == before
    assert len(before[0]) == 7
    with store.storage._engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM segments").scalar_one() == 0


def test_deferred_work_exists_only_after_wide_rows_and_deletions(store: Any) -> None:
    while store.storage.do_deferred_work():
        pass
    store.stream(key=RunKey("me", "digits", "r2")).log(0, {"loss": 1.0}).send()
    assert not store.storage.has_deferred_work
    _wide(store)
    assert store.storage.has_deferred_work
    while store.storage.do_deferred_work():
        pass
    assert not store.storage.has_deferred_work
    store.storage.delete(KEY)
    assert store.storage.has_deferred_work


def test_a_run_that_is_deleted_during_a_merge_leaves_nothing(store: Any) -> None:
    _wide(store)
    assert store.storage.do_deferred_work()
    store.storage.delete(KEY)
    while store.storage.do_deferred_work():
        pass
    with store.storage._engine.connect() as connection:
        for table in ("segments", "chunks", "keys", "streams", "parts"):
            assert connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one() == 0, table
