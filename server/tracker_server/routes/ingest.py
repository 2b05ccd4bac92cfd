"""Receive the lines of run logs: report how far the copy of each stream goes, and append what follows.

These routes are plain Starlette, not FastAPI, because every metric of every run passes through them. `OPERATIONS`
documents them.
"""

from __future__ import annotations

from typing import Any

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from tracker.names import RunKey
from tracker.runlog.alerts import alerts_in
from tracker.runlog.records import STREAM_NAME, is_piece
from tracker.wire import MAX_BODY
from tracker_server.access.guarded_blobs import GuardedBlobs
from tracker_server.access.guarded_storage import GuardedStorage
from tracker_server.responses import json_response
from tracker_server.services import Services
from tracker_server.storage.interface import MAX_LINES, OffsetMismatch, TooManyLines

from .dependencies import blobs_for, storage_for
from .parameters import byte_count, run_key
from .request_bodies import content_encoding, decompress, read_body, unpack_small

STREAMS = "/api/runs/{entity}/{project}/{id}/streams"
STREAM = STREAMS + "/{name}"

_SMALL_BYTES, _SMALL_LINES = 64 * 1024, 500
"""Uploads up to this size are parsed in the event loop, which takes at most a few milliseconds."""


def routes(services: Services) -> list[BaseRoute]:
    """Return the routes of a run's streams."""
    workers = services.workers

    async def offsets(request: Request) -> Response:
        run, storage = run_key(**request.path_params), storage_for(request)
        found, named = await workers.read(lambda: (storage.offsets(run), storage.digests(run)))
        if not found:
            await workers.read(storage.is_deleted, run)
        return json_response(
            orjson.dumps({"offsets": found, "missing": await _lacking(blobs_for(request), run, named)})
        )

    async def append(request: Request) -> Response:
        name = request.path_params.pop("name")
        run, storage = run_key(**request.path_params), storage_for(request)
        if not STREAM_NAME.fullmatch(name):
            raise HTTPException(
                400, f"the stream name {name[:100]!r} is not allowed: see FORMAT.md; an example is history-ab12.jsonl"
            )
        offset = byte_count(request, "offset", "give the position of these lines in the stream: ?offset=N")
        encoding = content_encoding(request.headers)
        async with read_body(services, request.receive) as body, services.unpacked:
            try:
                small = unpack_small(body, encoding, _SMALL_BYTES)
                if small is None:
                    data, lines = await workers.parse(_read, storage, name, body, encoding)
                elif small.count(b"\n") > _SMALL_LINES:
                    data, lines = await workers.parse(_parse, storage, name, small)
                else:
                    data, lines = _parse(storage, name, small)  # passing this to a thread would cost more
                # The lock is not held while the body arrives or is parsed, or one client could block all others.
                async with services.references:
                    stored = await workers.write(storage.append, run, name, offset, lines)
                    services.live.appended(storage.present(run), name, offset, stored.digests)
                    missing = await _lacking(blobs_for(request), run, stored.digests)
                if storage.has_deferred_work:  # rare, and looking for work costs a turn of a thread
                    services.deferred_work.set()
            except TooManyLines as error:
                raise HTTPException(413, str(error)) from error
            except ValueError as error:
                raise HTTPException(400, str(error)) from error
            except OffsetMismatch as mismatch:
                return json_response(orjson.dumps({"offset": mismatch.offset, "missing": [], "trashed": False}), 409)
        if services.webhook is not None and b'"alert":{' in data:
            services.webhook.put(run, await workers.read(alerts_in, data))
        return json_response(orjson.dumps({"offset": stored.offset, "missing": missing, "trashed": stored.trashed}))

    return [Route(STREAMS, offsets, methods=["GET"]), Route(STREAM, append, methods=["POST"])]


def _read(storage: GuardedStorage, stream: str, body: bytes, encoding: str | None) -> tuple[bytes, Any]:
    """Return the lines of a body, raw and parsed."""
    return _parse(storage, stream, decompress(body, encoding, MAX_BODY))


def _parse(storage: GuardedStorage, stream: str, data: bytes) -> tuple[bytes, Any]:
    if not data.endswith(b"\n") and not is_piece(data):
        raise HTTPException(400, "the body must be whole lines: it must end with a newline")
    return data, storage.read(stream, data)


async def _lacking(blobs: GuardedBlobs, run: RunKey, digests: list[str]) -> list[str]:
    if not digests:
        return []
    there = await blobs.has(run, digests)
    return [digest for digest in digests if digest not in there]


_LINES: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}

OPERATIONS: dict[str, dict[str, Any]] = {
    STREAMS: {
        "get": {
            "summary": "Get the offset of each stream, and the missing files",
            "description": "A run that the server does not know has no offsets.",
            "responses": {"200": "StreamOffsets", "410": "Error"},
        }
    },
    STREAM: {
        "post": {
            "summary": "Append lines to a stream of a run",
            "description": (
                "The body consists of whole lines of the run log, from byte `offset` of the stream on, at most "
                f"{MAX_BODY:,} bytes and {MAX_LINES:,} lines, optionally with `Content-Encoding: zstd`. A new run and "
                "its project are created. 200 means that the lines are on disk, exactly once. 410 means that the run "
                "was deleted on the server."
            ),
            "parameters": [
                {
                    "name": "offset",
                    "in": "query",
                    "required": True,
                    "schema": {"type": "integer", "minimum": 0},
                    "description": "Position of the lines in the stream in bytes",
                }
            ],
            "requestBody": {"required": True, "content": {"application/x-ndjson": _LINES}},
            "responses": {
                "200": "Accepted",
                "409": "Accepted",
                "410": "Error",
                "413": "Error",
                "415": "Error",
                "429": "Error",
                "507": "Error",
            },
        }
    },
}
