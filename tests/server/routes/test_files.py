from __future__ import annotations

import hashlib
import socket
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import pytest

from tests.waiting import eventually
from tracker.wire import run_path

PAGE = b"<script>alert(1)</script>"


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _save(client: Any, lines: Any, run: str, name: str, content: bytes) -> str:
    path = run_path("me", "digits", run)
    file = {"name": name, "digest": _digest(content), "size": len(content), "path": "x"}
    assert client.append(run, lines(run, more=[("file", file)])).status_code == 200
    assert client("PUT", f"{path}/blobs/{_digest(content)}", data=content).status_code == 204
    return path


def test_the_list_of_files_says_whether_their_content_is_uploaded(client: Any, lines: Any) -> None:
    here, there = (
        ("file", {"name": "a.txt", "digest": _digest(b"a"), "size": 1, "path": "x"}),
        ("file", {"name": "b.txt", "digest": _digest(b"never sent"), "size": 10, "path": "y"}),
    )
    client.append("listed", lines("listed", more=[here, there]))
    path = run_path("me", "digits", "listed")
    client("PUT", f"{path}/blobs/{_digest(b'a')}", data=b"a")
    assert client.json(path + "/files") == {
        "files": [
            {"name": "a.txt", "digest": _digest(b"a"), "size": 1, "stored": True},
            {"name": "b.txt", "digest": _digest(b"never sent"), "size": 10, "stored": False},
        ]
    }
    assert client.get(path + "/files/b.txt").status_code == 404
    assert "not uploaded yet" in client.get(path + "/files/b.txt").json()["error"]


def test_content_is_served_as_an_attachment_that_no_browser_runs(client: Any, lines: Any) -> None:
    path = _save(client, lines, "attached", "page.html", PAGE)
    for address in (f"{path}/files/page.html", f"{path}/blobs/{_digest(PAGE)}"):
        answer = client.get(address)
        assert (answer.status_code, answer.content) == (200, PAGE)
        assert answer.headers["content-type"] == "application/octet-stream"
        assert answer.headers["content-disposition"].startswith("attachment;")
        assert "sandbox" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        head = client("HEAD", address)
        assert (head.status_code, head.headers["content-length"]) == (200, str(len(PAGE)))


@pytest.mark.parametrize(
    "name",
    [
        "quo\"te's.txt",
        "line\nbreak\r\nSet-Cookie: x=y.txt",
        "Größe 模型 🎉.pt",
        "deep/er/file.bin",
        "../../etc/passwd",
        "100%41.txt",
        "end\n",
        "back\\slash",
        "a?b#c;d=e,f",
    ],
)
def test_files_of_any_name_are_served_with_a_safe_name(client: Any, lines: Any, name: str) -> None:
    content = name.encode()
    run = "name-" + _digest(content)[:8]
    path = _save(client, lines, run, name, content)
    answer = client.get(f"{path}/files/{quote(name, safe='')}")
    assert (answer.status_code, answer.content) == (200, content)
    assert "set-cookie" not in answer.headers
    disposition = answer.headers["content-disposition"]
    plain, exact = disposition.removeprefix('attachment; filename="').split("\"; filename*=UTF-8''")
    assert not set(plain) & set('"\\/\r\n%')
    assert unquote(exact) == name.replace("\\", "/").rpartition("/")[2]


def test_content_that_the_client_has_is_not_sent_again(client: Any, lines: Any) -> None:
    path = _save(client, lines, "cached", "page.html", PAGE)
    first = client.get(f"{path}/blobs/{_digest(PAGE)}")
    assert "immutable" in first.headers["cache-control"]
    again = client.get(f"{path}/files/page.html", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    ("range_", "part", "content_range"),
    [
        ("bytes=10-", PAGE[10:], f"bytes 10-{len(PAGE) - 1}/{len(PAGE)}"),
        ("bytes=0-4", PAGE[:5], f"bytes 0-4/{len(PAGE)}"),
        ("bytes=5-1000", PAGE[5:], f"bytes 5-{len(PAGE) - 1}/{len(PAGE)}"),
    ],
)
def test_a_part_of_the_content_can_be_requested(
    client: Any, lines: Any, range_: str, part: bytes, content_range: str
) -> None:
    path = _save(client, lines, "part-" + _digest(range_.encode())[:8], "page.html", PAGE)
    for address in (f"{path}/files/page.html", f"{path}/blobs/{_digest(PAGE)}"):
        answer = client.get(address, headers={"Range": range_})
        assert (answer.status_code, answer.content) == (206, part)
        assert answer.headers["content-range"] == content_range
        assert answer.headers["content-length"] == str(len(part))
        assert "sandbox" in answer.headers["content-security-policy"]


@pytest.mark.parametrize("range_", ["bytes=-5", "bytes=3-1", "bytes=0-1,3-4", "lines=1-2", "bytes=x-", "bytes=٣-"])
def test_unsupported_ranges_get_the_whole_content(client: Any, lines: Any, range_: str) -> None:
    path = _save(client, lines, "all-" + _digest(range_.encode())[:8], "page.html", PAGE)
    answer = client.get(f"{path}/files/page.html", headers={"Range": range_.encode()})
    assert (answer.status_code, answer.content) == (200, PAGE)


def test_if_range_with_another_version_gets_the_whole_content(client: Any, lines: Any) -> None:
    path = _save(client, lines, "newer", "page.html", PAGE)
    headers = {"Range": "bytes=5-", "If-Range": '"another version"'}
    assert client.get(f"{path}/files/page.html", headers=headers).content == PAGE


def test_a_part_past_the_end_is_refused(client: Any, lines: Any) -> None:
    path = _save(client, lines, "short", "page.html", PAGE)
    answer = client.get(f"{path}/files/page.html", headers={"Range": f"bytes={len(PAGE)}-"})
    assert answer.status_code == 416
    assert str(len(PAGE)) in answer.json()["error"]


def test_a_run_serves_only_files_that_its_records_name(client: Any, lines: Any) -> None:
    _save(client, lines, "owner", "secret.txt", b"secret")
    client.append("other", lines("other"))
    other = run_path("me", "digits", "other")
    assert client.get(f"{other}/blobs/{_digest(b'secret')}").status_code == 404
    assert client.get(f"{other}/files/secret.txt").status_code == 404


def test_content_with_a_wrong_digest_is_refused_and_not_stored(client: Any, lines: Any) -> None:
    path = run_path("me", "digits", "liar")
    answer = client("PUT", f"{path}/blobs/{_digest(b'this')}", data=b"that")
    assert answer.status_code == 422
    assert _digest(b"that") in answer.json()["error"]


@pytest.mark.parametrize("digest", ["..", "0" * 63, "G" * 64, "A" * 64, "0" * 64 + "%0A"])
def test_an_invalid_digest_is_refused(client: Any, digest: str) -> None:
    path = run_path("me", "digits", "r")
    assert client("PUT", f"{path}/blobs/{digest}", data=b"x").status_code in (400, 404, 405)


def test_content_past_the_limit_is_refused_with_or_without_a_content_length(tmp_path: Path, run_server: Any) -> None:
    with run_server(tmp_path, max_blob=1000) as client:
        address = f"{run_path('me', 'digits', 'r')}/blobs/{_digest(bytes(2000))}"
        assert client("PUT", address, data=bytes(2000)).status_code == 413
        assert client("PUT", address, data=iter([bytes(1000), bytes(1000)])).status_code == 413
    assert [path for path in (tmp_path / "blobs").rglob("*") if path.is_file()] == []


def test_an_interrupted_upload_leaves_nothing(tmp_path: Path, run_server: Any) -> None:
    def kept() -> list[Path]:
        return [path for path in (tmp_path / "blobs").rglob("*") if path.is_file()]

    with run_server(tmp_path) as client:
        host, port = client.url.removeprefix("http://").split(":")
        address = f"{run_path('me', 'digits', 'r')}/blobs/{_digest(b'x')}"
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(f"PUT {address} HTTP/1.1\r\nHost: localhost\r\n".encode())
            connection.sendall(f"Authorization: Bearer {client.token}\r\nContent-Length: 90000000\r\n\r\n".encode())
            connection.sendall(bytes(20_000_000))
            eventually(kept)
        eventually(lambda: not kept())
        assert client.get("/api/projects").status_code == 200


def test_deleting_a_run_removes_the_files_that_no_other_run_names(client: Any, lines: Any) -> None:
    shared, own = (
        ("file", {"name": "s", "digest": _digest(b"shared"), "size": 6, "path": "x"}),
        ("file", {"name": "o", "digest": _digest(b"own"), "size": 3, "path": "y"}),
    )
    first, second = run_path("me", "digits", "first"), run_path("me", "digits", "second")
    client.append("first", lines("first", more=[shared, own]))
    client.append("second", lines("second", more=[shared]))
    for content in (b"shared", b"own"):
        client("PUT", f"{first}/blobs/{_digest(content)}", data=content)
    deleted = client("DELETE", first)
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert client.get(first).status_code == 404
    assert client("DELETE", first).status_code == 404
    assert client.get(f"{second}/files/s").content == b"shared"
    third = client.append("third", lines("third", more=[shared, own]))
    assert third.json()["missing"] == [_digest(b"own")]


def test_config_values_that_are_stored_as_files_can_be_uploaded_and_read(client: Any, lines: Any) -> None:
    content = b'{"words": []}'
    digest = hashlib.sha256(content).hexdigest()
    kept = {"_type": "file", "digest": digest, "size": len(content), "format": "json"}
    config = {"model": {"layers": [{"vocabulary": kept}]}}
    assert client.append("aside", lines("aside", more=[("config", config)])).status_code == 200
    path = f"/api/runs/me/digits/aside/blobs/{digest}"
    assert client("PUT", path, data=content).status_code == 204
    assert client.get(path).content == content
