"""Alerts are forwarded to the configured address; the receiver here is a real HTTP server."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import tracker
from tests.waiting import PATIENCE, eventually
from tracker.names import RunKey
from tracker_server.embedded import serve
from tracker_server.webhook import PER_MINUTE, Webhook, message

RUN = RunKey("me", "digits", "k3")


def alert(title: str = "Careful", text: str = "", level: str = "warn", time_: float | None = None) -> Any:
    return {"time": time.time() if time_ is None else time_, "title": title, "text": text, "level": level}


class Receiver:
    """A chat service: its `url`, the received `texts`, and `answers`, the statuses of its first responses."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.texts: list[str] = []
        self.answers: list[int] = []
        self.paths: list[str] = []


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            found.paths.append(self.path)
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            assert (self.headers["Content-Type"], list(body)) == ("application/json", ["text"])
            status = found.answers.pop(0) if found.answers else 200
            if status == 200:
                found.texts.append(body["text"])
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Log nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        found = Receiver(f"http://127.0.0.1:{server.server_port}/hook")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield found
        server.shutdown()
        thread.join()


@pytest.fixture
def webhook(receiver: Receiver) -> Iterator[Webhook]:
    webhook = Webhook(receiver.url, pauses=(0.01, 0.01))
    yield webhook
    webhook.close()


def test_alerts_are_posted_with_a_link_to_the_run(
    receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRACKER_SERVER_WEBHOOK", receiver.url)
    with serve(tmp_path / "data") as server:
        address = {"base_url": server.url, "api_key": server.token}
        settings = {**address, "stats_disabled": True, "drain_timeout": PATIENCE}
        with tracker.init(project="digits", settings=settings) as run:
            for step in range(3):
                run.alert("Loss <diverges>", f"at step {step}", level="warn")
        (text,) = eventually(lambda: receiver.texts)
    assert text == (
        f"[warn] *Loss &lt;diverges&gt;* <{server.url}/runs/me/digits/{run.id}|me/digits/{run.id}>\nat step 0"
    )


def test_text_of_runs_is_escaped() -> None:
    assert message(RUN, alert("<!channel> & <http://x|y>"), "") == (
        "[warn] *&lt;!channel&gt; &amp; &lt;http://x|y&gt;* me/digits/k3"
    )


def test_a_busy_receiver_gets_the_alert_later_and_once(receiver: Receiver, webhook: Webhook) -> None:
    receiver.answers += [503, 429]
    webhook.put(RUN, [alert("one")])
    webhook.put(RUN, [alert("two")])
    eventually(lambda: len(receiver.texts) == 2)
    assert ["one" in text for text in receiver.texts] == [True, False]


def test_refused_and_redirected_alerts_are_not_sent_again(receiver: Receiver, webhook: Webhook) -> None:
    receiver.answers += [404, 307]
    webhook.put(RUN, [alert("refused"), alert("led elsewhere"), alert("third")])
    eventually(lambda: receiver.texts)
    assert ("third" in receiver.texts[0], set(receiver.paths), len(receiver.paths)) == (True, {"/hook"}, 3)


def test_old_alerts_are_not_sent(receiver: Receiver, webhook: Webhook) -> None:
    webhook.put(RUN, [alert("old", time_=time.time() - 7200), alert("new")])
    eventually(lambda: receiver.texts)
    assert "new" in receiver.texts[0]


def test_alerts_beyond_the_limit_per_minute_are_dropped(receiver: Receiver, webhook: Webhook) -> None:
    webhook.put(RUN, [alert(str(number)) for number in range(PER_MINUTE + 5)])
    eventually(lambda: len(receiver.texts) == PER_MINUTE)
    webhook.close()
    assert len(receiver.texts) == PER_MINUTE


def test_put_never_waits_for_an_absent_receiver(unused: Callable[[], str]) -> None:
    webhook = Webhook(unused(), pauses=(1e6,))
    webhook.put(RUN, [alert()] * 100)
    webhook.close()  # returns at once


@pytest.fixture
def unused() -> Callable[[], str]:
    def unused() -> str:
        with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
            return f"http://127.0.0.1:{server.server_port}/hook"

    return unused


def test_a_mention_says_who_and_where_but_not_what(receiver: Receiver) -> None:
    webhook = Webhook(receiver.url, "https://runs.example")
    webhook.mention("ada", ["bob", "<!channel>"], "lab/digits/one", "/runs/lab/digits/one#comment-3")
    eventually(lambda: receiver.texts)
    webhook.close()
    assert receiver.texts == [
        "*ada* mentions @bob, @&lt;!channel&gt; in a comment on "
        "<https://runs.example/runs/lab/digits/one#comment-3|lab/digits/one>"
    ]
