from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

DOCUMENT = Path(__file__).parents[4] / "docs" / "reference" / "system-metrics.md"

_SAMPLE = """
import json, os, time
from tracker.agent.monitor import Monitor
monitor = Monitor(lambda values: print(json.dumps(list(values))), lambda: [os.getppid()], "/")
monitor.tick(0)
end = time.process_time() + 0.1
while time.process_time() < end:  # the kernel counts CPU time in steps of 10 ms
    pass
monitor.tick(1)
monitor.stop()
"""


def documented() -> set[str]:
    return set(re.findall(r"^\| `([a-z]+/[^`]+)` \|", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE))


@pytest.mark.skipif(sys.platform != "linux", reason="other systems tell less")
def test_every_key_is_documented_and_every_documented_key_exists(nvml: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    environment |= {"LD_LIBRARY_PATH": str(nvml), "FAKE_NVML_PID": str(os.getpid())}
    done = subprocess.run([sys.executable, "-c", _SAMPLE], env=environment, capture_output=True, text=True, check=True)
    emitted = {re.sub(r"^gpu/\d+/", "gpu/<i>/", key) for key in json.loads(done.stdout)}
    if not psutil.swap_memory().total:
        emitted.add("memory/swap_used_bytes")
    assert emitted == documented()


def test_each_key_ends_with_its_unit() -> None:
    counts = {"cpu/cores", "process/threads", "process/count"}
    units = re.compile(r"_(bytes|bytes_per_s|c|w|mhz)$|percent$")
    assert [key for key in documented() - counts if not units.search(key)] == []
