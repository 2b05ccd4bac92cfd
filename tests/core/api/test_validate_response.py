"""Test that any response of a malicious or broken server is a clear error."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

import tracker
from tracker.api import Api

RUN: dict[str, Any] = {
    "id": "r", "entity": "me", "project": "p", "config": {}, "summary": {}, "created": 1.0, "updated": 2.0, "rows": 0,
    "event_files": {}, "environment": {}, "name": "r", "state": "finished", "metrics": [], "tags": [], "group": None,
    "job_type": None, "notes": None, "color": None,
}  # fmt: skip


@pytest.fixture
def answering() -> Iterator[Callable[[Any], Api]]:
    """Makes a server send one answer to every request."""
    body = [b""]

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body[0])))
            self.end_headers()
            self.wfile.write(body[0])

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()

    def answer(what: Any) -> Api:
        body[0] = json.dumps(what).encode()
        return Api(f"http://127.0.0.1:{server.server_port}", "k")

    yield answer
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize(
    "changed",
    [{"id": "../../x"}, {"id": 5}, {"id": None}, {"entity": "a/b"}, {"project": ".."}, {"config": []}, {"summary": "x"},
     {"created": "now"}, {"tags": 1}, {"rows": True}, {"environment": 1}],
)  # fmt: skip
def test_a_response_with_an_impossible_run_is_an_error(changed: Any, answering: Callable[[Any], Api]) -> None:
    assert answering(RUN).run("me/p/r").id == "r"
    with pytest.raises(tracker.ServerError, match="unreadable response"):
        answering({**RUN, **changed}).run("me/p/r")


@pytest.mark.parametrize("answer", [{}, {"projects": 5}, {"projects": [1]}, {"projects": [{"entity": "e"}]}])
def test_other_responses_are_checked_too(answer: Any, answering: Callable[[Any], Api]) -> None:
    with pytest.raises(tracker.ServerError, match="unreadable response"):
        answering(answer).projects()


READS: dict[str, Callable[[Api, Any], Any]] = {
    "keys": lambda _, run: run.keys(),
    "files": lambda _, run: run.files(),
    "alerts": lambda _, run: run.alerts(),
    "console": lambda _, run: list(run.console()),
    "rows": lambda _, run: list(run.scan_history()),
    "runs": lambda api, _: list(api.runs("me/p")),
}


@pytest.mark.parametrize("read", READS)
def test_every_response_about_a_run_is_checked(read: str, answering: Callable[[Any], Api]) -> None:
    api = answering(RUN)
    run = api.run("me/p/r")
    answering({**RUN, "keys": [1], "files": [{}], "alerts": [{}], "lines": 1, "runs": {}, "columns": [], "cursor": 1})
    with pytest.raises(tracker.ServerError, match="unreadable response"):
        READS[read](api, run)
