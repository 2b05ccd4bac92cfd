"""Define the shapes of projects and runs."""

from __future__ import annotations

from typing import Any, Literal, TypedDict


class ProjectInfo(TypedDict):
    """One project. Runs in the trash do not count."""

    entity: str
    project: str
    runs: int
    updated: float
    active: int
    """How many runs are running."""
    activity: list[int]
    """How many runs were started on each of the last 30 days (UTC), today last."""


class ViewInfo(TypedDict):
    """A saved view of a project's workspace; `updated` in Unix seconds, `user` saved it last."""

    name: str
    updated: float
    user: str | None


class StoredProject(ProjectInfo):
    """One project with its views."""

    views: list[ViewInfo]
    visibility: Literal["private", "internal"]
    """Who reads it on a server with accounts: the members of its entity, or every account."""


class Project(StoredProject):
    """One project, and what the asker may do there."""

    rights: list[str]
    """The actions that are allowed, such as `read`, `log`, `edit` (server/tracker_server/access/roles.py)."""
    members: int
    """How many accounts have a role in its entity; 0 on a server without accounts, and for a share link."""


class EventFile(TypedDict):
    """A TensorBoard event file whose values are in a stream of the run."""

    name: str
    """Its path relative to the directory of its run."""
    version: float | None
    """The version of its format, as it says itself."""
    starts: list[list[int]]
    """For each start of a session: how many rows of the stream came before, and its step."""


class RunInfo(TypedDict):
    """One run. Times are Unix seconds; `updated` is the time of its last record, `seen` of its last upload."""

    id: str
    entity: str
    project: str
    ordinal: int | None
    """Its number among all runs of the server, in order of arrival; None for a run that was read from disk."""
    user: str | None
    """The account (or the team of a service key) that first wrote it; None on a server without accounts."""
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
    """Records that the logging process reported as lost."""
    refused: int
    """Refused values: those logged as `_step`, `_timestamp` or `_runtime`, and those beyond 100,000 keys."""
    suspect: bool
    event_files: dict[str, EventFile]
    """By stream."""
    error: str | None
    """The error of the process that failed."""
    environment: dict[str, Any]
    """How it was started: the payload of an `environment` record (runlog/FORMAT.md); {} if it is not known."""
    last_step: int | None
    """The greatest step at which one of its streams ends; None without rows."""
    forked_from: str | None
    """`entity/project/id?_step=N`: it began with the rows of this run up to step N."""
    allow_stop: bool
    """Whether one of its processes can be stopped now."""
    stop_requested: float | None
    """When its last processes were asked to stop; None if they were not."""
    color: str | None
    """The colour of its lines as `#rrggbb`; None if none was chosen."""
    trashed: float | None
    """When it was moved to the trash; None if it is not there."""


class KeyInfo(TypedDict):
    """One logged key; `min` and `max` are of its finite numbers."""

    key: str
    count: int
    type: Literal["number", "media", "other"]
    min: float | None
    max: float | None
    last: Any


class CommonKey(TypedDict):
    """A key that at least one of several runs has logged. `x` is the key that they defined as its x axis
    (`define_metric`). If it has no numbers, `runs` are the indices of these runs.
    """

    key: str
    type: Literal["number", "media", "other"]
    x: str | None
    runs: list[int] | None


class RowPage(TypedDict):
    """Rows in order, by column. `history` always has `_step`, `_timestamp` and `_runtime`, `system` has the latter two.
    In each column, `rows` are the indices (in this page) of the rows that have the key, or null if all have it.
    """

    count: int
    columns: dict[str, RowColumn]
    streams: list[RowSpan]
    """The streams of the rows."""
    cursor: str | None
    """The cursor of the next page; null after the last row."""


class RowSpan(TypedDict):
    """Part of a `RowPage`: so many consecutive rows are from this stream."""

    stream: str
    count: int


class RowColumn(TypedDict):
    """Part of a `RowPage`."""

    rows: list[int] | None
    values: list[Any]


class Edit(TypedDict):
    """A change of a run from outside its processes. `time` is the server's, in Unix seconds."""

    time: float
    user: str | None
    """The account, or the team of a service key; None on a server without accounts."""
    changes: dict[str, Any]
    """The new values by kind of record (runlog/FORMAT.md), such as `{"meta": {"name": "best"}}`; `stop` is a request
    to stop. Of long values it has the first 1,000 characters, of each record the first 100 members."""


class Folded(TypedDict):
    """The state of a run that a copy needs, beside its rows, console lines and contents."""

    fold: dict[str, Any]
    """`RunState.to_json` (runlog/fold.py)."""
    streams: list[StreamInfo]
    """In the order of reading."""
    digests: list[str]
    """All contents that the run's records name."""


class StreamInfo(TypedDict):
    """A stream: the time of its first line (Unix seconds), and how many rows or console lines it has."""

    stream: str
    opened: float
    rows: int
