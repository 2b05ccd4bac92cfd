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
    GET  /api/runs/{entity}/{project}?filters=&order=&limit=&cursor=  → {"runs": [`RunInfo`], "cursor": str | null, "total": int}
    GET  /api/runs/{entity}/{project}/{id}                      → `RunInfo`
    DELETE /api/runs/{entity}/{project}/{id}                    → 204
    GET  /api/runs/{entity}/{project}/{id}/resumption           → `Resumption`
    GET  /api/runs/{entity}/{project}/{id}/stop                 → `Stop`
    GET  /api/runs/{entity}/{project}/{id}/alerts               → {"alerts": [`Alert` (runlog/alerts.py)]}
    GET  /api/runs/{entity}/{project}/{id}/keys?kind=history|system  → {"keys": [`KeyInfo`]}
    GET  /api/runs/{entity}/{project}/{id}/history?kind=history|system&keys=a&keys=b&cursor=&limit=  → `RowPage`
    POST /api/charts                                            `ChartQuery` → {"series": [`Series`]} or, with
        `Accept: application/x-tracker-frame`, a frame (`encode_frame`) with the header {"series": [{run, key, points}]}
        and for each series the arrays x, mean, min, max and n
    GET  /api/runs/{entity}/{project}/{id}/console?cursor=&limit=  → {"lines": [{"time", "stream", "text"}], "cursor": str | null}
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
    """One project."""

    entity: str
    project: str
    runs: int
    updated: float


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


class KeyInfo(TypedDict):
    """One logged key; `min` and `max` are of its finite numbers."""

    key: str
    count: int
    type: Literal["number", "media", "other"]
    min: float | None
    max: float | None
    last: Any


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
    keys: list[str]
    kind: Literal["history", "system"]
    x: str
    """`_step` (default), `_timestamp`, `_runtime`, or a logged key."""
    buckets: int
    """At most this many points a series, 1 to 10,000 (default 1,000). Series with no more points come whole."""
    min: float
    max: float


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


def encode_frame(header: dict[str, Any], arrays: list[bytes]) -> bytes:
    """Pack a JSON header and raw little-endian float64 arrays.

    Layout: uint32 header length, the header padded with spaces so that what follows is 8-byte aligned, the arrays one
    after the other. `header["lengths"]` is added: the number of float64 values in each.
    """
    text = orjson.dumps({**header, "lengths": [len(a) // 8 for a in arrays]})
    text += b" " * (-(len(text) + 4) % 8)
    return b"".join([struct.pack("<I", len(text)), text, *arrays])


def decode_frame(data: bytes) -> tuple[dict[str, Any], list[memoryview[float]]]:
    """Undo `encode_frame`; the arrays are views of `data` (on little-endian machines, which are all there are)."""
    (size,) = struct.unpack_from("<I", data)
    header = orjson.loads(data[4 : 4 + size])
    arrays, at, view = [], 4 + size, memoryview(data)
    for length in header["lengths"]:
        arrays.append(view[at : at + 8 * length].cast("d"))
        at += 8 * length
    return header, arrays
