"""Requests without a token are limited, and do not keep others out."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.waiting import PATIENCE
from tracker_server import connection_limits, embedded

LONG = "a" * 60_000


@pytest.fixture
def host(client: Any) -> tuple[str, int]:
    name, port = client.url.removeprefix("http://").split(":")
    return name, int(port)


def _answer(connection: socket.socket) -> bytes:
    """Return all that the server sends until it closes the connection."""
    connection.settimeout(PATIENCE)
    data = b""
    try:
        while piece := connection.recv(65536):
            data += piece
    except ConnectionError:
        pass
    return data


def _send(connection: socket.socket, pieces: Iterator[bytes]) -> int:
    """Send until the server closes the connection; return how much was sent."""
    sent = 0
    try:
        for piece in pieces:
            connection.sendall(piece)
            sent += len(piece)
    except ConnectionError:
        pass
    return sent


def test_a_head_that_is_too_large_is_cut_off(client: Any, host: tuple[str, int]) -> None:
    for line in (b"x: " + b"a" * 60_000 + b"\r\n", b"x: 1\r\n" * 1000):
        with socket.create_connection(host) as stranger:
            begin = b"GET /api/projects HTTP/1.1\r\nHost: localhost\r\n"
            _send(stranger, iter([begin, *[line] * 1000]))
            assert b"431" in _answer(stranger)[:20]
    with socket.create_connection(host) as stranger:
        _send(stranger, iter([b"GET /" + b"a" * 30_000_000]))
        assert _answer(stranger)[:12] in (b"HTTP/1.1 431", b"HTTP/1.1 400", b"")
    assert client.get("/api/projects").status_code == 200


def test_a_head_that_does_not_end_times_out(
    client: Any, host: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_limits, "HEAD_SECONDS", 0.2)
    for begin in (b"", b"GET / HTTP/1.1\r\nHost: localhost\r\nx:"):
        with socket.create_connection(host) as stranger:
            stranger.sendall(begin)
            assert _answer(stranger)[:12] == (b"HTTP/1.1 408" if begin else b"")


def test_a_body_that_is_too_slow_times_out(client: Any, host: tuple[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_limits, "BODY_GRACE", 0.2)
    monkeypatch.setattr(connection_limits, "CHECK_SECONDS", 0.1)
    head = f"POST /api/keys HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {client.token}\r\nContent-Length: 9999"
    with socket.create_connection(host) as slow:
        slow.sendall(head.encode() + b"\r\n\r\n{")
        assert b"408" in _answer(slow)[:20]
    # The response may take any time once the whole request has arrived.
    assert client.get("/api/projects").status_code == 200


def test_half_sent_requests_do_not_keep_others_out(tmp_path: Path) -> None:
    with embedded.serve(tmp_path) as server, ExitStack() as stack:
        name, port = server.url.removeprefix("http://").split(":")
        for _ in range(900):
            stranger = stack.enter_context(socket.create_connection((name, int(port)), timeout=PATIENCE))
            _send(stranger, iter([b"GET /api/projects HTTP/1.1\r\nHost: localhost\r\nx: "]))
        head = f"GET /api/projects HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {server.token}\r\n"
        with socket.create_connection((name, int(port)), timeout=PATIENCE) as friend:
            friend.sendall(f"{head}Connection: close\r\n\r\n".encode())
            assert _answer(friend).startswith(b"HTTP/1.1 200")


def test_limits_count_each_request_of_a_connection_by_itself(host: tuple[str, int], client: Any) -> None:
    head = f"GET /api/projects HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {client.token}\r\nx: {LONG}\r\n"
    with socket.create_connection(host) as friend:
        for _ in range(6):
            friend.sendall(f"{head}\r\n".encode())
        friend.sendall(f"{head}Connection: close\r\n\r\n".encode())
        assert _answer(friend).count(b"HTTP/1.1 200") == 7
