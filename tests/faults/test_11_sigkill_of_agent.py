"""Row 11: the agent is killed with SIGKILL, again and again."""

from __future__ import annotations

import os
import random
from collections.abc import Callable

from tests.faults.harness import (
    PATIENCE,
    Training,
    agents,
    assert_delivered,
    on_server,
    sync_directory,
    uploaded,
)
from tests.waiting import eventually
from tracker.client import connect
from tracker.runlog.directory import agent_alive
from tracker.sdk.launch import start_agent
from tracker.settings import Settings
from tracker_server.embedded import Embedded

ROUNDS = 15
PAD = 20_000


def test_agents_killed_in_mid_upload_leave_a_prefix_and_the_next_one_goes_on_from_there(
    server: Embedded, train: Callable[..., Training], rng: random.Random
) -> None:
    training = train("--rows", 2000, "--pad", PAD, "--vanish", environment={"TRACKER_MODE": "offline"})
    assert training.process.wait() == 0
    eventually(lambda: not agents(training.directory), PATIENCE)
    client = connect(Settings())
    (entity, project, id) = training.path.split("/")

    def on_the_server() -> int:
        return sum(client.offsets((entity, project, id))["offsets"].values())

    had = interrupted = 0
    for _ in range(ROUNDS):
        helper = start_agent(str(training.directory), dict(os.environ))
        assert helper is not None
        os.waitpid(helper, 0)
        target = had + rng.randrange(1, 2_000_000)
        eventually(lambda least=target: on_the_server() >= least or not agents(training.directory), PATIENCE)
        interrupted += _kill_agents(training)
        have = on_the_server()
        assert have >= had
        had = have
    assert interrupted > ROUNDS // 2
    sync_directory(training.directory)
    assert_delivered(uploaded(training, "crashed"), 2000, pad=PAD)


def test_a_killed_agent_is_started_again_by_the_run_or_made_up_for_by_sync(
    server: Embedded, train: Callable[..., Training]
) -> None:
    lucky, unlucky = trainings = [train("--pause", 0.002), train("--pause", 0.002)]
    for _ in range(2):
        for training in trainings:
            eventually(lambda t=training: agent_alive(str(t.directory)), PATIENCE)
            eventually(lambda t=training: on_server(t.path))
        for training in trainings:
            assert _kill_agents(training)
    for training in trainings:
        eventually(lambda t=training: agent_alive(str(t.directory)), PATIENCE)
    _kill_agents(unlucky)
    for training in trainings:
        assert training.stop() == 0
        assert training.board.dropped == 0
    assert_delivered(uploaded(lucky, "finished"), lucky.board.returned)
    assert not agent_alive(str(unlucky.directory))
    sync_directory(unlucky.directory)
    assert_delivered(uploaded(unlucky, "finished"), unlucky.board.returned)


def _kill_agents(training: Training) -> int:
    found = agents(training.directory)
    for agent in found:
        agent.kill()
    for agent in found:
        agent.wait(PATIENCE)
    return len(found)
