"""Contents of media and saved files: taken in by digest, given out by name or digest, never as a page of this site.

A file comes whole (`PUT …/blobs/{digest}`) or, resumably, in parts (`POST …/uploads/{digest}`, see `tracker.wire`).
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

import orjson
from starlette.convertors import Convertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from tracker.wire import MAX_BODY
from tracker_server.blobs import DIGEST
from tracker_server.services import Services, json_response
from tracker_server.storage.interface import OffsetMismatch, RunKey, TooManyUploads

from .parameters import byte_count, run_key
from .request_bodies import chunks, held, too_large

BLOB = "/api/runs/{entity}/{project}/{id}/blobs/{digest}"
UPLOAD = "/api/runs/{entity}/{project}/{id}/uploads/{digest}"
FILE = "/api/runs/{entity}/{project}/{id}/files/{name:filename}"

FOR_EVER = "private, max-age=31536000, immutable"
"""How the content of a digest may be kept: it never changes."""

POLICY = "sandbox; default-src 'none'; frame-ancestors 'none'"


class _FileName(Convertor[str]):
    """Any text at all: file names may hold slashes and line breaks, and are only ever looked up."""

    regex = r"(?s:.+)"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("filename", _FileName())


def routes(services: Services) -> list[BaseRoute]:
    """Return the routes of contents; the list of a run's files is in `query`."""
    storage, blobs, workers = services.storage, services.blobs, services.workers

    async def put_blob(request: Request) -> Response:
        run, digest = blob_of(request)
        limit = services.settings.max_blob
        if _length(request) > limit:
            raise too_large(limit)
        try:
            await blobs.put(digest, chunks(request.receive, limit))
        except ValueError as error:
            raise HTTPException(422, f"{error}: send the content whole, as it is") from None
        services.live.changed([run], "files")
        return Response(status_code=204)

    async def get_upload(request: Request) -> Response:
        _, digest = blob_of(request)
        return _upload(*await blobs.reached(digest, _size(request)))

    async def post_upload(request: Request) -> Response:
        run, digest = blob_of(request)
        size, offset = _size(request), byte_count(request, "offset", "say where these bytes stand: ?offset=N")
        async with held(services, request.receive) as part:
            if offset + len(part) > size:
                raise HTTPException(400, f"these bytes end at {offset + len(part):,}, past the size of {size:,} bytes")
            try:
                reached, complete = await blobs.extend(digest, offset, size, part)
            except OffsetMismatch as mismatch:
                return _upload(mismatch.offset, False, 409)
            except ValueError as error:
                raise HTTPException(422, f"{error}: nothing of it is kept, send it again from the start") from None
            except TooManyUploads:
                text = "the server has too many unfinished uploads: try again in a minute"
                raise HTTPException(429, text, {"retry-after": "60"}) from None
        if complete:
            services.live.changed([run], "files")
        return _upload(reached, complete)

    def _size(request: Request) -> int:
        size = byte_count(request, "size", "say how large the whole is: ?size=N")
        if size > services.settings.max_blob:
            raise too_large(services.settings.max_blob)
        return size

    async def get_blob(request: Request) -> Response:
        digest = await known_blob(services, request)
        return await content(services, request, digest, {"cache-control": FOR_EVER, **_attached(digest)})

    async def get_file(request: Request) -> Response:
        name = request.path_params.pop("name")
        files = await workers.read(storage.files, run_key(**request.path_params))
        if name not in files:
            raise HTTPException(404, f"this run has no file named {name[:200]!r}")
        headers = {"cache-control": "private, no-cache", **_attached(name)}
        return await content(services, request, files[name]["digest"], headers)

    return [
        Route(BLOB, put_blob, methods=["PUT"]),
        Route(BLOB, get_blob, methods=["GET"]),
        Route(UPLOAD, get_upload, methods=["GET"]),
        Route(UPLOAD, post_upload, methods=["POST"]),
        Route(FILE, get_file, methods=["GET"]),
    ]


async def content(
    services: Services,
    request: Request,
    digest: str,
    headers: dict[str, str],
    media_type: str = "application/octet-stream",
) -> Response:
    """Answer with what has this digest, or the part that is asked for."""
    tag = f'"{digest}"'
    headers = {"etag": tag, "content-security-policy": POLICY, **headers}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    part = _part(request, tag)
    try:
        size, pieces = await services.blobs.get(digest, *(part or ()))
    except LookupError:
        raise not_arrived() from None
    except ValueError as error:
        raise HTTPException(416, str(error)) from None
    start, end = 0, size
    if part is not None:
        start, end = part[0], min(part[1] or size, size)
        headers["content-range"] = f"bytes {start}-{end - 1}/{size}"
    headers["accept-ranges"] = "bytes"
    headers["content-length"] = str(end - start)
    status = 200 if part is None else 206
    if request.method == "HEAD":
        return Response(None, status, headers, media_type)
    return StreamingResponse(pieces, status, headers, media_type)


def not_arrived() -> HTTPException:
    """A digest is known, and its content is still on its way."""
    return HTTPException(404, "this file's content has not arrived yet")


def _attached(name: str) -> dict[str, str]:
    return {"content-disposition": disposition(name)}


def disposition(name: str) -> str:
    """Return a `Content-Disposition` that saves under the last part of `name`, whatever it is (RFC 6266, RFC 5987)."""
    last = re.split(r"[/\\]", name)[-1] or "file"
    plain = re.sub(r"[^A-Za-z0-9 ._-]", "_", last)
    exact = quote(last.encode("utf-8", "replace"), safe="")
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{exact}"


async def known_blob(services: Services, request: Request) -> str:
    """Return the digest in the path. Refused with 404 if no record of the run names it."""
    run, digest = blob_of(request)
    if not await services.workers.read(services.storage.names_digest, run, digest):
        raise HTTPException(404, "no record of this run names such a file")
    return digest


def blob_of(request: Request) -> tuple[RunKey, str]:
    """Return the run and the digest in the path."""
    digest = request.path_params.pop("digest")
    if not DIGEST.fullmatch(digest):
        raise HTTPException(400, "a digest is the sha256 of the content: 64 hex digits in lower case")
    return run_key(**request.path_params), digest


def _part(request: Request, tag: str) -> tuple[int, int | None] | None:
    """Return from where to where (exclusively, None: to the end) a request wants the content; None if all of it.

    Only one part that begins at a given byte (RFC 9110, 14.2); who asks for others gets all, as the RFC allows.
    """
    found = re.fullmatch(r"bytes=(\d{1,18})-(\d{1,18})?", request.headers.get("range", ""), re.ASCII)
    if found is None or request.headers.get("if-range", tag) != tag:
        return None
    start, end = int(found[1]), None if found[2] is None else int(found[2]) + 1
    return None if end is not None and end <= start else (start, end)


def _upload(offset: int, complete: bool, status: int = 200) -> Response:
    return json_response(orjson.dumps({"offset": offset, "complete": complete}), status)


def _length(request: Request) -> int:
    text = request.headers.get("content-length", "")
    return int(text) if text.isascii() and text.isdigit() else 0


_CONTENT: dict[str, Any] = {
    "description": "The content, as an attachment",
    "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
}

_ANSWERS: dict[str, Any] = {
    "200": _CONTENT,
    "206": {**_CONTENT, "description": "The part that was asked for"},
    "304": {"description": "Not modified"},
    "404": "Error",
    "416": "Error",
}


def _number(name: str, description: str) -> dict[str, Any]:
    schema = {"type": "integer", "minimum": 0}
    return {"name": name, "in": "query", "required": True, "schema": schema, "description": description}


_SIZE = _number("size", "Size of the whole content in bytes")
_OFFSET = _number("offset", "Where the bytes stand in the content")
_RANGE = {
    "name": "Range",
    "in": "header",
    "schema": {"type": "string"},
    "description": "`bytes=N-` or `bytes=N-M` for a part of the content",
}

OPERATIONS: dict[str, dict[str, Any]] = {
    BLOB: {
        "put": {
            "summary": "Store the content of a media or saved file",
            "description": "Refused with 422 if its sha256 is not `digest`.",
            "requestBody": {"required": True, "content": _CONTENT["content"]},
            "responses": {"204": {"description": "Stored"}, "413": "Error", "422": "Error", "507": "Error"},
        },
        "get": {
            "summary": "The content of a file that the run names by digest",
            "parameters": [_RANGE],
            "responses": _ANSWERS,
        },
    },
    UPLOAD: {
        "get": {
            "summary": "How far the upload of a file in parts has got",
            "parameters": [_SIZE],
            "responses": {"200": "Upload", "413": "Error"},
        },
        "post": {
            "summary": "Upload the next part of a file",
            "description": (
                f"The body is what stands at byte `offset` of the content, at most {MAX_BODY:,} bytes. The upload is "
                "of a digest and not of a client: whoever has the content may go on with it, also after the server was "
                "stopped. With the last part the whole is verified; while that lasts, the answer is not `complete`, "
                "and an empty part at the end asks again. 422: its sha256 is not `digest`, and it must be sent from "
                "the start. What nobody adds to for three days is forgotten."
            ),
            "parameters": [_OFFSET, _SIZE],
            "requestBody": {"required": True, "content": _CONTENT["content"]},
            "responses": {
                "200": "Upload",
                "409": "Upload",
                "413": "Error",
                "422": "Error",
                "429": "Error",
                "507": "Error",
            },
        },
    },
    FILE: {
        "get": {
            "summary": "The content of a named file",
            "description": "`name` may contain slashes.",
            "parameters": [_RANGE],
            "responses": _ANSWERS,
        }
    },
}
