"""Row 24: the machine's clock is changed during the training."""

from __future__ import annotations

import itertools
import shutil
import struct
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.harness import (
    ENTITY,
    PROJECT,
    Training,
    assert_delivered,
    on_server,
    require,
    small_log,
    sync_directory,
    uploaded,
    write_log,
)
from tests.faults.training import row
from tracker.runlog.records import encode
from tracker_server.embedded import Embedded

HOUR = 3600
JUMPS = [48 * HOUR, -3 * HOUR, 0, -10_000 * HOUR]  # from the true time, in seconds


@pytest.mark.parametrize("end", ["finished", "crashed"])
def test_when_the_clock_jumps_rows_keep_their_order_and_the_run_its_end(
    tmp_path: Path, server: Embedded, train: Callable[..., Training], end: str
) -> None:
    require(shutil.which("gcc") is not None, "a library made with gcc makes the clock of a process jump")
    library, offset = tmp_path / "clock.so", tmp_path / "offset"
    source = Path(__file__).with_name("clock.c")
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", library, source], check=True)
    offset.write_bytes(struct.pack("l", 0))
    training = train("--pause", 0.001, environment={"LD_PRELOAD": str(library), "CLOCK_OFFSET": str(offset)})
    training.reach(100)
    for jump in JUMPS:
        with offset.open("r+b") as file:
            file.write(struct.pack("l", jump))
        training.reach(training.board.returned + 300)
    if end == "finished":
        assert training.stop() == 0
    else:
        training.kill()
    run = uploaded(training, end)
    assert_delivered(run, training.board.returned, more=end == "crashed")
    times = [found["_timestamp"] for found in run.scan_history()]
    assert sum(abs(later - earlier) > HOUR for earlier, later in itertools.pairwise(times)) == len(JUMPS)


def test_who_vanished_after_the_clock_was_set_back_has_crashed_though_that_is_told_before_the_rows(
    tmp_path: Path, server: Embedded
) -> None:
    start = time.time() + 48 * HOUR  # what is noted about the end is in a stream that seems older, and is sent first
    last = encode("log", row(3), start - 96 * HOUR, 3)
    directory = write_log(tmp_path, "set-back", small_log("set-back", start=start) + last)
    assert not sync_directory(directory).refused
    run = on_server(f"{ENTITY}/{PROJECT}/set-back")
    assert run is not None
    assert (run.state, run.info["rows"]) == ("crashed", 4)
