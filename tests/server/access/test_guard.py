from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import requests
from starlette.routing import BaseRoute, Mount, Route

from tracker_server.access.database import AccessDatabase
from tracker_server.app import create_app
from tracker_server.blobs import open_blobs
from tracker_server.settings import Settings
from tracker_server.storage.sql import open_storage

FILLED = {
    "entity": "me",
    "project": "digits",
    "id": "r",
    "name": "history.jsonl",
    "digest": "0" * 64,
    "view": "notes",
    "version": "1",
    "provider": "campus",
    "secret": "x",
    "team": "lab",
    "account": "ada",
    "code": "BCDF-GHJK",
}


def _leaves(routes: list[BaseRoute]) -> list[Any]:
    found: list[Any] = []
    for route in routes:
        if isinstance(route, Mount):
            found += _leaves(route.app.app.routes)  # type: ignore[attr-defined]
        else:
            found.append(route)
    return found


def routes_of(directory: Path) -> list[Any]:
    """Return all routes of the application."""
    storage = open_storage(directory)
    guard = create_app(
        storage, open_blobs(directory / "blobs"), Settings(token="unused-token"), AccessDatabase(storage.engine)
    )
    storage.close()
    return _leaves(guard.app.routes)  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, str]]:
    """Every route of the application as method and path."""
    found = []
    for route in routes_of(tmp_path_factory.mktemp("routes")):
        assert isinstance(route, Route) or hasattr(route, "methods"), route
        path = re.sub(r"{(\w+)(:\w+)?}", lambda match: FILLED[match[1]], route.path)
        found += [(method, path) for method in sorted(route.methods)]
    return found


def _assert_guarded(answer: requests.Response, status: int) -> None:
    assert answer.status_code == status, (answer.request.method, answer.request.url, answer.status_code)
    _assert_headers(answer)
    if answer.request.method != "HEAD":
        assert answer.json()["error"]


def _assert_headers(answer: requests.Response) -> None:
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert "'unsafe" not in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert "access-control-allow-origin" not in answer.headers
    assert "server" not in answer.headers


def test_the_tests_cover_every_route(everything: list[tuple[str, str]]) -> None:
    assert len(everything) > 20
    assert ("POST", "/api/charts") in everything
    assert ("GET", "/api/openapi.json") in everything


def test_every_route_requires_the_token(client: Any, everything: list[tuple[str, str]]) -> None:
    for token in (None, "wrong-token", "", "test-token-with-some-lengt", "ü"):
        stranger = type(client)(client.url, None)
        headers = {} if token is None else {"Authorization": f"Bearer {token}".encode()}
        for method, path in [*everything, ("GET", "/nowhere"), ("OPTIONS", "/api/projects"), ("TRACE", "/")]:
            answer = stranger(method, path, headers=headers)
            _assert_guarded(answer, 401)
            if method != "HEAD":
                assert "TRACKER_API_KEY" in answer.text


def test_every_route_refuses_a_foreign_host_name(client: Any, everything: list[tuple[str, str]]) -> None:
    for host in ("evil.example", "127.0.0.1.evil.example:8787", "localhost@evil.example", "user@127.0.0.1"):
        for method, path in everything:
            _assert_guarded(client(method, path, headers={"Host": host}), 403)


def test_every_response_has_the_security_headers(client: Any, everything: list[tuple[str, str]]) -> None:
    for method, path in [*everything, ("GET", "/nowhere"), ("OPTIONS", "/api/projects")]:
        with client(method, path, stream=True) as answer:  # one of them never ends
            assert answer.status_code < 500
            _assert_headers(answer)


def test_requests_of_a_foreign_origin_change_nothing(client: Any, everything: list[tuple[str, str]]) -> None:
    port = client.url.rpartition(":")[2]
    for origin in ("https://evil.example", "null", f"http://localhost:{int(port) + 1}", "http://127.0.0.1", "file://"):
        for method, path in everything:
            if method not in ("GET", "HEAD"):
                _assert_guarded(client(method, path, headers={"Origin": origin}), 403)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1234", "127.0.0.1:80", "[::1]:8787", "192.168.1.7:8787"])
def test_loopback_names_and_plain_addresses_are_allowed_as_host(client: Any, host: str) -> None:
    assert client.get("/api/projects", headers={"Host": host}).status_code == 200


def test_allowed_host_names_are_accepted(tmp_path: Path, run_server: Any) -> None:
    with run_server(tmp_path, allowed_hosts=("runs.example",)) as client:
        assert client.get("/api/projects", headers={"Host": "Runs.example"}).status_code == 200
        origin = {"Host": "127.0.0.1:1", "Origin": "https://runs.example"}
        assert client("DELETE", "/api/runs/me/digits/none", headers=origin).status_code == 404
        refused = client.get("/api/projects", headers={"Host": "other.example"})
        assert "--allowed-host other.example" in refused.json()["error"]


def _signed_in(client: Any) -> Any:
    browser = type(client)(client.url, None)
    answer = browser.get(f"/?token={client.token}")
    assert answer.status_code == 303
    path, _, secret = answer.headers["location"].partition("#page=")
    assert path == "/"
    browser.session.headers["X-Tracker-Page"] = secret
    return browser


def test_the_token_in_the_address_starts_a_session_with_a_strict_cookie_without_the_token(client: Any) -> None:
    browser = type(client)(client.url, None)
    answer = browser.get(f"/?token={client.token}")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert f"Max-Age={30 * 86400}" in cookie
    assert client.token not in cookie + answer.headers["location"]
    _assert_headers(answer)
    assert browser.get("/").status_code == 200
    # Other ports of the host get the cookie, too, so data needs the page's own secret.
    assert browser.get("/api/projects").status_code == 401
    secret = answer.headers["location"].partition("#page=")[2]
    assert browser.get("/api/projects", headers={"X-Tracker-Page": secret}).status_code == 200
    assert browser.get(f"/api/projects?page={secret}").status_code == 200
    assert (
        browser("DELETE", f"/api/runs/me/digits/none?page={secret}", headers={"Origin": client.url}).status_code == 401
    )
    assert type(client)(client.url, None).get(f"/api/projects?page={secret}").status_code == 401


def test_each_browser_has_its_own_session_which_can_be_listed_and_ended(tmp_path: Path, run_server: Any) -> None:
    file = tmp_path / "sessions.json"
    with run_server(tmp_path / "data", sessions=file) as client:
        first, second = _signed_in(client), _signed_in(client)
        listed = second.json("/api/sessions")["sessions"]
        assert [one["current"] for one in listed] == [True, False]
        assert first.get("/api/projects").status_code == 200
        other = next(one["id"] for one in listed if not one["current"])
        own = {"Origin": client.url}
        assert second("DELETE", f"/api/sessions/{other}", headers=own).status_code == 204
        assert second("DELETE", f"/api/sessions/{other}", headers=own).status_code == 404
        assert first.get("/api/projects").status_code == 401
        kept = file.read_text()
        assert file.stat().st_mode & 0o777 == 0o600
        assert not any(cookie.value in kept for cookie in second.session.cookies)
    with run_server(tmp_path / "data", sessions=file) as again:
        second.url = again.url
        assert second.get("/api/projects").status_code == 200
        assert second("DELETE", "/api/sessions/current", headers={"Origin": again.url}).status_code == 204
        assert second.get("/api/projects").status_code == 401


def test_the_cookie_is_secure_behind_a_trusted_proxy_with_tls(tmp_path: Path, run_server: Any) -> None:
    tls = {"X-Forwarded-Proto": "https"}
    for proxies, secure in ((("127.0.0.1",), True), (("192.0.2.1",), False)):
        with run_server(tmp_path / str(secure), trusted_proxies=proxies) as client:
            stranger = type(client)(client.url, None)
            cookie = stranger.get(f"/?token={client.token}", headers=tls).headers["set-cookie"]
            assert ("Secure" in cookie) == secure
            assert "Secure" not in stranger.get(f"/?token={client.token}").headers["set-cookie"]


def test_another_port_of_an_allowed_host_is_another_origin(tmp_path: Path, run_server: Any) -> None:
    with run_server(tmp_path, allowed_hosts=("runs.example", "runs.example:8443")) as client:
        path = "/api/runs/me/digits/none"
        for origin, status in (
            ("https://runs.example", 404),
            ("https://runs.example:8443", 404),
            ("https://runs.example:9999", 403),
            ("http://127.0.0.1:1", 403),
        ):
            assert client("DELETE", path, headers={"Origin": origin}).status_code == status, origin


def test_addresses_in_responses_have_the_prefix_of_the_proxy(tmp_path: Path, run_server: Any) -> None:
    with run_server(tmp_path, root_path="/tracker") as client:
        for prefix in ("", "/tracker"):
            stranger = type(client)(client.url, None)
            answer = stranger.get(f"{prefix}/?token={client.token}")
            assert answer.headers["location"].startswith("/tracker/#page=")
            assert "Path=/tracker/" in answer.headers["set-cookie"]
            assert client.get(f"{prefix}/api/projects").status_code == 200
            sign_in = type(client)(client.url, None).get(f"{prefix}/", headers={"Accept": "text/html"})
            assert 'action="/tracker/"' in sign_in.text
        assert client.get("/tracker/assets/none.js").status_code == 404
        assert client.get("/trackers/api/projects").status_code == 404


@pytest.mark.parametrize("query", ["token=wrong-token", "token=", "token=%FF", "token=%C3%BC"])
def test_a_wrong_token_in_the_address_sets_no_cookie(client: Any, query: str) -> None:
    answer = type(client)(client.url, None).get(f"/?{query}")
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers


def test_a_wrong_cookie_gives_no_access(client: Any) -> None:
    browser = _signed_in(client)
    (name,) = [cookie.name for cookie in browser.session.cookies]
    stranger = type(client)(client.url, None)
    for value in ("", "wrong", client.token, "\xff"):
        answer = stranger.get("/", headers={"Cookie": f"{name}={value}".encode("latin-1")})
        assert answer.status_code == 401


def test_cookies_of_other_applications_are_ignored(client: Any) -> None:
    browser = _signed_in(client)
    (cookie,) = browser.session.cookies
    header = {"Cookie": f'odd[name]=x; _xsrf=2|a; "; bad; {cookie.name}={cookie.value}; more'}
    assert type(client)(client.url, None).get("/", headers=header).status_code == 200


def test_a_cookie_allows_changes_only_from_own_pages(client: Any) -> None:
    browser = _signed_in(client)
    path = "/api/runs/me/digits/none"
    assert browser("DELETE", path).status_code == 403
    assert browser("DELETE", path, headers={"Origin": "https://evil.example"}).status_code == 403
    assert browser("DELETE", path, headers={"Origin": client.url}).status_code == 404


def test_a_cookie_does_not_let_other_sites_load_content(client: Any) -> None:
    browser = _signed_in(client)
    for site in ("cross-site", "same-site"):
        loading = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "no-cors"}
        assert browser.get("/api/projects", headers=loading).status_code == 403
        following = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate"}
        assert browser.get("/", headers=following).status_code == 200
    assert browser.get("/api/projects", headers={"Origin": "https://evil.example"}).status_code == 403


def test_a_one_time_code_signs_in_once(tmp_path: Path, run_server: Any) -> None:
    visits = {"one-time-code"}
    with run_server(tmp_path, visits=visits) as client:
        browser = type(client)(client.url, None)
        assert browser.get("/?token=one-time-code").status_code == 303
        assert browser.get("/").status_code == 200
        assert type(client)(client.url, None).get("/?token=one-time-code").status_code == 401


def test_a_browser_without_the_token_gets_the_sign_in_page(client: Any) -> None:
    answer = type(client)(client.url, None).get("/", headers={"Accept": "text/html"})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert "tracker server" in answer.text
    _assert_headers(answer)


def test_a_link_from_another_site_is_reloaded_from_this_site(client: Any) -> None:
    stranger = type(client)(client.url, None)
    headers = {"Accept": "text/html", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    answer = stranger.get("/some/page?a=1&b=%22", headers=headers)
    assert answer.status_code == 401
    assert 'content="0; url=/some/page?a=1&amp;b=%22"' in answer.text


def test_that_reload_never_leaves_this_server(client: Any) -> None:
    import http.client

    connection = http.client.HTTPConnection(client.url.removeprefix("http://"))
    headers = {"Accept": "text/html", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    for path in ("//evil.example/", "/%5Cevil.example", "/%2F/evil.example", '/"><script>'):
        connection.request("GET", path.replace(" ", "%20"), headers=headers)
        text = connection.getresponse().read().decode()
        assert re.search(r"url=/[^/\\]", text)
        assert "<script" not in text
    connection.close()
