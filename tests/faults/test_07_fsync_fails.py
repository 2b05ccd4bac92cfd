"""Row 7: fsync reports an error."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from tests.faults.harness import Training, assert_delivered, require, uploaded
from tests.waiting import eventually
from tracker_server.embedded import Embedded


def test_a_stream_whose_flush_failed_is_suspect_and_not_flushed_again(
    tmp_path: Path, server: Embedded, train: Callable[..., Training]
) -> None:
    require(shutil.which("strace") is not None, "strace injects the error")
    trace = tmp_path / "trace"
    strace = ["strace", "-ff", "-y", "-o", str(trace), "-e", "trace=fsync", "-e", "inject=fsync:error=EIO"]
    training = train("--pause", 0.001, prefix=strace, environment={"TRACKER_FSYNC_INTERVAL": "0.1"})
    training.reach(50)
    # The agent flushes the history, and its own stream, which records the failure. Then there is time for more flushes.
    eventually(lambda: _failed(trace) == 2)
    training.reach(training.board.returned + 500)
    assert training.stop() == 0
    assert "the disk could not take the end of the run" in training.stderr
    run = uploaded(training, "finished")
    assert_delivered(run, training.board.returned)
    assert run.info["suspect"] is True
    assert _failed(trace) == 3  # the third is that of the training, at its end


def _failed(trace: Path) -> int:
    """Return how many flushes of streams have failed. Flushes of folders fail, too, and do not count.

    Each thread has a trace of its own: in a common one, another thread may split the line about a call.
    """
    lines = [line for path in trace.parent.glob(f"{trace.name}.*") for line in path.read_text().splitlines()]
    return sum("(INJECTED)" in line and ".jsonl>" in line for line in lines)
