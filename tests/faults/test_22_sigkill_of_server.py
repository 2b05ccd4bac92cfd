"""Row 22: the server is killed with SIGKILL during uploads."""

from __future__ import annotations

import random
import threading
from pathlib import Path

import pytest

from tests.depth import depth
from tests.faults.harness import (
    ENTITY,
    PROJECT,
    TOKEN,
    assert_delivered,
    data_directory,
    on_server,
    small_log,
    write_log,
)
from tests.faults.training import row
from tests.ports import free_port
from tracker.agent.uploader import Uploader
from tracker.client import Client
from tracker.errors import Unreachable
from tracker.names import RunKey
from tracker.runlog.records import encode
from tracker_server.embedded import serve

LONGEST = 0.2  # seconds of uploading before a kill
RUN = RunKey(ENTITY, PROJECT, "survivor")


@depth("rounds", brief=5, slow=50)
def test_a_killed_server_has_all_that_it_acknowledged_and_nothing_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rng: random.Random, rounds: int
) -> None:
    data, port = data_directory(tmp_path), free_port()
    url = f"http://127.0.0.1:{port}"
    monkeypatch.setenv("TRACKER_BASE_URL", url)
    monkeypatch.setenv("TRACKER_API_KEY", TOKEN)
    directory = write_log(tmp_path, RUN[2], small_log(RUN[2], rows=0))
    uploader = Uploader(Client(url, TOKEN), RUN, directory, {})
    rows = interrupted = 0
    for _ in range(rounds):
        with serve(data, port=port) as server:
            had = sum(Client(url, TOKEN).offsets(RUN)["offsets"].values())
            assert had >= uploader.acknowledged
            killer = threading.Timer(rng.uniform(0, LONGEST), server.process.kill)
            killer.start()
            try:
                while True:
                    rows = _log_more(directory, rows, rng.choice([1, 10, 300]))
                    uploader.step()
            except Unreachable:
                interrupted += 1
            killer.join()
    assert interrupted == rounds
    with serve(data, port=port):
        uploader.step()
        assert uploader.complete() == []
        run = on_server("/".join(RUN))
        assert_delivered(run, rows)
        assert run is not None
        assert run.info["corrupt"] == 0
        assert run.summary["i"] == rows - 1


def _log_more(directory: Path, first: int, count: int) -> int:
    with (directory / "history-a.jsonl").open("ab", buffering=0) as file:
        file.write(b"".join(encode("log", row(n), 1700000001.0 + n / 1000, n) for n in range(first, first + count)))
    return first + count
