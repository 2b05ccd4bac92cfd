"""Row 20: the server answers 429 or 5xx, or 200 without an acknowledgement."""

from __future__ import annotations

import re
from collections.abc import Callable
from http import HTTPStatus

import pytest

from tests.faults.harness import Training, assert_delivered, sync_directory, uploaded
from tests.faults.proxy import Answer, Fault, Seen, proxy
from tests.waiting import PATIENCE, eventually
from tracker_server.embedded import Embedded


def _answer(status: int, body: bytes, **headers: object) -> Answer:
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return Answer("\r\n".join([*lines, "\r\n"]).encode() + body)


NOT_NOW = [
    _answer(429, b'{"error": "busy"}'),
    _answer(500, b"Internal Server Error"),
    _answer(502, b"<html>Bad Gateway</html>", Content_Type="text/html"),
    _answer(503, b""),
    _answer(504, b"", Retry_After="Wed, 21 Oct 2015 07:28:00 GMT"),
    _answer(507, b'{"error": "the disk is full"}'),
]
NO_ACKNOWLEDGEMENT = [
    _answer(200, b""),
    _answer(200, b"<html>Please sign in to this network</html>", Content_Type="text/html"),
    _answer(200, b"null"),
    _answer(200, b"[]"),
    _answer(200, b"{}"),
    _answer(200, b'{"offset": 12'),
    _answer(200, b'{"offset": null, "missing": []}'),
    _answer(200, b'{"offset": "12", "missing": []}'),
    _answer(200, b'{"offset": 1e9, "missing": []}'),
    _answer(200, b'{"offset": 1000000000000, "missing": []}'),
    _answer(200, b'{"offset": -1, "missing": []}'),
    _answer(200, b"not gzip", Content_Encoding="gzip"),
    Answer(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"),
    Answer(b"garbage\r\n\r\n"),
    Answer(b""),
]


@pytest.mark.parametrize("answers", [NOT_NOW, NO_ACKNOWLEDGEMENT], ids=["not now", "no acknowledgement"])
def test_uploads_without_acknowledgement_are_sent_again(
    server: Embedded, train: Callable[..., Training], answers: list[Answer]
) -> None:
    seen = _train_against(answers, server, train)
    uploads = [one for one in seen if _of_rows(one.line)]
    refused = [at for at, one in enumerate(uploads) if one.fault is not None]
    assert len(refused) == len(answers)
    for at in refused:
        assert _offset(uploads[at + 1]) == _offset(uploads[at]), uploads[at].fault


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_honoured(server: Embedded, train: Callable[..., Training], status: int) -> None:
    answer = _answer(status, b'{"error": "busy"}', Retry_After="2")
    # Whether the run shall stop is asked for by a thread of its own.
    seen = [one for one in _train_against([answer], server, train) if "/stop " not in one.line]
    (at,) = [at for at, one in enumerate(seen) if one.fault is answer]
    assert seen[at + 1].time - seen[at].time >= 2


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"offsets": []}', b'{"offsets": {"NAME": "1"}}', b'{"offsets": {"NAME": -1}}']
)
def test_impossible_offsets_are_requested_again(
    server: Embedded, train: Callable[..., Training], monkeypatch: pytest.MonkeyPatch, body: bytes
) -> None:
    training = train("--rows", 100, environment={"TRACKER_MODE": "offline"})
    assert training.process.wait() == 0
    (stream,) = training.directory.glob("history*.jsonl")
    left: list[Fault] = [_answer(200, body.replace(b"NAME", stream.name.encode()))]
    with proxy(server.url, lambda _: left.pop() if left else None) as network:
        monkeypatch.setenv("TRACKER_BASE_URL", network.url)
        sync_directory(training.directory)
        monkeypatch.setenv("TRACKER_BASE_URL", server.url)
    assert not left
    assert_delivered(uploaded(training, "finished"), 100)


def _train_against(answers: list[Answer], server: Embedded, train: Callable[..., Training]) -> list[Seen]:
    """Let a training upload through a proxy that gives these answers to every second upload of its rows. All must
    arrive in the end; returns the requests.
    """
    left, spare = list(reversed(answers)), True

    def plan(line: str) -> Fault | None:
        nonlocal spare
        if not left or not _of_rows(line):
            return None
        spare = not spare
        return None if spare else left.pop()

    with proxy(server.url, plan) as network:
        training = train("--pause", 0.001, environment={"TRACKER_BASE_URL": network.url})
        eventually(lambda: not left, PATIENCE)
        assert training.stop() == 0
        assert_delivered(uploaded(training, "finished"), training.board.returned)
        return network.seen


def _of_rows(line: str) -> bool:
    """Not those of the console or the system metrics, which come between them."""
    return line.startswith("POST") and "/history" in line


def _offset(seen: Seen) -> str:
    found = re.search(r"offset=(\d+)", seen.line)
    assert found is not None
    return found[1]
