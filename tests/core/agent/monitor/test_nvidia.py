"""Test NVIDIA metrics with the real pynvml, and a stand-in for the driver's library if there is no GPU."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

_SAMPLE = """
import json, os, sys
from tracker.agent.monitor import Monitor
pids = [os.getppid()]
monitor = Monitor(lambda values: print(json.dumps(values)), lambda: pids, "/", sources=["nvidia", "memory"])
monitor.tick(0)
monitor.stop()
print(json.dumps("pynvml" in sys.modules))
"""


def gpu_values(nvml: Path, **environment: str) -> tuple[dict[str, float], bool, str]:
    """Return the `gpu/` keys, whether pynvml was imported, and the text on stderr."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), **environment}
    if nvml:
        environment["LD_LIBRARY_PATH"] = str(nvml)
    done = subprocess.run([sys.executable, "-c", _SAMPLE], env=environment, capture_output=True, text=True, check=True)
    values, imported = map(json.loads, done.stdout.splitlines())
    assert "memory/used_percent" in values
    return {key: value for key, value in values.items() if key.startswith("gpu/")}, imported, done.stderr


def test_all_values_of_a_gpu_are_reported(nvml: Path) -> None:
    values, _, _ = gpu_values(nvml, FAKE_NVML_PID=str(os.getpid()))
    assert {key: value for key, value in values.items() if key.startswith("gpu/0/")} == {
        "gpu/0/utilization_percent": 97,
        "gpu/0/memory_access_percent": 41,
        "gpu/0/memory_used_bytes": 4 << 30,
        "gpu/0/memory_total_bytes": 16 << 30,
        "gpu/0/memory_used_percent": 25,
        "gpu/0/process_memory_bytes": 3 << 30,
        "gpu/0/temperature_c": 61,
        "gpu/0/power_w": 251.5,
        "gpu/0/power_limit_w": 400,
        "gpu/0/sm_clock_mhz": 1410,
        "gpu/0/memory_clock_mhz": 1593,
    }


def test_unsupported_values_of_a_gpu_are_missing_and_the_others_are_reported(nvml: Path) -> None:
    values, _, stderr = gpu_values(nvml)
    assert {key for key in values if key.startswith("gpu/1/")} == {
        "gpu/1/memory_used_bytes",
        "gpu/1/memory_total_bytes",
        "gpu/1/memory_used_percent",
        "gpu/1/temperature_c",
        "gpu/1/power_w",
    }
    assert stderr == ""


def test_a_gpu_that_only_others_use_has_no_process_memory(nvml: Path) -> None:
    values, _, _ = gpu_values(nvml, FAKE_NVML_PID=str((1 << 30) + 1))
    assert "gpu/0/utilization_percent" in values
    assert "gpu/0/process_memory_bytes" not in values


@pytest.mark.parametrize("error", ["9", "18", "999"])  # driver not loaded, version mismatch, unknown
def test_a_broken_driver_gives_no_keys_and_no_output(nvml: Path, error: str) -> None:
    values, _, stderr = gpu_values(nvml, FAKE_NVML_INIT=error)
    assert (values, stderr) == ({}, "")


def test_without_a_driver_there_are_no_keys_no_output_and_no_import() -> None:
    if os.path.exists("/dev/nvidia0"):
        pytest.skip("this machine has an NVIDIA GPU")
    assert gpu_values(None) == ({}, False, "")  # type: ignore[arg-type]
