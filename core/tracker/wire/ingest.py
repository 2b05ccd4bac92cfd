"""Define the shapes of responses to agents and to processes that resume a run."""

from __future__ import annotations

from typing import Any, TypedDict


class StreamOffsets(TypedDict):
    """How much the server has of a run's streams."""

    offsets: dict[str, int]
    missing: list[str]
    """Digests that records of the run name and whose content the server lacks."""


class Accepted(TypedDict):
    """The response to an upload of lines."""

    offset: int
    missing: list[str]
    """Digests that these lines name and whose content the server lacks."""
    trashed: bool
    """Whether the run is in the trash: the lines are stored, and visible when the run is restored."""


class Upload(TypedDict):
    """The progress of an upload in parts: the bytes that have arrived, and whether the whole is verified and stored."""

    offset: int
    complete: bool


class Resumption(TypedDict):
    """The state that a process needs to resume a run, with members as in `RunState.to_json` (runlog/fold.py)."""

    step: int | None
    """`RunInfo.last_step`."""
    meta: dict[str, Any]
    config: dict[str, Any]
    explicit_summary: dict[str, Any]
    """Summary values that were set, not derived from rows."""
    metrics: list[dict[str, Any]]
    stats: dict[str, list[Any]]
    """By key: count, min, max and sum of the finite numbers, and the last value; `[0, last]` if there are none."""
    ended: list[str]
    """The streams of processes that have ended, which the resuming process comes after."""


class Stop(TypedDict):
    """Whether a run was asked to stop."""

    requested: float | None
    """`RunInfo.stop_requested`."""
