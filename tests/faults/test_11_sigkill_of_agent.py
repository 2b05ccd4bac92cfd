"""Row 11: the agent is killed with SIGKILL, again and again."""

from __future__ import annotations

import os
import random
import signal
import threading
from collections.abc import Callable
from pathlib import Path

from tests.depth import depth
from tests.faults.harness import (
    Training,
    agents,
    assert_delivered,
    has_left,
    kill_agents,
    on_server,
    sync_directory,
    uploaded,
)
from tests.faults.proxy import CutBody, Fault, LoseAnswer, proxy
from tests.waiting import PATIENCE, eventually
from tracker.client import connect
from tracker.names import RunKey
from tracker.runlog.directory import agent_alive
from tracker.sdk.agent_launch import start_agent
from tracker.settings import Settings
from tracker_server.embedded import Embedded

PAD = 7000
ROWS = 300  # of a round: more than it can upload, 1 MiB at a time


@depth("rounds", brief=3, slow=10)
def test_an_agent_killed_during_an_upload_leaves_a_prefix_and_the_next_agent_continues_it(
    server: Embedded, train: Callable[..., Training], rng: random.Random, rounds: int
) -> None:
    rows = rounds * ROWS
    training = train("--rows", rows, "--pad", PAD, "--vanish", environment={"TRACKER_MODE": "offline"})
    assert training.process.wait() == -signal.SIGKILL
    eventually(lambda: has_left(training.directory), PATIENCE)
    client = connect(Settings())
    (entity, project, id) = training.path.split("/")
    had = 0
    with proxy(server.url) as network:
        for _ in range(rounds):
            killed = threading.Event()
            network.plan = _kill_during_upload(training, rng, killed)
            start_agent(str(training.directory), {"TRACKER_BASE_URL": network.url})
            assert killed.wait(PATIENCE)
            have = sum(client.offsets(RunKey(entity, project, id))["offsets"].values())
            assert have >= had
            had = have
    assert not agent_alive(str(training.directory))
    sync_directory(training.directory)
    assert_delivered(uploaded(training, "crashed"), rows, pad=PAD)


def test_a_killed_agent_is_restarted_by_the_run_or_replaced_by_sync(
    tmp_path: Path, server: Embedded, train: Callable[..., Training]
) -> None:
    states = [{"XDG_STATE_HOME": str(tmp_path / name)} for name in ("lucky", "unlucky")]  # like two users
    lucky, unlucky = trainings = [train("--pause", 0.002, environment=state) for state in states]
    for _ in range(2):
        for training in trainings:
            eventually(lambda t=training: agent_alive(str(t.directory)), PATIENCE)  # type: ignore[misc]
            eventually(lambda t=training: on_server(t.path))  # type: ignore[misc]
        for training in trainings:
            assert kill_agents(training.directory)
    for training in trainings:
        eventually(lambda t=training: agent_alive(str(t.directory)), PATIENCE)  # type: ignore[misc]
    kill_agents(unlucky.directory)
    for training in trainings:
        assert training.stop() == 0
        assert training.board.dropped == 0
    assert_delivered(uploaded(lucky, "finished"), lucky.board.returned)
    kill_agents(unlucky.directory)  # a run that took long to end has started another one
    eventually(lambda: not agent_alive(str(unlucky.directory)))
    sync_directory(unlucky.directory)
    assert_delivered(uploaded(unlucky, "finished"), unlucky.board.returned)


def test_the_next_agent_serves_all_runs_of_a_killed_agent_including_ended_ones(
    server: Embedded, train: Callable[..., Training]
) -> None:
    longest = {"TRACKER_DRAIN_TIMEOUT": "120"}
    going, silent = trainings = [train("--pause", 0.002, environment=longest) for _ in range(2)]
    for training in trainings:
        eventually(lambda t=training: on_server(t.path), PATIENCE)  # type: ignore[misc]
    (agent,) = {agent.pid for training in trainings for agent in agents(training.directory)}
    silent.process.send_signal(signal.SIGSTOP)  # it cannot start another agent
    os.kill(agent, signal.SIGKILL)
    silent.kill()
    assert_delivered(uploaded(silent, "crashed"), silent.board.returned, more=1)
    (other,) = eventually(lambda: agents(going.directory))
    assert other.pid != agent
    assert going.stop() == 0
    assert_delivered(uploaded(going, "finished"), going.board.returned)


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
        return fault  # type: ignore[return-value]

    return plan
