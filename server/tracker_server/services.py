"""The objects that every route works with: storage, blobs, worker threads, the hub of live updates and settings."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import orjson
from starlette.exceptions import HTTPException
from starlette.responses import Response

from .live import Hub
from .storage.interface import Blobs, ExpressionError, Storage
from .webhook import Webhook
from .workers import Busy, Workers

T = TypeVar("T")

_MAX_UNPACKED = 4
"""Uploads that may be decompressed at the same time."""


@dataclass(frozen=True)
class Settings:
    """The settings of the application."""

    token: str
    """The access token that every request must carry."""
    allowed_hosts: tuple[str, ...] = ()
    """Host names that clients may use, besides loopback names and plain IP addresses."""
    visits: set[str] = field(default_factory=set)
    """One-time codes that `/?token=…` accepts in place of the token."""
    root_path: str = ""
    """The path prefix that a reverse proxy adds, such as `/tracker`."""
    trusted_proxies: tuple[str, ...] = ("127.0.0.1", "::1")
    """Addresses of proxies whose `X-Forwarded-Proto` is trusted."""
    sessions: Path | None = None
    """The file that stores the sessions of browsers; None keeps them in memory."""
    url: str = ""
    """The server's own URL, for links; empty if unknown."""
    webhook: str | None = None
    """The address to which alerts are forwarded; None for no forwarding."""
    max_blob: int = 64 * 1024**3
    """Largest size of a media or saved file in bytes; larger ones are refused with 413."""
    max_in_flight: int = 256 * 1024**2
    """Bytes of uploads that all clients together may hold in memory; uploads beyond that get 429."""


@dataclass
class InFlight:
    """Counts the bytes of uploads in memory, over all clients."""

    size: int = 0


@dataclass(frozen=True)
class Services:
    """Passed to each module that adds routes."""

    storage: Storage
    blobs: Blobs
    settings: Settings
    workers: Workers = field(default_factory=Workers)
    references: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while lines that name blobs are stored and their blobs looked up, and while blobs of a deleted run are
    deleted. Without it a client could be told that the server has a blob that is deleted a moment later."""

    unpacked: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_MAX_UNPACKED))
    """Held while an upload is decompressed and parsed, when it may be many times as large as its body."""

    deferred_work: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the storage may have deferred work; see `background.maintenance`."""

    live: Hub = field(default_factory=Hub)
    in_flight: InFlight = field(default_factory=InFlight)
    webhook: Webhook | None = None

    async def read(self, function: Callable[[], T]) -> T:
        """Run `function`, which queries the storage, in a worker thread.

        A ValueError becomes a 400 response, too many waiting queries a 503.
        """
        try:
            return await self.workers.read(function)
        except Busy:
            raise HTTPException(503, "the server is busy: try again in a second", {"retry-after": "1"}) from None
        except ExpressionError:
            raise  # its handler also reports the position
        except ValueError as error:
            raise HTTPException(400, str(error)) from error

    async def answer(self, function: Callable[..., Any], *args: Any) -> Response:
        """Run `function` in a worker thread and return its result as a JSON response, encoded in that thread."""
        return json_response(await self.read(lambda: orjson.dumps(function(*args))))


def json_response(body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return a response with a body that is JSON already."""
    return Response(body, status, headers, media_type="application/json")
