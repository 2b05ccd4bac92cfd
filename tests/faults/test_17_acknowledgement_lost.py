"""Row 17: the server stores an upload and its answer never arrives."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.harness import (
    ENTITY,
    PROJECT,
    Training,
    assert_delivered,
    on_server,
    small_log,
    sync_directory,
    uploaded,
    write_log,
)
from tests.faults.proxy import Fault, LoseAnswer, proxy
from tests.faults.training import row
from tests.waiting import PATIENCE, eventually
from tracker.agent.uploader import Uploader
from tracker.client import Client
from tracker.errors import Unreachable
from tracker.names import RunKey
from tracker.runlog.records import encode
from tracker_server.embedded import Embedded

LOST = 8


def test_after_a_lost_acknowledgement_the_upload_continues_after_what_the_server_has(
    tmp_path: Path, server: Embedded
) -> None:
    run = RunKey(ENTITY, PROJECT, "unheard")
    directory = write_log(tmp_path, "unheard", small_log("unheard", rows=0))
    with proxy(server.url) as network:
        uploader = Uploader(Client(network.url, server.token), run, directory, {})
        uploader.step()
        for n, part in enumerate([0.0, 0.5, 0.99] * 3):
            with (directory / "history-a.jsonl").open("ab") as file:
                file.write(encode("log", row(n), 1700000001.0 + n, n))
            network.plan = lambda _, part=part: LoseAnswer(part)  # type: ignore[misc]
            with pytest.raises(Unreachable):
                uploader.step()
            network.plan = lambda _: None
            size = (directory / "history-a.jsonl").stat().st_size
            assert Client(server.url, server.token).offsets(run)["offsets"] == {"history-a.jsonl": size}
            uploader.step()
    assert_delivered(on_server("/".join(run)), 9)


def test_if_every_second_acknowledgement_is_lost_each_row_is_stored_once(
    server: Embedded, train: Callable[..., Training]
) -> None:
    with proxy(server.url, _every_second(LoseAnswer())) as network:
        training = train("--pause", 0.001, environment={"TRACKER_BASE_URL": network.url})
        eventually(lambda: sum(seen.fault is not None for seen in network.seen) >= LOST, PATIENCE)
        network.plan = lambda _: None
        assert training.stop() == 0
        assert_delivered(uploaded(training, "finished"), training.board.returned)


def test_sync_continues_after_lost_acknowledgements(
    server: Embedded, train: Callable[..., Training], monkeypatch: pytest.MonkeyPatch
) -> None:
    training = train("--rows", 1000, "--pad", 5000, "--vanish", environment={"TRACKER_MODE": "offline"})
    assert training.process.wait() == -signal.SIGKILL
    with proxy(server.url, _every_second(LoseAnswer())) as network:
        monkeypatch.setenv("TRACKER_BASE_URL", network.url)
        sync_directory(training.directory)
        monkeypatch.setenv("TRACKER_BASE_URL", server.url)
    assert_delivered(uploaded(training, "crashed"), 1000, pad=5000)


def _every_second(fault: Fault) -> Callable[[str], Fault | None]:
    uploads = 0

    def plan(line: str) -> Fault | None:
        nonlocal uploads
        uploads += line.startswith("POST")
        return fault if line.startswith("POST") and uploads % 2 else None

    return plan
