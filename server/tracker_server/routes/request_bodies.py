"""Read request bodies with a limit on their size, both as sent and after decompression."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import orjson
import zstandard
from fastapi.routing import APIRoute
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tracker.runlog.records import MAX_DEPTH, too_deep
from tracker.wire import MAX_BODY
from tracker_server.services import Services

MAX_WINDOW = 32 * 1024 * 1024
"""Bytes of memory that decompression may use; zstd's levels up to 19 need less."""


async def chunks(receive: Receive, limit: int) -> AsyncIterator[bytes]:
    """Yield the pieces of a body. Raises 413 past `limit` bytes, `ClientDisconnect` if the client leaves."""
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        piece = message.get("body", b"")
        size += len(piece)
        if size > limit:
            raise too_large(limit)
        more = message.get("more_body", False)
        if piece:
            yield piece


@asynccontextmanager
async def read_body(services: Services, receive: Receive) -> AsyncIterator[bytes]:
    """Read a body and count it as memory in use until the block ends.

    Raises 413 past `MAX_BODY` bytes, 429 if the bodies of all clients together need too much memory, and
    `ClientDisconnect` if the client leaves.
    """
    size, pieces = 0, []
    try:
        async for piece in chunks(receive, MAX_BODY):
            size += len(piece)
            services.in_flight.size += len(piece)
            if services.in_flight.size > services.settings.max_in_flight:
                raise HTTPException(429, "the server is busy: try again in a second", {"retry-after": "1"})
            pieces.append(piece)
        yield pieces[0] if len(pieces) == 1 else b"".join(pieces)
    finally:
        services.in_flight.size -= size


def decompress(body: bytes, encoding: str | None, limit: int) -> bytes:
    """Undo the `Content-Encoding`. Raises 413 before the result exceeds `limit` bytes, 400 if the body is damaged."""
    if encoding in (None, "", "identity"):
        return body
    if encoding != "zstd":
        raise HTTPException(415, f"the content encoding {encoding[:40]!r} is not supported: send zstd or none")
    data = _decompress_frame(body, limit)
    if data is not None:
        return data
    decompressor = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW)
    try:
        data = decompressor.stream_reader(body, read_across_frames=True).read(limit + 1)
    except zstandard.ZstdError as error:
        raise HTTPException(400, f"the body is not valid zstd: {error}") from None
    if len(data) > limit:
        raise too_large(limit)
    return data


def unpack_small(body: bytes, encoding: str | None, limit: int) -> bytes | None:
    """Return what `decompress` would, for the usual body of at most `limit` bytes; None for any other body.

    Takes microseconds.
    """
    if encoding in (None, "", "identity"):
        return body if len(body) <= limit else None
    return _decompress_frame(body, limit) if encoding == "zstd" else None


def _decompress_frame(body: bytes, limit: int) -> bytes | None:
    """Decompress a body that is one zstd frame of a known size, as most are; None if it is not, or exceeds `limit`.

    To do so at once takes half the time of a stream.
    """
    with contextlib.suppress(zstandard.ZstdError):
        if 0 < zstandard.frame_content_size(body) <= limit:  # 0: the frame does not tell its size
            return zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW).decompress(body, allow_extra_data=False)
    return None


def too_large(limit: int) -> HTTPException:
    """Return the error for a body of more than `limit` bytes."""
    return HTTPException(413, f"the body has more than {limit:,} bytes: send it in smaller parts")


class _StrictRequest(Request):
    """A request that accepts only strict JSON: no lone surrogates, no NaN, limited nesting."""

    async def json(self) -> Any:
        """Return the parsed body. Raises `json.JSONDecodeError`, or 400 if it is nested too deeply."""
        body = await self.body()
        value = orjson.loads(body)
        if too_deep(body, value):
            raise HTTPException(400, f"the body is nested more than {MAX_DEPTH} levels deep: flatten it")
        return value


class StrictRoute(APIRoute):
    """A route whose JSON bodies are read by `_StrictRequest`."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """See `APIRoute`."""
        handle = super().get_route_handler()

        async def strict(request: Request) -> Response:
            return await handle(_StrictRequest(request.scope, request.receive))

        return strict


class Capped:
    """ASGI middleware that refuses bodies larger than `limit` bytes."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self.app, self.limit = app, limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and count the bytes of its body."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        size = 0

        async def counted() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > self.limit:
                raise too_large(self.limit)
            return message

        await self.app(scope, counted, send)


def content_encoding(headers: Headers) -> str | None:
    """Return the body's encoding in lower case, None if there is none."""
    value = headers.get("content-encoding")
    return value.strip().lower() if value else None
