"""Find out how a process ended that is not our child: exit status, signal, peak memory, OOM kill.

Formats: pidfd ioctl PIDFD_GET_INFO (Linux 6.13; exit codes since 6.15, include/uapi/linux/pidfd.h), proc(5), and the
kernel's Documentation/admin-guide/cgroup-v2.rst (memory.events) and cgroup-v1/memory.rst (memory.oom_control).
"""

from __future__ import annotations

import fcntl
import signal
import struct
from pathlib import Path
from typing import Any

from tracker.runlog.directory import stat_fields
from tracker.runlog.exits import Exit

from .monitor.cgroup import memory_groups

_INFO = struct.Struct("=QQ11Ii")  # mask, cgroup, ids, exit code: 64 bytes
_GET_INFO = 3 << 30 | _INFO.size << 16 | 0xFF << 8 | 11
_WANT_EXIT = 1 << 3
_GIB = 1 << 30
_REMEMBERED = 1000  # processes


_seen: dict[tuple[int, int | None], Exit] = {}
"""How watched processes ended, by pid and start."""


def exit_of(pid: int, start: int | None, pidfd: int | None) -> Exit | None:
    """Return how a process ended, None if the machine does not know.

    The kernel gives it through the pidfd once the parent has collected the process, and in /proc until then. The result
    is remembered.
    """
    if (pid, start) not in _seen:
        found = _collected(pidfd) or _zombie(pid) or _collected(pidfd)  # it may be collected between the two
        if found is None:
            return None
        _seen[pid, start] = found
        while len(_seen) > _REMEMBERED:
            del _seen[next(iter(_seen))]
    return _seen[pid, start]


def _collected(pidfd: int | None) -> Exit | None:
    if pidfd is None:
        return None
    data = bytearray(_INFO.size)
    _INFO.pack_into(data, 0, _WANT_EXIT, *[0] * 13)
    try:
        fcntl.ioctl(pidfd, _GET_INFO, data)
    except OSError:  # an older kernel, or a process that is not collected yet
        return None
    mask, *_, status = _INFO.unpack(data)
    return Exit.from_wait(status) if mask & _WANT_EXIT else None


def _zombie(pid: int) -> Exit | None:
    fields = stat_fields(pid)
    try:
        return Exit.from_wait(int(fields[49])) if fields[:1] == [b"Z"] else None
    except (ValueError, IndexError):
        return None


class Memory:
    """A process's peak memory, and whether the kernel killed for lack of memory where it ran."""

    def __init__(self, pid: int) -> None:
        self._status = Path(f"/proc/{pid}/status")
        self.peak = 0  # bytes
        self._groups = list(memory_groups(Path(f"/proc/{pid}/cgroup")))
        self._before = self._kills()
        self.look()

    def look(self) -> None:
        """Update the peak while the process lives."""
        try:
            line = self._status.read_text().partition("VmHWM:")[2]
            self.peak = max(self.peak, int(line.split(maxsplit=1)[0]) * 1024)
        except (OSError, ValueError, IndexError):  # it is gone
            pass

    def note(self) -> str:
        """Return a note on the peak memory for the error of a killed process."""
        return f"its peak memory was {self.peak / _GIB:.2f} GiB" if self.peak else ""

    def killed(self) -> str | None:
        """Return where the kernel has killed for lack of memory since the process was first seen, or None."""
        in_group, machine = self._kills()
        if in_group > self._before[0]:
            return "its control group"
        return "the machine" if machine > self._before[1] else None

    def _kills(self) -> tuple[int, int]:
        counts = [_count(group / name) for group in self._groups for name in ("memory.events", "memory.oom_control")]
        return sum(counts), _count(Path("/proc/vmstat"))


def explained(end: dict[str, Any], real: Exit, memory: Memory | None) -> dict[str, Any]:
    """Return the `finish` payload of a process that a signal ended, with what the machine knows about it."""
    if real.signal is None or memory is None:
        return end
    place = memory.killed() if real.signal == signal.SIGKILL else None
    why = f"out of memory: the kernel killed it for what {place} lacked" if place else ""
    error = "; ".join(filter(None, (f"{end['error']}{' (' + why + ')' if why else ''}", memory.note())))
    found = {"error": error, "peak_memory": memory.peak or None, "out_of_memory": True if place else None}
    return {**end, **{k: v for k, v in found.items() if v is not None}}


def _count(path: Path) -> int:
    try:
        for line in path.read_text().splitlines():
            name, _, value = line.partition(" ")
            if name == "oom_kill":
                return int(value)
    except (OSError, ValueError):
        pass
    return 0
