"""Test that refused values are counted, and that a directory and a server count the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import tracker
from tracker.agent.sync import Sync
from tracker.runlog.records import MAX_KEYS, encode, encode_points


def _reserved(run_id: str) -> dict[str, list[bytes]]:
    head = {"version": 1, "id": run_id, "entity": "me", "project": "refused"}
    return {
        "history-a.jsonl": [
            encode("run", head, 1.0),
            encode("log", {"_step": 77, "_timestamp": 5.0, "loss": 0.5}, 2.0, 1),
            encode("log", {"_runtime": "long"}, 3.0, 2),
            encode_points(["loss", "_step"], [0, 1, 1], [4.0, 5.0, 6.0], [3, 4, 5], [0.25, 9.0, 9.5]),
        ],
        "system-a.jsonl": [encode("run", head, 1.0), encode("system", {"_timestamp": 3, "cpu": 2.0}, 2.0)],
    }


def _too_many(run_id: str) -> dict[str, list[bytes]]:
    head = {"version": 1, "id": run_id, "entity": "me", "project": "refused"}
    names = [f"k{i}" for i in range(MAX_KEYS + 3)]
    return {
        "history-a.jsonl": [
            encode("run", head, 1.0),
            encode("log", dict.fromkeys(names[:60_000], 1.0), 2.0, 0),
            encode("log", dict.fromkeys(names[60_000:], 1.0), 3.0, 1),
            encode("log", {"k0": 2.0, names[-1]: 2.0}, 4.0, 2),
        ]
    }


@pytest.mark.parametrize(("what", "refused"), [(_reserved, 6), (_too_many, 4)])
def test_refused_values_are_counted_the_same_by_both_readers(server: Any, what: Any, refused: int) -> None:
    directory = Path(".tracker/runs") / f"refused{refused}"
    directory.mkdir(parents=True)
    for name, lines in what(directory.name).items():
        (directory / name).write_bytes(b"".join(lines))
    Sync().upload(directory)
    here, there = tracker.read_run(directory), tracker.Api().run(f"me/refused/{directory.name}")
    assert here.info["refused"] == there.info["refused"] == refused
    assert dict(here.summary) == dict(there.summary)
    assert list(here.scan_history()) == list(there.scan_history())
    assert here.keys() == there.keys()
    assert here.info["rows"] == there.info["rows"]
    if what is _reserved:
        rows = [(row["_step"], row.get("loss")) for row in here.scan_history()]
        assert rows == [(1, 0.5), (2, None), (3, 0.25), (4, None), (5, None)]
        assert [row.get("cpu") for row in here.system_history(pandas=False)] == [2.0]
