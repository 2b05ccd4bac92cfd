from __future__ import annotations

import hashlib
import threading
from typing import Any

import pytest
import zstandard

from tracker.wire import MAX_BODY, run_path
from tracker_server.storage.interface import StorageFull


def _streams(client: Any, run: str) -> Any:
    return client.json(run_path("me", "digits", run) + "/streams")


def test_an_unknown_run_has_no_offsets(client: Any) -> None:
    assert _streams(client, "unseen") == {"offsets": {}, "missing": []}


def test_lines_are_stored_and_the_response_has_the_next_offset(client: Any, lines: Any) -> None:
    data = lines("plain")
    answer = client.append("plain", data)
    assert (answer.status_code, answer.json()) == (200, {"offset": len(data), "missing": [], "trashed": False})
    assert _streams(client, "plain")["offsets"] == {"history.jsonl": len(data)}


def test_zstd_bodies_may_have_several_frames(client: Any, lines: Any) -> None:
    data = lines("packed")
    half = data.index(b"\n") + 1
    pack = zstandard.ZstdCompressor().compress
    body = pack(data[:half]) + pack(data[half:])
    answer = client.append("packed", body, headers={"Content-Encoding": "zstd"})
    assert (answer.status_code, answer.json()["offset"]) == (200, len(data))


def test_a_wrong_offset_stores_nothing_and_returns_the_right_one(client: Any, lines: Any) -> None:
    data = lines("twice")
    client.append("twice", data)
    for offset in (0, len(data) + 7):
        answer = client.append("twice", data, offset)
        assert (answer.status_code, answer.json()) == (409, {"offset": len(data), "missing": [], "trashed": False})
    assert _streams(client, "twice")["offsets"] == {"history.jsonl": len(data)}


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        (".me/digits/r/streams/history.jsonl?offset=0", "the entity '.me' must be"),
        ("me/d%0Agits/r/streams/history.jsonl?offset=0", "the project 'd\\ngits' must be"),
        ("me/digits/r%20un/streams/history.jsonl?offset=0", "the run id 'r un' is not allowed"),
        (f"me/digits/{'r' * 65}/streams/history.jsonl?offset=0", f"the run id '{'r' * 65}' is not allowed"),
        ("me/digits/r/streams/notes.txt?offset=0", "the stream name 'notes.txt' is not allowed"),
        ("me/digits/r/streams/history.jsonl%0A?offset=0", "the stream name 'history.jsonl\\n' is not allowed"),
        ("me/digits/r/streams/history.jsonl", "?offset=N, a number of bytes"),
        ("me/digits/r/streams/history.jsonl?offset=-1", "?offset=N, a number of bytes"),
        ("me/digits/r/streams/history.jsonl?offset=1e3", "?offset=N, a number of bytes"),
    ],
)
def test_invalid_names_and_offsets_are_refused_with_a_reason(client: Any, path: str, reason: str) -> None:
    answer = client("POST", f"/api/runs/{path}", data=b"x\n")
    assert answer.status_code == 400
    assert reason in answer.json()["error"]


@pytest.mark.parametrize("body", [b"", b'{"c":"00000000","t":1'])
def test_a_body_that_is_not_whole_lines_is_refused(client: Any, body: bytes) -> None:
    answer = client.append("torn", body)
    assert answer.status_code == 400
    assert "newline" in answer.json()["error"]


def test_a_body_past_the_limit_is_refused(client: Any) -> None:
    answer = client.append("big", b"x" * MAX_BODY + b"\n")
    assert answer.status_code == 413
    assert _streams(client, "big")["offsets"] == {}


def test_a_small_body_that_decompresses_past_the_limit_is_refused(client: Any) -> None:
    bomb = zstandard.ZstdCompressor().compress(bytes(256 * 1024 * 1024))
    assert len(bomb) < 100_000
    answer = client.append("bomb", bomb, headers={"Content-Encoding": "zstd"})
    assert answer.status_code == 413
    assert "16,777,216" in answer.json()["error"]


@pytest.mark.parametrize(("encoding", "status"), [("zstd", 400), ("gzip", 415)])
def test_bodies_that_cannot_be_decompressed_are_refused(client: Any, encoding: str, status: int) -> None:
    answer = client.append("odd", b"not packed\n", headers={"Content-Encoding": encoding})
    assert answer.status_code == status


def test_digests_are_missing_until_their_content_is_uploaded(client: Any, lines: Any) -> None:
    content = b"weights"
    digest = hashlib.sha256(content).hexdigest()
    file = ("file", {"name": "model.pt", "digest": digest, "size": len(content), "path": "x"})
    assert client.append("media", lines("media", more=[file])).json()["missing"] == [digest]
    assert _streams(client, "media")["missing"] == [digest]
    stored = client("PUT", f"{run_path('me', 'digits', 'media')}/blobs/{digest}", data=content)
    assert stored.status_code == 204
    assert _streams(client, "media")["missing"] == []
    again = client.append("media2", lines("media2", more=[file]))
    assert again.json()["missing"] == []


def test_a_full_disk_gives_507_and_retry_after(tmp_path: Any, run_server: Any, lines: Any) -> None:
    def fill(storage: Any) -> None:
        def append(*_: Any) -> None:
            raise StorageFull("no space left on /secret/path")

        storage.append = append

    with run_server(tmp_path, fill) as client:
        answer = client.append("full", lines("full"))
    assert answer.status_code == 507
    assert int(answer.headers["retry-after"]) > 0
    assert "secret" not in answer.text


def test_an_internal_error_gives_500_without_its_text(tmp_path: Any, run_server: Any, lines: Any, caplog: Any) -> None:
    def break_(storage: Any) -> None:
        def append(*_: Any) -> None:
            raise RuntimeError("password in /secret/path")

        storage.append = append

    with run_server(tmp_path, break_) as client:
        answer = client.append("broken", lines("broken"))
        assert answer.status_code == 500
        assert "secret" not in answer.text
        assert "Traceback" not in answer.text
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert _streams(client, "broken")["offsets"] == {}


def test_uploads_beyond_the_memory_limit_get_429(tmp_path: Any, run_server: Any, lines: Any) -> None:
    with run_server(tmp_path, max_in_flight=1000) as client:
        answer = client.append("much", lines("much", rows=100))
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
        assert client.append("much", lines("much")).status_code == 200


@pytest.mark.parametrize("line", [b"{\n", b"\n", b'{"c":"00000000","t":1}\n'])
def test_a_small_body_of_very_many_lines_is_refused_before_they_are_parsed(
    client: Any, lines: Any, line: bytes
) -> None:
    run = f"bomb{len(line)}"
    body = zstandard.ZstdCompressor().compress(line * (MAX_BODY // len(line)))
    assert len(body) < 10_000
    answer = client.append(run, body, headers={"Content-Encoding": "zstd"})
    assert (answer.status_code, "at most 100,000 at a time" in answer.json()["error"]) == (413, True)
    assert _streams(client, run)["offsets"] == {}
    few = (
        line * 50_000
    )  # the agent then sends smaller parts: damaged lines are accepted, and so are the lines after them
    assert client.append(run, few).json()["offset"] == len(few)
    assert client.append(run, lines(run), len(few)).status_code == 200
    assert client.json(run_path("me", "digits", run))["rows"] == 3


def test_other_uploads_do_not_wait_while_a_large_one_is_parsed(run_server: Any, lines: Any, tmp_path: Any) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow(storage: Any) -> None:
        read = storage.read

        def parse(stream: str, data: bytes) -> Any:
            if b"slow" in data:
                begun.set()
                assert go_on.wait(60)
            return read(stream, data)

        storage.read = parse

    with run_server(tmp_path, change=slow) as server:
        large = lines("slow", more=[("alert", {"title": f"a{i}"}) for i in range(1000)])  # it takes long to parse
        first = threading.Thread(target=server.append, args=("slow", large))
        first.start()
        assert begun.wait(60)
        other = type(server)(server.url)
        for number in range(5):
            assert other.append(f"other{number}", lines("r")).status_code == 200
        assert server.get(run_path("me", "digits", "slow")).status_code == 404
        go_on.set()
        first.join(60)
        assert other.json(run_path("me", "digits", "slow"))["rows"] == 3


def test_of_thousands_of_definitions_and_alerts_the_latest_are_kept(client: Any, lines: Any) -> None:
    records = [("metric", {"name": f"k{i % 12_000}", "summary": "max", "step_metric": f"x{i}"}) for i in range(24_000)]
    records += [("metric", {"name": f"g{i}/*", "summary": "min"}) for i in range(300)]
    records += [("alert", {"title": f"a{i}"}) for i in range(3000)]
    assert client.append("many", lines("many", more=records)).status_code == 200
    info = client.json(run_path("me", "digits", "many"))
    assert len(info["metrics"]) == 10_000
    assert info["metrics"][0] == {"name": "k0", "summary": "max", "step_metric": "x12000"}
    assert info["corrupt"] == 2 * 2000 + 300
    alerts = client.json(run_path("me", "digits", "many") + "/alerts")["alerts"]
    assert [alert["title"] for alert in alerts] == [f"a{i}" for i in range(2900, 3000)]
