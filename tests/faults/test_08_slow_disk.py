"""Row 8: each write takes half a second."""

from __future__ import annotations

import shutil
from collections.abc import Callable

from tests.faults.harness import Training, assert_delivered, require, uploaded
from tests.waiting import eventually
from tracker_server.embedded import Embedded

DELAY = 500_000  # microseconds


def test_a_slow_disk_causes_one_warning_and_loses_no_row(server: Embedded, train: Callable[..., Training]) -> None:
    require(shutil.which("strace") is not None, "strace slows the writes")
    # Not its children: the agent's own writes are quick.
    strace = ["strace", "-qq", "-o", "/dev/null", "-e", "trace=write", "-e", f"inject=write:delay_enter={DELAY}"]
    training = train("--pause", 0.001, prefix=strace)
    eventually(lambda: "the disk is slow: log() waited" in training.stderr)
    training.reach(training.board.returned + 2)
    assert training.stop() == 0
    assert training.stderr.count("the disk is slow") == 1
    assert training.board.longest >= DELAY * 1000
    assert training.board.dropped == 0
    assert_delivered(uploaded(training, "finished"), training.board.returned)
