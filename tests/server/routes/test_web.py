from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tracker_server.routes.web import BUILT

pytestmark = pytest.mark.skipif(
    not (BUILT / "index.html").is_file(), reason="the dashboard is not built: pip install . builds it"
)


@pytest.fixture(scope="module")
def assets() -> list[Path]:
    return [path for path in (BUILT / "assets").iterdir() if path.suffix not in (".br", ".gz")]


@pytest.mark.parametrize(
    "path", ["/", "/projects/me/digits", "/projects/me/a%20b/compare", "/projects/me/d/notes", "/runs/me/digits/r1"]
)
def test_every_address_of_the_dashboard_serves_its_page(client: Any, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert '<div id="root">' in answer.text


HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.mark.parametrize("path", ["/nothing/here", "/projects/me/d/none", "/projects", "/apiary", "/nothing%2Fhere"])
def test_an_unknown_address_gives_the_page_to_browsers_and_json_to_programs(client: Any, path: str) -> None:
    page = client.get(path, headers=HTML)
    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert '<div id="root">' in page.text
    assert page.headers["content-security-policy"].startswith("default-src 'none'; ")
    for options in ({}, {"headers": {"Accept": "application/json"}}):
        answer = client.get(path, **options)
        assert answer.status_code == 404
        assert "there is nothing at /" in answer.json()["error"]
    assert "error" in client("POST", path, headers=HTML).json()


@pytest.mark.parametrize("path", ["/api", "/api/", "/api/none", "/api/runs/me/digits/none", "/api/runs/me/d/r/files/x"])
def test_the_api_returns_json_to_browsers_too(client: Any, path: str) -> None:
    answer = client.get(path, headers=HTML)
    assert answer.status_code == 404
    assert answer.json()["error"]


def test_without_signing_in_every_address_shows_the_sign_in_page(client: Any) -> None:
    stranger = type(client)(client.url, None)
    for path in ("/", "/nothing/here", "/api/none"):
        answer = stranger.get(path, headers=HTML)
        assert answer.status_code == 401
        assert '<div id="root">' not in answer.text
        assert "Sign in" in answer.text


def test_the_page_allows_only_own_scripts_and_styles_with_its_nonce(client: Any) -> None:
    nonces = set()
    for _ in range(2):
        answer = client.get("/")
        policy = dict(part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; "))
        assert policy["default-src"] == "'none'"
        assert policy["script-src"] == policy["frame-src"] == policy["connect-src"] == "'self'"
        (nonce,) = re.findall(r"'nonce-([\w-]{20,})'", policy["style-src"])
        assert f'content="{nonce}"' in answer.text
        nonces.add(nonce)
    assert len(nonces) == 2
    assert not re.search(r"<script(?![^>]* src=)|<style| style=| on\w+=", answer.text)


def test_the_page_loads_nothing_from_elsewhere(client: Any) -> None:
    loaded = re.findall(r'(?:src|href)="([^"]+)"', client.get("/").text)
    assert loaded
    for path in loaded:
        assert path.startswith("/assets/")
        assert client.get(path).status_code == 200


def test_assets_are_compressed_and_cached_for_ever(client: Any, assets: list[Path]) -> None:
    script = max((path for path in assets if path.suffix == ".js"), key=lambda path: path.stat().st_size)
    for accepted, encoding in [("gzip, deflate, br", "br"), ("gzip", "gzip"), ("identity", None)]:
        answer = client.get(f"/assets/{script.name}", headers={"Accept-Encoding": accepted}, stream=True)
        assert answer.headers.get("content-encoding") == encoding
        assert answer.headers["content-type"].startswith("text/javascript")
        assert "immutable" in answer.headers["cache-control"]
        assert "accept-encoding" in answer.headers["vary"]
        sent = len(answer.raw.read(decode_content=False))
        assert sent == script.stat().st_size if encoding is None else sent < script.stat().st_size / 2


@pytest.mark.parametrize("name", ["absent.js", "..%2Findex.html", "%2e%2e%2Fstamp", "..%5Cstamp", "index.html"])
def test_only_built_assets_are_served(client: Any, name: str) -> None:
    assert client.get(f"/assets/{name}").status_code == 404
