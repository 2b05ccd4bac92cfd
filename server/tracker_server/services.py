"""What every route works with: the storage, the blobs, the threads that may block, and the settings."""

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

_UNPACKED = 4
"""Uploads that are unpacked at a time."""


@dataclass(frozen=True)
class Settings:
    """How the application behaves."""

    token: str
    """The key that every request must carry."""
    allowed_hosts: tuple[str, ...] = ()
    """Names under which the server may be addressed, besides those of the loopback interface and plain IP addresses."""
    visits: set[str] = field(default_factory=set)
    """Codes that are as good as the token in `/?token=…`, each once."""
    root_path: str = ""
    """The prefix under which a proxy has the server, such as `/tracker`."""
    trusted_proxies: tuple[str, ...] = ("127.0.0.1", "::1")
    """Addresses of proxies that say by `X-Forwarded-Proto` whether the browser speaks TLS."""
    sessions: Path | None = None
    """The file of signed-in browsers; None keeps them in memory."""
    url: str = ""
    """The server's own address, where it is known."""
    webhook: str | None = None
    """Where alerts are sent."""
    max_blob: int = 64 * 1024**3
    """Bytes of one media or saved file; more is refused with 413."""
    max_in_flight: int = 256 * 1024**2
    """Bytes of uploads that may wait in memory, all clients together; more is put off with 429."""


@dataclass
class InFlight:
    """How many bytes of uploads are in memory, all clients together."""

    size: int = 0


@dataclass(frozen=True)
class Services:
    """Handed to each module that makes routes."""

    storage: Storage
    blobs: Blobs
    settings: Settings
    workers: Workers = field(default_factory=Workers)
    references: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while lines that name blobs are stored and their blobs looked up, and while a deleted run's blobs go; else a
    client could be told that the server has a blob that is deleted a moment later."""

    unpacked: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_UNPACKED))
    """Held while an upload is in memory as more than its body, which it may be many times as large as."""

    untidy: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the storage may have put off work; see `tidying`."""

    live: Hub = field(default_factory=Hub)
    in_flight: InFlight = field(default_factory=InFlight)
    webhook: Webhook | None = None

    async def read(self, function: Callable[[], T]) -> T:
        """Run `function`, which asks the storage, in a thread. What the storage calls a bad question is a 400."""
        try:
            return await self.workers.read(function)
        except Busy:
            raise HTTPException(503, "the server is busy: try again in a second", {"retry-after": "1"}) from None
        except ExpressionError:
            raise  # the answer says also where
        except ValueError as error:
            raise HTTPException(400, str(error)) from error

    async def answer(self, function: Callable[..., Any], *args: Any) -> Response:
        """Return what `function` reads as JSON, encoded in its thread too."""
        return json_response(await self.read(lambda: orjson.dumps(function(*args))))


def json_response(body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return a response with `body`, which is JSON."""
    return Response(body, status, headers, media_type="application/json")
