from __future__ import annotations

import hashlib
import re
from typing import Any

import orjson
import pytest

from tracker.runlog.records import encode
from tracker.wire import run_path
from tracker_server.routes.media import media_type
from tracker_server.routes.web import BUILT

EVIL = "</script><script>alert(1)</script><!--<script>"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)
FIGURE = orjson.dumps({"data": [{"y": [1, 2, 3], "name": EVIL}], "layout": {"title": EVIL, "width": 300}})


def _log(client: Any, lines: Any, run: str, content: bytes, arrives: bool = True) -> tuple[str, str]:
    """Upload a run that logged the content as media; return its path and the digest."""
    digest = hashlib.sha256(content).hexdigest()
    row = encode("log", {"value": {"_type": "html", "digest": digest, "size": len(content)}}, 1.7e9, 9)
    client.append(run, lines(run) + row)
    path = run_path("me", "digits", run)
    if arrives:
        assert client("PUT", f"{path}/blobs/{digest}", data=content).status_code == 204
    return path, digest


@pytest.mark.parametrize(
    ("start", "kind", "found"),
    [
        (PNG, "image", "image/png"),
        (b"\xff\xd8\xff\xe0", "image", "image/jpeg"),
        (b"GIF89a", "image", "image/gif"),
        (b"RIFF\1\2\3\4WEBPVP8 ", "image", "image/webp"),
        (b"RIFF\n\2\3\4WAVEfmt ", "audio", "audio/wav"),
        (b"ID3\4", "audio", "audio/mpeg"),
        (b"\xff\xfb\x90", "audio", "audio/mpeg"),
        (b"\0\0\0\x20ftypisom", "video", "video/mp4"),
        (b"\0\0\0\x20ftypM4A ", "audio", "audio/mp4"),
        (b"\x1a\x45\xdf\xa3", "video", "video/webm"),
        (b"OggS", "audio", "audio/ogg"),
        (PNG, "audio", None),
        (b"\x1a\x45\xdf\xa3", "image", None),
        (b'<svg xmlns="http://www.w3.org/2000/svg">', "image", None),
        (b"<?xml version='1.0'?><svg>", "image", None),
        (b"<!doctype html>", "image", None),
        (b"%PDF-1.7", "image", None),
        (b" \x89PNG\r\n\x1a\n", "image", None),
        (b"", "video", None),
    ],
)
def test_the_media_type_is_that_of_the_first_bytes(start: bytes, kind: str, found: str | None) -> None:
    assert media_type(start, kind) == found


def test_an_image_is_served_with_its_type_cacheable_and_in_parts(client: Any, lines: Any) -> None:
    path, digest = _log(client, lines, "image", PNG)
    answer = client.get(f"{path}/media/{digest}?type=image")
    assert (answer.status_code, answer.content) == (200, PNG)
    assert answer.headers["content-type"] == "image/png"
    assert "content-disposition" not in answer.headers
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "immutable" in answer.headers["cache-control"]
    part = client.get(f"{path}/media/{digest}?type=image", headers={"Range": "bytes=0-7"})
    assert (part.status_code, part.content) == (206, PNG[:8])


@pytest.mark.parametrize("content", [f"<svg onload=alert(1)>{EVIL}</svg>".encode(), EVIL.encode(), b"", b"{}"])
@pytest.mark.parametrize("kind", ["image", "audio", "video"])
def test_content_that_may_hold_a_script_is_an_attachment(client: Any, lines: Any, content: bytes, kind: str) -> None:
    path, digest = _log(client, lines, f"evil{len(content)}", content)
    answer = client.get(f"{path}/media/{digest}?type={kind}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert answer.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    assert answer.headers["x-content-type-options"] == "nosniff"


def _assert_sandboxed(answer: Any) -> None:
    """Assert that the page has no origin, loads nothing, and can be framed only by the dashboard."""
    policy = dict(part.partition(" ")[::2] for part in answer.headers["content-security-policy"].split("; "))
    assert policy["sandbox"] == "allow-scripts"
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == "'self'"
    for name, sources in policy.items():
        if name not in ("sandbox", "frame-ancestors"):
            assert set(sources.split()) <= {"'none'", "'unsafe-inline'", "data:", "blob:"}, name
    assert answer.headers["x-frame-options"] == "SAMEORIGIN"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-type"].startswith("text/html")
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("content", [EVIL.encode(), b"", b"{ not json }" + EVIL.encode(), b'{"data": 1}'])
def test_html_is_served_unchanged_in_a_sandbox(client: Any, lines: Any, content: bytes) -> None:
    path, digest = _log(client, lines, f"page{len(content)}", content)
    answer = client.get(f"{path}/render/{digest}")
    assert (answer.status_code, answer.content) == (200, content)
    _assert_sandboxed(answer)


@pytest.mark.parametrize("encoding", ["identity", "gzip, br"])
def test_a_figure_is_served_as_a_self_contained_page(client: Any, lines: Any, encoding: str) -> None:
    path, digest = _log(client, lines, "figure", FIGURE)
    answer = client.get(f"{path}/render/{digest}", headers={"Accept-Encoding": encoding})
    assert answer.status_code == 200
    _assert_sandboxed(answer)
    assert answer.headers.get("content-encoding") == ("gzip" if "gzip" in encoding else None)
    page = answer.content  # decompressed by the client, which verifies the checksum
    (data,) = re.findall(rb'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert b"<" not in data
    assert orjson.loads(data) == orjson.loads(FIGURE)
    assert not re.search(rb"<(script|link|img|iframe)[^>]* (src|href)=", page)
    if (BUILT / "plotly.js").is_file():
        assert len(page) > 1_000_000


@pytest.mark.parametrize("part", ["media/{}?type=image", "render/{}"])
def test_only_content_that_the_run_names_is_served(client: Any, lines: Any, part: str) -> None:
    path, digest = _log(client, lines, "named", PNG)
    assert client.get(f"{path}/{part.format('0' * 64)}").status_code == 404
    assert client.get(f"{path}/{part.format('x')}").status_code == 400
    client.append("other", lines("other"))
    assert client.get(f"{run_path('me', 'digits', 'other')}/{part.format(digest)}").status_code == 404
    path, digest = _log(client, lines, "coming", b"not sent yet", arrives=False)
    answer = client.get(f"{path}/{part.format(digest)}")
    assert answer.status_code == 404
    assert "not uploaded yet" in answer.json()["error"]


def test_the_kind_of_media_is_required(client: Any, lines: Any) -> None:
    path, digest = _log(client, lines, "unsaid", PNG)
    for query in ("", "?type=text", "?type=image/svg%2Bxml"):
        assert client.get(f"{path}/media/{digest}{query}").status_code == 400
