"""Row 18: the connection is reset in the middle of an upload's body."""

from __future__ import annotations

import random
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
    uploaded,
    write_log,
)
from tests.faults.proxy import CutBody, Fault, proxy
from tests.faults.training import row
from tests.waiting import PATIENCE, eventually
from tracker.agent.uploader import Uploader
from tracker.client import Client
from tracker.errors import Unreachable
from tracker.names import RunKey
from tracker.runlog.records import encode
from tracker_server.embedded import Embedded

CUTS = 8


def test_nothing_of_an_incomplete_body_is_stored_and_all_of_it_is_sent_again(tmp_path: Path, server: Embedded) -> None:
    run = RunKey(ENTITY, PROJECT, "cut")
    directory = write_log(tmp_path, "cut", small_log("cut", rows=0))
    direct = Client(server.url, server.token)
    parts = [0.0, 0.01, 0.5, 0.9, 0.999]
    with proxy(server.url) as network:
        uploader = Uploader(Client(network.url, server.token), run, directory, {})
        uploader.step()
        for batch, part in enumerate(parts):
            before = direct.offsets(run)
            with (directory / "history-a.jsonl").open("ab") as file:
                for n in range(1000 * batch, 1000 * (batch + 1)):
                    file.write(encode("log", row(n), 1700000001.0 + n, n))
            network.plan = lambda _, part=part: CutBody(part)  # type: ignore[misc]
            for _ in range(2):
                with pytest.raises(Unreachable):
                    uploader.step()
                assert direct.offsets(run) == before
            network.plan = lambda _: None
            uploader.step()
    assert_delivered(on_server("/".join(run)), 1000 * len(parts))


def test_if_some_uploads_are_cut_each_row_is_stored_once(
    server: Embedded, train: Callable[..., Training], rng: random.Random
) -> None:
    uploads = 0

    def plan(line: str) -> Fault | None:
        nonlocal uploads
        uploads += line.startswith("POST")
        return CutBody(rng.random()) if line.startswith("POST") and uploads % 2 else None

    with proxy(server.url, plan) as network:
        training = train("--pause", 0.001, environment={"TRACKER_BASE_URL": network.url})
        eventually(lambda: sum(seen.fault is not None for seen in network.seen) >= CUTS, PATIENCE)
        network.plan = lambda _: None
        assert training.stop() == 0
        assert_delivered(uploaded(training, "finished"), training.board.returned)
