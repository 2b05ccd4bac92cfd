from __future__ import annotations

from typing import Any

import pytest

from tracker_server.storage.interface import NoSuchRun, RunKey

KEY = RunKey("me", "digits", "r1")


def read(store: Any, limit: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        page = store.storage.console(KEY, limit, cursor)
        assert len(page.items) <= limit
        found += page.items
        cursor = page.cursor
        if cursor is None:
            assert page.total == len(found)
            return found


@pytest.mark.parametrize("batch", [3, 37, 5000])
def test_lines_come_back_in_order_by_stream(store: Any, batch: int) -> None:
    expected = []
    for name, opened in [("console-b.jsonl", 1.0), ("console-a.jsonl", 2.0)]:
        stream = store.stream(name, opened=opened)
        for i in range(700):
            line = {"stream": "stderr" if i % 5 == 0 else "stdout", "text": f"{name} {i} é" * (i % 4)}
            stream.add("console", line)
            expected.append({"time": stream.time, **line})
        stream.send(batch)
    for limit in (1400, 300, 700, 10_000):
        assert read(store, limit) == expected
    assert store.storage.run(KEY)["rows"] == 0


def test_long_output_is_paged_by_size(store: Any) -> None:
    stream = store.stream("console-a.jsonl")
    for i in range(40):
        stream.add("console", {"stream": "stdout", "text": str(i % 10) * 1_000_000})
    stream.send(10)
    assert len(store.storage.console(KEY, 1000, None).items) < 40
    assert len(read(store, 1000)) == 40


def test_a_run_without_output_has_an_empty_console(store: Any) -> None:
    store.stream().send()
    assert store.storage.console(KEY, 10, None) == ([], None, 0)
    with pytest.raises(NoSuchRun, match="no run"):
        store.storage.console(KEY._replace(id="gone"), 10, None)
