"""The keys of several runs, before and after their rows are merged."""

from __future__ import annotations

from typing import Any

import pytest

from tracker.names import RunKey

from .conftest import Store

RUNS = [RunKey("me", "digits", name) for name in ("a", "nowhere", "b", "c")]
IMAGE = {"_type": "image", "digest": "0" * 64, "size": 3}


@pytest.mark.parametrize("before", [0, 6000], ids=["unmerged", "merged"])
def test_a_key_has_the_kind_of_all_its_values_in_all_runs(store: Store, before: int) -> None:
    def run(name: str, rows: list[dict[str, Any]], early: dict[str, Any]) -> None:
        stream = store.stream(key=RunKey("me", "digits", name))
        for step in range(before):
            stream.log(step, early)
        for step, row in enumerate(rows):
            stream.log(before + step, row)
        stream.send(1000)

    run("a", [{"loss": 0.5, "late": None}, {"late": 2}], {"loss": 1.0, "late": "not yet"})
    run("b", [{"loss": 1, "sample": IMAGE, "word": "x"}], {"loss": 2, "sample": IMAGE, "word": "y"})
    run("c", [{"sample": None, "loss": "unknown"}], {"sample": IMAGE, "loss": None} if before else {})
    store.stream("system-a.jsonl", key=RUNS[0]).sample({"cpu": 3.0}).send()

    found = {one["key"]: (one["type"], one["runs"]) for one in store.storage.common_keys(RUNS, "history")}
    assert found == {
        "loss": ("number", None),
        "late": ("number", None),
        "sample": ("media", [2, 3]),
        "word": ("other", [2]),
    }
    assert [one["key"] for one in store.storage.common_keys(RUNS, "system")] == ["cpu"]
    assert store.storage.common_keys([RUNS[1]], "history") == []


def test_keys_have_the_x_that_their_runs_defined(store: Store) -> None:
    for name, x in (("a", "epoch"), ("b", "batch")):
        stream = store.stream(key=RunKey("me", "digits", name))
        stream.add("metric", {"name": "val/*", "step_metric": x})
        stream.add("metric", {"name": "val/acc", "step_metric": "round", "summary": "max"})
        stream.log(0, {"epoch": 1, "val/loss": 2, "val/acc": 3}).send()
    for runs, x in ((RUNS, "epoch"), ([RUNS[2], RUNS[0]], "batch")):
        found = {one["key"]: one["x"] for one in store.storage.common_keys(runs, "history")}
        assert found == {"epoch": None, "val/loss": x, "val/acc": "round"}
