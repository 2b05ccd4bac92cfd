"""Read what a container may use: limits of Linux control groups, versions 1 and 2.

Formats: the kernel's Documentation/admin-guide/cgroup-v2.rst, cgroup-v1/memory.rst and
scheduler/sched-bwc.rst. The limits of all groups above ours apply as well, so each function returns the
tightest one. Limits are read once; they rarely change while a process lives.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
MEMBERSHIP = Path("/proc/self/cgroup")

_NO_LIMIT = 1 << 60
"""Version 1 says "no limit" with a number near 2^63."""


class MemoryLimit:
    """The bytes that a group may use, and uses."""

    def __init__(self, limit: int, usage: Path, stat: Path, reclaimable: str) -> None:
        self.bytes = limit
        self._usage, self._stat, self._reclaimable = usage, stat, reclaimable

    def used_bytes(self) -> int:
        """Return what the group uses now, without caches that the kernel can take back at once."""
        return max(0, int(self._usage.read_text()) - _field(self._stat, self._reclaimable))


class CpuQuota:
    """How many cores a group may use on average, and the CPU time it has used."""

    def __init__(self, cores: float, usage: Path) -> None:
        self.cores = cores
        self._usage = usage

    def used_seconds(self) -> float:
        """Return the CPU time of the group so far."""
        if self._usage.name == "cpu.stat":
            return _field(self._usage, "usage_usec") / 1e6
        return int(self._usage.read_text()) / 1e9


def memory_limit(root: Path = ROOT, membership: Path = MEMBERSHIP) -> MemoryLimit | None:
    """Return the tightest memory limit of our groups, or None without one."""
    found: list[MemoryLimit] = []
    for group in _groups("", root, membership):
        limit = _number(group / "memory.max")
        if limit is not None:
            found.append(MemoryLimit(limit, group / "memory.current", group / "memory.stat", "inactive_file"))
    for group in _groups("memory", root, membership):
        limit = _number(group / "memory.limit_in_bytes")
        if limit is not None and limit < _NO_LIMIT:
            usage, stat = group / "memory.usage_in_bytes", group / "memory.stat"
            found.append(MemoryLimit(limit, usage, stat, "total_inactive_file"))
    return min(found, key=lambda limit: limit.bytes, default=None)


def memory_groups(membership: Path, root: Path = ROOT) -> list[Path]:
    """Return the directories of the groups that account for a process's memory, its own before those above it."""
    return [*_groups("", root, membership), *_groups("memory", root, membership)]


def cpu_quota(root: Path = ROOT, membership: Path = MEMBERSHIP) -> CpuQuota | None:
    """Return the tightest CPU quota of our groups, or None without one."""
    found: list[CpuQuota] = []
    for group in _groups("", root, membership):
        quota, period = _words(group / "cpu.max", 2)
        if quota.isdigit():  # else "max"
            found.append(CpuQuota(int(quota) / int(period), group / "cpu.stat"))
    for group in _groups("cpu", root, membership):
        limit, span = _number(group / "cpu.cfs_quota_us"), _number(group / "cpu.cfs_period_us")
        usage = root / "cpuacct" / group.relative_to(root / "cpu") / "cpuacct.usage"
        if limit is not None and span and usage.exists():  # -1 means no limit; `_number` reads it as None
            found.append(CpuQuota(limit / span, usage))
    return min(found, key=lambda quota: quota.cores, default=None)


def _groups(controller: str, root: Path, membership: Path) -> Iterator[Path]:
    """Yield the directories of our group and those above it; `controller` is empty for version 2."""
    try:
        lines = membership.read_text().splitlines()
    except OSError:  # not Linux
        return
    base = root / controller
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controller not in controllers.split(","):
            continue
        group = base / path.lstrip("/")
        # In a container the path may be the host's, while the group itself is mounted at the base.
        yield from (p for p in [group, *group.parents] if p.is_relative_to(base) and p.is_dir())


def _words(path: Path, count: int) -> list[str]:
    try:
        words = path.read_text().split()
    except OSError:
        words = []
    return words if len(words) == count else [""] * count


def _number(path: Path) -> int | None:
    (word,) = _words(path, 1)
    return int(word) if word.isdigit() else None


def _field(path: Path, name: str) -> int:
    for line in path.read_text().splitlines():
        key, _, value = line.partition(" ")
        if key == name:
            return int(value)
    return 0
