"""Row 25: the kernel kills a training for lack of memory."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.harness import Training, assert_delivered, require, uploaded
from tests.waiting import PATIENCE, eventually
from tracker.agent_protocol.status import read_status
from tracker.random_names import random_id
from tracker_server.embedded import Embedded

_ROOTS = ("/sys/fs/cgroup/memory", "/sys/fs/cgroup/unified", "/sys/fs/cgroup")
_LIMITS = ("memory.limit_in_bytes", "memory.max")
LIMIT = 256 * 1024 * 1024


@pytest.fixture
def small_group() -> Iterator[Path]:
    """Create a control group whose processes may use 256 MiB."""
    require(os.geteuid() == 0, "making a control group needs root")
    group = None
    for root in _ROOTS:
        made = Path(root, f"tracker-test-{random_id()}")
        try:
            made.mkdir()
        except OSError:
            continue
        limit = next((made / name for name in _LIMITS if (made / name).exists()), None)
        if limit is not None:
            limit.write_text(str(LIMIT))
            for swap in ("memory.memsw.limit_in_bytes", "memory.swap.max"):
                if (made / swap).exists():
                    (made / swap).write_text(str(LIMIT) if "memsw" in swap else "0")
            group = made
            break
        made.rmdir()
    require(group is not None, "control groups for memory cannot be made here")
    assert group is not None
    yield group
    eventually(lambda: not (group / "cgroup.procs").read_text().split(), PATIENCE)
    group.rmdir()


def test_a_training_killed_by_the_kernel_for_lack_of_memory_loses_no_row(
    small_group: Path, server: Embedded, train: Callable[..., Training]
) -> None:
    training = train("--pause", 0.001, "--hoard", 4 << 20)
    eventually(lambda: read_status(str(training.directory)), PATIENCE)  # its agent lives outside of the group
    (small_group / "cgroup.procs").write_text(str(training.process.pid))
    assert training.process.wait(PATIENCE) == -signal.SIGKILL
    assert_delivered(uploaded(training, "crashed"), training.board.returned, more=1)
