"""What has changed, as it happens: one stream of server-sent events for each browser.

Ingest and edits publish after their transaction; nothing is read or sent here but names. A listener that is slow, or
was away, is not told what it missed but that it missed something (`reset`), so what waits for it is bounded.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Iterable
from typing import Any, Literal

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from .storage.interface import RunKey

LIVE = "/api/live"

PAUSE = 0.5
"""Seconds between two events to a listener, at least."""

PING = 15.0
"""Seconds after which a listener without news is told that the stream lives."""

MAX_WAITING = 1000
"""Runs and projects whose changes wait for one listener; beyond that it gets `reset`."""

MAX_LISTENERS = 500

What = Literal["history", "system", "console", "meta", "files", "removed", "new"]

_STREAMS: dict[str, What] = {"history": "history", "system": "system", "console": "console", "edits": "meta"}


class Hub:
    """Passes on what changes to those who listen. All of it runs in the event loop's thread."""

    def __init__(self) -> None:
        self._listeners: set[_Listener] = set()
        self._start = secrets.token_hex(4)
        self._count = 0
        self.closing = False

    def changed(self, runs: Iterable[RunKey], *what: What) -> None:
        """Tell all listeners that something of these runs is not as it was."""
        self._count += 1
        if self._listeners:
            names = ["/".join(run) for run in runs]
            for listener in self._listeners:
                listener.add(names, what)

    def project_changed(self, entity: str, project: str) -> None:
        """Tell all listeners that the notes or saved views of this project are not as they were."""
        self._count += 1
        for listener in self._listeners:
            listener.add_project(f"{entity}/{project}")

    def appended(self, run: RunKey, stream: str, offset: int, digests: list[str]) -> None:
        """Tell all listeners that lines were added to a stream of the run at byte `offset`."""
        if not self._listeners:
            self._count += 1
            return
        what = [_STREAMS.get(stream.partition("-")[0].partition(".")[0], "meta")]
        if offset == 0:
            what.append("new")
        if digests:
            what.append("files")
        self.changed([run], *what)

    @property
    def state(self) -> str:
        """Names the last change; another process never has the same."""
        return f"{self._start}-{self._count}"

    def listen(self, known: str | None) -> _Listener:
        """Return a new listener, who has heard of all up to the state `known` (None: who knows nothing)."""
        listener = _Listener(missed=known is not None and known != self.state)
        self._listeners.add(listener)
        return listener

    def forget(self, listener: _Listener) -> None:
        """Tell the listener nothing more."""
        self._listeners.discard(listener)

    @property
    def full(self) -> bool:
        """Whether there are as many listeners as there may be."""
        return len(self._listeners) >= MAX_LISTENERS

    def close(self) -> None:
        """End all streams."""
        self.closing = True
        for listener in self._listeners:
            listener.stop()


class _Listener:
    """What waits for one browser."""

    def __init__(self, missed: bool) -> None:
        self.news = asyncio.Event()
        self.end = asyncio.Event()
        self._missed = missed
        self._runs: dict[str, set[str]] = {}
        self._projects: dict[str, None] = {}
        if missed:
            self.news.set()

    def stop(self) -> None:
        """Let its stream end."""
        self.end.set()
        self.news.set()

    def add(self, runs: list[str], what: Iterable[str]) -> None:
        for run in runs:
            self._runs.setdefault(run, set()).update(what)
        self._told()

    def add_project(self, project: str) -> None:
        self._projects[project] = None
        self._told()

    def _told(self) -> None:
        if len(self._runs) + len(self._projects) > MAX_WAITING:
            self._missed = True
            self._runs.clear()
            self._projects.clear()
        self.news.set()

    def take(self, state: str) -> bytes:
        """Return what waits, as events."""
        self.news.clear()
        runs, self._runs = self._runs, {}
        projects, self._projects = self._projects, {}
        missed, self._missed = self._missed, False
        if missed:
            return _event("reset", {}, state)
        if not runs and not projects:
            return b""
        changes = [{"run": run, "what": sorted(what)} for run, what in runs.items()]
        return _event("change", {"runs": changes, "projects": list(projects)}, state)


def _event(name: str, data: Any, state: str) -> bytes:
    return b"event: %b\nid: %b\ndata: %b\n\n" % (name.encode(), state.encode(), orjson.dumps(data))


def routes(hub: Hub) -> list[BaseRoute]:
    """Return the route of the stream."""

    async def live(request: Request) -> Response:
        if hub.full:
            raise HTTPException(503, "too many browsers listen to this server: close some", {"retry-after": "60"})
        return _Stream(hub, request.headers.get("last-event-id"))

    return [Route(LIVE, live, methods=["GET"])]


class _Stream(Response):
    """Goes on until the browser leaves or the hub closes."""

    def __init__(self, hub: Hub, known: str | None) -> None:
        super().__init__(headers={"x-accel-buffering": "no"}, media_type="text/event-stream")
        self._hub, self._known = hub, known
        del self.headers["content-length"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "HEAD":
            await super().__call__(scope, receive, send)
            return
        listener = self._hub.listen(self._known)
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

    async def _send_events(self, listener: _Listener, send: Send) -> None:
        # Browsers connect again after 2 s. The ping says from where on nothing is missed.
        events = b"retry: 2000\n" + (b"\n" if listener.news.is_set() else _event("ping", {}, self._hub.state))
        while not listener.end.is_set():
            await send({"type": "http.response.body", "body": events, "more_body": True})
            await _wait(listener.end, PAUSE)
            heard = await _wait(listener.news, PING)
            events = listener.take(self._hub.state) if heard else _event("ping", {}, self._hub.state)


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
            "summary": "What changes, as it happens",
            "description": (
                'Server-sent events. `change`: `{"runs": [{"run": "entity/project/id", "what": [...]}], "projects": '
                '["entity/project"]}`, at most two a second; `what` is of `history`, `system`, `console`, `meta`, '
                "`files`, `removed` and `new`; `projects` are those whose notes or saved views changed. `reset`: "
                "something was missed, so anything may have changed. `ping`: at the start, and every 15 s without news."
            ),
            "responses": {
                "200": {"description": "Events", "content": {"text/event-stream": {"schema": {"type": "string"}}}},
                "503": "Error",
            },
        }
    }
}
