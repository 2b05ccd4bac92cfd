from __future__ import annotations

import json
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.waiting import eventually
from tracker.runlog.records import encode
from tracker.wire import run_path
from tracker_server import live as hub
from tracker_server.embedded import serve
from tracker_server.routes import live

START = 1_700_000_000.0


class Events:
    """The events of one stream, read in order."""

    def __init__(self, answer: requests.Response) -> None:
        self._lines = answer.iter_lines(chunk_size=1, decode_unicode=True)
        self.last = ""

    def next(self) -> tuple[str, Any]:
        """The next event's name and data."""
        name, data = "", None
        for line in self._lines:
            field, _, value = line.partition(": ")
            if field == "event":
                name = value
            elif field == "id":
                self.last = value
            elif field == "data":
                data = json.loads(value)
            elif not line and name:
                return name, data
        raise EOFError

    def until(self, name: str) -> Any:
        """The data of the next event of this name."""
        while (found := self.next())[0] != name:
            pass
        return found[1]


@contextmanager
def listening(client: Any, known: str | None = None) -> Iterator[Events]:
    headers = {} if known is None else {"Last-Event-ID": known}
    other = type(client)(client.url, client.token)
    with other.get("/api/live", headers=headers, stream=True) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield Events(answer)


@pytest.fixture
def one(client: Any, lines: Any, request: Any) -> str:
    """A run of the test's own."""
    name = request.node.name[:60]
    client.append(name, lines(name))
    return str(name)


def _row(step: int) -> bytes:
    return encode("log", {"loss": 1.0}, START + step, step)


def test_appended_lines_are_announced_by_kind_of_stream(client: Any, one: str, lines: Any) -> None:
    with listening(client) as events:
        assert events.next()[0] == "ping"
        client.append(one, _row(3), len(lines(one)))
        change = events.until("change")
        assert change == {"runs": [{"run": f"me/digits/{one}", "what": ["history"]}], "projects": []}
        printed = encode("console", {"stream": "stdout", "text": "x"}, START)
        client.append(one, printed, stream="console.jsonl")
        assert events.until("change")["runs"][0]["what"] == ["console", "new"]


def test_changes_made_on_the_server_are_announced(client: Any, one: str) -> None:
    path = f"me/digits/{one}"
    for ask, what in [
        (lambda: client("POST", "/api/edits", json={"runs": [path], "set": {"name": "other"}}), "meta"),
        (lambda: client("POST", "/api/trash", json={"runs": [path]}), "removed"),
        (lambda: client("POST", "/api/trash/restore", json={"runs": [path]}), "new"),
        (lambda: client("PUT", run_path("me", "digits", one) + f"/blobs/{EMPTY}", data=b""), "files"),
        (lambda: client("DELETE", run_path("me", "digits", one)), "removed"),
    ]:
        with listening(client) as events:
            events.until("ping")
            assert ask().status_code in (200, 204)  # type: ignore[no-untyped-call]
            assert events.until("change")["runs"] == [{"run": path, "what": [what]}]


def test_changes_of_reports_and_views_are_announced(client: Any) -> None:
    path = "/api/projects/me/digits"
    with listening(client) as events:
        events.until("ping")
        for ask in (
            lambda: client("POST", f"{path}/reports", json={"title": "seen"}),
            lambda: client("PUT", f"{path}/views/mine", json={"view": {}}),
            lambda: client("DELETE", f"{path}/views/mine"),
        ):
            assert ask().status_code in (200, 204)  # type: ignore[no-untyped-call]
            assert events.until("change") == {"runs": [], "projects": ["me/digits"]}


def test_renames_moves_and_deletions_of_projects_are_announced(client: Any, one: str, lines: Any) -> None:
    other = "/api/projects/me/live"
    client("POST", run_path("me", "live", "there") + "/streams/history.jsonl?offset=0", data=lines("there"))

    def heard(ask: Any) -> tuple[dict[str, list[str]], set[str]]:
        with listening(client) as events:
            events.until("ping")
            assert ask().status_code in (200, 201, 204)
            change = events.until("change")
        return {run["run"]: run["what"] for run in change["runs"]}, set(change["projects"])

    moved = {"runs": [f"me/digits/{one}"], "entity": "me", "project": "live"}
    assert heard(lambda: client("POST", "/api/runs/move", json=moved)) == (
        {f"me/digits/{one}": ["removed"], f"me/live/{one}": ["new"]},
        {"me/digits", "me/live"},
    )
    renamed = heard(lambda: client("PATCH", other, json={"name": "seen"}))
    assert renamed == ({}, {"me/live", "me/seen"})
    copied = heard(lambda: client("POST", "/api/projects/me/seen/copy", json={"entity": "me", "name": "copied"}))
    assert copied == ({}, {"me/copied"})
    assert heard(lambda: client("DELETE", "/api/projects/me/copied")) == ({}, {"me/copied"})
    # An upload under the former names is announced under the present ones.
    path = run_path("me", "digits", one) + f"/streams/history.jsonl?offset={len(lines(one))}"
    assert heard(lambda: client("POST", path, data=_row(9)))[0] == {f"me/seen/{one}": ["history"]}


EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_many_changes_become_one_event(client: Any, one: str, lines: Any) -> None:
    with listening(client) as events:
        events.until("ping")
        offset, sent = len(lines(one)), 0
        for step in range(40):
            offset = client.append(one, _row(3 + step), offset).json()["offset"]
            sent += 1
        client.append(one, encode("system", {"cpu": 1.0}, START), stream="system-a.jsonl")
        heard: list[list[str]] = []
        while not heard or "system" not in heard[-1]:
            heard.append(events.until("change")["runs"][0]["what"])
        assert len(heard) < sent


def test_a_client_that_reconnects_gets_reset_unless_nothing_has_changed(client: Any, one: str, lines: Any) -> None:
    with listening(client) as events:
        events.until("ping")
        known = events.last
    with listening(client, known) as events:
        assert events.next()[0] == "ping"
    client.append(one, _row(3), len(lines(one)))
    with listening(client, known) as events:
        assert events.next()[0] == "reset"
        assert events.last not in ("", known)
    with listening(client, "of-another-server-1") as events:
        assert events.next()[0] == "reset"


def test_a_stream_without_changes_gets_pings(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "PING", 0.05)
    with listening(client) as events:
        assert [events.next()[0] for _ in range(3)] == ["ping"] * 3


def test_listeners_are_limited_and_one_that_leaves_makes_room(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "MAX_LISTENERS", 1)

    def opened() -> requests.Response | None:
        answer = client.get("/api/live", stream=True)
        if answer.status_code == 200:
            return answer  # type: ignore[no-any-return]
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
        return None

    for _ in range(2):
        with eventually(opened):
            assert opened() is None


def test_sigterm_ends_the_server_at_once_even_with_open_streams(tmp_path: Path) -> None:
    with serve(tmp_path) as server:
        headers = {"Authorization": f"Bearer {server.token}"}
        session = requests.Session()
        session.trust_env = False
        with session.get(server.url + "/api/live", headers=headers, stream=True, timeout=90) as answer:
            events = Events(answer)
            events.until("ping")
            ended: list[float] = []

            def read() -> None:
                with pytest.raises(EOFError):
                    events.until("never")
                ended.append(time.monotonic())

            reader = threading.Thread(target=read)
            reader.start()
            server.process.send_signal(signal.SIGTERM)
            assert server.process.wait(90) == 0
            reader.join(90)
            assert ended  # the stream ended regularly
        assert "cancel" not in (tmp_path / "server.log").read_text().lower()
