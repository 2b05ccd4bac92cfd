"""Run a command, wait for it and all its descendants, and print their cost as JSON.

    python family.py [--watch-memory] [--patience SECONDS] COMMAND…

Processes that a library detaches (uploaders, agents) would escape `getrusage(RUSAGE_CHILDREN)`; as a subreaper this
one inherits and reaps them. Linux only. Standard library only: it runs in any environment.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
import tempfile
import time

_PR_SET_CHILD_SUBREAPER = 36


def main() -> None:
    arguments, patience, watch = sys.argv[1:], 60.0, False
    while arguments[0].startswith("--"):
        option = arguments.pop(0)
        watch = watch or option == "--watch-memory"
        patience = float(arguments.pop(0)) if option == "--patience" else patience
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    # Not a pipe: it could fill up, and a surviving process would keep it open.
    output = tempfile.TemporaryFile("w+")  # noqa: SIM115
    process = subprocess.Popen(arguments, stdout=output)
    memory = Memory(process.pid) if watch else None
    first, cpu, killed, ended = None, 0.0, 0, 0.0
    while True:
        try:
            pid, status, usage = os.wait4(-1, os.WNOHANG if watch or first is not None else 0)
        except ChildProcessError:
            break  # no process is left
        if pid == 0:
            if memory:
                memory.look()
            if first is not None and time.monotonic() - ended > patience:
                killed += kill(children())
            time.sleep(0.02)
            continue
        cpu += usage.ru_utime + usage.ru_stime
        if pid == process.pid:
            first, ended = status, time.monotonic()
    output.seek(0)
    lines = output.read().strip().splitlines()
    result = json.loads(lines[-1]) if lines and lines[-1].startswith("{") else {}
    result |= {"status": os.waitstatus_to_exitcode(first or 0), "family_cpu_s": cpu, "killed": killed}
    result["ended_at"] = time.monotonic()
    if memory:
        result |= memory.result()
    sys.stdout.write(json.dumps(result) + "\n")


class Memory:
    """Peak resident memory of the first process, and of all others together, sampled 50 times a second.

    rusage is of no use: for a process started by `vfork`, its maximum includes the parent's memory. For the same reason
    other processes count only from their second sample on: before `exec`, they show their parent's memory.
    """

    def __init__(self, first: int) -> None:
        self._pid = first
        self._first = self._others = 0.0
        self._most = 0
        self._known: set[int] = set()

    def look(self) -> None:
        self._first = max(self._first, resident(self._pid, "VmHWM"))
        pids = descendants(self._pid)
        others = [size for pid in pids if pid in self._known and (size := resident(pid, "VmRSS"))]
        self._known = set(pids)
        self._others, self._most = max(self._others, sum(others)), max(self._most, len(others))

    def result(self) -> dict[str, float]:
        return {"rss_mib": self._first, "others_rss_mib": self._others, "others": self._most}


def resident(pid: int, member: str) -> float:
    """Return a size in /proc/PID/status in MiB, 0 for a process that has ended."""
    try:
        with open(f"/proc/{pid}/status") as file:
            sizes = [int(line.split()[1]) for line in file if line.startswith(member)]
    except OSError:
        return 0.0
    return sizes[0] / 1024 if sizes else 0.0


def descendants(first: int) -> list[int]:
    found = [pid for pid in children() if pid != first]
    for pid in [first, *found]:
        found += children(pid)
    return found


def children(pid: int | None = None) -> list[int]:
    base = f"/proc/{pid or os.getpid()}/task"
    found = []
    try:
        for task in os.listdir(base):
            with open(f"{base}/{task}/children") as file:
                found += [int(word) for word in file.read().split()]
    except OSError:
        pass
    return found


def kill(pids: list[int]) -> int:
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    return len(pids)


if __name__ == "__main__":
    main()
