"""Row 21: the server answers 400, 401 or 413."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path

import pytest

import tracker
from tests.faults.harness import Training, assert_delivered, on_server, uploaded
from tests.faults.proxy import Answer, Fault, proxy
from tests.waiting import PATIENCE, eventually
from tracker.agent_protocol.status import read_status
from tracker_server.embedded import Embedded


def _refusal(status: int, body: bytes = b'{"error": "no"}') -> Answer:
    # As some servers do, the proxy then closes the connection without saying so.
    head = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nContent-Length: {len(body)}\r\n\r\n"
    return Answer(head.encode() + body)


def test_batches_that_are_too_large_are_split_until_they_are_accepted(
    server: Embedded, train: Callable[..., Training], monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    with proxy(server.url) as network:

        def plan(line: str) -> Fault | None:
            # The first batches, whatever they contain.
            if line.startswith("POST") and "/history" in line and len(sizes) < 4:
                sizes.append(1)
                return _refusal(413)
            return None

        network.plan = plan
        settings = {"TRACKER_BASE_URL": network.url, "TRACKER_API_KEY": server.token}
        training = train("--rows", 3000, "--pad", 1000, environment=settings)
        assert training.process.wait(PATIENCE) == 0
        assert_delivered(uploaded(training, "finished"), 3000, pad=1000)
    assert len(sizes) == 4


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_refused_stream_is_skipped_with_a_warning_and_the_others_are_uploaded(
    server: Embedded, status: int, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def plan(line: str) -> Fault | None:
        return _refusal(status) if line.startswith("POST") and "/console" in line else None

    with proxy(server.url, plan) as network:
        settings = {
            "base_url": network.url,
            "api_key": server.token,
            "finish_timeout": PATIENCE,
            "drain_timeout": PATIENCE,
            "console": "wrap",
        }
        with tracker.init(settings=settings) as run:
            print("a line of the console")
            Path("kept.txt").write_text("kept")
            run.save("kept.txt")
            for i in range(100):
                run.log({"x": i})
        found = on_server(run.path)
    assert found is not None
    assert (found.state, found.info["rows"], [file.name for file in found.files()]) == ("finished", 100, ["kept.txt"])
    stderr = capfd.readouterr().err
    assert "is not uploaded any further" in stderr
    assert "finished, but not all of it is uploaded" in stderr
    assert list(Path(run.dir).glob("console-*.jsonl"))


def test_a_refused_file_is_skipped_and_the_others_are_uploaded(
    server: Embedded, capfd: pytest.CaptureFixture[str]
) -> None:
    def plan(line: str) -> Fault | None:
        return _refusal(400) if line.startswith("PUT") and "/blobs/" in line else None

    with proxy(server.url, plan) as network:
        settings = {
            "base_url": network.url,
            "api_key": server.token,
            "finish_timeout": PATIENCE,
            "drain_timeout": PATIENCE,
        }
        with tracker.init(settings=settings) as run:
            Path("refused.txt").write_text("refused")
            run.save("refused.txt")
            run.log({"x": 1})
        found = on_server(run.path)
    assert found is not None
    assert (found.state, found.info["rows"]) == ("finished", 1)
    assert "is not uploaded any further" in capfd.readouterr().err


def test_a_key_that_is_refused_for_a_while_causes_a_warning_and_later_all_is_uploaded(
    server: Embedded, train: Callable[..., Training]
) -> None:
    refuse = True
    with proxy(server.url, lambda _line: _refusal(401) if refuse else None) as network:
        settings = {
            "TRACKER_BASE_URL": network.url,
            "TRACKER_API_KEY": server.token,
            "TRACKER_DRAIN_TIMEOUT": "120",
        }
        training = train("--pause", 0.001, environment=settings)
        eventually(lambda: (s := read_status(str(training.directory))) and s.trouble, PATIENCE)
        refuse = False
        assert training.stop() == 0
        assert training.board.dropped == 0
        assert "does not accept the key" in training.stderr
        assert_delivered(uploaded(training, "finished"), training.board.returned)
