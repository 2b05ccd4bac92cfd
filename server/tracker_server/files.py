"""Contents of media and saved files: taken in by digest, given out by name or digest, never as a page of this site."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

from starlette.convertors import Convertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from .blobs import DIGEST
from .bodies import chunks, too_large
from .services import Services, run_key
from .storage.interface import RunKey

BLOB = "/api/runs/{entity}/{project}/{id}/blobs/{digest}"
FILE = "/api/runs/{entity}/{project}/{id}/files/{name:filename}"

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
        _, digest = _blob(request)
        limit = services.settings.max_blob
        if _length(request) > limit:
            raise too_large(limit)
        try:
            await blobs.put(digest, chunks(request.receive, limit))
        except ValueError as error:
            raise HTTPException(422, f"{error}: send the content whole, as it is") from None
        return Response(status_code=204)

    async def get_blob(request: Request) -> Response:
        run, digest = _blob(request)
        if digest not in await workers.read(storage.digests, run):
            raise HTTPException(404, "no record of this run names such a file")
        # The content of a digest never changes.
        return await _content(request, digest, digest, "private, max-age=31536000, immutable")

    async def get_file(request: Request) -> Response:
        name = request.path_params.pop("name")
        files = await workers.read(storage.files, run_key(**request.path_params))
        if name not in files:
            raise HTTPException(404, f"this run has no file named {name[:200]!r}")
        return await _content(request, files[name]["digest"], name, "private, no-cache")

    async def _content(request: Request, digest: str, name: str, caching: str) -> Response:
        tag = f'"{digest}"'
        headers = {
            "etag": tag,
            "cache-control": caching,
            "content-security-policy": POLICY,
            "content-disposition": disposition(name),
        }
        if tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        try:
            size, content = await blobs.get(digest)
        except LookupError:
            raise HTTPException(404, "this file's content has not arrived yet") from None
        headers["content-length"] = str(size)
        if request.method == "HEAD":
            return Response(headers=headers, media_type="application/octet-stream")
        return StreamingResponse(content, headers=headers, media_type="application/octet-stream")

    return [
        Route(BLOB, put_blob, methods=["PUT"]),
        Route(BLOB, get_blob, methods=["GET"]),
        Route(FILE, get_file, methods=["GET"]),
    ]


def disposition(name: str) -> str:
    """Return a `Content-Disposition` that saves under the last part of `name`, whatever it is (RFC 6266, RFC 5987)."""
    last = re.split(r"[/\\]", name)[-1] or "file"
    plain = re.sub(r"[^A-Za-z0-9 ._-]", "_", last)
    exact = quote(last.encode("utf-8", "replace"), safe="")
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{exact}"


def _blob(request: Request) -> tuple[RunKey, str]:
    digest = request.path_params.pop("digest")
    if not DIGEST.fullmatch(digest):
        raise HTTPException(400, "a digest is the sha256 of the content: 64 hex digits in lower case")
    return run_key(**request.path_params), digest


def _length(request: Request) -> int:
    text = request.headers.get("content-length", "")
    return int(text) if text.isascii() and text.isdigit() else 0


_CONTENT: dict[str, Any] = {
    "description": "The content, as an attachment",
    "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
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
            "responses": {"200": _CONTENT, "304": {"description": "Not modified"}, "404": "Error"},
        },
    },
    FILE: {
        "get": {
            "summary": "The content of a named file",
            "description": "`name` may contain slashes.",
            "responses": {"200": _CONTENT, "304": {"description": "Not modified"}, "404": "Error"},
        }
    },
}
