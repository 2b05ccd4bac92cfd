from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tracker.capture import host

STAND_IN = Path(__file__).parents[1] / "agent" / "monitor" / "fake_nvml.c"


def test_system_processors_and_memory_are_described() -> None:
    found = host.describe()
    assert found["kernel"] == f"{os.uname().sysname} {os.uname().release}"
    assert found["machine"] == os.uname().machine
    assert found["os"]
    assert 1 <= found["cpu"]["usable"] <= found["cpu"]["threads"]
    assert found["memory"] >= os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") * 0.9


@pytest.fixture(scope="module")
def nvml(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the directory of a stand-in for the NVIDIA driver's library."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None or sys.platform != "linux":
        pytest.skip("a stand-in for NVML needs Linux and a C compiler")
    directory = tmp_path_factory.mktemp("nvml")
    target = directory / "libnvidia-ml.so.1"
    subprocess.run([compiler, "-shared", "-fPIC", "-w", "-o", str(target), str(STAND_IN)], check=True)
    return directory


def described(nvml: Path, **environment: str) -> dict[str, object]:
    variables = {**os.environ, "LD_LIBRARY_PATH": str(nvml), **environment}
    code = "import json; from tracker.capture import host; print(json.dumps(host.describe()))"
    done = subprocess.run([sys.executable, "-c", code], env=variables, capture_output=True, text=True, check=True)
    found: dict[str, object] = json.loads(done.stdout)
    return found


def test_gpus_and_driver_are_described_where_nvml_answers(nvml: Path) -> None:
    found = described(nvml)
    assert found["gpus"] == [{"name": f"Stand-in {i}", "memory": 16 << 30} for i in range(2)]
    assert (found["driver"], found["cuda"]) == ("555.42.06", "12.5")


def test_a_broken_driver_leaves_the_other_members(nvml: Path) -> None:
    found = described(nvml, FAKE_NVML_INIT="9")
    assert "gpus" not in found
    assert found["memory"]
