"""Test the client against servers that misbehave; the tests of Api and agent use the real one."""

from __future__ import annotations

import functools
import gzip
import hashlib
import json
import os
import socket
import threading
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import tracker.client
from tests.waiting import PATIENCE
from tracker.client import Client, Retry, connect
from tracker.discovery import PROOF_PATH, proof, publish
from tracker.errors import ServerError, SettingsError, TrackerError, Unreachable
from tracker.names import RunKey
from tracker.settings import Settings

RUN = RunKey("me", "my project", "r1")
Answer = tuple[int, dict[str, str], bytes]


class Stub:
    """A server that sends the `first` answers, then one answer to everything, and remembers the requests."""

    def __init__(self) -> None:
        self.first: list[Answer] = []
        self.answer: Answer = (200, {}, b"{}")
        self.requests: list[tuple[str, str, dict[str, str], bytes]] = []
        self.token: str | None = None
        """The token that it proves to know, if any."""

    def keys(self) -> list[str | None]:
        """Return the keys of the requests, except those for a proof."""
        return [
            headers.get("Authorization") for _, path, headers, _ in self.requests if not path.startswith(PROOF_PATH)
        ]


@pytest.fixture
def stub() -> Iterator[Stub]:
    made = Stub()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one_request(self) -> None:
            self.close_connection = True
            super().handle_one_request()

        def __getattr__(self, name: str) -> Callable[[], None]:
            if not name.startswith("do_"):
                raise AttributeError(name)
            return self._answer

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            made.requests.append((self.command, self.path, dict(self.headers), body))
            status, headers, content = made.first.pop(0) if made.first else made.answer
            if made.token is not None and self.path.startswith(PROOF_PATH):
                question = self.path.partition("question=")[2]
                content = json.dumps({"proof": proof(made.token, question, server.server_port)}).encode()
            self.send_response(status)
            for name, value in {"Content-Length": str(len(content)), "Connection": "close", **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    made.url = f"http://127.0.0.1:{server.server_port}"  # type: ignore[attr-defined]
    yield made
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def client(stub: Any) -> Iterator[Client]:
    made = Client(stub.url, "key", timeout=5)
    yield made
    made._session.close()


def test_a_request_carries_the_key_and_quotes_names(client: Client, stub: Stub) -> None:
    stub.answer = (200, {}, b'{"offsets": {"history.jsonl": 5}, "missing": ["d"]}')
    assert client.offsets(RUN) == {"offsets": {"history.jsonl": 5}, "missing": ["d"]}
    ((method, path, headers, _),) = stub.requests
    assert (method, path) == ("GET", "/api/runs/me/my%20project/r1/streams")
    assert headers["Authorization"] == "Bearer key"


def test_a_password_in_netrc_never_takes_the_place_of_the_key(stub: Any) -> None:
    Path.home().joinpath(".netrc").write_text("machine 127.0.0.1 login me password secret\n")
    for key in ("key", None):
        client = Client(stub.url, key)
        client.json("GET", "/api/projects")
        client._session.close()
    assert [headers.get("Authorization") for _, _, headers, _ in stub.requests] == ["Bearer key", None]


def test_a_proxy_is_not_used_for_a_server_on_this_machine(
    client: Client, stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert client.json("GET", "/api/projects") == {}


def test_an_accepted_upload_and_a_corrected_offset_are_both_answers(client: Client, stub: Stub) -> None:
    for status in (200, 409):
        stub.answer = (status, {}, b'{"offset": 12, "missing": ["d", 5]}')
        assert client.send(RUN, "history.jsonl", 0, b"x\n") == {"offset": 12, "missing": ["d"], "trashed": False}


@pytest.mark.parametrize(
    "body",
    [
        b"", b"<html>", b"[]", b"null", b"{}", b'{"offset": "5"}', b'{"offset": -1}', b'{"offset": true}',
        b'{"offset": 1.5}',
        b'{"offset": 7}',
    ],
)  # fmt: skip
def test_an_invalid_response_is_never_an_acknowledgement(body: bytes, client: Client, stub: Stub) -> None:
    stub.answer = (200, {}, body)
    with pytest.raises(Retry):
        client.send(RUN, "history.jsonl", 7, b"x\n")


@pytest.mark.parametrize("offsets", [None, [], {"history.jsonl": "5"}, {"history.jsonl": -1}])
def test_invalid_offsets_are_an_error(offsets: Any, client: Client, stub: Stub) -> None:
    stub.answer = (200, {}, json.dumps({"offsets": offsets}).encode())
    with pytest.raises(Retry):
        client.offsets(RUN)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 507])
def test_temporary_failures_raise_retry(status: int, client: Client, stub: Stub) -> None:
    stub.answer = (status, {"Retry-After": "2.5"}, b'{"error": "too busy"}')
    with pytest.raises(Retry, match="too busy") as caught:
        client.json("GET", "/api/projects")
    assert (caught.value.status, caught.value.after) == (status, 2.5)


@pytest.mark.parametrize("after", ["soon", "Wed, 21 Oct 2015 07:28:00 GMT"])
def test_an_unreadable_retry_after_is_ignored(after: str, client: Client, stub: Stub) -> None:
    stub.answer = (503, {"Retry-After": after}, b"")
    with pytest.raises(Retry) as caught:
        client.json("GET", "/api/projects")
    assert caught.value.after is None


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422, 301, 302])
def test_a_refusal_is_an_error_with_the_servers_message(status: int, client: Client, stub: Stub) -> None:
    stub.answer = (status, {"Location": "http://127.0.0.1:9/"}, b'{"error": "not like this"}')
    with pytest.raises(ServerError, match="not like this") as caught:
        client.json("GET", "/api/projects")
    assert type(caught.value) is ServerError
    assert caught.value.status == status
    assert len(stub.requests) == 1  # the key is not sent anywhere else


def test_a_connection_that_a_refusal_closed_without_saying_so_is_not_used_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            kept = []  # open: only the client's own behaviour shows whether it uses one again
            for answer in (b"413 Too large", b"200 OK"):
                kept.append(listener.accept()[0])
                assert kept[-1].recv(65536)
                kept[-1].sendall(b"HTTP/1.1 " + answer + b"\r\nContent-Length: 13\r\n\r\n" + b'{"offset": 9}')
            for connection in kept:
                connection.close()

        thread = threading.Thread(target=serve)
        thread.start()
        client = Client(f"http://127.0.0.1:{listener.getsockname()[1]}", "key", timeout=PATIENCE)
        with pytest.raises(ServerError, match="413"):
            client.send(RUN, "history.jsonl", 0, b"x\n")
        assert client.send(RUN, "history.jsonl", 0, b"x\n")["offset"] == 9
        thread.join()
        client._session.close()


def test_a_server_that_does_not_listen_is_unreachable() -> None:
    client = Client("http://127.0.0.1:9", "key", timeout=2)
    with pytest.raises(Unreachable, match=r"no answer from http://127\.0\.0\.1:9"):
        client.json("GET", "/api/projects")


@pytest.mark.parametrize("url", ["http://[::1", "http://a b", "http://" + "a" * 300, "http://127.0.0.1:99999"])
def test_an_invalid_address_is_reported(url: str) -> None:
    with pytest.raises((SettingsError, Unreachable)):  # the libraries decide whether it could be one
        Client(url, "key", timeout=2).json("GET", "/api/projects")


def test_a_download_appears_whole_or_not_at_all(client: Client, stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracker.client, "_PAUSES", (0.0, 0.0))
    digest = hashlib.sha256(b"content").hexdigest()
    stub.answer = (200, {}, b"content")
    client.download("/x", Path("file"), digest)
    assert Path("file").read_bytes() == b"content"
    Path("file").unlink()
    stub.answer = (200, {"Content-Length": "100"}, b"half of it")
    with pytest.raises(Unreachable, match="broke off"):
        client.download("/x", Path("file"), digest)
    assert os.listdir() == []


def test_an_interrupted_download_continues_even_if_the_server_sends_all_of_it_again(
    client: Client, stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracker.client, "_PAUSES", (0.0,))
    content = bytes(range(256)) * 10_000
    size = len(content)
    stub.first = [
        (200, {"Content-Length": str(size)}, content[: 6 << 18]),
        (200, {"Content-Length": str(size)}, content[: 8 << 18]),  # by a proxy that ignores Range
        (206, {"Content-Length": str(size - (8 << 18))}, content[8 << 18 :]),
    ]
    client.download("/x", Path("file"), hashlib.sha256(content).hexdigest())
    assert Path("file").read_bytes() == content
    assert [headers.get("Range") for _, _, headers, _ in stub.requests] == [
        None,
        f"bytes={6 << 18}-",
        f"bytes={8 << 18}-",
    ]


def test_a_download_of_other_content_leaves_the_former_file(client: Client, stub: Stub) -> None:
    Path("file").write_bytes(b"before")
    stub.answer = (200, {}, b"damaged")
    with pytest.raises(TrackerError, match="changed or damaged"):
        client.download("/x", Path("file"), hashlib.sha256(b"content").hexdigest())
    assert (os.listdir(), Path("file").read_bytes()) == (["file"], b"before")


@pytest.mark.parametrize(
    "answer", [b"{}", b'{"offset": -1, "complete": true}', b'{"offset": 11, "complete": false}', b'{"offset": 5}']
)
def test_an_upload_rejects_impossible_responses(client: Client, stub: Stub, answer: bytes) -> None:
    stub.answer = (200, {}, answer)
    with pytest.raises(Retry):
        client.upload(RUN, "0" * 64, 10)
    with pytest.raises(Retry):
        client.send_part(RUN, "0" * 64, 10, 0, b"part")


# -- which server ---------------------------------------------------------------------------------------------------


def test_without_a_server_the_error_says_how_to_start_one() -> None:
    with pytest.raises(SettingsError, match="tracker server"):
        connect(Settings())


def test_the_users_own_server_on_this_machine_is_found(stub: Any) -> None:
    publish(stub.url, "its-token", ".")
    stub.token = "its-token"
    found = connect(Settings())
    found.json("GET", "/api/projects")
    assert (found.base_url, stub.keys()) == (stub.url, ["Bearer its-token"])


def test_the_token_of_the_own_server_is_sent_only_to_it(stub: Any) -> None:
    publish("http://127.0.0.1:8787", "its-token", ".")
    connect(Settings({"base_url": stub.url})).json("GET", "/api/projects")
    assert stub.keys() == [None]
    publish(stub.url, "its-token", ".")
    stub.token = "its-token"
    connect(Settings({"base_url": stub.url, "api_key": "mine"})).json("GET", "/api/projects")
    assert stub.keys() == [None, "Bearer mine"]


# -- answers of a malicious server ----------------------------------------------------------------------------------


@functools.cache
def bomb(size: int) -> bytes:
    """Return so many MiB of JSON, compressed to a thousandth."""
    packer, block = zlib.compressobj(wbits=31), b" " * (1 << 20)
    return b"".join([packer.compress(b'{"a":"'), *(packer.compress(block) for _ in range(size)), packer.flush()])


def peak(work: Callable[[], Any]) -> int:
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("status", [200, 302, 401, 500])
def test_a_response_that_is_too_large_is_an_error(status: int, client: Client, stub: Stub) -> None:
    stub.answer = (status, {"Content-Encoding": "gzip", "Location": "/x"}, bomb(300))

    def ask() -> None:
        with pytest.raises(ServerError):
            client.offsets(RUN)

    assert peak(ask) < 64 << 20


def test_an_encoding_that_was_not_requested_is_refused(client: Client, stub: Stub) -> None:
    stub.answer = (200, {"Content-Encoding": "zstd"}, b"\x28\xb5\x2f\xfd")
    with pytest.raises(ServerError, match="not requested"):
        client.json("GET", "/api/projects")
    assert stub.requests[0][2]["Accept-Encoding"] == "gzip"


def test_a_compressed_response_is_read(client: Client, stub: Stub) -> None:
    stub.answer = (200, {"Content-Encoding": "gzip"}, gzip.compress(b'{"projects": [1]}'))
    assert client.json("GET", "/api/projects") == {"projects": [1]}


@pytest.mark.parametrize(
    "body", [b"[" * 900 + b"]" * 900, b'{"a":' * 300 + b"1" + b"}" * 300, b"[]", b"\xff", b'"x"', b""]
)
def test_an_unreadable_response_raises_retry(body: bytes, client: Client, stub: Stub) -> None:
    stub.answer = (200, {}, body)
    with pytest.raises(Retry):
        client.json("GET", "/api/projects")


@pytest.mark.parametrize("asked", ["1e300", "inf", "-5", "nan", "9" * 400, "soon", "300"])
def test_retry_after_is_limited(asked: str, client: Client, stub: Stub) -> None:
    stub.answer = (503, {"Retry-After": asked}, b"{}")
    with pytest.raises(Retry) as caught:
        client.offsets(RUN)
    assert caught.value.after is None or 0 <= caught.value.after <= 300


@pytest.mark.parametrize("offset", [-1, 1 << 60, 1.5, True, None, "1", [1]])
def test_impossible_offsets_are_an_error(offset: Any, client: Client, stub: Stub) -> None:
    stub.answer = (200, {}, json.dumps({"offsets": {"history.jsonl": offset}, "missing": []}).encode())
    with pytest.raises(Retry):
        client.offsets(RUN)


def test_the_text_of_a_refusal_is_cleaned_and_cut(client: Client, stub: Stub) -> None:
    stub.answer = (400, {}, json.dumps({"error": "\x1b[2Jno\u202e" + "x" * 100_000}).encode())
    with pytest.raises(ServerError) as caught:
        client.json("GET", "/api/projects")
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 3000


def test_a_download_takes_no_more_than_the_file_has(client: Client, stub: Stub, tmp_path: Path) -> None:
    stub.answer = (200, {}, b"x" * (8 << 20))
    with pytest.raises(TrackerError, match="more bytes than"):
        client.download("/x", tmp_path / "file", "0" * 64, 1000)
    assert list(tmp_path.iterdir()) == [path for path in tmp_path.iterdir() if path.is_dir()]


def test_a_redirect_does_not_get_the_key(client: Client, stub: Stub) -> None:
    stub.answer = (307, {"Location": f"{stub.url}/elsewhere"}, b"{}")  # type: ignore[attr-defined]
    with pytest.raises(ServerError):
        client.json("GET", "/api/projects")
    assert [path for _, path, *_ in stub.requests] == ["/api/projects"]


# -- proofs ---------------------------------------------------------------------------------------------------------


def test_the_token_of_a_found_server_is_sent_only_after_a_proof(stub: Stub) -> None:
    publish(stub.url, "its-token", ".")  # type: ignore[attr-defined]
    for answer in (b"{}", b'{"proof": "0"}', b'{"proof": 7}', b"nothing"):
        stub.answer = (200, {}, answer)
        with pytest.raises(Unreachable, match="prove"):
            connect(Settings()).json("GET", "/api/projects")
    assert not any("Authorization" in headers or b"its-token" in body for _, _, headers, body in stub.requests)


def test_a_proof_is_for_one_question_at_one_port() -> None:
    assert len({proof("t", "a", 1), proof("t", "b", 1), proof("t", "a", 2), proof("u", "a", 1)}) == 4
