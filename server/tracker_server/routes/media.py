"""Serve logged media for display: images, audio and video by their real type, HTML and figures in a sandbox.

Logged content never runs in the dashboard's own origin. Images, audio and video are served only as the type that their
first bytes show, and only in formats that cannot contain scripts. HTML runs in a sandbox without an origin and cannot
load anything.
"""

from __future__ import annotations

import re
import zlib
from functools import cache
from typing import Any

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from tracker.names import RunKey
from tracker_server.services import Services

from .dependencies import blobs_for
from .files import FOR_EVER, content, disposition, known_blob, not_arrived
from .web import BUILT

MEDIA = "/api/runs/{entity}/{project}/{id}/media/{digest}"
RENDER = "/api/runs/{entity}/{project}/{id}/render/{digest}"

POLICY = (
    "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src data: blob:; media-src data: blob:; font-src data:; frame-ancestors 'self'"
)
_HEADERS = {"content-security-policy": POLICY, "x-frame-options": "SAMEORIGIN", "cache-control": FOR_EVER}

MAX_FIGURE = 64 * 1024 * 1024
"""Largest JSON of a figure in bytes; its page is built in memory."""

_FORMATS = (
    (rb"\x89PNG\r\n\x1a\n", "image/png"),
    (rb"\xff\xd8\xff", "image/jpeg"),
    (rb"GIF8[79]a", "image/gif"),
    (rb"RIFF....WEBP", "image/webp"),
    (rb"BM.{4}\0\0\0\0", "image/bmp"),
    (rb"RIFF....WAVE", "audio/wav"),
    (rb"ID3|\xff[\xe2\xe3\xf2\xf3\xfa\xfb]", "audio/mpeg"),
    (rb"fLaC", "audio/flac"),
    (rb"OggS", "*/ogg"),
    (rb"....ftyp", "*/mp4"),
    (rb"\x1a\x45\xdf\xa3", "*/webm"),
)
_KINDS = ("image", "audio", "video")


def routes(services: Services) -> list[BaseRoute]:
    """Return the routes of media."""

    async def media(request: Request) -> Response:
        kind = request.query_params.get("type", "")
        if kind not in _KINDS:
            raise HTTPException(400, "give the kind of media: ?type=image, audio or video")
        run, digest = await known_blob(services, request)
        found = media_type(await _start(request, run, digest), kind)
        headers = {"cache-control": FOR_EVER}
        if found is None:
            headers["content-disposition"] = disposition(digest)
        return await content(request, run, digest, headers, found or "application/octet-stream")

    async def render(request: Request) -> Response:
        run, digest = await known_blob(services, request)
        start = await _start(request, run, digest)
        size, pieces = await blobs_for(request).get(run, digest)
        if start.lstrip()[:1] != b"{":
            return StreamingResponse(pieces, headers={**_HEADERS, "content-length": str(size)}, media_type="text/html")
        if size > MAX_FIGURE:
            raise HTTPException(413, f"this figure has {size:,} bytes, and at most {MAX_FIGURE:,} can be shown")
        figure = b"".join([piece async for piece in pieces])
        compressed = "gzip" in request.headers.get("accept-encoding", "")
        page = await services.workers.read(_figure_page, figure, compressed)
        encoding = {"content-encoding": "gzip", "vary": "accept-encoding"} if compressed else {}
        return Response(page, headers={**_HEADERS, **encoding}, media_type="text/html")

    return [Route(MEDIA, media, methods=["GET"]), Route(RENDER, render, methods=["GET"])]


def media_type(start: bytes, kind: str) -> str | None:
    """Return the media type of content that begins with `start`; None if it is not a safe format of this kind."""
    for pattern, found in _FORMATS:
        if re.match(pattern, start, re.DOTALL):
            family, _, name = found.partition("/")
            if family == "*":
                family = "video" if kind == "image" else kind
            return f"{family}/{name}" if family == kind else None
    return None


async def _start(request: Request, run: RunKey, digest: str) -> bytes:
    try:
        _, pieces = await blobs_for(request).get(run, digest, 0, 512)
    except LookupError:
        raise not_arrived() from None
    except ValueError:
        return b""  # the file is empty
    return b"".join([piece async for piece in pieces])


# -- figures -----------------------------------------------------------------------------------------------------

_FIGURE_HEAD = (
    b'<!doctype html><html lang="en"><meta charset="utf-8"><title>figure</title>'
    b"<style>html,body,#figure{height:100%%;margin:0}</style>"
    b"<script>%b</script>"
)
_FIGURE_TAIL = b"""<div id="figure"></div><script type="application/json" id="data">%b</script><script>
const { data, layout = {}, frames, config } = JSON.parse(document.getElementById("data").textContent);
const { width, height, margin, ...free } = layout; // as large as the frame that shows it, which is often small
const narrow = { t: free.title?.text ? 44 : 20, r: 20, b: 36, l: 44, ...margin };
Plotly.newPlot("figure", { data, layout: { ...free, margin: narrow, autosize: true }, frames,
  config: { ...config, responsive: true, displaylogo: false, plotlyServerURL: "", showLink: false } });
</script></html>"""


def _figure_page(figure: bytes, compressed: bool) -> bytes:
    """Return a self-contained page that draws the figure. JSON that is not a figure is returned unchanged."""
    try:
        parsed = orjson.loads(figure)
    except ValueError:
        parsed = None
    if not (isinstance(parsed, dict) and isinstance(parsed.get("data"), list)):
        return _gzip(b"", b"", figure) if compressed else figure  # HTML that begins with a brace
    # Only `<` could end the script element early.
    tail = _FIGURE_TAIL % figure.replace(b"<", b"\\u003c")
    head = _figure_head()
    return _gzip(_packed_head(), head, tail) if compressed else head + tail


@cache
def _figure_head() -> bytes:
    try:
        library = (BUILT / "plotly.js").read_bytes()
    except FileNotFoundError:
        library = b'document.write("Figures cannot be shown: this package was built without the dashboard.")'
    return _FIGURE_HEAD % library


@cache
def _packed_head() -> bytes:
    """Return the head, deflated once: it has megabytes and is the same for each figure."""
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    return packer.compress(_figure_head()) + packer.flush(zlib.Z_FULL_FLUSH)


def _gzip(packed_head: bytes, head: bytes, tail: bytes) -> bytes:
    """Return head and tail as one gzip member (RFC 1952); the head is deflated already."""
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    packed_tail = packer.compress(tail) + packer.flush()
    checksum = zlib.crc32(tail, zlib.crc32(head)).to_bytes(4, "little")
    size = ((len(head) + len(tail)) % 2**32).to_bytes(4, "little")
    return b"".join([b"\x1f\x8b\x08\0\0\0\0\0\0\xff", packed_head, packed_tail, checksum, size])


_ANSWER = {"description": "The content", "content": {"*/*": {"schema": {"type": "string", "format": "binary"}}}}

OPERATIONS: dict[str, dict[str, Any]] = {
    MEDIA: {
        "get": {
            "summary": "Get an image, audio or video for display",
            "description": "Its type is taken from its first bytes; unsafe formats are served as downloads.",
            "parameters": [
                {"name": "type", "in": "query", "required": True, "schema": {"type": "string", "enum": list(_KINDS)}}
            ],
            "responses": {"200": _ANSWER, "206": _ANSWER, "304": {"description": "Not modified"}, "404": "Error"},
        }
    },
    RENDER: {
        "get": {
            "summary": "Get logged HTML or a Plotly figure as a page for a frame",
            "description": "The page is sandboxed: it has no origin, and its policy forbids loading anything.",
            "responses": {
                "200": {"description": "The page", "content": {"text/html": {"schema": {"type": "string"}}}},
                "404": "Error",
                "413": "Error",
            },
        }
    },
}
