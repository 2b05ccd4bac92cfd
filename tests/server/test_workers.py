"""The queries of one client neither delay others nor keep the server from stopping."""

from __future__ import annotations

import json
import random
import signal
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from tracker.runlog.records import encode
from tracker_server import embedded
from tracker_server.workers import MAX_STARTING

PATTERN = "a[ab]{200}[xy]"
NOTES = "".join(random.Random(1).choices("ab", k=16_000))
HEAVY = " or ".join(f'notes ~ "{PATTERN}{i}"' for i in range(100))
RUNS = 300


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with embedded.serve(tmp_path_factory.mktemp("budgets")) as made:
        _fill(made)
        yield made


def _fill(server: embedded.Embedded) -> None:
    with _client(server) as client:
        for i in range(RUNS):
            head = {"version": 1, "id": f"r{i}", "entity": "me", "project": "slow", "notes": f"{NOTES}{i}"}
            lines = encode("run", head, 1.0) + encode("config", {"lr": i / 10}, 1.0)
            path = f"{server.url}/api/runs/me/slow/r{i}/streams/history.jsonl?offset=0"
            assert client.post(path, data=lines).status_code == 200


def _client(server: embedded.Embedded) -> requests.Session:
    client = requests.Session()
    client.trust_env = False
    client.headers["Authorization"] = f"Bearer {server.token}"
    return client


def _table(server: embedded.Embedded, expression: str) -> requests.Response:
    with _client(server) as client:
        return client.post(f"{server.url}/api/table/me/slow", json={"filter": expression}, timeout=120)


def test_a_filter_that_costs_too_much_is_cancelled_with_a_reason(server: embedded.Embedded) -> None:
    answer = _table(server, HEAVY)
    assert answer.status_code == 400
    assert "takes too long" in answer.json()["error"]
    assert _table(server, "config.lr > 1").json()["total"] > 0


def test_others_get_responses_during_long_queries(server: embedded.Embedded) -> None:
    more = MAX_STARTING + 1
    with ThreadPoolExecutor(more) as pool, _client(server) as other:
        heavy = [pool.submit(_table, server, HEAVY) for _ in range(more)]
        answered = other.get(f"{server.url}/api/projects", timeout=60)
        waiting = sum(not one.done() for one in heavy)
        assert answered.status_code == 200
        assert waiting > 0
        assert {one.result().status_code for one in heavy} == {400}


def test_a_filter_with_a_long_list_is_fast(server: embedded.Embedded) -> None:
    numbers = ", ".join(f"{i + 1000}.5" for i in range(90_000))
    assert _table(server, f"config.lr in [{numbers}, 0.5]").json()["total"] == 1
    assert _table(server, f"config.lr not in [{numbers}]").json()["total"] == RUNS
    odd = '["a", true, 0.5, 1]'
    assert _table(server, f"config.lr in {odd}").json()["total"] == 2


def test_the_server_stops_during_long_queries(tmp_path: Path) -> None:
    with embedded.serve(tmp_path) as server:
        _fill(server)
        body = json.dumps({"filter": HEAVY}).encode()
        host, port = server.url.removeprefix("http://").split(":")
        askers = []
        for _ in range(8):
            asker = socket.create_connection((host, int(port)))
            head = f"POST /api/table/me/slow HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {server.token}\r\n"
            asker.sendall(
                f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
            )
            askers.append(asker)
        with _client(server) as client:
            assert client.get(f"{server.url}/api/projects", timeout=60).status_code == 200
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(90) == 0
        for asker in askers:
            asker.close()
