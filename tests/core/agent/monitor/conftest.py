from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tracker.agent.monitor import Monitor

Written = list[dict[str, float]]


@pytest.fixture
def monitor(tmp_path: Path) -> Callable[..., tuple[Monitor, Written]]:
    """Make a monitor of some sources and the list that it writes to."""

    def make(*sources: str, pids: list[int] | None = None, **settings: Any) -> tuple[Monitor, Written]:
        written: Written = []
        watched = [os.getppid()] if pids is None else pids
        settings.setdefault("directory", str(tmp_path))
        return Monitor(written.append, lambda: watched, sources=sources or None, **settings), written

    return make


@pytest.fixture
def average(monitor: Callable[..., Any]) -> Callable[..., dict[str, float]]:
    """Sample sources at 0 and at `seconds`, and call `between` in between; return the averages."""

    def run(*sources: str, between: Callable[[], object] = lambda: None, seconds: float = 1.0, **settings: Any) -> Any:
        made, written = monitor(*sources, average_over=1e9, sample_interval=1e9, **settings)
        made.tick(0.0)
        between()
        made.tick(seconds)
        made.stop()
        return written[0] if written else {}

    return run


@pytest.fixture(scope="session")
def nvml(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the directory of a stand-in for the NVIDIA driver's library."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None or sys.platform != "linux":
        pytest.skip("a stand-in for NVML needs Linux and a C compiler")
    directory = tmp_path_factory.mktemp("nvml")
    source = Path(__file__).with_name("fake_nvml.c")
    command = [compiler, "-shared", "-fPIC", "-w", "-o", str(directory / "libnvidia-ml.so.1"), str(source)]
    subprocess.run(command, check=True)
    return directory
