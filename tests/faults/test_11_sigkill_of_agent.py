"""Row 11: the agent is killed with SIGKILL, again and again."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable

from tests.faults.harness import (
    PATIENCE,
    Training,
    assert_delivered,
    kill_agents,
    left,
    on_server,
    sync_directory,
    uploaded,
)
from tests.faults.proxy import CutBody, Fault, LoseAnswer, proxy
from tests.waiting import eventually
from tracker.client import connect
from tracker.runlog.directory import agent_alive
from tracker.sdk.launch import start_agent
from tracker.settings import Settings
from tracker_server.embedded import Embedded

ROUNDS, ROWS, PAD = 10, 3000, 7000  # more than the rounds can upload, 1 MiB at a time


def test_agents_killed_in_mid_upload_leave_a_prefix_and_the_next_one_goes_on_from_there(
    server: Embedded, train: Callable[..., Training], rng: random.Random
) -> None:
    training = train("--rows", ROWS, "--pad", PAD, "--vanish", environment={"TRACKER_MODE": "offline"})
    assert training.process.wait() == 0
    eventually(lambda: left(training.directory), PATIENCE)
    client = connect(Settings())
    (entity, project, id) = training.path.split("/")
    had = 0
    with proxy(server.url) as network:
        for _ in range(ROUNDS):
            killed = threading.Event()
            network.plan = _kill_during_upload(training, rng, killed)
            start_agent(str(training.directory), {"TRACKER_BASE_URL": network.url})
            assert killed.wait(PATIENCE)
            have = sum(client.offsets((entity, project, id))["offsets"].values())
            assert have >= had
            had = have
    assert not agent_alive(str(training.directory))
    sync_directory(training.directory)
    assert_delivered(uploaded(training, "crashed"), ROWS, pad=PAD)


def test_a_killed_agent_is_started_again_by_the_run_or_made_up_for_by_sync(
    server: Embedded, train: Callable[..., Training]
) -> None:
    lucky, unlucky = trainings = [train("--pause", 0.002), train("--pause", 0.002)]
    for _ in range(2):
        for training in trainings:
            eventually(lambda t=training: agent_alive(str(t.directory)), PATIENCE)
            eventually(lambda t=training: on_server(t.path))
        for training in trainings:
            assert kill_agents(training.directory)
    for training in trainings:
        eventually(lambda t=training: agent_alive(str(t.directory)), PATIENCE)
    kill_agents(unlucky.directory)
    for training in trainings:
        assert training.stop() == 0
        assert training.board.dropped == 0
    assert_delivered(uploaded(lucky, "finished"), lucky.board.returned)
    assert not agent_alive(str(unlucky.directory))
    sync_directory(unlucky.directory)
    assert_delivered(uploaded(unlucky, "finished"), unlucky.board.returned)


def _kill_during_upload(
    training: Training, rng: random.Random, killed: threading.Event
) -> Callable[[str], Fault | None]:
    """Kill the agent at its first or second upload: before the server has it whole, or when it is stored."""
    last, fault = rng.randint(1, 2), rng.choice([CutBody(0.5), LoseAnswer()])
    uploads = 0

    def plan(line: str) -> Fault | None:
        nonlocal uploads
        uploads += line.startswith("POST")
        if uploads < last:
            return None
        kill_agents(training.directory)
        killed.set()
        return fault

    return plan
