"""Send changes to browsers as server-sent events, one stream for each browser; `tracker_server.live` collects them."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from tracker_server.access.guarded_storage import GuardedStorage
from tracker_server.live import Hub, Listener, Sees, event

from .dependencies import principal_of, storage_for

LIVE = "/api/live"

PAUSE = 0.5
"""Shortest time between two events to a listener, in seconds."""

PING = 15.0
"""Seconds after which a listener without news gets a `ping`."""


def routes(hub: Hub) -> list[BaseRoute]:
    """Return the route of the stream."""

    async def live(request: Request) -> Response:
        if hub.full:
            raise HTTPException(503, "too many browsers are connected: close some", {"retry-after": "60"})
        known, shared = request.headers.get("last-event-id"), principal_of(request).shared
        if known is not None and shared is not None and shared.kind != "project":
            known = ""  # the ids of events tell nothing of a single run, so something may have been missed
        return _Stream(hub, known, storage_for(request))

    return [Route(LIVE, live, methods=["GET"])]


class _Stream(Response):
    """A response that continues until the browser leaves or the hub closes."""

    def __init__(self, hub: Hub, known: str | None, storage: GuardedStorage) -> None:
        super().__init__(headers={"x-accel-buffering": "no"}, media_type="text/event-stream")
        self._hub, self._known, self._storage = hub, known, storage
        del self.headers["content-length"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "HEAD":
            await super().__call__(scope, receive, send)
            return
        listener = self._hub.listen(self._known, self._storage.sees, self._renewed)
        leaving = asyncio.create_task(_disconnected(receive))
        leaving.add_done_callback(lambda _: listener.stop())
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            await self._send_events(listener, send)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            self._hub.forget(listener)
            leaving.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await leaving

    def _renewed(self) -> Sees | None:
        renewed = self._storage.renewed()
        if renewed is not None and renewed is not self._storage:
            self._storage = renewed
        return None if renewed is None else renewed.sees

    async def _send_events(self, listener: Listener, send: Send) -> None:
        # Browsers reconnect after 2 s. The id of the ping says which changes the browser has seen.
        events = b"retry: 2000\n" + (b"\n" if listener.news.is_set() else self._ping(listener))
        while not listener.end.is_set():
            await send({"type": "http.response.body", "body": events, "more_body": True})
            await _wait(listener.end, PAUSE)
            heard = await _wait(listener.news, PING)
            events = listener.take(self._hub.state(listener.sees)) if heard else self._ping(listener)

    def _ping(self, listener: Listener) -> bytes:
        return event("ping", {}, self._hub.state(listener.sees))


async def _wait(event: asyncio.Event, seconds: float) -> bool:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except asyncio.TimeoutError:
        return False
    return True


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


OPERATIONS: dict[str, dict[str, Any]] = {
    LIVE: {
        "get": {
            "summary": "Stream changes as they happen",
            "description": (
                'Server-sent events. `change`: `{"runs": [{"run": "entity/project/id", "what": [...]}], "projects": '
                '["entity/project"]}`, at most two a second. `what` contains `history`, `system`, `console`, `meta`, '
                "`files`, `comments`, `removed` or `new`; `projects` lists those whose saved views, reports or "
                "comments on reports have changed. "
                "`reset`: changes were missed, so anything may have changed. `ping`: at the start, and after every "
                "15 s without changes."
            ),
            "responses": {
                "200": {"description": "Events", "content": {"text/event-stream": {"schema": {"type": "string"}}}},
                "503": "Error",
            },
        }
    }
}
