"""Share a run between nodes, so that each node's system metrics are collected.

The first process of each other node joins the run and logs nothing to it, so an agent runs on that node. The id of the
run travels through the store of torch.distributed. That is no collective call: asking too early or too often blocks no
process.
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
    """Tell whether this is the first process of a node other than the first one."""
    local = os.environ.get("LOCAL_RANK") or os.environ.get("SLURM_LOCALID") or "0"
    return rank() > 0 and local == "0"


def announce_run(number: int, run: tracker.Run) -> bool:
    """Announce the run of the `number`th logger to the other nodes; return False if that is not possible yet."""
    with contained("telling other nodes of the run"):
        store = _store()
        if store is not None:
            about = {member: getattr(run, member) for member in _MEMBERS}
            store.set(_key(number), json.dumps({**about, "tags": list(run.tags)}))
        return store is not None
    return True


def find_run(number: int) -> dict[str, Any] | None:
    """Return the arguments of `tracker.init` that rank 0 has announced; None if it has not yet."""
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
