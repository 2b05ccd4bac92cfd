"""Row 16: the network accepts all packets and answers none."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.faults.harness import TOKEN, Training, agents, require, sync_directory
from tests.waiting import PATIENCE, eventually
from tracker_server.embedded import Embedded

ROOM = 32 * 1024 * 1024
PAD = 20_000


@contextmanager
def swallowing() -> Iterator[str]:
    """Return a port that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def test_a_server_that_never_answers_costs_the_training_no_time_and_little_memory(
    server: Embedded, train: Callable[..., Training], monkeypatch: pytest.MonkeyPatch
) -> None:
    with swallowing() as url:
        settings = {
            "TRACKER_BASE_URL": url,
            "TRACKER_API_KEY": TOKEN,
            "TRACKER_UPLOAD_TIMEOUT": "0.5",
            "TRACKER_DRAIN_TIMEOUT": "0.5",
        }
        training = train("--pause", 0.0002, "--pad", PAD, environment=settings)
        training.reach(1)
        eventually(lambda: "Network error" in (training.directory / "agent.log").read_text(), PATIENCE)
        (agent,) = agents(training.directory)
        before = agent.memory_info().rss
        training.reach(training.board.returned + 3 * ROOM // PAD)
        assert agent.memory_info().rss - before < ROOM
        assert training.stop() == 0
        assert "Network error (ReadTimeout), entering retry loop." in training.stderr
        assert training.board.dropped == 0
        eventually(lambda: not agents(training.directory), PATIENCE)
    assert sync_directory(training.directory).refused == {}


IN_A_NAMESPACE = """
import subprocess, sys, tracker
from tracker.agent_protocol.status import read_status
sys.path.insert(0, {root!r})
from tests.waiting import eventually
def run(*command): subprocess.run(command, check=True)
run("ip", "link", "set", "lo", "up")
run("nft", "add table inet t; add chain inet t in {{ type filter hook input priority 0; }}; "
    "add rule inet t in tcp dport 8787 drop")
run = tracker.init(id="r", settings={{"base_url": "http://127.0.0.1:8787", "api_key": "key-of-nobody",
                                      "upload_timeout": 0.5, "drain_timeout": 0.5}})
for i in range(1000):
    run.log({{"x": i}})
trouble = eventually(lambda: (status := read_status(run.dir)) and status.trouble)
run.finish()
print(trouble)
"""


def test_dropped_packets_end_in_a_timeout(tmp_path: Path) -> None:
    tools = all(map(shutil.which, ("unshare", "ip", "nft")))
    require(os.geteuid() == 0 and tools, "a network namespace and its filter need root, unshare, iproute2 and nftables")
    probe = "ip link set lo up && nft add table inet t"
    possible = subprocess.run(["unshare", "--net", "sh", "-c", probe], capture_output=True).returncode == 0
    require(possible, "this kernel has no packet filter in network namespaces")
    code = IN_A_NAMESPACE.format(root=str(Path(__file__).parents[2]))
    done = subprocess.run(
        ["unshare", "--net", sys.executable, "-c", code], capture_output=True, text=True, timeout=2 * PATIENCE
    )
    assert done.returncode == 0, done.stderr
    assert "ConnectTimeout" in done.stdout
    assert "finished, but not all of it is uploaded: no answer from http://127.0.0.1:8787" in done.stderr
