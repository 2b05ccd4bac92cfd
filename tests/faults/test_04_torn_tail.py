"""Row 4: a stream ends in the middle of a line, as after a power cut or on a full disk."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import tracker
from tests.depth import depth
from tests.faults.harness import (
    ENTITY,
    PROJECT,
    Training,
    agents,
    kill_agents,
    on_server,
    small_log,
    sync_directory,
    uploaded,
    values,
    write_log,
)
from tests.faults.training import row
from tests.waiting import eventually
from tracker.runlog.records import parse
from tracker_server.embedded import Embedded


def test_a_log_cut_at_any_byte_is_read_up_to_its_last_whole_line(tmp_path: Path) -> None:
    whole = small_log("torn")
    directory = write_log(tmp_path, "torn", whole)
    for size in range(len(whole), -1, -1):
        (directory / "history-a.jsonl").write_bytes(whole[:size])
        run = tracker.read_run(directory)
        assert values(run) == [row(n) for n in range(_whole_rows(whole[:size]))], size
        assert run.info["corrupt"] == 0, size  # in a live log, an unfinished last line does not count yet


@depth("stride", brief=7, slow=1)
def test_sync_of_a_log_cut_at_any_byte_uploads_the_whole_lines_and_counts_the_torn_one(
    tmp_path: Path, server: Embedded, stride: int
) -> None:
    example = small_log(f"torn-{stride}-000")
    ends = {end + more for end, byte in enumerate(example, 1) if byte == 10 for more in (-1, 0, 1)}
    for size in sorted({*range(0, len(example), stride), *ends} - {len(example) + 1}):
        id = f"torn-{stride}-{size:03}"
        whole = small_log(id)
        clean = whole[: whole.rfind(b"\n", 0, size) + 1]
        directory = write_log(tmp_path, id, whole[:size])
        synced = sync_directory(directory)
        assert not synced.refused
        run = on_server(f"{ENTITY}/{PROJECT}/{id}")
        if not clean:  # the header is torn, so the run of the stream is unknown
            assert run is None, size
            continue
        assert run is not None, size
        assert values(run) == [row(n) for n in range(_whole_rows(clean))], size
        torn = size > len(clean)
        assert (run.state, run.info["corrupt"], run.info["lost"]) == ("crashed", 0, torn), size
        if size % 49 == 0:  # a second sync changes nothing
            assert sync_directory(directory) == synced
            run.reload()
            assert (run.info["rows"], run.info["lost"]) == (_whole_rows(clean), torn)


def test_a_run_with_a_torn_tail_can_be_resumed(server: Embedded, train: Callable[..., Training]) -> None:
    first = train("--pause", 0.01)
    first.reach(20)
    for agent in eventually(lambda: agents(first.directory)):
        agent.suspend()  # the server must not get the row that is torn
    first.reach(first.board.returned + 5)
    first.process.send_signal(signal.SIGSTOP)  # it must not start another agent
    kill_agents(first.directory)
    first.kill()
    (stream,) = first.directory.glob("history*.jsonl")
    stream.write_bytes(stream.read_bytes()[:-30])
    kept = _whole_rows(stream.read_bytes())
    second = train("--first", kept, "--rows", 20, id=first.id, environment={"TRACKER_RESUME": "must"})
    assert second.process.wait() == 0
    run = uploaded(second, "finished")
    assert values(run) == [row(n) for n in range(kept + 20)]
    assert [r["_step"] for r in run.scan_history()] == list(range(kept + 20))
    assert (run.info["corrupt"], run.info["lost"]) == (0, 1)


def _whole_rows(data: bytes) -> int:
    return sum(record.kind == "log" for record in parse(data).records)
