"""Row 1: the training process is killed with SIGKILL at any moment."""

from __future__ import annotations

import random
from collections.abc import Callable

from tests.depth import depth
from tests.faults.harness import Training, assert_delivered, uploaded
from tracker_server.embedded import Embedded

LONG = 100_000  # characters of a row that the kernel copies page by page, so that a kill can tear it


@depth("rounds", brief=2, slow=10)
def test_after_a_sigkill_every_row_whose_log_returned_is_uploaded_and_the_run_is_crashed(
    server: Embedded, train: Callable[..., Training], rng: random.Random, rounds: int
) -> None:
    for _ in range(rounds):
        pads = [0, 0, 0, 1000, LONG]
        trainings = [train("--pad", pad, "--pause", 0 if pad < LONG else 0.002) for pad in pads]
        for training, pad in zip(trainings, pads, strict=True):
            training.reach(rng.randrange(1, 1000 if pad < LONG else 50))
            training.kill()
        for training, pad in zip(trainings, pads, strict=True):
            run = uploaded(training, "crashed")
            assert_delivered(run, training.board.returned, more=1, pad=pad)
            assert run.info["corrupt"] == 0
