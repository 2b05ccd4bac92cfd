"""Describe the requests and responses of the API: paths, headers, and the shapes of bodies, for client and server.

Ingest
    GET  /api/runs/{entity}/{project}/{id}/streams
        → `StreamOffsets`: the size of the server's copy of each stream, and the blobs that it lacks. A run that the
        server does not know has no offsets.
    POST /api/runs/{entity}/{project}/{id}/streams/{name}?offset=N
        Body: whole lines (runlog/FORMAT.md) from byte N of the stream; `Content-Encoding: zstd` or none.
        200 → `Accepted`: they are on disk exactly once; continue at `offset`.
        409 → `Accepted`: N is not the server's offset; nothing was stored; continue at `offset`.
        400, 413, 422: this body will never be accepted. 410: the run was deleted on the server, which refuses it until
        `DELETE /api/runs/{entity}/{project}/{id}?readmit=true`; so do the offsets above. 401, 403: not with this key.
        415: another encoding. 429, 5xx: try later; `Retry-After` says when.
    PUT  /api/runs/{entity}/{project}/{id}/blobs/{digest}
        The content of a media or saved file. 204: it is stored. 422: its sha256 is not `digest`.
    GET  /api/runs/{entity}/{project}/{id}/uploads/{digest}?size=S
        → `Upload`: how much the server has of such content, S bytes long, that is uploaded in parts. 413: too large.
    POST /api/runs/{entity}/{project}/{id}/uploads/{digest}?size=S&offset=N
        Body: the bytes from N on, at most `MAX_BODY`; the server appends them to its part.
        200 → `Upload`: continue at `offset`. After the last byte the server verifies the whole; `complete` says that it
        is stored, as after a PUT. If it is not yet, an empty body at S asks again.
        409 → `Upload`: N is not the end of the server's part; nothing was stored; continue at `offset`.
        422: the sha256 of the whole is not `digest`; nothing of it is kept. 429, 507: no room at the moment.
        An upload belongs to the digest: any client may continue it, several at once only slow each other down, and it
        survives a restart of the server. After days without a new part it is removed.

Reading
    GET  /api/projects                                          → {"projects": [`ProjectInfo`]}
    GET  /api/projects/{entity}/{project}                       → `Project`
    GET, PUT, DELETE /api/projects/{entity}/{project}/views/{name}  {"view": any JSON}
    PATCH /api/projects/{entity}/{project}                      {"name", "entity", "visibility"}, each optional → `Project`
        409 if the name is taken. The former name leads to the project, for all routes of it and of its runs.
    POST /api/projects/{entity}/{project}/copy                  {"entity", "name"} → 201, `Project`; 409
    DELETE /api/projects/{entity}/{project}                     → 204; uploads of its runs then get 410
    GET  /api/projects/{entity}/{project}/reports?search=&cursor=&limit=  → {"reports": [`ReportInfo`], "cursor": str | null, "total": int}
    POST /api/projects/{entity}/{project}/reports               {"title", "state", "blocks", "message"} → `Report`
    GET, DELETE /api/projects/{entity}/{project}/reports/{id}   → `Report`, 204
    PUT  /api/projects/{entity}/{project}/reports/{id}          the same with "version", which it replaces → `Report`;
        409 with {"error", "report": `Report`} if there is a newer one
    GET  /api/projects/{entity}/{project}/reports/{id}/versions?cursor=&limit=  → {"versions": [`ReportVersion`], "cursor", "total"}
    GET  /api/projects/{entity}/{project}/reports/{id}/versions/{n}  → `Report`
    GET  /api/projects/{entity}/{project}/reports/{id}/export?format=html|markdown  → the file, as an attachment
    GET  /api/reports/{id}                                      → `Report`
    GET  /api/comments?run=entity/project/id or ?report=id, &cursor=&limit=  → {"comments": [`Comment`], "cursor", "total"}
    POST /api/comments?run= or ?report=                         {"text"} → `Comment`
    PATCH, DELETE /api/comments/{id}                            {"text"} → `Comment`, 204
    GET  /api/mentions?entity=&project=&q=&limit=               → {"names": [str]}
    POST /api/table/{entity}/{project}                          `TableQuery` → `TablePage`
    GET  /api/columns/{entity}/{project}                        → `TableColumns`
    POST /api/columns/{entity}/{project}                        {"search", "names"} → `TableColumns`
    POST /api/groups/{entity}/{project}                         `GroupQuery` → `TableGroups`
        400 for a malformed filter also has "position" and "length": the wrong characters in it
    POST /api/edits                                             {"runs": ["entity/project/id"]} and `Edits` → `Changed`
    GET  /api/runs/{entity}/{project}/{id}/edits?limit=&cursor=  → {"edits": [`Edit`], "cursor": str | null, "total": int}
    POST /api/trash, /api/trash/restore                         {"runs": ["entity/project/id"]} → `Changed`
    POST /api/runs/move                                         {"runs", "entity", "project"} → `Changed`
        409 if one of the ids is taken there: nothing is moved. The former names lead to the runs.
    GET  /api/runs/{entity}/{project}?filters=&order=&limit=&cursor=  → {"runs": [`RunInfo`], "cursor": str | null, "total": int}
    GET  /api/runs/{entity}/{project}/{id}                      → `RunInfo`
    DELETE /api/runs/{entity}/{project}/{id}                    → 204
    GET  /api/runs/{entity}/{project}/{id}/resumption           → `Resumption`
    GET  /api/runs/{entity}/{project}/{id}/stop                 → `Stop`
    GET  /api/runs/{entity}/{project}/{id}/alerts               → {"alerts": [`Alert` (runlog/alerts.py)]}
    GET  /api/runs/{entity}/{project}/{id}/keys?kind=history|system  → {"keys": [`KeyInfo`]}
    POST /api/keys                                              {"runs": ["entity/project/id"], "kind"} → {"keys": [`CommonKey`]}
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

Every request has `Authorization: Bearer <key>`, or the cookie that a browser gets from `/?token=<key>`. Errors are
`{"error": "<what happened and what to do>"}`. Numbers that JSON lacks have the form of the run log (`{"_type": "float",
…}`).
"""

from __future__ import annotations

from urllib.parse import quote

from .charts import FRAME_TYPE, ChartGroup, ChartHeader, ChartQuery, FrameSeries, Series, decode_frame, encode_frame
from .ingest import Accepted, Resumption, Stop, StreamOffsets, Upload
from .reports import Comment, Report, ReportContent, ReportInfo, ReportState, ReportVersion
from .runs import (
    CommonKey,
    Edit,
    EventFile,
    Folded,
    KeyInfo,
    Project,
    ProjectInfo,
    RowColumn,
    RowPage,
    RowSpan,
    RunInfo,
    StoredProject,
    StreamInfo,
    ViewInfo,
)
from .table import (
    Changed,
    ColumnInfo,
    Edits,
    Filter,
    GroupQuery,
    RunGroup,
    Sort,
    Summed,
    TableColumns,
    TableGroups,
    TablePage,
    TableQuery,
)

__all__ = [
    "FRAME_TYPE",
    "MAX_BODY",
    "Accepted",
    "Changed",
    "ChartGroup",
    "ChartHeader",
    "ChartQuery",
    "ColumnInfo",
    "Comment",
    "CommonKey",
    "Edit",
    "Edits",
    "EventFile",
    "Filter",
    "Folded",
    "FrameSeries",
    "GroupQuery",
    "KeyInfo",
    "Project",
    "ProjectInfo",
    "Report",
    "ReportContent",
    "ReportInfo",
    "ReportState",
    "ReportVersion",
    "Resumption",
    "RowColumn",
    "RowPage",
    "RowSpan",
    "RunGroup",
    "RunInfo",
    "Series",
    "Sort",
    "Stop",
    "StoredProject",
    "StreamInfo",
    "StreamOffsets",
    "Summed",
    "TableColumns",
    "TableGroups",
    "TablePage",
    "TableQuery",
    "Upload",
    "ViewInfo",
    "decode_frame",
    "encode_frame",
    "run_path",
]

MAX_BODY = 16 * 1024 * 1024
"""The most bytes of lines in one upload after decompression; more is refused with 413."""


def run_path(entity: str, project: str, run_id: str) -> str:
    """Return the path of a run below the server's address."""
    return "/api/runs/" + "/".join(quote(part, safe="") for part in (entity, project, run_id))
