"""Copy and pickle runs: a copy is the same run, and a run that is unpickled in another process joins it.

A pickle holds the names of the run and its directory, never a key. Nothing is written until something is logged, so a
checkpoint that holds a run can be loaded anywhere.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any
from weakref import WeakValueDictionary

from tracker.random_names import random_id

from .after_fork import renew_in_child

_runs: WeakValueDictionary[str, Shared] = WeakValueDictionary()
"""Runs of this process that were pickled or unpickled, by the mark in their pickles."""

_join: Callable[[Mapping[str, Any]], Shared]
_lock = threading.RLock()

renew_in_child(lambda: globals().update(_lock=threading.RLock()))  # a thread of the parent may hold it


def join_with(join: Callable[[Mapping[str, Any]], Shared]) -> None:
    """Set the function that makes the run of a pickle from another process; the run derives from `Shared`."""
    global _join
    _join = join


class Shared:
    """Makes a copy of an object the object itself, within this process."""

    _mark: str | None = None

    def __copy__(self) -> Any:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return unpickle, (_ticket(self),)


def _ticket(run: Any) -> dict[str, Any]:
    """Return what another process needs to join a run, without a key."""
    with _lock:
        run._mark = run._mark or random_id(20)
        _runs[run._mark] = run
    names = ("id", "entity", "project", "name", "group", "job_type", "tags", "notes", "color", "mode", "step")
    about = {name: getattr(run, name) for name in names}
    return {
        **about,
        "mark": run._mark,
        "directory": run.dir,
        "stream": run._stream.name,
        "config": run.config.as_dict(),
    }


def unpickle(ticket: dict[str, Any]) -> Shared:
    """Return the run of a pickle: the same object if it is in this process, else one that joins it.

    If the run cannot be joined, it warns once and returns a run that keeps nothing. It never raises, and trusts nothing
    in the ticket, which may come from someone else.
    """
    ticket = ticket if isinstance(ticket, dict) else {}
    mark = ticket.get("mark")
    mark = mark if isinstance(mark, str) and mark else random_id(20)
    with _lock:
        run = _runs.get(mark)
        if run is None:
            run = _runs[mark] = _join(ticket)
            run._mark = mark
        return run
