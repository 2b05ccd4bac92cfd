"""Describe this process for the first line of its stream, with what only it knows. Takes microseconds."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import Any

from tracker.machine.paths import absolute
from tracker.settings import Settings

from .redact import CUT, cut, cut_arguments, secret_values
from .secret_names import is_secret_name

VARIABLES = tuple(
    """
CONDA_DEFAULT_ENV CUBLAS_WORKSPACE_CONFIG CUDA_DEVICE_ORDER CUDA_LAUNCH_BLOCKING CUDA_VISIBLE_DEVICES GLOO_SOCKET_IFNAME
GROUP_RANK HF_DATASETS_OFFLINE HF_HUB_OFFLINE HIP_VISIBLE_DEVICES JAX_ENABLE_X64 JAX_PLATFORMS JOB_ID KERAS_BACKEND LANG
LC_ALL LOCAL_RANK LOCAL_WORLD_SIZE LSB_JOBID MASTER_ADDR MASTER_PORT MKL_NUM_THREADS NCCL_DEBUG NCCL_IB_DISABLE
NCCL_P2P_DISABLE NCCL_SOCKET_IFNAME NODE_RANK NUMEXPR_NUM_THREADS NVIDIA_TF32_OVERRIDE NVIDIA_VISIBLE_DEVICES
OMP_NUM_THREADS OPENBLAS_NUM_THREADS PBS_JOBID PYTHONHASHSEED PYTHONPATH PYTORCH_CUDA_ALLOC_CONF
PYTORCH_ENABLE_MPS_FALLBACK RANK ROCR_VISIBLE_DEVICES SLURM_ARRAY_JOB_ID SLURM_ARRAY_TASK_ID SLURM_CPUS_PER_TASK
SLURM_JOB_ID SLURM_JOB_NAME SLURM_JOB_NUM_NODES SLURM_JOB_PARTITION SLURM_LOCALID SLURM_NODEID SLURM_NTASKS SLURM_PROCID
TF_CUDNN_DETERMINISTIC TF_DETERMINISTIC_OPS TF_ENABLE_ONEDNN_OPTS TF_FORCE_GPU_ALLOW_GROWTH TOKENIZERS_PARALLELISM
TRANSFORMERS_OFFLINE TZ VIRTUAL_ENV WORLD_SIZE XLA_FLAGS XLA_PYTHON_CLIENT_MEM_FRACTION XLA_PYTHON_CLIENT_PREALLOCATE
""".split()
)
"""The variables of the environment that are kept: they change what a training computes or say where it ran."""

_SCRIPTS = frozenset(".py .ipynb .sh .bash .jl .r .lua .js .ts .rb .pl".split())
_LONGEST = 64 * 1024  # characters of a command line, and of one variable
_NODES = ("GROUP_RANK", "NODE_RANK", "SLURM_NODEID")  # torchrun; Lightning and others; Slurm


_wrapped: tuple[str, ...] = ()


def stand_in_for(command: Iterable[str]) -> None:
    """Describe, from now on, the program that this process runs instead of the process itself."""
    global _wrapped
    _wrapped = tuple(command)


def is_wrapper() -> bool:
    """Tell whether this process only runs another program, which may describe the run better."""
    return bool(_wrapped)


def wrapped() -> tuple[str, ...]:
    """Return the command line of that program; () without one."""
    return _wrapped


def describe(settings: Settings) -> dict[str, Any] | None:
    """Return the `process` member of a stream's header (FORMAT.md) without secrets; None if nothing is captured."""
    if not settings.captures_anything():
        return None
    known = secret_values(os.environ)
    python = _of_our_environment(_wrapped[0]) if _wrapped else True
    found: dict[str, Any] = {
        "program": program(),
        "cwd": _working_directory(),
        "executable": sys.executable or None if python else None,
        "path": [e for e in sys.path if isinstance(e, str)] if python and settings.captures("packages") else None,
        "node": _node(),
    }
    if settings.captures("command"):
        found["command"] = cut_arguments(_bounded(_wrapped or sys.orig_argv or arguments()), known)
    if settings.captures("variables"):
        names = dict.fromkeys((*VARIABLES, *(settings.capture_variables or ())))
        found["variables"] = {
            name: CUT if is_secret_name(name) else cut(os.environ[name][:_LONGEST], known)
            for name in names
            if name in os.environ
        }
    return {member: value for member, value in found.items() if value is not None}


def program() -> str | None:
    """Return the absolute path of the main script or notebook, or None."""
    if _wrapped:
        return _script(_wrapped)
    main = sys.modules.get("__main__")
    for path in (
        getattr(main, "__file__", None),
        getattr(main, "__vsc_ipynb_file__", None),  # set by Visual Studio Code
        os.environ.get("JPY_SESSION_NAME"),  # set by the Jupyter server
    ):
        if path and os.path.isfile(path):
            return absolute(path)
    return None


def arguments() -> list[str]:
    """Return `sys.argv`, or an empty list: embedded interpreters may have none."""
    return [word for word in getattr(sys, "argv", None) or () if isinstance(word, str)]


def _working_directory() -> str | None:
    try:
        return os.getcwd()
    except OSError:  # it was deleted
        return None


def _script(command: tuple[str, ...]) -> str | None:
    """Return the absolute path of the script that a command names, None if it names none."""
    named = (word for word in command if os.path.splitext(word)[1].lower() in _SCRIPTS and os.path.isfile(word))
    return next(map(absolute, named), None)


def _of_our_environment(command: str) -> bool:
    """Tell whether a command is our interpreter, or was installed beside it."""
    import shutil

    found = shutil.which(command)
    return found is not None and os.path.dirname(absolute(found)) == os.path.dirname(sys.executable)


def _node() -> int | None:
    """Return this machine's number in the job, as the launcher gives it; None if it is 0."""
    for name in _NODES:
        value = os.environ.get(name, "")
        if value.isdecimal():
            return int(value) or None
    rank, local = os.environ.get("OMPI_COMM_WORLD_RANK", ""), os.environ.get("OMPI_COMM_WORLD_LOCAL_SIZE", "")
    return int(rank) // int(local) or None if rank.isdecimal() and local.isdecimal() and int(local) else None


def _bounded(arguments: Iterable[str]) -> list[str]:
    result: list[str] = []
    size = 0
    for argument in arguments:
        size += len(argument)
        if size > _LONGEST:
            return [*result, "…"]
        result.append(argument)
    return result
