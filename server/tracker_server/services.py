"""What every route works with: the storage, the blobs, the threads that may block, and the settings."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive

from tracker.names import NAME_RULE, is_project_name
from tracker.runlog.records import RUN_ID
from tracker.wire import MAX_BODY

from .live import Hub
from .routes.request_bodies import chunks
from .storage.interface import Blobs, RunKey, Storage
from .storage.table.tokens import ExpressionError
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

    @asynccontextmanager
    async def body(self, receive: Receive) -> AsyncIterator[bytes]:
        """Hold a body in memory until the block ends. Raises 413 past `MAX_BODY` bytes, 429 where all that clients send
        is too much at a time, and `ClientDisconnect`.
        """
        held, pieces = 0, []
        try:
            async for piece in chunks(receive, MAX_BODY):
                held += len(piece)
                self.in_flight.size += len(piece)
                if self.in_flight.size > self.settings.max_in_flight:
                    raise HTTPException(429, "the server is busy: try again in a second", {"retry-after": "1"})
                pieces.append(piece)
            yield pieces[0] if len(pieces) == 1 else b"".join(pieces)
        finally:
            self.in_flight.size -= held

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


def run_key(entity: str, project: str, id: str) -> RunKey:
    """Return the run that a path names. Anything but the documented characters is refused with 400."""
    for what, value in (("entity", entity), ("project", project)):
        if not is_project_name(value):
            raise HTTPException(400, f"the {what} {value[:140]!r} {NAME_RULE}")
    if not RUN_ID.fullmatch(id):
        raise HTTPException(400, f"the run id {id[:80]!r} is not allowed: use 1 to 64 letters, digits, _ and -")
    return RunKey(entity, project, id)


def run_of(name: str) -> RunKey:
    """Return the run that `entity/project/id` names; see `run_key`."""
    parts = name.split("/")
    if len(parts) != 3:
        raise HTTPException(400, f"the run {name[:200]!r} must read entity/project/id")
    return run_key(*parts)


def byte_count(request: Request, parameter: str, hint: str) -> int:
    """Return a number of bytes from the query. Anything else is refused with 400 and the hint."""
    text = request.query_params.get(parameter, "")
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise HTTPException(400, f"{hint}, a number of bytes")
    return int(text)


def json_response(body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return a response with `body`, which is JSON."""
    return Response(body, status, headers, media_type="application/json")
