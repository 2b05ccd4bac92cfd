"""Limit what connections may cost the server before they have shown a token: time, memory and number.

The head of a request must arrive in a few seconds, and its bytes and headers are limited. A body must keep arriving at
a minimum rate. Each address has a limited number of connections. When too many connections have not sent a whole head,
the oldest of them is closed.
"""

from __future__ import annotations

import asyncio
import resource
import time
from collections import Counter
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD = 192 * 1024
"""Bytes of a request's line and headers. URLs can be long: they hold views, which name columns."""

MAX_HEADERS = 100

HEAD_SECONDS = 15.0
"""Seconds from the first byte of a head to its end, and from connecting to the first byte."""

BODY_RATE = 1024
"""Lowest rate of a body in bytes a second, averaged since `BODY_GRACE` seconds after its start."""
BODY_GRACE = 30.0

_PIECE = 16 * 1024

CHECK_SECONDS = 5.0
"""Seconds between two checks of the rate of a body."""

MAX_CONNECTIONS = 4000
MAX_HEADLESS = 500
"""Connections in all, and those of them that have not sent a whole head yet."""

MAX_PER_ADDRESS = 1000
"""Connections of one address."""

MAX_OF_LOOPBACK = 3000
"""Connections of the loopback address, from which agents, browsers and tunnels of many people may come."""


_RESERVED = 200
"""File descriptors kept free for files and the database."""


def allow_connections() -> None:
    """Raise the limit of file descriptors to what the connections need, as far as the system allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_CONNECTIONS + _RESERVED
    if 0 <= soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted if hard < 0 else min(hard, wanted), hard))


class _Connections:
    """The open connections of one server."""

    def __init__(self) -> None:
        self.of: Counter[str] = Counter()
        self.headless: dict[BoundedProtocol, None] = {}
        self.count = 0
        descriptors = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        self.most = MAX_CONNECTIONS if descriptors < 0 else max(64, min(MAX_CONNECTIONS, descriptors - _RESERVED))


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol with the limits of this module."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # One object for each server: uvicorn passes its state to every connection.
        connections = getattr(self.server_state, "counted", None)
        if connections is None:
            connections = _Connections()
            self.server_state.counted = connections  # type: ignore[attr-defined]
        self._connections: _Connections = connections
        self._address = ""
        self._in_head = True
        self._head = 0
        self._clock: asyncio.TimerHandle | None = None
        self._body = 0
        self._since = 0.0
        self._counted = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._address = self.client[0] if self.client else ""
        connections = self._connections
        connections.of[self._address] += 1
        connections.count += 1
        self._counted = True
        most = MAX_OF_LOOPBACK if self._address in ("127.0.0.1", "::1", "") else MAX_PER_ADDRESS
        if connections.of[self._address] > most or connections.count > connections.most:
            self._refuse(503, "too many connections")
            return
        self._await_head()
        if len(connections.headless) > min(MAX_HEADLESS, connections.most // 2):
            next(iter(connections.headless))._refuse(503, "too many connections")

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_clock()
        self._connections.headless.pop(self, None)
        if self._counted:
            self._counted = False
            self._connections.count -= 1
            self._connections.of[self._address] -= 1
            if not self._connections.of[self._address]:
                del self._connections.of[self._address]
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        at = 0
        while at < len(data) and not self.transport.is_closing():
            if not self._in_head:
                super().data_received(data[at:])
                return
            # Piece by piece, so that a head that is too large is never parsed as a whole.
            piece = data[at : at + _PIECE]
            at += len(piece)
            if not self._head and self._clock is None:
                self._await_head()  # the next request on a kept-alive connection
            self._head += len(piece)
            if self._head > MAX_HEAD:
                self._refuse(431, f"the request's head has more than {MAX_HEAD} bytes")
                return
            super().data_received(piece)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head = True

    def on_header(self, name: bytes, value: bytes) -> None:
        if len(self.headers) >= MAX_HEADERS:
            # Raising makes the parser stop.
            self._refuse(431, f"the request's head has more than {MAX_HEADERS} headers")
            raise ValueError("too many headers")
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_head, self._head = False, 0
        self._stop_clock()
        self._connections.headless.pop(self, None)
        self._body, self._since = 0, time.monotonic()
        self._clock = self.loop.call_later(BODY_GRACE, self._check_body_rate)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._body += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._stop_clock()
        self._in_head, self._head = True, 0
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        if not self.transport.is_closing():
            super().send_400_response(msg)

    # -- bounds ----------------------------------------------------------------------------------------------------

    def _await_head(self) -> None:
        self._connections.headless[self] = None
        self._stop_clock()
        self._clock = self.loop.call_later(HEAD_SECONDS, self._head_is_late)

    def _head_is_late(self) -> None:
        if self._head:
            self._refuse(408, "the request's head did not come in time")
        else:
            self._connections.headless.pop(self, None)
            self.transport.close()  # browsers open spare connections; without a request there is nothing to answer

    def _check_body_rate(self) -> None:
        if self.flow.read_paused:
            self._since = time.monotonic() - BODY_GRACE  # the server is slow, not the client
            self._body = 0
        elif self._body < BODY_RATE * (time.monotonic() - self._since - BODY_GRACE):
            self._refuse(408, "the request's body did not come in time")
            return
        self._clock = self.loop.call_later(CHECK_SECONDS, self._check_body_rate)

    def _refuse(self, status: int, text: str) -> None:
        """Send an error, unless a response has begun, and close the connection."""
        self._stop_clock()
        self._connections.headless.pop(self, None)
        if self.transport.is_closing():
            return
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            body = b'{"error":"%b"}' % text.encode()
            head = f"HTTP/1.1 {status} Refused\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
            self.transport.write(head.encode() + b"connection: close\r\n\r\n" + body)
        self.transport.close()

    def _stop_clock(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None
