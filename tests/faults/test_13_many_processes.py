"""Row 13: one run, many processes: forked, spawned, ranks, workers of a data loader."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.harness import Training, uploaded, values
from tests.faults.training import row
from tests.faults.workers import EPOCHS, ITEMS, WORKERS
from tests.waiting import PATIENCE
from tracker.random_names import random_id
from tracker.runlog.reader import read_stream, stream_paths
from tracker_server.embedded import Embedded


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_each_worker_of_a_training_logs_to_its_run_in_its_own_stream(
    server: Embedded, train: Callable[..., Training], method: str
) -> None:
    training = train(method, script="workers.py")
    assert training.process.wait(PATIENCE) == 0, training.stderr
    names = {f"worker {epoch}.{n}" for epoch in range(EPOCHS) for n in range(WORKERS)}
    run = uploaded(training, "finished")
    found = defaultdict(list)
    for values_of_row in values(run):
        found[values_of_row["who"]].append(values_of_row["i"])
    assert found.keys() == names | {"training", "thread"}
    for name in names:
        assert found[name] == list(range(ITEMS)), name
    assert found["training"] == list(range(EPOCHS))
    assert found["thread"] == list(range(len(found["thread"])))
    assert (run.info["corrupt"], run.info["lost"]) == (0, 0)
    writers = [_writers(path) for path in stream_paths(training.directory, "history")]
    assert sorted(map(sorted, writers)) == sorted([*([name] for name in names), ["thread", "training"]])


@pytest.mark.parametrize("exits", [[0, 0, 0, 0], [0, 0, 1, 0]])
def test_ranks_with_the_same_run_id_are_one_run_with_the_worst_of_their_states(
    server: Embedded, train: Callable[..., Training], exits: list[int]
) -> None:
    id = random_id()
    ranks = [
        train("--first", 1000 * rank, "--rows", 300, "--together", "--pause", 0.001, "--exit", status, id=id)
        for rank, status in enumerate(exits)
    ]
    for rank in ranks:
        rank.board.go = 1
    assert [rank.process.wait(PATIENCE) for rank in ranks] == exits
    expected = [row(1000 * rank + n) for rank in range(len(ranks)) for n in range(300)]
    run = uploaded(ranks[0], "failed" if any(exits) else "finished", rows=len(expected))
    assert sorted(values(run), key=lambda values: int(values["i"])) == expected
    assert len(stream_paths(ranks[0].directory, "history")) == len(ranks)


def _writers(stream: Path) -> set[str]:
    rows = [r.payload for parsed in read_stream(stream) for r in parsed.records if r.kind == "log"]
    return {values["who"] for values in rows}
