"""What agents send and are answered."""

from __future__ import annotations

from typing import Any, TypedDict


class StreamOffsets(TypedDict):
    """The server's knowledge of a run's streams."""

    offsets: dict[str, int]
    missing: list[str]
    """Digests that records of the run name and whose content the server lacks."""


class Accepted(TypedDict):
    """The answer to an upload."""

    offset: int
    missing: list[str]
    """Digests that these lines name and whose content the server lacks."""
    trashed: bool
    """Whether the run is in the trash: the lines are kept, and seen once it is restored."""


class Upload(TypedDict):
    """How far an upload in parts has got: bytes that have arrived, and whether the whole is verified and stored."""

    offset: int
    complete: bool


class Resumption(TypedDict):
    """What a process that continues a run must know of it, each as in `RunState.to_json` (runlog/fold.py)."""

    step: int | None
    """`RunInfo.last_step`."""
    meta: dict[str, Any]
    config: dict[str, Any]
    explicit_summary: dict[str, Any]
    """Summary values that were set by hand."""
    metrics: list[dict[str, Any]]
    stats: dict[str, list[Any]]
    """By key: how many finite numbers, their min, max and sum, and the last value; `[0, last]` if there are none."""
    ended: list[str]
    """Streams whose processes have ended, which the one that continues the run comes after."""


class Stop(TypedDict):
    """Whether a run was asked to stop."""

    requested: float | None
    """`RunInfo.stop_requested`."""
