"""A real server in a thread, over the real storage, and a client for it."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
import uvicorn

from tests.waiting import PATIENCE, eventually
from tracker.runlog.records import encode
from tracker.wire import run_path
from tracker_server.access.database import AccessDatabase
from tracker_server.access.guard import Guard
from tracker_server.access.providers import Providers
from tracker_server.app import create_app
from tracker_server.blobs import open_blobs
from tracker_server.partials import Limits
from tracker_server.serving import configuration
from tracker_server.settings import Settings
from tracker_server.storage.sql import open_storage

TOKEN = "test-token-with-some-length"


class Client:
    """A client of one server; with `token=None` it sends no token."""

    def __init__(self, url: str, token: str | None = TOKEN) -> None:
        self.url, self.token = url, token
        self.session = requests.Session()
        self.session.trust_env = False

    def __call__(self, method: str, path: str, **options: Any) -> requests.Response:
        headers = dict(options.pop("headers", {}))
        if self.token is not None:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        options.setdefault("allow_redirects", False)
        return self.session.request(method, self.url + path, headers=headers, timeout=60, **options)

    def get(self, path: str, **options: Any) -> requests.Response:
        return self("GET", path, **options)

    def json(self, path: str, **options: Any) -> Any:
        response = self.get(path, **options)
        assert response.status_code == 200, response.text
        return json.loads(response.content)

    def append(self, run: str, data: bytes, offset: int = 0, stream: str = "history.jsonl", **options: Any) -> Any:
        path = f"{run_path('me', 'digits', run)}/streams/{stream}?offset={offset}"
        return self("POST", path, data=data, **options)


def serve_in_thread(app: Guard) -> Iterator[str]:
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # as `serving.py` does: responses wait 40 ms without
    server = uvicorn.Server(configuration(app))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    eventually(lambda: server.started)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(PATIENCE)
        assert not thread.is_alive()


@contextmanager
def running(
    directory: Path,
    change: Callable[[Any], None] | None = None,
    limits: Limits | None = None,
    providers: Providers | None = None,
    **settings: Any,
) -> Iterator[Client]:
    """`change` may set faults on the storage."""
    storage = open_storage(directory)
    if change is not None:
        change(storage)
    blobs = open_blobs(directory / "blobs", limits or Limits())
    app = create_app(storage, blobs, Settings(token=TOKEN, **settings), AccessDatabase(storage.engine), providers)
    try:
        for url in serve_in_thread(app):
            yield Client(url)
    finally:
        storage.close()


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with running(tmp_path_factory.mktemp("server")) as made:
        yield made


@pytest.fixture(scope="session")
def run_server() -> Any:
    return running


@pytest.fixture(scope="session")
def lines() -> Callable[..., bytes]:
    """The lines of a short run: a header, rows, and whatever further records."""

    def make(run: str, rows: int = 3, more: list[tuple[str, Any]] | None = None, **header: Any) -> bytes:
        start = 1_700_000_000.0
        head = {"version": 1, "id": run, "entity": "me", "project": "digits", **header}
        made = [encode("run", head, start)]
        made += [encode("log", {"loss": 1 / (step + 1), "acc": step}, start + step, step) for step in range(rows)]
        made += [encode(kind, payload, start + rows) for kind, payload in more or []]
        return b"".join(made)

    return make
