from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tracker.agent.monitor import cgroup

MiB = 1 << 20


def files(directory: Path, **content: str) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in content.items():
        (directory / name.replace("__", ".", 1)).write_text(text + "\n")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "cgroup"


def member(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "membership"
    path.write_text("".join(line + "\n" for line in lines))
    return path


def test_version_2_limits_are_read(root: Path, tmp_path: Path) -> None:
    files(root / "box", memory__max=str(512 * MiB), memory__current=str(300 * MiB), cpu__max="150000 100000")
    files(
        root / "box",
        memory__stat=f"anon 5\ninactive_file {100 * MiB}",
        cpu__stat="usage_usec 2500000\nnr_periods 1",
    )
    ours = member(tmp_path, "0::/box")
    limit, quota = cgroup.memory_limit(root, ours), cgroup.cpu_quota(root, ours)
    assert (limit.bytes, limit.used_bytes()) == (512 * MiB, 200 * MiB)
    assert (quota.cores, quota.used_seconds()) == (1.5, 2.5)


def test_the_tightest_limit_of_all_groups_above_counts(root: Path, tmp_path: Path) -> None:
    files(root / "pod", memory__max=str(256 * MiB), cpu__max="200000 100000")
    files(root / "pod" / "box", memory__max=str(512 * MiB), cpu__max="max 100000")
    ours = member(tmp_path, "0::/pod/box")
    assert cgroup.memory_limit(root, ours).bytes == 256 * MiB
    assert cgroup.cpu_quota(root, ours).cores == 2.0


def test_inside_a_container_the_group_is_found_at_the_mount(root: Path, tmp_path: Path) -> None:
    files(root, memory__max=str(64 * MiB))
    assert cgroup.memory_limit(root, member(tmp_path, "0::/docker/0123abcd")).bytes == 64 * MiB


def test_version_1_limits_are_read(root: Path, tmp_path: Path) -> None:
    files(root / "memory" / "box", memory__limit_in_bytes=str(512 * MiB), memory__usage_in_bytes=str(300 * MiB))
    files(root / "memory" / "box", memory__stat=f"inactive_file 7\ntotal_inactive_file {50 * MiB}")
    files(root / "cpu" / "box", cpu__cfs_quota_us="50000", cpu__cfs_period_us="100000")
    files(root / "cpuacct" / "box", cpuacct__usage="1250000000")
    ours = member(tmp_path, "4:memory:/box", "2:cpu,cpuacct:/box", "0::/")
    limit, quota = cgroup.memory_limit(root, ours), cgroup.cpu_quota(root, ours)
    assert (limit.bytes, limit.used_bytes()) == (512 * MiB, 250 * MiB)
    assert (quota.cores, quota.used_seconds()) == (0.5, 1.25)


def test_without_limits_there_are_none(root: Path, tmp_path: Path) -> None:
    files(root, memory__max="max", cpu__max="max 100000")
    files(root / "memory", memory__limit_in_bytes="9223372036854771712")
    files(root / "cpu", cpu__cfs_quota_us="-1", cpu__cfs_period_us="100000")
    ours = member(tmp_path, "4:memory:/", "1:cpu:/", "0::/")
    assert cgroup.memory_limit(root, ours) is None
    assert cgroup.cpu_quota(root, ours) is None


def test_a_system_without_control_groups_has_no_limits(tmp_path: Path) -> None:
    assert cgroup.memory_limit(tmp_path, tmp_path / "no-such-file") is None
    assert cgroup.cpu_quota(tmp_path, tmp_path / "no-such-file") is None


_JOIN_AND_SAMPLE = """
import json, os, sys, time
for group in sys.argv[1:]:
    open(group + "/cgroup.procs", "w").write(str(os.getpid()))
from tracker.agent.monitor import Monitor
monitor = Monitor(lambda values: print(json.dumps(values)), list, "/", sources=["cpu", "memory"],
                  sample_interval=1e9, average_over=1e9)
start = time.monotonic()
monitor.tick(0)
while time.monotonic() < start + 1: pass
monitor.tick(time.monotonic() - start)
monitor.stop()
"""


def test_a_real_limit_is_what_percentages_refer_to() -> None:
    groups = [Path(f"/sys/fs/cgroup/{name}/tracker-test-{os.getpid()}") for name in ("memory", "cpu", "cpuacct")]
    try:
        for group in groups:
            group.mkdir()
        (groups[0] / "memory.limit_in_bytes").write_text(str(256 * MiB))
        (groups[1] / "cpu.cfs_quota_us").write_text("25000")
    except OSError as error:
        for group in filter(Path.exists, groups):
            group.rmdir()
        pytest.skip(f"cannot make version 1 control groups here: {error}")
    try:
        command = [sys.executable, "-c", _JOIN_AND_SAMPLE, *map(str, groups)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment())
    finally:
        for group in groups:
            group.rmdir()
    values = json.loads(done.stdout)
    assert values["memory/total_bytes"] == 256 * MiB
    assert 0 < values["memory/available_bytes"] < 256 * MiB
    assert values["cpu/cores"] == 0.25
    # It tried to use a whole core. Without the limit, that would be at most a quarter of all cores.
    assert 100 * 0.25 / (os.cpu_count() or 1) < values["cpu/percent"] < 140
    assert psutil.virtual_memory().total > 256 * MiB


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
