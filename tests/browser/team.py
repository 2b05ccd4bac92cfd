"""A team's server for browser tests: accounts with passwords, and pages of those who signed in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.waiting import eventually
from tracker_server.access import accounts, api_keys, passwords, teams
from tracker_server.access.audit_log import COMMAND_LINE
from tracker_server.access.database import AccessDatabase
from tracker_server.embedded import Embedded
from tracker_server.storage.database import connect

from .conftest import SIZES, watched
from .workspace import Runs

PASSWORD = "seven green lamps"
NAMES = ("ada", "bob", "mem", "vic")


class Team:
    """A server whose projects are of the team `me`.

    `ada` is server admin, `bob` an admin of the team, `mem` a member and `vic` a viewer.
    """

    def __init__(self, server: Embedded, directory: Path, browser: Browser) -> None:
        self.server, self.directory, self.browser = server, directory, browser
        self.runs = Runs(server, "digits")
        for number in range(3):
            self.runs.add(f"r{number}", name=f"run-{number}")
        self.runs.add("live", name="live", ended=False, allow_stop=True)
        self.change(accounts.add, "ada", admin=True, password=passwords.hashed(PASSWORD, "ada"))
        for name in NAMES[1:]:
            self.change(accounts.add, name, password=passwords.hashed(PASSWORD, name))
        for name, role in (("bob", "admin"), ("mem", "member"), ("vic", "viewer")):
            self.change(teams.set_member, "me", name, role)

    def change(self, function: Callable[..., Any], *args: Any, **options: Any) -> Any:
        """Change accounts as a command does, beside the server."""
        engine = connect(f"sqlite:///{self.directory / 'tracker.db'}")
        try:
            with AccessDatabase(engine).changing() as connection:
                return function(connection, COMMAND_LINE, *args, **options)
        finally:
            engine.dispose()

    def key(self, name: str) -> str:
        """Make an API key of an account that logs runs."""
        key: str = self.change(api_keys.add, name, "test", "log").key

        def is_known() -> bool:
            headers = {"Authorization": f"Bearer {key}"}
            return requests.get(f"{self.server.url}/api/whoami", headers=headers, timeout=30).status_code == 200

        eventually(is_known)
        return key

    @contextmanager
    def visitor(self, path: str = "/", refusals: tuple[int, ...] = (), size: str = "desktop") -> Iterator[Page]:
        """Open a page in a browser that nobody has signed in. `path` may be a whole address."""
        width, height = SIZES[size]
        context = self.browser.new_context(
            viewport={"width": width, "height": height},
            reduced_motion="reduce",
            permissions=["clipboard-read", "clipboard-write"],
        )
        try:
            with watched(context, self.server.url, refusals) as page:
                page.goto(path if path.startswith("http") else self.server.url + path)
                yield page
        finally:
            context.close()

    @contextmanager
    def signed_in(
        self, name: str, path: str = "/", refusals: tuple[int, ...] = (), size: str = "desktop"
    ) -> Iterator[Page]:
        """Open a page as an account."""
        with self.visitor("/sign-in", refusals, size) as page:
            sign_in(page, name)
            page.goto(self.server.url + path)
            yield page


def sign_in(page: Page, name: str) -> None:
    """Fill in the sign-in page."""
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("button", name=f"Account of {name}")).to_be_visible()


def send(page: Page, method: str, path: str, body: Any = None) -> int:
    """Send a request as the page does, by hand; return the status."""
    status: int = page.evaluate(
        """async ([method, path, body]) => {
            const secret = localStorage.getItem('tracker page ') ?? ''
            const headers = {'x-tracker-page': secret, 'content-type': 'application/json'}
            const content = body === null ? {} : {body: JSON.stringify(body)}
            return (await fetch(path, {method, headers, ...content})).status
        }""",
        [method, path, body],
    )
    return status


def check_accessible(page: Page) -> None:
    """Fail with what axe finds."""
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]})
    assert found.violations_count == 0, found.generate_report()
