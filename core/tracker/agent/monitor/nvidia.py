"""Sample `gpu/…`: NVIDIA GPUs, through the driver's management library (NVML)."""

from __future__ import annotations

import ctypes
from collections.abc import Container
from typing import Any

from .source import Target, Unavailable


class NvidiaSource:
    """Reads all NVIDIA GPUs of the machine, numbered as `nvidia-smi` numbers them."""

    def __init__(self, target: Target) -> None:
        """Raise `Unavailable` where there is no NVIDIA driver, no GPU, or no nvidia-ml-py."""
        try:
            # Loaded before the import, so that machines without a GPU do not spend megabytes on the Python
            # module.
            ctypes.CDLL("libnvidia-ml.so.1")
            import pynvml
        except (OSError, ImportError) as error:
            raise Unavailable from error
        try:
            pynvml.nvmlInit()
            self._devices = [pynvml.nvmlDeviceGetHandleByIndex(i) for i in range(pynvml.nvmlDeviceGetCount())]
        except pynvml.NVMLError as error:
            raise Unavailable from error
        self._nvml = pynvml
        self._tree = target.tree

    def sample(self, now: float) -> dict[str, float]:
        """Return gauges of each GPU. Values that a GPU does not support or cannot give now are missing."""
        pids = self._tree.processes(now)
        result: dict[str, float] = {}
        for index, device in enumerate(self._devices):
            for read in _READERS:
                try:
                    values = read(self._nvml, device, pids)
                except self._nvml.NVMLError:
                    continue
                result.update((f"gpu/{index}/{key}", value) for key, value in values.items())
        return result


def _utilization(nvml: Any, device: Any, _pids: Container[int]) -> dict[str, float]:
    rates = nvml.nvmlDeviceGetUtilizationRates(device)
    return {"utilization_percent": rates.gpu, "memory_access_percent": rates.memory}


def _memory(nvml: Any, device: Any, _pids: Container[int]) -> dict[str, float]:
    memory = nvml.nvmlDeviceGetMemoryInfo(device)
    return {
        "memory_used_bytes": memory.used,
        "memory_total_bytes": memory.total,
        "memory_used_percent": 100 * memory.used / memory.total,
    }


def _process_memory(nvml: Any, device: Any, pids: Container[int]) -> dict[str, float]:
    users = nvml.nvmlDeviceGetComputeRunningProcesses(device)
    ours = [user.usedGpuMemory for user in users if user.pid in pids and user.usedGpuMemory is not None]
    # Not 0: in a container the driver may give the pids of the host, which match none of ours.
    return {"process_memory_bytes": sum(ours)} if ours else {}


def _temperature(nvml: Any, device: Any, _pids: Container[int]) -> dict[str, float]:
    return {"temperature_c": nvml.nvmlDeviceGetTemperature(device, nvml.NVML_TEMPERATURE_GPU)}


def _power(nvml: Any, device: Any, _pids: Container[int]) -> dict[str, float]:
    return {"power_w": nvml.nvmlDeviceGetPowerUsage(device) / 1000}


def _power_limit(nvml: Any, device: Any, _pids: Container[int]) -> dict[str, float]:
    return {"power_limit_w": nvml.nvmlDeviceGetEnforcedPowerLimit(device) / 1000}


def _sm_clock(nvml: Any, device: Any, _pids: Container[int]) -> dict[str, float]:
    return {"sm_clock_mhz": nvml.nvmlDeviceGetClockInfo(device, nvml.NVML_CLOCK_SM)}


def _memory_clock(nvml: Any, device: Any, _pids: Container[int]) -> dict[str, float]:
    return {"memory_clock_mhz": nvml.nvmlDeviceGetClockInfo(device, nvml.NVML_CLOCK_MEM)}


_READERS = (
    _utilization,
    _memory,
    _process_memory,
    _temperature,
    _power,
    _power_limit,
    _sm_clock,
    _memory_clock,
)
