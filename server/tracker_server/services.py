"""The objects that every route works with: worker threads, the hub of live updates, accounts and settings.

The storage and the files are not among them. A route gets them from its request, as its principal may use them: see
`routes/dependencies.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import orjson
from starlette.exceptions import HTTPException
from starlette.responses import Response

from .access.access import Access
from .live import Hub
from .responses import json_response
from .settings import Settings
from .storage.interface import ExpressionError
from .webhook import Webhook
from .workers import Busy, Workers

T = TypeVar("T")

_MAX_UNPACKED = 4
"""Uploads that may be decompressed at the same time."""


@dataclass
class InFlight:
    """Counts the bytes of uploads in memory, over all clients."""

    size: int = 0


@dataclass(frozen=True)
class Services:
    """Passed to each module that adds routes."""

    access: Access
    settings: Settings
    workers: Workers
    delete_unnamed: Callable[[list[str]], Awaitable[int]]
    """Delete those files that no run names; see `deletion.deleting_unnamed`."""

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
