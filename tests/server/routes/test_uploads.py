"""Uploads of large files in parts."""

from __future__ import annotations

import hashlib
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.waiting import eventually
from tracker.wire import MAX_BODY, run_path
from tracker_server import blobs as blobs_module
from tracker_server.partials import Limits

RUN = run_path("me", "digits", "r")
CONTENT = os.urandom(1_000_000)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _address(content: bytes) -> str:
    return f"{RUN}/uploads/{_digest(content)}"


def _ask(client: Any, content: bytes) -> dict[str, Any]:
    answer: dict[str, Any] = client.json(_address(content), params={"size": len(content)})
    return answer


def _send(client: Any, content: bytes, start: int, end: int) -> Any:
    parameters = {"size": len(content), "offset": start}
    return client("POST", _address(content), params=parameters, data=content[start:end])


def _stored(directory: Path) -> list[bytes]:
    return [path.read_bytes() for path in (directory / "blobs").glob("??/*")]


def _partial(directory: Path) -> list[str]:
    return [path.name for path in (directory / "blobs" / "partial").iterdir()]


def test_content_is_stored_once_all_its_parts_have_arrived(tmp_path: Path, run_server: Any) -> None:
    with run_server(tmp_path) as client:
        assert _ask(client, CONTENT) == {"offset": 0, "complete": False}
        assert _send(client, CONTENT, 0, 600_000).json() == {"offset": 600_000, "complete": False}
        assert _ask(client, CONTENT) == {"offset": 600_000, "complete": False}
        assert _stored(tmp_path) == []
        assert _send(client, CONTENT, 600_000, 1_000_000).json() == {"offset": 1_000_000, "complete": True}
        assert (_stored(tmp_path), _partial(tmp_path)) == ([CONTENT], [])
        assert _ask(client, CONTENT) == {"offset": 1_000_000, "complete": True}
        assert _send(client, CONTENT, 0, 10).json() == {"offset": 1_000_000, "complete": True}


def test_a_complete_upload_can_be_read_by_runs_that_name_it(client: Any, lines: Any) -> None:
    content = CONTENT + b"for one run"
    file = {"name": "model.pt", "digest": _digest(content), "size": len(content), "path": "x"}
    answer = client.append("r", lines("r", more=[("file", file)])).json()
    assert answer["missing"] == [_digest(content)]
    _send(client, content, 0, 500_000)
    assert client.get(f"{RUN}/files/model.pt").status_code == 404
    _send(client, content, 500_000, len(content))
    assert client.get(f"{RUN}/files/model.pt").content == content
    assert client.json(f"{RUN}/streams")["missing"] == []


def test_a_part_at_a_wrong_offset_is_refused_with_the_right_one(client: Any) -> None:
    content = CONTENT + b"in order"
    _send(client, content, 0, 1000)
    for start in (0, 999, 1001, 500_000):
        answer = _send(client, content, start, start + 10)
        assert (answer.status_code, answer.json()) == (409, {"offset": 1000, "complete": False})
    assert _send(client, content, 1000, len(content)).json()["complete"]


def test_an_upload_continues_after_a_restart_of_the_server(tmp_path: Path, run_server: Any) -> None:
    with run_server(tmp_path) as client:
        _send(client, CONTENT, 0, 600_000)
    with run_server(tmp_path) as client:
        assert _ask(client, CONTENT) == {"offset": 600_000, "complete": False}
        assert _send(client, CONTENT, 600_000, 1_000_000).json()["complete"]


def test_an_empty_part_completes_an_upload_that_was_not_verified_before_a_restart(
    tmp_path: Path, run_server: Any
) -> None:
    (tmp_path / "blobs" / "partial").mkdir(parents=True)
    (tmp_path / "blobs" / "partial" / _digest(CONTENT)).write_bytes(CONTENT)
    with run_server(tmp_path) as client:
        assert _ask(client, CONTENT) == {"offset": 1_000_000, "complete": False}
        assert _send(client, CONTENT, 1_000_000, 1_000_000).json() == {"offset": 1_000_000, "complete": True}
        assert _stored(tmp_path) == [CONTENT]


def test_an_upload_is_not_complete_during_its_verification(
    tmp_path: Path, run_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    go = threading.Event()
    hash_some = blobs_module._hash_some
    monkeypatch.setattr(blobs_module, "_hash_some", lambda file, sha: go.wait(90) and hash_some(file, sha))
    monkeypatch.setattr(blobs_module, "VERIFYING", 0.1)
    with run_server(tmp_path) as client:
        for _ in range(2):
            assert _send(client, CONTENT, 0, len(CONTENT)).json() == {"offset": len(CONTENT), "complete": False}
        assert _ask(client, CONTENT) == {"offset": len(CONTENT), "complete": False}
        go.set()
        eventually(lambda: _ask(client, CONTENT)["complete"])
    assert _stored(tmp_path) == [CONTENT]


def test_content_with_a_wrong_digest_is_refused_at_its_end_and_can_be_sent_again(
    tmp_path: Path, run_server: Any
) -> None:
    with run_server(tmp_path) as client:
        parameters = {"size": len(CONTENT), "offset": 0}
        answer = client("POST", _address(CONTENT), params=parameters, data=CONTENT[:-1] + b"?")
        assert answer.status_code == 422
        assert "start again" in answer.json()["error"]
        assert (_stored(tmp_path), _partial(tmp_path)) == ([], [])
        assert _ask(client, CONTENT) == {"offset": 0, "complete": False}
        assert _send(client, CONTENT, 0, len(CONTENT)).json()["complete"]


def test_concurrent_uploads_of_one_digest_do_not_damage_it(tmp_path: Path, run_server: Any) -> None:
    with run_server(tmp_path) as client:
        barrier = threading.Barrier(4)

        def upload() -> None:
            mine = type(client)(client.url)
            barrier.wait()
            state = _ask(mine, CONTENT)
            while not state["complete"]:
                at = state["offset"]
                state = _send(mine, CONTENT, at, at + 30_000).json()

        threads = [threading.Thread(target=upload) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (_stored(tmp_path), _partial(tmp_path)) == ([CONTENT], [])


def test_an_upload_with_a_wrong_size_does_not_stop_the_others(client: Any) -> None:
    content = CONTENT + b"sizes"
    parameters = {"size": 2 * len(content), "offset": 0}
    client("POST", _address(content), params=parameters, data=content + b"and more")
    assert _ask(client, content) == {"offset": 0, "complete": False}
    assert _send(client, content, 0, len(content)).json()["complete"]


def test_bytes_past_the_size_and_parts_past_the_limit_are_refused(client: Any) -> None:
    assert client("POST", _address(b"abc"), params={"size": 3, "offset": 1}, data=b"abc").status_code == 400
    large = bytes(MAX_BODY + 1)
    answer = client("POST", _address(b"abc"), params={"size": len(large), "offset": 0}, data=large)
    assert answer.status_code == 413
    assert _ask(client, b"abc") == {"offset": 0, "complete": False}


def test_a_file_past_the_limit_is_refused_before_it_is_sent(tmp_path: Path, run_server: Any) -> None:
    with run_server(tmp_path, max_blob=1000) as client:
        assert client.get(_address(CONTENT), params={"size": 1001}).status_code == 413
        assert _send(client, CONTENT, 0, 10).status_code == 413
        assert _ask(client, CONTENT[:1000])["offset"] == 0
    assert _partial(tmp_path) == []


@pytest.mark.parametrize("query", [{}, {"size": 3}, {"size": -3, "offset": 0}, {"size": 3, "offset": "x"}])
def test_a_part_without_a_valid_offset_and_size_is_refused(client: Any, query: dict[str, Any]) -> None:
    assert client("POST", _address(b"abc"), params=query, data=b"abc").status_code == 400


@pytest.mark.parametrize("digest", ["..", "0" * 63, "G" * 64, "A" * 64, "0" * 64 + "%0A"])
def test_an_invalid_digest_is_refused(client: Any, digest: str) -> None:
    answer = client("POST", f"{RUN}/uploads/{digest}", params={"size": 1, "offset": 0}, data=b"x")
    assert answer.status_code in (400, 404, 405)


def test_too_many_unfinished_uploads_get_429(tmp_path: Path, run_server: Any) -> None:
    with run_server(tmp_path, limits=Limits(number=2)) as client:
        one, two, three = (CONTENT + text for text in (b"1", b"2", b"3"))
        assert _send(client, one, 0, 10).status_code == 200
        assert _send(client, two, 0, 10).status_code == 200
        answer = _send(client, three, 0, 10)
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "60")
        assert _send(client, one, 10, len(one)).json()["complete"]
        assert _send(client, three, 0, 10).status_code == 200
