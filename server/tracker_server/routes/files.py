"""Upload and download the content of media and saved files. It is never served as a page of this site.

A file is uploaded whole (`PUT …/blobs/{digest}`) or, resumably, in parts (`POST …/uploads/{digest}`, see
`tracker.wire`).
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

from tracker.names import RunKey
from tracker.runlog.records import DIGEST
from tracker.wire import MAX_BODY
from tracker_server.responses import json_response
from tracker_server.services import Services
from tracker_server.storage.interface import OffsetMismatch, TooManyUploads

from .dependencies import blobs_for, storage_for
from .parameters import byte_count, run_key
from .request_bodies import chunks, read_body, too_large

BLOB = "/api/runs/{entity}/{project}/{id}/blobs/{digest}"
UPLOAD = "/api/runs/{entity}/{project}/{id}/uploads/{digest}"
FILE = "/api/runs/{entity}/{project}/{id}/files/{name:filename}"

FOR_EVER = "private, max-age=31536000, immutable"
"""The caching of content by digest, which never changes."""

POLICY = "sandbox; default-src 'none'; frame-ancestors 'none'"


class _FileName(Convertor[str]):
    """Accepts any text: file names may contain slashes and line breaks, and are only looked up."""

    regex = r"(?s:.+)"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("filename", _FileName())


def routes(services: Services) -> list[BaseRoute]:
    """Return the routes of files' content; `routes.runs` lists the files of a run."""

    async def put_blob(request: Request) -> Response:
        run, digest = blob_of(request)
        limit = services.settings.max_blob
        if _length(request) > limit:
            raise too_large(limit)
        try:
            await blobs_for(request).put(run, digest, chunks(request.receive, limit))
        except ValueError as error:
            raise HTTPException(422, f"{error}: send the whole content unchanged") from None
        services.live.changed([storage_for(request).present(run)], "files")
        return Response(status_code=204)

    async def get_upload(request: Request) -> Response:
        run, digest = blob_of(request)
        return _upload(*await blobs_for(request).reached(run, digest, _size(request)))

    async def post_upload(request: Request) -> Response:
        run, digest = blob_of(request)
        size, offset = _size(request), byte_count(request, "offset", "give the position of these bytes: ?offset=N")
        async with read_body(services, request.receive) as part:
            if offset + len(part) > size:
                raise HTTPException(400, f"these bytes end at {offset + len(part):,}, past the size of {size:,} bytes")
            try:
                reached, complete = await blobs_for(request).extend(run, digest, offset, size, part)
            except OffsetMismatch as mismatch:
                return _upload(mismatch.offset, False, 409)
            except ValueError as error:
                raise HTTPException(422, f"{error}: the upload is discarded, start again") from None
            except TooManyUploads:
                text = "the server has too many unfinished uploads: try again in a minute"
                raise HTTPException(429, text, {"retry-after": "60"}) from None
        if complete:
            services.live.changed([storage_for(request).present(run)], "files")
        return _upload(reached, complete)

    def _size(request: Request) -> int:
        size = byte_count(request, "size", "give the size of the whole: ?size=N")
        if size > services.settings.max_blob:
            raise too_large(services.settings.max_blob)
        return size

    async def get_blob(request: Request) -> Response:
        run, digest = await known_blob(services, request)
        return await content(request, run, digest, {"cache-control": FOR_EVER, **_attached(digest)})

    async def get_file(request: Request) -> Response:
        name = request.path_params.pop("name")
        run = run_key(**request.path_params)
        files = await services.workers.read(storage_for(request).files, run)
        if name not in files:
            raise HTTPException(404, f"this run has no file named {name[:200]!r}")
        headers = {"cache-control": "private, no-cache", **_attached(name)}
        return await content(request, run, files[name]["digest"], headers)

    return [
        Route(BLOB, put_blob, methods=["PUT"]),
        Route(BLOB, get_blob, methods=["GET"]),
        Route(UPLOAD, get_upload, methods=["GET"]),
        Route(UPLOAD, post_upload, methods=["POST"]),
        Route(FILE, get_file, methods=["GET"]),
    ]


async def content(
    request: Request,
    run: RunKey,
    digest: str,
    headers: dict[str, str],
    media_type: str = "application/octet-stream",
) -> Response:
    """Return the content of a digest of the run, or the part of it that the request asks for."""
    tag = f'"{digest}"'
    headers = {"etag": tag, "content-security-policy": POLICY, **headers}
    if tag in request.headers.get("if-none-match", ""):
        if not await blobs_for(request).has(run, [digest]):
            raise not_arrived()
        return Response(status_code=304, headers=headers)
    part = _part(request, tag)
    try:
        size, pieces = await blobs_for(request).get(run, digest, *(part or ()))
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
    """Return the error for a known digest whose content is not uploaded yet."""
    return HTTPException(404, "this file is not uploaded yet")


def _attached(name: str) -> dict[str, str]:
    return {"content-disposition": disposition(name)}


def disposition(name: str) -> str:
    """Return a `Content-Disposition` that saves under the last part of any `name` (RFC 6266, RFC 5987)."""
    last = re.split(r"[/\\]", name)[-1] or "file"
    plain = re.sub(r"[^A-Za-z0-9 ._-]", "_", last)
    exact = quote(last.encode("utf-8", "replace"), safe="")
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{exact}"


async def known_blob(services: Services, request: Request) -> tuple[RunKey, str]:
    """Return the run and the digest in the path. Raises 404 if no record of the run names it."""
    run, digest = blob_of(request)
    if not await services.workers.read(storage_for(request).names_digest, run, digest):
        raise HTTPException(404, "this run has no file with this digest")
    return run, digest


def blob_of(request: Request) -> tuple[RunKey, str]:
    """Return the run and the digest in the path."""
    digest = request.path_params.pop("digest")
    if not DIGEST.fullmatch(digest):
        raise HTTPException(400, "the digest must be the sha256 of the content: 64 lower-case hex digits")
    return run_key(**request.path_params), digest


def _part(request: Request, tag: str) -> tuple[int, int | None] | None:
    """Return start and end (exclusive; None: to the end) of the requested part; None for the whole content.

    Only a single part that begins at a given byte is supported (RFC 9110, 14.2). Other requests get the whole, as the
    RFC allows.
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
    "description": "The content as an attachment",
    "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
}

_ANSWERS: dict[str, Any] = {
    "200": _CONTENT,
    "206": {**_CONTENT, "description": "The requested part"},
    "304": {"description": "Not modified"},
    "404": "Error",
    "416": "Error",
}


def _number(name: str, description: str) -> dict[str, Any]:
    schema = {"type": "integer", "minimum": 0}
    return {"name": name, "in": "query", "required": True, "schema": schema, "description": description}


_SIZE = _number("size", "Size of the whole content in bytes")
_OFFSET = _number("offset", "Position of the bytes in the content")
_RANGE = {
    "name": "Range",
    "in": "header",
    "schema": {"type": "string"},
    "description": "`bytes=N-` or `bytes=N-M` for a part of the content",
}

OPERATIONS: dict[str, dict[str, Any]] = {
    BLOB: {
        "put": {
            "summary": "Upload a media or saved file",
            "description": "Returns 422 if the sha256 of the content is not `digest`.",
            "requestBody": {"required": True, "content": _CONTENT["content"]},
            "responses": {"204": {"description": "Stored"}, "413": "Error", "422": "Error", "507": "Error"},
        },
        "get": {
            "summary": "Get a file of the run by digest",
            "parameters": [_RANGE],
            "responses": _ANSWERS,
        },
    },
    UPLOAD: {
        "get": {
            "summary": "Get the progress of an upload in parts",
            "parameters": [_SIZE],
            "responses": {"200": "Upload", "413": "Error"},
        },
        "post": {
            "summary": "Upload the next part of a file",
            "description": (
                f"The body is the content from byte `offset` on, at most {MAX_BODY:,} bytes. An upload belongs to a "
                "digest, not to a client: any client that has the content may continue it, also after a restart of "
                "the server. The last part starts the verification. Until it is done, `complete` is false, and "
                "another request with an empty part at the end asks again. 422: the sha256 is not `digest`, and the "
                "upload must start again. Uploads without progress for three days are removed."
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
            "summary": "Get a file by name",
            "description": "`name` may contain slashes.",
            "parameters": [_RANGE],
            "responses": _ANSWERS,
        }
    },
}
