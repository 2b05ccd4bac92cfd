from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
import requests
import sqlalchemy as sa

from tracker_server.access import accounts, one_time_links, passwords
from tracker_server.access.audit_log import COMMAND_LINE, write
from tracker_server.access.database import AccessDatabase
from tracker_server.access.providers import Providers
from tracker_server.routes.sign_in import own_target
from tracker_server.storage.database import connect
from tracker_server.storage.interface import StorageFull

PASSWORD = "correct horse battery"
Team = Callable[..., AbstractContextManager[Any]]


def change(directory: Path, function: Callable[..., Any], *args: Any, **options: Any) -> Any:
    """Change accounts as a command in another process would."""
    engine = connect(f"sqlite:///{directory / 'tracker.db'}")
    try:
        with AccessDatabase(engine).changing() as connection:
            return function(connection, COMMAND_LINE, *args, **options)
    finally:
        engine.dispose()


class Browser:
    """A browser with cookies, on one server."""

    def __init__(self, url: str, **headers: str) -> None:
        self.url = url
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers.update({"Accept": "text/html", "Origin": url, **headers})

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.session.get(self.url + path, allow_redirects=False, timeout=60, **options)

    def post(self, path: str, **fields: str) -> requests.Response:
        return self.session.post(self.url + path, data=fields, allow_redirects=False, timeout=60)

    def sign_in(self, name: str = "ada", password: str = PASSWORD, next: str = "/") -> requests.Response:
        self.get("/sign-in")
        return self.post("/sign-in", name=name, password=password, next=next)

    def api(self, method: str, path: str, page: str) -> requests.Response:
        headers = {"X-Tracker-Page": page, "Accept": "application/json"}
        return self.session.request(method, self.url + path, headers=headers, timeout=60)


def page_of(answer: requests.Response) -> str:
    """Return the page's secret in the address after signing in."""
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].rpartition("#page=")[2]


def log_of(directory: Path) -> list[tuple[Any, ...]]:
    with sqlite3.connect(directory / "tracker.db") as connection:
        rows = connection.execute(
            "SELECT actor, action, entity, subject, address FROM audit_log ORDER BY id"
        ).fetchall()
    connection.close()
    return [tuple(row) for row in rows]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    change(tmp_path, accounts.add, "ada", admin=True, password=passwords.hashed(PASSWORD, "ada"))
    return tmp_path


@pytest.fixture
def server(directory: Path, run_server: Any) -> Iterator[Any]:
    with run_server(directory) as client:
        yield client


def test_an_account_signs_in_and_out(server: Any, directory: Path) -> None:
    browser = Browser(server.url)
    asked = browser.get("/projects/me/digits?filter=a%20b")
    assert asked.status_code == 303
    form = browser.get(asked.headers["location"])
    assert form.status_code == 200
    target = re.search(r'name="next" value="([^"]*)"', form.text)
    assert target is not None
    answer = browser.post("/sign-in", name="Ada", password=PASSWORD, next=target[1])
    page = page_of(answer)
    assert answer.headers["location"] == f"/projects/me/digits?filter=a%20b#page={page}"
    (cookie,) = [one for one in answer.headers["set-cookie"].split(", ") if "-known" not in one.partition("=")[0]]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert browser.get("/").status_code == 200
    assert browser.api("GET", "/api/sessions", "wrong").status_code == 401
    (session,) = browser.api("GET", "/api/sessions", page).json()["sessions"]
    assert session["current"]
    signed_out = browser.api("DELETE", "/api/sessions/current", page)
    assert signed_out.status_code == 204
    assert "Max-Age=0" in signed_out.headers["set-cookie"]
    assert browser.api("GET", "/api/sessions", page).status_code == 401
    assert browser.get("/").status_code == 303
    entries = [(actor, action, address) for actor, action, _, _, address in log_of(directory)[-2:]]
    assert entries == [("ada", "sign-in", "127.0.0.1"), ("ada", "sign-out", "127.0.0.1")]


def test_the_answer_is_the_same_whether_the_account_exists(server: Any, directory: Path) -> None:
    answers = [
        Browser(server.url).sign_in(name, "wrong password") for name in ("ada", "nobody", "", "ada\0", "x" * 300)
    ]
    assert {answer.status_code for answer in answers} == {401}
    texts = {re.sub(r'value="[^"]*"', "", answer.text).replace(" autofocus", "") for answer in answers}
    assert len(texts) == 1
    log = log_of(directory)
    assert [entry[1:4] for entry in log[-5:]].count(("sign-in failed", "ada", "ada")) == 1
    assert "wrong password" not in repr(log)
    assert "nobody" not in repr(log)  # people type their password into the wrong field


def test_guessing_gets_slower_and_the_known_browser_stays_free(server: Any) -> None:
    known = Browser(server.url)
    page_of(known.sign_in())
    stranger = Browser(server.url, **{"X-Forwarded-For": "198.51.100.7"})
    for _ in range(5):
        assert stranger.sign_in(password="wrong password").status_code == 401
    answer = stranger.sign_in(password="wrong password")
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) >= 1
    assert "Too many attempts" in answer.text
    assert stranger.sign_in().status_code == 429  # the right password does not help either
    assert Browser(server.url, **{"X-Forwarded-For": "203.0.113.9"}).sign_in().status_code == 429
    page_of(known.sign_in())
    page_of(Browser(server.url).sign_in())  # from the address of the known browser


def test_signing_in_renews_the_session(server: Any) -> None:
    browser = Browser(server.url)
    first = page_of(browser.sign_in())
    cookies = requests.cookies.RequestsCookieJar()
    cookies.update(browser.session.cookies)
    page_of(browser.sign_in())
    browser.session.cookies = cookies
    assert browser.api("GET", "/api/sessions", first).status_code == 401


def test_a_session_ends_with_its_account(server: Any, directory: Path) -> None:
    change(directory, accounts.add, "bob", password=passwords.hashed(PASSWORD, "bob"))
    browser = Browser(server.url)
    page = page_of(browser.sign_in("bob"))
    change(directory, accounts.disable, "bob")
    answer = browser.sign_in("bob")
    assert answer.status_code == 401
    assert "disabled" in answer.text
    assert "disabled" not in browser.sign_in("bob", "wrong password").text
    assert browser.api("GET", "/api/sessions", page).status_code == 401


def test_a_one_time_link_sets_the_password_once(server: Any, directory: Path) -> None:
    change(directory, accounts.add, "bob")
    secret = change(directory, one_time_links.make, "bob")
    browser = Browser(server.url)
    for _ in range(3):  # previews of links fetch it too
        form = browser.get(f"/welcome/{secret}")
        assert form.status_code == 200
        assert "bob" in form.text
    for password, again, reason in (
        ("short", "short", "at least 12 characters"),
        (PASSWORD, PASSWORD + "x", "differ"),
        ("password1234", "password1234", "first that others try"),
    ):
        answer = browser.post(f"/welcome/{secret}", password=password, again=again)
        assert answer.status_code == 400
        assert reason in answer.text
    page = page_of(browser.post(f"/welcome/{secret}", password=PASSWORD, again=PASSWORD))
    assert browser.api("GET", "/api/sessions", page).status_code == 200
    for answer in (
        browser.get(f"/welcome/{secret}"),
        browser.post(f"/welcome/{secret}", password=PASSWORD, again=PASSWORD),
        browser.get("/welcome/nonsense"),
    ):
        assert answer.status_code == 410
        assert "ask a server admin" in answer.text
    page_of(Browser(server.url).sign_in("bob"))
    assert secret not in repr(log_of(directory))


def test_blocked_cookies_are_named_before_anything_happens(server: Any, directory: Path) -> None:
    secret = change(directory, one_time_links.make, "ada")
    browser = Browser(server.url)
    for path, fields in (
        ("/sign-in", {"name": "ada", "password": PASSWORD}),
        (f"/welcome/{secret}", {"password": PASSWORD, "again": PASSWORD}),
    ):
        browser.session.cookies.clear()
        answer = browser.post(path, **fields)
        assert answer.status_code == 400
        assert "allow them for this address" in answer.text
    assert browser.get(f"/welcome/{secret}").status_code == 200


def test_other_sites_cannot_sign_a_browser_in(server: Any) -> None:
    browser = Browser(server.url)
    browser.get("/sign-in")
    for origin in ("https://evil.example", "null", server.url.replace("127.0.0.1", "localhost")):
        browser.session.headers["Origin"] = origin
        assert browser.post("/sign-in", name="ada", password=PASSWORD).status_code == 403
    del browser.session.headers["Origin"]
    assert browser.post("/sign-in", name="ada", password=PASSWORD).status_code == 403


def test_a_form_has_a_limited_size(server: Any) -> None:
    browser = Browser(server.url)
    browser.get("/sign-in")
    assert browser.post("/sign-in", name="ada", password="x" * 100_000).status_code == 413
    assert browser.post("/sign-in", **{f"field{number}": "x" for number in range(100)}).status_code == 401


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("", "/"),
        ("/", "/"),
        ("/projects/me/a?x=1&y=%20", "/projects/me/a?x=1&y=%20"),
        ("/projects/me/é", "/projects/me/%C3%A9"),
        ("https://evil.example/", "/"),
        ("//evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("/\t/evil.example", "/"),
        ("/a\r\nSet-Cookie: x=1", "/"),
        ("/api/projects", "/"),
        ("/sign-in?next=/", "/"),
        ("/welcome/x", "/"),
        ("/a#page=x", "/a"),
        ("/" + "a" * 3000, "/"),
        ("javascript:alert(1)", "/"),
    ],
)
def test_only_own_addresses_are_opened_after_signing_in(text: str, target: str) -> None:
    assert own_target(text, "") == target
    assert own_target(text, "/prefix") == target
    if text.startswith("/"):
        assert own_target(f"/prefix{text}", "/prefix") == target


def test_a_hostile_target_is_text(server: Any) -> None:
    answer = Browser(server.url).get("/sign-in", params={"next": '/"><script>alert(1)</script>'})
    assert "<script" not in answer.text


def test_it_works_under_a_prefix(directory: Path, run_server: Any) -> None:
    with run_server(directory, root_path="/tracker") as client:
        browser = Browser(client.url)
        assert browser.get("/tracker/").headers["location"] == "/tracker/sign-in?next=%2F"
        form = browser.get("/tracker/sign-in")
        assert 'action="/tracker/sign-in"' in form.text
        assert "Path=/tracker/" in form.headers["set-cookie"]
        answer = browser.post("/tracker/sign-in", name="ada", password=PASSWORD, next="/projects/me/a")
        assert answer.headers["location"].startswith("/tracker/projects/me/a#page=")


def test_cookies_are_secure_behind_tls(server: Any) -> None:
    browser = Browser(server.url, **{"X-Forwarded-Proto": "https"})
    cookies = browser.get("/sign-in").headers["set-cookie"]
    assert "Secure" in cookies


def test_passwords_can_be_switched_off(directory: Path, run_server: Any) -> None:
    with run_server(directory, providers=Providers(passwords=False)) as client:
        browser = Browser(client.url)
        assert 'type="password"' not in browser.get("/sign-in").text
        answer = browser.post("/sign-in", name="ada", password=PASSWORD)
        assert answer.status_code == 401
        assert "switched off" in answer.text
        secret = change(directory, one_time_links.make, "ada")
        assert 'type="password"' not in browser.get(f"/welcome/{secret}").text
        answer = browser.post(f"/welcome/{secret}", password=PASSWORD, again=PASSWORD)
        assert answer.status_code == 403


def test_a_personal_server_has_no_sign_in_page_of_accounts(run_server: Any, tmp_path: Path) -> None:
    with run_server(tmp_path) as client:
        browser = Browser(client.url)
        assert "token" in browser.get("/sign-in").text
        assert browser.post("/sign-in", name="ada", password=PASSWORD).status_code == 401


def test_a_full_disk_is_named(directory: Path, run_server: Any) -> None:
    def fill(storage: Any) -> None:
        sa.event.listen(storage.engine, "connect", lambda raw, _: raw.execute("PRAGMA max_page_count = 1"))
        storage.engine.dispose()
        for size in (2000, 200, 20):
            with pytest.raises(StorageFull):
                write_until_full(AccessDatabase(storage.engine), "x" * size)

    def write_until_full(database: AccessDatabase, text: str) -> None:
        while True:
            with database.noting() as connection:
                write(connection, COMMAND_LINE, "x", None, text)

    with run_server(directory, fill) as client:
        browser = Browser(client.url)
        answer = browser.sign_in()
        assert answer.status_code == 507
        assert "disk is full" in answer.text
