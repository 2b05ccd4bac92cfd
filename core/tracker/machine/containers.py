"""Tell whether the agent would be killed when this process ends, as in containers and under job schedulers.

This decides how long `finish` waits for the upload at most; `sdk/upload_wait.py` waits.
"""

from __future__ import annotations

import os
from typing import Literal

LONGEST_WAIT = 60.0
"""The most seconds for which `finish` waits in such a place while the upload advances."""

_FIRST_NAMESPACE = 0xEFFFFFFC  # the pid namespace that a Linux machine starts with (PROC_PID_INIT_INO)
_INITS = ("systemd", "init", "launchd", "openrc-init", "runit", "procd", "busybox")
_VARIABLES = {
    "KUBERNETES_SERVICE_HOST": "Kubernetes",
    "SLURM_JOB_ID": "Slurm",
    "PBS_JOBID": "PBS",
    "LSB_JOBID": "LSF",
    "FLUX_JOB_ID": "Flux",
    "_CONDOR_JOB_AD": "HTCondor",
    "AWS_BATCH_JOB_ID": "AWS Batch",
    "SM_TRAINING_ENV": "SageMaker",
    "GITHUB_ACTIONS": "GitHub Actions",
    "GITLAB_CI": "GitLab CI",
    "JENKINS_URL": "Jenkins",
    "BUILDKITE": "Buildkite",
}
_FILES = {"/.dockerenv": "Docker", "/run/.containerenv": "Podman"}


def reason() -> str | None:
    """Return what ends all processes here when this process or its job ends, such as `Slurm`; None if nothing does."""
    if os.getpid() == 1:
        return "this process is the first one of a container"
    for name, what in _VARIABLES.items():
        if os.environ.get(name):
            return what
    if os.environ.get("CI", "").lower() not in ("", "0", "false"):
        return "CI"
    if os.environ.get("SYSTEMD_EXEC_PID") in (str(os.getpid()), str(os.getppid())):
        return "a systemd service"
    for path, what in _FILES.items():
        if os.path.exists(path):
            return what
    return "a container" if _in_namespace() else None


def wait_seconds(finish_timeout: float | Literal["auto"]) -> float:
    """Return the most seconds for which `finish` waits for the upload, by the setting `finish_timeout`."""
    if finish_timeout != "auto":
        return finish_timeout
    return LONGEST_WAIT if reason() else 0.0


def _in_namespace() -> bool:
    """Tell whether pid 1 is a program that ends all others with it, and not the init system of a machine."""
    try:
        if os.stat("/proc/self/ns/pid").st_ino == _FIRST_NAMESPACE:
            return False
        with open("/proc/1/comm") as file:
            return file.read().strip() not in _INITS
    except OSError:
        return False
