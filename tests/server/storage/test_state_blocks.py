"""The state of a run is stored in blocks and read back unchanged, for any size and any split into uploads."""

from __future__ import annotations

from typing import Any

from tracker.names import RunKey
from tracker.runlog.records import jsonable

KEY = RunKey("me", "digits", "r1")
NAMES = [f"layer{i}/weight" for i in range(700)]


def _run(store: Any) -> dict[str, Any]:
    return dict(store.storage.run(KEY))


def test_a_run_of_many_keys_files_and_members_reads_the_same_after_a_restart(store: Any) -> None:
    stream = store.stream()
    for step, part in enumerate((NAMES[:300], NAMES[200:600], NAMES[500:])):
        stream.log(step, {name: step + i / 7 for i, name in enumerate(part)})
        stream.add("config", {name: {"a": step} for name in part})
        stream.add("summary", {f"best/{name}": float("inf") for name in part})
        for name in part:
            stream.add("file", {"name": name, "digest": f"{step:064x}", "size": step, "path": None})
        stream.send()
    for number in range(300):
        store.stream(f"history-{number}.jsonl", added=True).log(0, {NAMES[number]: 5.0}).send()
    before = _run(store), store.storage.folded(KEY), store.storage.table("me", "digits", {})
    store.reopen()
    assert (_run(store), store.storage.folded(KEY)) == before[:2]
    info = before[0]
    assert list(info["config"]) == NAMES
    assert info["config"][NAMES[250]] == {"a": 1}
    assert info["summary"][NAMES[0]] == 5.0
    assert info["summary"][f"best/{NAMES[699]}"] == jsonable(float("inf"))
    assert info["rows"] == 303
    assert store.storage.files(KEY)[NAMES[699]]["digest"] == f"{2:064x}"
    stream.storage = store.storage
    stream.log(9, {NAMES[650]: 1e9, "new": 1.0}).send()
    store.reopen()
    assert (_run(store)["summary"][NAMES[650]], _run(store)["summary"]["new"]) == (1e9, 1.0)


def test_an_upload_writes_only_the_blocks_that_it_changed(store: Any) -> None:
    stream = store.stream()
    for start in range(0, 20_000, 2_000):
        stream.log(start, {f"key{i}": float(i) for i in range(start, start + 2_000)})
        stream.add("config", {f"member{i}": "x" * 100 for i in range(start, start + 2_000)})
    stream.send()
    written: list[str] = []
    connection = store.storage._writer._connection.connection.driver_connection
    connection.set_trace_callback(written.append)
    stream.log(30_000, {"key7": 1.0, "key19999": 2.0}).send()
    connection.set_trace_callback(None)
    rows = [statement for statement in written if statement.startswith("INSERT") and "parts" in statement]
    assert len(rows) == 1  # the block of the later key; that of the first is in the run's own row
    assert sum(map(len, written)) < 200_000


def test_a_stop_request_is_found_without_reading_the_state_of_the_run(store: Any) -> None:
    stream = store.stream(allow_stop=True).log(0, {"a": 1.0}).send()
    assert store.storage.stop_requested(KEY) is None
    store.stream("edits-1.jsonl", opened=2000.0).add("stop", {}).send()
    assert store.storage.stop_requested(KEY) == store.storage.run(KEY)["stop_requested"] == 2000.125
    store.stream("history-b.jsonl", opened=3000.0).send()  # a later process was not asked to stop
    assert store.storage.stop_requested(KEY) is None
    stream.add("alert", {"title": "hot"}).send()
    assert [alert["title"] for alert in store.storage.alerts(KEY)] == ["hot"]
