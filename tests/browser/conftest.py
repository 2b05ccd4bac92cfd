"""Fixtures: the dashboard in a real browser, on a real server with runs of the real logger.

A test fails if its page writes an error to its console, or sends a request to another server.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Dialog,
    Page,
    Playwright,
    Request,
    expect,
    sync_playwright,
)

from tracker_server.embedded import Embedded, serve

HERE = Path(__file__).parent
CHROMIUM = os.environ.get("TRACKER_TEST_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
PATIENCE_MS = 30_000
"""A machine may be busy; what is waited for is there as soon as it is there."""
SIZES = {"desktop": (1440, 900), "phone": (390, 844)}

expect.set_options(timeout=PATIENCE_MS)

if CHROMIUM is None and os.environ.get("CI"):
    raise RuntimeError("these tests need a browser: apt-get install chromium, or set TRACKER_TEST_CHROMIUM")
collect_ignore_glob = [] if CHROMIUM else ["test_*.py"]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    """Run a server with the runs of `runs.py`."""
    home = tmp_path_factory.mktemp("browser")
    # Other tests set these for each test; here server and loggers live longer than one test.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TRACKER_")}
    environment |= {"HOME": str(home), "TRACKER_ENTITY": "me", "TRACKER_RAISE_INTERNAL": "1"}
    with serve(home / "server") as made:
        environment |= {"TRACKER_BASE_URL": made.url, "TRACKER_API_KEY": made.token}
        subprocess.run([sys.executable, HERE / "runs.py"], cwd=home, env=environment, check=True)
        yield made


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as made:
        yield made


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    made = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
    yield made
    made.close()


@contextmanager
def watched(context: BrowserContext, own: str, refusals: tuple[int, ...] = ()) -> Iterator[Page]:
    """Yield a page; raise at the end if it wrote errors or sent requests to other servers.

    The browser writes errors for the server's `refusals`, statuses that the test expects.
    """
    page = context.new_page()
    complaints: list[str] = []

    def on_console(message: ConsoleMessage) -> None:
        refused = re.search(r"the server responded with a status of (\d+)", message.text)
        if refused and int(refused[1]) in refusals:
            return
        if "/render/" in message.location.get("url", ""):
            return  # errors of a logged page in its sandbox do not count
        if message.type in ("error", "warning"):
            complaints.append(f"{message.type}: {message.text} ({message.location.get('url')})")

    def on_request(request: Request) -> None:
        if not request.url.startswith((own, "data:", "blob:")):
            complaints.append(f"asked another server: {request.url}")

    def on_dialog(dialog: Dialog) -> None:
        complaints.append(f"a script ran: {dialog.message}")
        dialog.dismiss()

    page.on("console", on_console)
    page.on("request", on_request)
    page.on("pageerror", lambda error: complaints.append(f"exception: {error}"))
    page.on("dialog", on_dialog)
    page.set_default_timeout(PATIENCE_MS)
    yield page
    assert not complaints, "\n".join(complaints)


Visit = Callable[..., AbstractContextManager[Page]]


@pytest.fixture
def visit(browser: Browser, server: Embedded) -> Visit:
    """Open a page of the dashboard, signed in, in a context of its own: `with visit("/", size="phone") as page`."""

    @contextmanager
    def opened(
        path: str = "/",
        size: str = "desktop",
        theme: Any = "light",
        refusals: tuple[int, ...] = (),
        **options: Any,
    ) -> Iterator[Page]:
        width, height = SIZES[size]
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=theme, reduced_motion="reduce", **options
        )
        try:
            with watched(context, server.url, refusals) as page:
                page.goto(f"{server.url}/?token={server.token}")
                if path != "/":
                    page.goto(server.url + path)
                yield page
        finally:
            context.close()

    return opened


@pytest.fixture(scope="session")
def shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder for screenshots, which TRACKER_TEST_SHOTS names."""
    named = os.environ.get("TRACKER_TEST_SHOTS")
    folder = Path(named) if named else tmp_path_factory.mktemp("shots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
