"""What client and server say to each other: paths, headers, and the shapes of bodies. Shared by both, logic of
neither.

Ingest
    GET  /api/runs/{entity}/{project}/{id}/streams
        → `StreamOffsets`: how far the server's copy of each stream goes, and which blobs it lacks. A run that the
        server has not seen has no offsets.
    POST /api/runs/{entity}/{project}/{id}/streams/{name}?offset=N
        Body: whole lines (runlog/FORMAT.md) that stand at byte N of the stream; `Content-Encoding: zstd` or none.
        200 → `Accepted`: they are on disk, once, and `offset` is where to go on.
        409 → `Accepted`: N is not the server's offset; go on from the one given. Nothing was stored.
        400, 413, 422: this body will never be accepted. 401, 403: not with this key.
        415: the encoding is none of these. 429, 5xx: try later, `Retry-After` says when.
    PUT  /api/runs/{entity}/{project}/{id}/blobs/{digest}
        The content of a media or saved file. 204: it is there, whole. 422: its sha256 is not `digest`.
    GET  /api/runs/{entity}/{project}/{id}/uploads/{digest}?size=S
        → `Upload`: how far an upload in parts of such content, S bytes long, has got. 413: it is too large.
    POST /api/runs/{entity}/{project}/{id}/uploads/{digest}?size=S&offset=N
        Body: the bytes that stand at N, at most `MAX_BODY`; the server appends them to what it has.
        200 → `Upload`: go on from `offset`. With the last byte the whole is verified: `complete` then says that it is
        there, as after a PUT; if that is not so yet, an empty body at S asks again.
        409 → `Upload`: N is not where the server's copy ends; go on from the offset given. Nothing was stored.
        422: the sha256 of the whole is not `digest`; nothing of it is kept. 429, 507: no room for it now.
        The upload belongs to the digest: any client may go on with it, several at once only slow each other down, and
        it outlives the server's process. What nobody adds to for days is forgotten.

Reading
    GET  /api/projects                                          → {"projects": [`ProjectInfo`]}
    GET  /api/projects/{entity}/{project}                       → `Project`
    PUT  /api/projects/{entity}/{project}/notes                 `Notes` → `Notes`, 409 if the version is an old one
    GET, PUT, DELETE /api/projects/{entity}/{project}/views/{name}  {"view": any JSON}
    POST /api/table/{entity}/{project}                          `TableQuery` → `TablePage`
    GET  /api/columns/{entity}/{project}                        → `TableColumns`
    POST /api/groups/{entity}/{project}                         `GroupQuery` → `TableGroups`
        400 for a filter that is not understood also has "position" and "length": the characters of it that are wrong
    POST /api/edits                                             {"runs": ["entity/project/id"]} and `Edits` → `Changed`
    POST /api/trash, /api/trash/restore                         {"runs": ["entity/project/id"]} → `Changed`
    GET  /api/runs/{entity}/{project}?filters=&order=&limit=&cursor=  → {"runs": [`RunInfo`], "cursor": str | null, "total": int}
    GET  /api/runs/{entity}/{project}/{id}                      → `RunInfo`
    DELETE /api/runs/{entity}/{project}/{id}                    → 204
    GET  /api/runs/{entity}/{project}/{id}/resumption           → `Resumption`
    GET  /api/runs/{entity}/{project}/{id}/stop                 → `Stop`
    GET  /api/runs/{entity}/{project}/{id}/alerts               → {"alerts": [`Alert` (runlog/alerts.py)]}
    GET  /api/runs/{entity}/{project}/{id}/keys?kind=history|system  → {"keys": [`KeyInfo`]}
    GET  /api/runs/{entity}/{project}/{id}/history?kind=history|system&keys=a&keys=b&cursor=&limit=  → `RowPage`
    POST /api/charts                                            `ChartQuery` → {"series": [`Series`]} or, with
        `Accept: application/x-tracker-frame`, a frame (`encode_frame`) with the header `ChartHeader`
    GET  /api/runs/{entity}/{project}/{id}/console?start=&limit=&cursor=  → {"lines": [{"time", "stream", "text"}], "start": int, "total": int, "cursor": str | null}
    GET  /api/runs/{entity}/{project}/{id}/console/search?q=&regex=&after=&limit=  → {"matches": [int], "next": int | null}
    GET  /api/runs/{entity}/{project}/{id}/files                → {"files": [{"name", "digest", "size", "stored": bool}]}
    GET  /api/runs/{entity}/{project}/{id}/fold                 → `Folded`
    GET  /api/runs/{entity}/{project}/{id}/files/{name}         → the content, as an attachment
    GET  /api/runs/{entity}/{project}/{id}/blobs/{digest}       → the content, as an attachment
        Both answer `Range: bytes=N-` and `bytes=N-M` with 206 and the part, 416 if there is none.

Every request carries `Authorization: Bearer <key>`, or the cookie that a browser got from `/?token=<key>`. Errors are
`{"error": "<what happened and what to do>"}`. Numbers that JSON lacks travel as in the run log (`{"_type": "float",
…}`).
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypedDict
from urllib.parse import quote

import orjson

MAX_BODY = 16 * 1024 * 1024
"""Bytes of lines in one upload after decompression; more is refused with 413."""

FRAME_TYPE = "application/x-tracker-frame"

Filter = dict[str, Any]
"""A condition on runs, as users of such libraries write it, for example
`{"config.lr": {"$lt": 1e-3}, "summary.acc": {"$gte": .9}, "state": "finished", "$or": [{…}, {…}]}`.
Operators: `$eq $ne $lt $lte $gt $gte $in $nin $exists $regex $contains $and $or $not`."""


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


class Upload(TypedDict):
    """How far an upload in parts has got: bytes that have arrived, and whether the whole is verified and stored."""

    offset: int
    complete: bool


class Resumption(TypedDict):
    """What a process that continues a run must know of it, each as in `Fold.to_json` (runlog/fold.py)."""

    step: int | None
    """`RunInfo.last_step`."""
    meta: dict[str, Any]
    config: dict[str, Any]
    by_hand: dict[str, Any]
    """Summary values that were set by hand."""
    metrics: list[dict[str, Any]]
    stats: dict[str, list[Any]]
    """By key: how many finite numbers, their min, max and sum, and the last value; `[0, last]` if there are none."""


class Stop(TypedDict):
    """Whether a run was asked to stop."""

    requested: float | None
    """`RunInfo.stop_requested`."""


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
    owner: str | None
    visibility: str


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


class Sort(TypedDict, total=False):
    """A column to sort by."""

    column: str
    descending: bool


class TableQuery(TypedDict, total=False):
    """Which runs of a project, in what order, and which of their columns. docs/filters.md has the names of columns."""

    filter: str
    """An expression (docs/filters.md); empty: all runs."""
    search: str
    """Text to be found in a run's name, id, notes, tags or group, or a pattern between slashes."""
    sort: list[Sort]
    """By default the newest runs come first."""
    columns: list[str]
    offset: int
    limit: int
    ids: list[str]
    """Only these runs."""
    trashed: bool
    """Those in the trash, in place of all others."""


class TablePage(TypedDict):
    """Some rows of the runs table, by column; null where a run lacks the value."""

    total: int
    """How many runs match."""
    version: int
    """Grows with each change of the project's runs."""
    runs: list[str]
    columns: dict[str, list[Any]]


class _ColumnInfo(TypedDict):
    name: str
    kind: Literal["run", "config", "summary"]
    type: Literal["number", "text", "boolean", "time", "list", "media", "mixed"]
    count: int
    """How many runs have it."""
    distinct: int
    """How many different values there are; 1,000 means that or more."""
    differs: bool
    """Whether not all runs have the same."""


class ColumnInfo(_ColumnInfo, total=False):
    """One column of the runs table."""

    min: float
    max: float
    values: list[str]
    """The texts (of lists: the elements) there are, if they are 20 or fewer."""


class TableColumns(TypedDict):
    """All columns of a project's runs table, and how many runs it has."""

    version: int
    total: int
    columns: list[ColumnInfo]


_Except = TypedDict("_Except", {"except": list[str]}, total=False)
"""Runs in a group have the same in every column of the config but these."""


class GroupQuery(TableQuery, _Except, total=False):
    """Which runs are drawn together how, by one of `by` and `except`; `columns` are summed up in each group.

    Groups are sorted by the mean of a number, else by the value; `count` is their size, by which they are sorted by
    default, the largest first.
    """

    by: list[str]
    """Runs in a group have the same in these columns."""


class Summed(TypedDict, total=False):
    """What the runs of a group have in a column: of numbers how many are finite, their mean, standard deviation
    (divided by n), min and max; of other values how many different ones, and the value if that is one.
    """

    n: int
    mean: float | None
    std: float | None
    min: float | None
    max: float | None
    distinct: int
    value: Any


class RunGroup(TypedDict):
    """Runs that have the same in some columns."""

    key: dict[str, Any]
    count: int
    runs: list[str]
    """Ids, the newest first, at most 1,000."""
    values: dict[str, Summed]
    filter: str
    """An expression that selects these runs (beside the search of the query)."""


class TableGroups(TypedDict):
    """Some of the groups; `total` counts all of them."""

    total: int
    version: int
    groups: list[RunGroup]


class Edits(TypedDict, total=False):
    """Changes to what runs are called; they are appended to the runs as records, as `update()` does."""

    set: dict[str, Any]
    """New values of name, notes, group, job_type, color, tags."""
    add_tags: list[str]
    remove_tags: list[str]
    stop: bool


class Changed(TypedDict):
    """How many runs were changed."""

    changed: int


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


class Folded(TypedDict):
    """What a copy of a run needs beside its rows, console lines and contents."""

    fold: dict[str, Any]
    """`Fold.to_json` (runlog/fold.py)."""
    streams: list[StreamInfo]
    """In the order of reading."""
    digests: list[str]
    """All contents that its records name."""


class StreamInfo(TypedDict):
    """A stream: the time of its first line (Unix seconds), and how many rows or console lines it has."""

    stream: str
    opened: float
    rows: int


class RowColumn(TypedDict):
    """Part of a `RowPage`."""

    rows: list[int] | None
    values: list[Any]


class ChartQuery(TypedDict, total=False):
    """Line charts of several runs and keys."""

    runs: list[str]
    """`entity/project/id`"""
    groups: list[ChartGroup]
    """In place of `runs`: one series for each group and key. Only as a frame."""
    keys: list[str]
    kind: Literal["history", "system"]
    x: str
    """`_step` (default), `_timestamp`, `_runtime`, or a logged key."""
    buckets: int
    """At most this many points a series, 1 to 10,000 (default 1,000). Series with no more points come whole."""
    min: float
    max: float


class ChartGroup(TypedDict):
    """Runs that are drawn as one."""

    name: str
    runs: list[str]
    """`entity/project/id`"""


class ChartHeader(TypedDict):
    """What the header of a chart's frame says; `encode_frame` adds `lengths` and `types`."""

    series: list[FrameSeries]
    grid: int | None
    """The array of x that is common to all series which are buckets; None if there is none."""


class FrameSeries(TypedDict, total=False):
    """Like `Series`, or the same for a group: `mean` is then over the means of its runs, `min` and `max` over their
    extremes, `std` the standard deviation (n - 1) of their means, and `n` the number of runs in the bucket.

    `x`, `mean`, `min`, `max`, `n` and `std` say which arrays of the frame these are; equal arrays are sent once. Series
    that are buckets share one x, on which a run that has no point in a bucket has NaN, and 0 in `n`.
    """

    run: str
    group: str
    key: str
    points: int
    x: int
    mean: int
    min: int
    max: int
    n: int | None
    """None where each bucket is one point."""
    std: int | None


class Series(TypedDict):
    """One key of one run, points or buckets in order of x. Buckets carry the exact extremes of their points, so no
    spike is lost; a non-finite point counts in `n` and never in min, max or mean (NaN where a bucket has no finite
    point).
    """

    run: str
    key: str
    points: int
    """How many points the key has in the range; more than len(x) means that x, mean are buckets."""
    x: list[float]
    """The x of the point, or of the bucket's last point."""
    mean: list[float]
    min: list[float]
    max: list[float]
    n: list[float]


def run_path(entity: str, project: str, run_id: str) -> str:
    """Return the path of a run under the server's address."""
    return "/api/runs/" + "/".join(quote(part, safe="") for part in (entity, project, run_id))


def encode_frame(header: Mapping[str, Any], arrays: Sequence[Any]) -> bytes:
    """Pack a JSON header and arrays: objects with a buffer of float64 (`d`) or float32 (`f`).

    Layout: uint32 header length, the header padded with spaces so that what follows is 8-byte aligned, the arrays as
    little-endian numbers one after the other, each padded with zeros to 8 bytes. Two members are added to the header:
    `lengths`, how many numbers each array has, and `types`, their letters in one string.
    """
    views = [memoryview(array) for array in arrays]
    text = orjson.dumps({**header, "lengths": [len(v) for v in views], "types": "".join(v.format for v in views)})
    text += b" " * (-(len(text) + 4) % 8)
    parts: list[Any] = [struct.pack("<I", len(text)), text]
    for view in views:
        parts += [view.cast("B"), b"\0" * (-view.nbytes % 8)]
    return b"".join(parts)


def decode_frame(data: bytes) -> tuple[dict[str, Any], list[memoryview[float]]]:
    """Undo `encode_frame`; the arrays are views of `data` (on little-endian machines, which are all there are)."""
    (size,) = struct.unpack_from("<I", data)
    header = orjson.loads(data[4 : 4 + size])
    arrays, at, view = [], 4 + size, memoryview(data)
    for length, letter in zip(header["lengths"], header["types"], strict=True):
        end = at + length * struct.calcsize(letter)
        arrays.append(view[at:end].cast(letter))
        at = end + -end % 8
    return header, arrays
