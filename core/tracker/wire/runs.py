"""Projects and runs as they are read."""

from __future__ import annotations

from typing import Any, Literal, TypedDict


class ProjectInfo(TypedDict):
    """One project. Runs in the trash are not counted."""

    entity: str
    project: str
    runs: int
    updated: float
    active: int
    """How many runs are running."""
    activity: list[int]
    """How many runs were started on each of the last 30 days (UTC), today's last."""


class Notes(TypedDict):
    """Markdown about a project. Whoever changes it says which version it was."""

    text: str
    version: int


class ViewInfo(TypedDict):
    """A saved view of a project's workspace; `updated` in Unix seconds."""

    name: str
    updated: float


class Project(ProjectInfo):
    """One project with all that belongs to it."""

    notes: Notes
    views: list[ViewInfo]


class EventFile(TypedDict):
    """A TensorBoard event file whose values a stream of the run holds."""

    name: str
    """Its path, relative to the directory of the run it belongs to."""
    version: float | None
    """What it says of its own format."""
    starts: list[list[int]]
    """Of each start of a session: how many rows of the stream came before, and its step."""


class RunInfo(TypedDict):
    """One run. Times are Unix seconds; `updated` is the time of its last record, `seen` of its last upload."""

    id: str
    entity: str
    project: str
    ordinal: int | None
    """Its place among all runs of the server, in the order in which they came there; None for a run read from disk."""
    name: str
    state: str
    group: str | None
    job_type: str | None
    tags: list[str]
    notes: str | None
    config: dict[str, Any]
    summary: dict[str, Any]
    metrics: list[dict[str, Any]]
    """The payloads of `define_metric`."""
    created: float
    updated: float
    seen: float
    host: str | None
    program: str | None
    rows: int
    corrupt: int
    """Lines that could not be read."""
    lost: int
    """Records that the logging process reported as not written."""
    refused: int
    """Values that are not kept: those logged as `_step`, `_timestamp` or `_runtime`, and beyond 100,000 keys."""
    suspect: bool
    event_files: dict[str, EventFile]
    """By stream."""
    error: str | None
    """What the failing process said."""
    environment: dict[str, Any]
    """How it was run: the payload of an `environment` record (runlog/FORMAT.md); {} if it is not known."""
    last_step: int | None
    """The greatest of the steps at which its streams end; None without rows."""
    forked_from: str | None
    """`entity/project/id?_step=N`: it began with the rows of that run up to step N."""
    allow_stop: bool
    """Whether a process of it lets itself be stopped now."""
    stop_requested: float | None
    """When its last processes were asked to stop; None if they were not."""
    color: str | None
    """In what colour it is drawn, as `#rrggbb`; None if nobody said."""
    trashed: float | None
    """When it was put in the trash; None if it is not there."""


class KeyInfo(TypedDict):
    """One logged key; `min` and `max` are of its finite numbers."""

    key: str
    count: int
    type: Literal["number", "media", "other"]
    min: float | None
    max: float | None
    last: Any


class CommonKey(TypedDict):
    """A key that some of several runs have logged. `x`: the key that they defined as its x axis (`define_metric`).
    `runs`, where it holds no numbers: the positions of these runs."""

    key: str
    type: Literal["number", "media", "other"]
    x: str | None
    runs: list[int] | None


class RowPage(TypedDict):
    """Rows in order, by column. `_step`, `_timestamp` and `_runtime` are always there for `history`,
    `_timestamp` and `_runtime` for `system`. In each column `rows` are the positions (in this page) of the rows
    that have the key, or null where all have it.
    """

    count: int
    columns: dict[str, RowColumn]
    streams: list[RowSpan]
    """Which streams the rows are from."""
    cursor: str | None
    """Pass it back for the next page; null after the last row there is."""


class RowSpan(TypedDict):
    """Part of a `RowPage`: as many rows in a row are from this stream."""

    stream: str
    count: int


class RowColumn(TypedDict):
    """Part of a `RowPage`."""

    rows: list[int] | None
    values: list[Any]


class Folded(TypedDict):
    """What a copy of a run needs beside its rows, console lines and contents."""

    fold: dict[str, Any]
    """`RunState.to_json` (runlog/fold.py)."""
    streams: list[StreamInfo]
    """In the order of reading."""
    digests: list[str]
    """All contents that its records name."""


class StreamInfo(TypedDict):
    """A stream: the time of its first line (Unix seconds), and how many rows or console lines it has."""

    stream: str
    opened: float
    rows: int
