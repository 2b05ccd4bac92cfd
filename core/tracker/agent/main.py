"""Start the agent process."""

from __future__ import annotations

import contextlib
import os
import resource
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tracker.agent_protocol import handover
from tracker.machine.python_process import detach

LOCK = 3
"""The descriptor of the folder's lock in an agent that was started with it."""


def serve_one() -> None:
    """Serve the run directory on the command line until its writers are gone and all is uploaded.

    Settings come from the environment.
    """
    detach()
    directory = Path(sys.argv[1]).absolute()
    _prepare_process()
    from .drain import Drain
    from .service import Service

    given: Mapping[str, Any] | None = {}
    lock = None
    while given is not None:
        service = Service(directory, given, Drain(), lock)
        service.start()
        service.over.wait()
        given, lock = service.next_settings, service.kept_lock


def serve_all() -> None:
    """Serve the queue of the folder on the command line (see `agent_protocol.handover`).

    The other argument, the directory that this agent was started for, helps people to find the process.
    """
    detach()
    folder = Path(sys.argv[1]).absolute()
    lock = _inherited(folder)
    if lock is None:
        return  # another agent serves it
    _prepare_process()
    os.chdir(folder)  # the training's directory may be removed
    from .shared_agent import SharedAgent

    try:
        SharedAgent(folder, lock).run()
    except FileNotFoundError:
        sys.stderr.write(f"{folder} is gone; nothing left to do\n")


def _inherited(folder: Path) -> int | None:
    """Return the folder's lock, inherited from the process that started this one: nobody could take it in between."""
    with contextlib.suppress(OSError):
        if os.path.samestat(os.fstat(LOCK), os.stat(folder / handover.LOCK)):
            lock = os.dup(LOCK)  # a copy that child programs do not inherit
            os.close(LOCK)
            return lock
    return handover.lock(folder)


def _prepare_process() -> None:
    if os.getpgrp() != os.getpid():
        with contextlib.suppress(OSError):
            os.setsid()
    os.nice(5)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):  # every run that waits to be uploaded needs a few
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536) if hard > 0 else 65536, hard))
