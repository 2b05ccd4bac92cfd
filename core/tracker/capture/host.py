"""Describe this machine: its system, processors, memory and GPUs."""

from __future__ import annotations

import contextlib
import ctypes
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil


def describe() -> dict[str, Any]:
    """Return `os`, `kernel`, `machine`, `cpu` and `memory` (bytes), and `gpus`, `driver` and `cuda` if NVML answers.

    `cpu` has `model`, `cores`, `threads`, and `usable` by this process; each of `gpus` has `name` and `memory` in
    bytes. Unknown members are missing.
    """
    about = os.uname()
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
    threads, cores = psutil.cpu_count(), psutil.cpu_count(logical=False)
    cpu = {"model": _cpu_model(), "cores": cores, "threads": threads, "usable": usable}
    found: dict[str, Any] = {
        "os": _system(about.sysname),
        "kernel": f"{about.sysname} {about.release}",
        "machine": about.machine,
        "cpu": {member: value for member, value in cpu.items() if value},
        "memory": psutil.virtual_memory().total,
    }
    return {**found, **_gpus()}


def _system(otherwise: str) -> str:
    import platform

    if sys.platform == "darwin":
        return f"macOS {platform.mac_ver()[0]}"
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME") or otherwise
    except OSError:
        return otherwise


def _cpu_model() -> str | None:
    if sys.platform == "darwin":
        command = ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            return subprocess.run(command, capture_output=True, check=True, text=True, timeout=5).stdout.strip()
        return None
    # proc(5): x86 says "model name"; ARM boards say "Model" or "Hardware", or nothing but numbers.
    with contextlib.suppress(OSError):
        lines = [line.partition(":") for line in Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines()]
        names = {name.strip(): value.strip() for name, _, value in lines}
        return next((names[name] for name in ("model name", "Model", "Hardware", "cpu") if names.get(name)), None)
    return None


def _gpus() -> dict[str, Any]:
    try:
        ctypes.CDLL("libnvidia-ml.so.1")  # before the import, which machines without a GPU do not need
        import pynvml
    except (OSError, ImportError):
        return {}
    found: dict[str, Any] = {}
    with contextlib.suppress(pynvml.NVMLError):
        pynvml.nvmlInit()
        found["gpus"] = []
        for index in range(pynvml.nvmlDeviceGetCount()):
            device = pynvml.nvmlDeviceGetHandleByIndex(index)
            gpu = {"name": _text(pynvml.nvmlDeviceGetName(device))}
            with contextlib.suppress(pynvml.NVMLError):  # some share the machine's memory and have none of their own
                gpu["memory"] = pynvml.nvmlDeviceGetMemoryInfo(device).total
            found["gpus"].append(gpu)
        found["driver"] = _text(pynvml.nvmlSystemGetDriverVersion())
        version = pynvml.nvmlSystemGetCudaDriverVersion_v2()
        found["cuda"] = f"{version // 1000}.{version % 1000 // 10}"  # nvml.h: 12020 is 12.2
    return found


def _text(value: str | bytes) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
