"""Runs that span machines: the first process of each further node joins the run, logs nothing to it, and so has an
agent there that collects the node's system metrics.

The id of the run travels through the store of torch.distributed. That is no collective call: whoever asks too early
or too often blocks nobody.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import tracker
from tracker.errors import contained

from .rank import rank

_MEMBERS = ("id", "entity", "project", "name", "group", "job_type", "notes")


def is_first_on_node() -> bool:
    """Whether this is the first process of a node that is not the first."""
    local = os.environ.get("LOCAL_RANK") or os.environ.get("SLURM_LOCALID") or "0"
    return rank() > 0 and local == "0"


def announce_run(number: int, run: tracker.Run) -> bool:
    """Tell the other nodes of the run of this process's `number`th logger. Returns whether they can be told by now."""
    with contained("telling other nodes of the run"):
        store = _store()
        if store is not None:
            about = {member: getattr(run, member) for member in _MEMBERS}
            store.set(_key(number), json.dumps({**about, "tags": list(run.tags)}))
        return store is not None
    return True


def find_run(number: int) -> dict[str, Any] | None:
    """Return what `announce_run` told on rank 0, as arguments of `tracker.init`; None as long as it has not."""
    with contained("learning of the run from the first node"):
        store = _store()
        if store is None or not store.check([_key(number)]):
            return None
        about: dict[str, Any] = json.loads(store.get(_key(number)))
        return about
    return None


def _key(number: int) -> str:
    return f"tracker_lightning/{number}"


def _store() -> Any:
    distributed = sys.modules.get("torch.distributed")
    if distributed is None or not distributed.is_available() or not distributed.is_initialized():
        return None
    return distributed.distributed_c10d._get_default_store()
