"""Taking in the lines of run logs: how far the server's copy of each stream goes, and what comes next.

Plain Starlette and not FastAPI, because every metric of every run comes this way; `OPERATIONS` documents it.
"""

from __future__ import annotations

from typing import Any

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from tracker.runlog.records import STREAM_NAME
from tracker.wire import MAX_BODY

from .bodies import chunks, content_encoding, decompress
from .services import Services, json_response, run_key
from .storage.interface import Blobs, OffsetMismatch, RunKey, Storage

STREAMS = "/api/runs/{entity}/{project}/{id}/streams"
STREAM = STREAMS + "/{name}"


def routes(services: Services) -> list[BaseRoute]:
    """Return the two routes."""
    storage, blobs, workers = services.storage, services.blobs, services.workers
    waiting = 0

    async def offsets(request: Request) -> Response:
        run = run_key(**request.path_params)
        found, named = await workers.read(lambda: (storage.offsets(run), storage.digests(run)))
        return json_response(orjson.dumps({"offsets": found, "missing": await _lacking(blobs, named)}))

    async def append(request: Request) -> Response:
        nonlocal waiting
        name = request.path_params.pop("name")
        run = run_key(**request.path_params)
        if not STREAM_NAME.fullmatch(name):
            raise HTTPException(
                400, f"the stream name {name[:100]!r} is not allowed: see FORMAT.md, `history-….jsonl` for example"
            )
        offset = _offset(request)
        held, pieces = 0, []
        try:
            async for piece in chunks(request.receive, MAX_BODY):
                held += len(piece)
                waiting += len(piece)
                if waiting > services.settings.max_in_flight:
                    raise HTTPException(429, "the server is busy: try again in a second", {"retry-after": "1"})
                pieces.append(piece)
            body = pieces[0] if len(pieces) == 1 else b"".join(pieces)
            # Not held while the body arrives, or one slow client would stop all.
            async with services.references:
                encoding = content_encoding(request.headers)
                try:
                    end, named = await workers.write(_store, storage, run, name, offset, body, encoding)
                except ValueError as error:
                    raise HTTPException(400, str(error)) from error
                except OffsetMismatch as mismatch:
                    return json_response(orjson.dumps({"offset": mismatch.offset, "missing": []}), 409)
                missing = await _lacking(blobs, named)
        finally:
            waiting -= held
        return json_response(orjson.dumps({"offset": end, "missing": missing}))

    return [Route(STREAMS, offsets, methods=["GET"]), Route(STREAM, append, methods=["POST"])]


def _offset(request: Request) -> int:
    text = request.query_params.get("offset", "")
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise HTTPException(400, "say where these lines stand in the stream: ?offset=N, a number of bytes")
    return int(text)


def _store(
    storage: Storage, run: RunKey, stream: str, offset: int, body: bytes, encoding: str | None
) -> tuple[int, list[str]]:
    """Runs in the writing thread."""
    data = decompress(body, encoding, MAX_BODY)
    if not data.endswith(b"\n"):
        raise HTTPException(400, "the body must be whole lines: it must end with a newline")
    return storage.append(run, stream, offset, data)


async def _lacking(blobs: Blobs, digests: list[str]) -> list[str]:
    if not digests:
        return []
    there = await blobs.has(digests)
    return [digest for digest in digests if digest not in there]


_LINES: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}

OPERATIONS: dict[str, dict[str, Any]] = {
    STREAMS: {
        "get": {
            "summary": "How far the server's copy of each stream goes, and which files it lacks",
            "description": "A run that the server has not seen has no offsets.",
            "responses": {"200": "StreamOffsets"},
        }
    },
    STREAM: {
        "post": {
            "summary": "Append whole lines to a stream of a run",
            "description": (
                "The body is whole lines of the run log that stand at byte `offset` of the stream, at most "
                f"{MAX_BODY:,} bytes, optionally with `Content-Encoding: zstd`. The run and its project are made on "
                "first sight. 200 means that the lines are on disk, once."
            ),
            "parameters": [
                {
                    "name": "offset",
                    "in": "query",
                    "required": True,
                    "schema": {"type": "integer", "minimum": 0},
                    "description": "Where the lines stand in the stream, in bytes",
                }
            ],
            "requestBody": {"required": True, "content": {"application/x-ndjson": _LINES}},
            "responses": {
                "200": "Accepted",
                "409": "Accepted",
                "413": "Error",
                "415": "Error",
                "429": "Error",
                "507": "Error",
            },
        }
    },
}
