"""Run subjects in processes of their own, and measure their cost."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SUBJECTS = Path(__file__).parent / "subjects"
ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Subject:
    """A library that stores rows: its name in `subjects/script.py`, and the Python that has it."""

    name: str
    python: str
    label: str
    scale: float = 1.0
    """The share of the calls to make, since some subjects would take minutes for all."""

    @property
    def ours(self) -> bool:
        """Whether it runs in this environment."""
        return self.python == sys.executable


FLOOR = Subject("floor", sys.executable, "floor")
TRACKER = Subject("tracker", sys.executable, "tracker")


@dataclass
class Options:
    """The options of the command line."""

    quick: bool = False
    peers: list[Subject] = field(default_factory=list)
    repeat: int | None = None
    """How many rounds to do; without it, as many as each measurement needs."""

    def calls(self, subject: Subject, calls: int) -> int:
        """Return how many of `calls` calls to make with this subject."""
        return max(200, int(calls * subject.scale / (20 if self.quick else 1)))

    def rounds(self, rounds: int) -> int:
        """Return how many of `rounds` rounds to do."""
        return self.repeat or (1 if self.quick else rounds)


@contextmanager
def scratch() -> Iterator[Path]:
    """Yield a new directory for one measurement."""
    directory = Path(tempfile.mkdtemp(prefix="tracker-bench-"))
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def run_subject(
    subject: Subject, directory: Path, calls: int, *flags: str, watch_memory: bool = False, **variables: str
) -> dict[str, Any]:
    """Run `subjects/script.py`; return what it and `subjects/family.py` print. Raises RuntimeError if it fails."""
    data = directory / "data"
    data.mkdir()
    family = [subject.python, str(SUBJECTS / "family.py"), *(["--watch-memory"] if watch_memory else [])]
    script = [subject.python, str(SUBJECTS / "script.py"), subject.name, str(data), "--calls", str(calls), *flags]
    done = subprocess.run(
        [*family, *script],
        env=environment(subject, directory, **variables),
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,  # the error is raised below
    )
    result = json.loads(done.stdout.splitlines()[-1]) if done.stdout else {"status": done.returncode}
    if result["status"]:
        raise RuntimeError(f"{subject.label} ended with {result['status']}: {done.stderr[-800:]}")
    result["helpers_cpu_s"] = result["family_cpu_s"] - result["process_cpu_s"]
    result["bytes"] = size(data)
    return result


def size(directory: Path) -> int:
    """Return the bytes of all files in a directory."""
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())


def environment(subject: Subject, directory: Path, **variables: str) -> dict[str, str]:
    """Return an environment that hides the user's files and servers, and turns off usage reports."""
    kept = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "TMPDIR")
    result = {name: os.environ[name] for name in kept if name in os.environ}
    result |= {"HOME": str(directory), "XDG_STATE_HOME": str(directory), "XDG_CONFIG_HOME": str(directory)}
    result |= {"DO_NOT_TRACK": "1", "MLFLOW_DISABLE_TELEMETRY": "true", "HF_HUB_OFFLINE": "1"}
    result |= {"GRADIO_ANALYTICS_ENABLED": "False"}
    if subject.ours and "PYTHONPATH" in os.environ:
        result["PYTHONPATH"] = os.environ["PYTHONPATH"]
    return result | variables


def process_cpu(command: list[str], variables: dict[str, str]) -> float:
    """Return the CPU seconds of a command and the children that it waited for."""
    process = subprocess.Popen(command, env=variables, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}")
    return usage.ru_utime + usage.ru_stime


def median(values: list[float]) -> float:
    """Return the median."""
    return statistics.median(values)
