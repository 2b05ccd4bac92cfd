"""Row 14: two processes open one run at the same moment."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.harness import Training, assert_delivered, sync_directory, uploaded, values
from tests.faults.training import row
from tests.waiting import PATIENCE, eventually
from tracker.random_names import random_id
from tracker.runlog.directory import agent_alive
from tracker.runlog.reader import read_stream, stream_paths
from tracker.runlog.writer import StreamWriter
from tracker.sdk.agent_launch import start_agent
from tracker_server.embedded import Embedded

ROUNDS, ROWS = 5, 200


def test_two_processes_that_start_one_run_at_the_same_moment_write_separate_streams(
    server: Embedded, train: Callable[..., Training]
) -> None:
    for _ in range(ROUNDS):
        id = random_id()
        both = [train("--first", first, "--rows", ROWS, "--together", id=id) for first in (0, ROWS)]
        for training in both:
            eventually(lambda t=training: t.board.ready, PATIENCE)  # type: ignore[misc]
        for training in both:
            training.board.go = 1
        assert [training.process.wait(PATIENCE) for training in both] == [0, 0]
        streams = [_rows(path) for path in stream_paths(both[0].directory, "history")]
        halves = [[row(n) for n in range(first, first + ROWS)] for first in (0, ROWS)]
        assert sorted(streams, key=lambda rows: int(rows[0]["i"])) == halves  # type: ignore[call-overload]
        found = values(uploaded(both[0], "finished", rows=2 * ROWS))
        assert found in (halves[0] + halves[1], halves[1] + halves[0])


def test_a_second_writer_of_a_stream_is_refused(tmp_path: Path) -> None:
    path = str(tmp_path / "history-a.jsonl")
    first = StreamWriter(path, lambda _: None)
    with pytest.raises(FileExistsError):
        StreamWriter(path, lambda _: None)
    first.close()


def test_concurrent_agents_and_syncs_upload_a_run_once(server: Embedded, train: Callable[..., Training]) -> None:
    training = train("--pause", 0.001)
    training.reach(50)
    eventually(lambda: agent_alive(str(training.directory)))

    def sync_again_and_again() -> None:
        while training.process.poll() is None:
            sync_directory(training.directory)
            done.release()

    done = threading.Semaphore(0)
    threads = [threading.Thread(target=sync_again_and_again) for _ in range(2)]
    for thread in threads:
        thread.start()
    for _ in range(5):
        start_agent(str(training.directory), {})
    for _ in range(30):
        assert done.acquire(timeout=PATIENCE)
    assert training.stop() == 0
    for thread in threads:
        thread.join()
    assert_delivered(uploaded(training, "finished"), training.board.returned)


def _rows(stream: Path) -> list[dict[str, object]]:
    return [r.payload for parsed in read_stream(stream) for r in parsed.records if r.kind == "log"]
