"""An HTTP proxy in front of a real server that injects faults of the network and of servers into requests."""

from __future__ import annotations

import re
import socket
import socketserver
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO, NamedTuple
from urllib.parse import urlsplit


class CutBody(NamedTuple):
    """Pass on this part (0 to 1) of the body, then reset both connections."""

    part: float


class LoseAnswer(NamedTuple):
    """Pass on the request, read the server's response, pass on this part of it, then reset the client's connection."""

    part: float = 0.0


class Answer(NamedTuple):
    """Respond instead of the server, which never sees the request."""

    raw: bytes


Fault = CutBody | LoseAnswer | Answer


class Seen(NamedTuple):
    """A request that came: when (monotonic seconds), its line, what was done to it (None: nothing), and how many bytes
    its body had.
    """

    time: float
    line: str
    fault: Fault | None
    size: int


class Proxy(socketserver.ThreadingTCPServer):
    """Listens on a port of its own (`url`). `plan` is asked, with the request line, what to do to each request."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, target: str, plan: Callable[[str], Fault | None] = lambda _: None) -> None:
        address = urlsplit(target)
        self.target = (address.hostname, address.port)
        self.plan = plan
        self.seen: list[Seen] = []
        self.rewrite = (b"\0", b"\0")
        """What stands in answers, and what stands there instead, of the same length."""
        self.ordered = threading.Lock()
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


@contextmanager
def proxy(target: str, plan: Callable[[str], Fault | None] = lambda _: None) -> Iterator[Proxy]:
    """Run a proxy in front of the server at `target` until the block ends."""
    with Proxy(target, plan) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


class _Handler(socketserver.StreamRequestHandler):
    server: Proxy

    def handle(self) -> None:
        try:
            with socket.create_connection(self.server.target) as upstream, upstream.makefile("rb") as answers:  # type: ignore[arg-type]
                while self._one(upstream, answers):
                    pass
        except (ConnectionError, EOFError):
            pass

    def _one(self, upstream: socket.socket, answers: BinaryIO) -> bool:
        """Handle one request; return whether the connection stays open."""
        head, body = _message(self.rfile)  # type: ignore[arg-type]
        line = head.split(b"\r\n", 1)[0].decode()
        with self.server.ordered:
            fault = self.server.plan(line)
            self.server.seen.append(Seen(time.monotonic(), line, fault, len(body)))
        if isinstance(fault, Answer):
            self.wfile.write(fault.raw)
            return False
        if isinstance(fault, CutBody):
            upstream.sendall(head + body[: int(fault.part * len(body))])
            _reset(upstream)
            _reset(self.connection)
            return False
        upstream.sendall(head + body)
        answer = b"".join(_message(answers)).replace(*self.server.rewrite)
        if isinstance(fault, LoseAnswer):
            self.connection.sendall(answer[: int(fault.part * len(answer))])
            _reset(self.connection)
            return False
        self.connection.sendall(answer)
        return True


def _message(file: BinaryIO) -> tuple[bytes, bytes]:
    """Read the head and the body of a request or an answer. Raises EOFError where the other side has closed."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        line = file.readline()
        if not line:
            raise EOFError
        head += line
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    size = int(length[1]) if length else 0
    body = file.read(size)
    if len(body) < size:
        raise EOFError
    return head, body


def _reset(connection: socket.socket) -> None:
    """Close with RST instead of FIN; data that was sent but not read yet is lost."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.shutdown(socket.SHUT_RD)
    connection.close()
