"""Signing in with a provider, against a real one."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import requests

from tests.oidc_provider import Provider as RunningProvider
from tests.oidc_provider import running_provider
from tests.server.routes.test_sign_in import PASSWORD, Browser, change, log_of, page_of
from tracker_server.access import accounts, one_time_links, passwords, teams
from tracker_server.access.providers import Provider, Providers, TeamRole

BACK = "/sign-in/callback/campus?"


@pytest.fixture(scope="module")
def provider() -> Iterator[RunningProvider]:
    with running_provider() as made:
        made.know("77", email="ada@example.org", email_verified=True, preferred_username="ada", groups=["vision"])
        yield made


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    change(tmp_path, accounts.add, "root", admin=True, password=passwords.hashed(PASSWORD, "root"))
    change(tmp_path, teams.add, "vision")
    return tmp_path


@pytest.fixture
def server(directory: Path, provider: RunningProvider, run_server: Any) -> Iterator[Any]:
    settings: dict[str, Any] = {"issuer": provider.issuer, "client_id": "tracker", "client_secret": "s3cret"}
    groups = {"vision": (TeamRole("vision", "member"),)}
    offered = {
        "campus": Provider("campus", "Campus", **settings, allowed_domains=frozenset({"example.org"}), groups=groups),
        "guests": Provider("guests", "Guests", **settings, create_accounts=True),
        "gone": Provider("gone", "Gone", "http://127.0.0.1:9", "tracker", "s3cret"),
    }
    with run_server(directory, providers=Providers(by_name=offered)) as client:
        yield client


def _to(browser: Browser, name: str = "campus", query: str = "") -> str:
    answer = browser.get(f"/sign-in/with/{name}{query}")
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def _secret(answer: requests.Response) -> str:
    assert answer.status_code == 200, answer.text
    return answer.text.partition("#page=")[2].partition('"')[0]


def _round(browser: Browser, provider: RunningProvider, name: str = "campus", query: str = "") -> requests.Response:
    back = provider.sign_in(_to(browser, name, query), "77")
    return browser.get(f"/sign-in/callback/{name}?{urlencode(back)}")


def test_an_invited_person_signs_in(server: Any, directory: Path, provider: RunningProvider) -> None:
    change(directory, accounts.add, "lovelace", email="Ada@example.org")
    browser = Browser(server.url)
    answer = _round(browser, provider, query="?next=/projects/vision/a")
    page = _secret(answer)
    assert f'url=/projects/vision/a#page={page}"' in answer.text
    who = browser.api("GET", "/api/whoami", page).json()
    assert (who["name"], who["roles"]) == ("lovelace", {"lovelace": "admin", "vision": "member"})
    assert ("lovelace", "sign-in", "lovelace", "with campus", "127.0.0.1") in log_of(directory)
    provider.know("77", email="ada@example.org", email_verified=True, groups=[])
    try:
        page = _secret(_round(browser, provider))
    finally:
        provider.know("77", email="ada@example.org", email_verified=True, groups=["vision"])
    assert browser.api("GET", "/api/whoami", page).json()["roles"] == {"lovelace": "admin"}


def test_a_stranger_is_told_what_to_do(server: Any, directory: Path, provider: RunningProvider) -> None:
    answer = _round(Browser(server.url), provider)
    assert answer.status_code == 403
    assert "There is no account for ada@example.org here" in answer.text
    entry = log_of(directory)[-1]
    assert entry == ("provider campus", "sign-in failed", None, "with campus, ada@example.org", "127.0.0.1")


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"email": "ada@example.org", "email_verified": False}, "has not verified your email address"),
        ({"email": "ada@elsewhere.org", "email_verified": True}, "does not accept email addresses of your domain"),
    ],
)
def test_unverified_and_foreign_addresses_are_refused(
    server: Any, provider: RunningProvider, claims: dict[str, Any], reason: str
) -> None:
    provider.know("78", **claims)
    browser = Browser(server.url)
    back = provider.sign_in(_to(browser), "78")
    answer = browser.get(BACK + urlencode(back))
    assert answer.status_code == 403
    assert reason in answer.text


def test_what_did_not_begin_here_is_refused(
    server: Any, directory: Path, provider: RunningProvider, caplog: pytest.LogCaptureFixture
) -> None:
    change(directory, accounts.add, "lovelace", email="ada@example.org")
    browser = Browser(server.url)
    back = provider.sign_in(_to(browser), "77")
    for query in ({**back, "state": "another"}, {"code": back["code"]}, {}):
        answer = browser.get(BACK + urlencode(query))
        assert answer.status_code == 403
        assert "has expired, or began in another browser" in answer.text
    other = Browser(server.url)
    _to(other)
    assert other.get(BACK + urlencode(back)).status_code == 403
    assert browser.get("/sign-in/callback/guests?" + urlencode(back)).status_code == 403
    with caplog.at_level(logging.WARNING):
        mixed = browser.get(BACK + urlencode({**back, "iss": "https://evil.example"}))
    assert mixed.status_code == 403
    assert "came back from another issuer" in caplog.text
    assert back["code"] not in caplog.text
    back = provider.sign_in(_to(browser), "77")
    _secret(browser.get(BACK + urlencode(back)))
    assert browser.get(BACK + urlencode(back)).status_code == 403  # it works once


def test_a_denied_sign_in_is_named(server: Any) -> None:
    browser = Browser(server.url)
    state = _to(browser).partition("state=")[2].partition("&")[0]
    answer = browser.get(BACK + urlencode({"error": "access_denied", "state": state}))
    assert answer.status_code == 403
    assert "did not sign you in" in answer.text


def test_unknown_and_unreachable_providers_are_named(server: Any, caplog: pytest.LogCaptureFixture) -> None:
    browser = Browser(server.url)
    assert browser.get("/sign-in/with/nothing").status_code == 404
    with caplog.at_level(logging.WARNING):
        answer = browser.get("/sign-in/with/gone")
    assert answer.status_code == 403
    assert "Signing in with Gone failed" in answer.text
    assert "s3cret" not in caplog.text


def test_a_visit_from_another_site_comes_back_once_more(
    server: Any, directory: Path, provider: RunningProvider
) -> None:
    change(directory, accounts.add, "lovelace", email="ada@example.org")
    browser = Browser(server.url)
    back = provider.sign_in(_to(browser), "77")
    again = browser.get(BACK + urlencode(back), headers={"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"})
    assert "refresh" in again.text
    assert "#page=" not in again.text
    _secret(browser.get(BACK + urlencode(back)))


def test_a_new_account_is_made_where_the_provider_may(server: Any, provider: RunningProvider) -> None:
    browser = Browser(server.url)
    page = _secret(_round(browser, provider, "guests"))
    who = browser.api("GET", "/api/whoami", page).json()
    assert (who["name"], who["is_admin"]) == ("ada", False)


def test_a_one_time_link_connects_a_provider(server: Any, directory: Path, provider: RunningProvider) -> None:
    change(directory, accounts.add, "grace")
    secret = change(directory, one_time_links.make, "grace")
    browser = Browser(server.url)
    assert f"/sign-in/with/campus?link={secret}" in browser.get(f"/welcome/{secret}").text
    page = _secret(_round(browser, provider, query=f"?link={secret}"))
    assert browser.api("GET", "/api/whoami", page).json()["name"] == "grace"
    assert browser.get(f"/welcome/{secret}").status_code == 410
    _secret(_round(Browser(server.url), provider))
    used = _round(Browser(server.url), provider, query=f"?link={secret}")
    assert used.status_code == 403
    assert "This link was used already" in used.text


def test_a_signed_in_account_connects_and_disconnects_a_provider(
    server: Any, directory: Path, provider: RunningProvider
) -> None:
    browser = Browser(server.url)
    page = page_of(browser.sign_in("root"))

    def ways() -> Any:
        return browser.api("GET", "/api/account/identities", page).json()

    assert [one["connected"] for one in ways()["identities"]] == [False, False, False]
    headers = {"X-Tracker-Page": page}
    begun = browser.session.post(
        browser.url + "/api/account/identities/campus", json={"next": "/account"}, headers=headers, timeout=60
    )
    back = provider.sign_in(begun.json()["url"], "77")
    thief = Browser(server.url)
    thief.session.cookies.update({k: v for k, v in browser.session.cookies.items() if k.endswith("-provider")})
    assert thief.get(BACK + urlencode(back)).status_code == 403  # not signed in to the account
    begun = browser.session.post(
        browser.url + "/api/account/identities/campus", json={"next": "/account"}, headers=headers, timeout=60
    )
    back = provider.sign_in(begun.json()["url"], "77")
    answer = browser.get(BACK + urlencode(back))
    assert 'url=/account"' in answer.text
    assert [one["connected"] for one in ways()["identities"]] == [True, False, False]
    _secret(_round(Browser(server.url), provider))
    assert browser.api("DELETE", "/api/account/identities/campus", page).status_code == 204
    assert _round(Browser(server.url), provider).status_code == 403
    actions = [action for _, action, *_ in log_of(directory)]
    assert "provider connected" in actions
    assert "provider disconnected" in actions
