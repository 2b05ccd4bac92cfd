"""Row 9: the training cannot open more files."""

from __future__ import annotations

import resource
from collections.abc import Callable

from tests.faults.harness import Training, assert_delivered, kill_agents, sync_directory, uploaded
from tests.waiting import PATIENCE, eventually
from tracker.runlog.directory import agent_alive
from tracker.sdk.agent_supervisor import CHECK_EVERY
from tracker_server.embedded import Embedded


def test_without_free_descriptors_training_continues_with_a_warning_that_no_agent_starts(
    server: Embedded, train: Callable[..., Training]
) -> None:
    training = train("--pause", 0.001)
    training.reach(50)
    eventually(lambda: agent_alive(str(training.directory)))
    _, most = resource.prlimit(training.process.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(training.process.pid, resource.RLIMIT_NOFILE, (0, most))
    kill_agents(training.directory)
    warning = "cannot start the agent"
    eventually(lambda: warning in training.stderr, CHECK_EVERY / 1e6 + PATIENCE)
    training.reach(training.board.returned + 100)
    assert training.stop() == 0
    assert training.board.dropped == 0
    assert training.stderr.count(warning) == 1
    sync_directory(training.directory)
    assert_delivered(uploaded(training, "finished"), training.board.returned)
