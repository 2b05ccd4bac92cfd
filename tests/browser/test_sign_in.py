"""Signing in to a team's server: with a password, a one-time link and a provider."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.oidc_provider import Provider, running_provider
from tracker_server.access import accounts, one_time_links, passwords
from tracker_server.access.audit_log import COMMAND_LINE
from tracker_server.access.database import AccessDatabase
from tracker_server.embedded import Embedded, serve
from tracker_server.storage.database import connect

from .conftest import SIZES, watched
from .proxy import proxied

PASSWORD = "seven green lamps"
Open = Callable[..., AbstractContextManager[Page]]


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with running_provider() as made:
        made.know("77", email="grace@example.org", email_verified=True)
        yield made


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory, provider: Provider) -> Path:
    made = tmp_path_factory.mktemp("team")
    (made / "providers.toml").write_text(
        f'[providers.campus]\nlabel = "Campus"\nissuer = "{provider.issuer}"\n'
        'client_id = "tracker"\nclient_secret = "s3cret"\nallowed_domains = ["example.org"]\n'
    )
    (made / "providers.toml").chmod(0o600)
    _change(made, accounts.add, "ada", admin=True, password=passwords.hashed(PASSWORD, "ada"))
    _change(made, accounts.add, "grace", email="grace@example.org")
    return made


def _change(directory: Path, function: Callable[..., Any], *args: Any, **options: Any) -> Any:
    engine = connect(f"sqlite:///{directory / 'tracker.db'}")
    try:
        with AccessDatabase(engine).changing() as connection:
            return function(connection, COMMAND_LINE, *args, **options)
    finally:
        engine.dispose()


@pytest.fixture(scope="module")
def team(directory: Path) -> Iterator[Embedded]:
    with serve(directory) as made:
        yield made


@pytest.fixture
def visitor(browser: Browser, team: Embedded) -> Open:
    """Open a page in a browser that nobody has signed in."""

    @contextmanager
    def opened(
        path: str, size: str = "desktop", theme: Any = "light", refusals: tuple[int, ...] = ()
    ) -> Iterator[Page]:
        width, height = SIZES[size]
        context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=theme)
        try:
            with watched(context, team.url, refusals) as page:
                page.goto(team.url + path)
                yield page
        finally:
            context.close()

    return opened


def _fill(page: Page, password: str = PASSWORD) -> None:
    page.get_by_label("Name").fill("ada")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()


def _is_signed_in(page: Page) -> None:
    expect(page.get_by_role("button", name="Account")).to_be_visible()


def test_a_person_signs_in_and_out_and_goes_back(visitor: Open) -> None:
    with visitor("/?filter=x", refusals=(401,)) as page:
        expect(page.get_by_label("Name")).to_be_focused()
        _fill(page, "wrong password")
        expect(page.get_by_role("alert")).to_have_text("The name or the password is wrong.")
        expect(page.get_by_label("Password")).to_be_focused()
        page.keyboard.type(PASSWORD)
        page.keyboard.press("Enter")
        _is_signed_in(page)
        assert page.url.endswith("/?filter=x")
        page.reload()
        _is_signed_in(page)
        page.get_by_role("button", name="Account").click()
        page.get_by_role("menuitem", name="Sign out").click()
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        page.go_back()
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        expect(page.get_by_role("button", name="Account")).to_have_count(0)


def test_an_account_sets_its_password_with_a_one_time_link(visitor: Open, team: Embedded, directory: Path) -> None:
    _change(directory, accounts.add, "linus")
    secret = _change(directory, one_time_links.make, "linus")
    with visitor(f"/welcome/{secret}", refusals=(400, 410)) as page:
        expect(page.get_by_role("heading", name="Welcome to tracker")).to_be_visible()
        page.get_by_label("New password").fill(PASSWORD)
        page.get_by_label("Repeat it").fill("something else")
        page.get_by_role("button", name="Set password and sign in").click()
        expect(page.get_by_role("alert")).to_have_text("The two passwords differ. Type the same twice.")
        page.get_by_label("New password").fill(PASSWORD)
        page.get_by_label("Repeat it").fill(PASSWORD)
        page.get_by_role("button", name="Set password and sign in").click()
        _is_signed_in(page)
        page.goto(f"{team.url}/welcome/{secret}")
        expect(page.get_by_role("heading", name="This link no longer works")).to_be_visible()


def test_a_person_signs_in_with_a_provider(browser: Browser, team: Embedded) -> None:
    context = browser.new_context()
    # The provider's own page has a style sheet from elsewhere.
    context.route("https://**", lambda route: route.fulfill(body=""))
    try:
        page = context.new_page()
        page.goto(team.url + "/?filter=y")
        page.get_by_role("link", name="Sign in with Campus").click()
        page.locator("input[name=sub]").fill("77")
        page.locator("button").first.click()
        _is_signed_in(page)
        assert page.url == team.url + "/?filter=y"
        page.reload()
        _is_signed_in(page)
        page.goto("about:blank")
        page.goto(team.url + "/sign-in/callback/campus?state=old&code=old")
        expect(page.get_by_role("alert")).to_contain_text("has expired, or began in another browser")
    finally:
        context.close()


def test_an_account_connects_a_provider(browser: Browser, team: Embedded, provider: Provider) -> None:
    provider.know("1815", email="ada@example.org", email_verified=True)
    context = browser.new_context()
    context.route("https://**", lambda route: route.fulfill(body=""))
    try:
        page = context.new_page()
        page.goto(team.url + "/account")
        _fill(page)
        page.get_by_role("button", name="Connect with Campus").click()
        page.locator("input[name=sub]").fill("1815")
        page.locator("button").first.click()
        expect(page.get_by_role("button", name="Disconnect from Campus")).to_be_visible()
        context.clear_cookies()
        page.goto(team.url + "/account")
        page.get_by_role("link", name="Sign in with Campus").click()
        page.locator("input[name=sub]").fill("1815")
        page.locator("button").first.click()
        expect(page.get_by_role("button", name="Account of ada")).to_be_visible()
    finally:
        context.close()


def test_a_browser_that_lost_its_secret_signs_in_again(visitor: Open) -> None:
    with visitor("/?filter=w", refusals=(401,)) as page:
        _fill(page)
        _is_signed_in(page)
        page.evaluate("localStorage.clear()")
        page.reload()
        page.get_by_role("link", name="Sign in again").evaluate("link => link.removeAttribute('target')")
        page.get_by_role("link", name="Sign in again").click()
        _fill(page)
        _is_signed_in(page)
        assert page.url.endswith("/?filter=w")


def test_blocked_cookies_are_named(browser: Browser, team: Embedded) -> None:
    context = browser.new_context()
    try:
        page = context.new_page()
        page.goto(team.url)
        context.clear_cookies()  # as if the browser had not kept it
        _fill(page)
        expect(page.get_by_role("alert")).to_contain_text("allow them for this address")
    finally:
        context.close()


def test_it_works_behind_a_prefix(browser: Browser, tmp_path: Path) -> None:
    _change(tmp_path, accounts.add, "ada", admin=True, password=passwords.hashed(PASSWORD, "ada"))
    reader, writer = os.pipe()
    command = [sys.executable, "-m", "tracker_server", "--dir", str(tmp_path), "--port", "0", "--root-path", "/tracker"]
    process = subprocess.Popen([*command, "--announce-fd", str(writer)], pass_fds=[writer], stdout=subprocess.DEVNULL)
    os.close(writer)
    with open(reader) as pipe:
        direct = json.load(pipe)["url"]
    context = browser.new_context()
    try:
        with proxied(direct, "/tracker") as url, watched(context, url) as page:
            page.goto(url + "/?filter=z")
            _fill(page)
            _is_signed_in(page)
            assert page.url == url + "/?filter=z"
    finally:
        context.close()
        process.terminate()
        assert process.wait(20) == 0


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", list(SIZES))
def test_the_pages_are_accessible(
    visitor: Open, team: Embedded, directory: Path, shots: Path, size: str, theme: str
) -> None:
    secret = _change(directory, one_time_links.make, "ada")
    with visitor("/sign-in", size, theme, refusals=(401, 410)) as page:
        for name, path in (("welcome", f"/welcome/{secret}"), ("gone", "/welcome/none"), ("sign-in", "/sign-in")):
            page.goto(team.url + path)
            _check(page, shots / f"{name}-{size}-{theme}.png")
        _fill(page, "wrong password")
        expect(page.get_by_role("alert")).to_be_visible()
        _check(page, shots / f"wrong-{size}-{theme}.png")


def _check(page: Page, picture: Path) -> None:
    page.screenshot(path=picture)
    wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
    assert not wide
    found = Axe().run(page)
    assert not found.response["violations"], found.generate_report()
