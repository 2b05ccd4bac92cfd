"""Signing in and out, and requests from other ports of the host and from logged pages."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, expect

from tracker_server.embedded import Embedded

from .conftest import Visit, watched
from .proxy import proxied
from .workspace import Runs, Table


def test_signing_out_ends_the_session_of_this_browser_only(server: Embedded, visit: Visit) -> None:
    with visit("/", refusals=(401,)) as page, visit("/") as other:
        page.get_by_role("button", name="Account").click()
        page.get_by_role("menuitem", name="Signed-in browsers").click()
        expect(page.get_by_text("This browser")).to_be_visible()
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Account").click()
        page.get_by_role("menuitem", name="Sign out").click()
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        other.reload()
        expect(other.get_by_role("link", name="vision")).to_be_visible()


def test_another_browser_can_be_signed_out(server: Embedded, visit: Visit) -> None:
    with visit("/") as page, visit("/projects/me/vision", refusals=(401,)) as other:
        page.get_by_role("button", name="Account").click()
        page.get_by_role("menuitem", name="Signed-in browsers").click()
        dialog = page.get_by_role("dialog", name="Signed-in browsers")
        buttons = dialog.get_by_role("button", name="Sign out")
        expect(dialog.get_by_text("This browser")).to_be_visible()
        before = buttons.count()
        buttons.first.click()  # the one used last
        expect(buttons).to_have_count(before - 1)
        other.reload()
        expect(other.get_by_role("heading", name="Sign in")).to_be_visible()


@contextmanager
def _neighbour() -> Iterator[tuple[str, list[str]]]:
    """Run a service on another port of the host that records the cookies it receives."""
    cookies: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            cookies.append(self.headers.get("cookie", ""))
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><title>neighbour</title>")

        def log_message(self, *_args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", cookies
    finally:
        server.shutdown()
        server.server_close()


def test_a_cookie_seen_by_another_port_gives_no_access(server: Embedded, browser: Browser) -> None:
    context = browser.new_context()
    try:
        page = context.new_page()
        page.goto(f"{server.url}/?token={server.token}")
        expect(page.get_by_role("link", name="vision")).to_be_visible()
        with _neighbour() as (url, cookies):
            page.goto(url)
            (cookie,) = {one for one in cookies if "tracker-" in one}
        client = Runs(server)._session
        del client.headers["Authorization"]
        for method, path in (("GET", "/api/projects"), ("DELETE", "/api/runs/me/vision/v00"), ("GET", "/api/live")):
            headers = {"Cookie": cookie, "Origin": server.url}
            assert client.request(method, server.url + path, headers=headers).status_code == 401
    finally:
        context.close()


def test_a_logged_page_is_shown_only_in_frames(server: Embedded, visit: Visit) -> None:
    with visit("/runs/me/media/all?tab=charts", refusals=(403,)) as page:
        frame = page.locator("iframe").first
        frame.scroll_into_view_if_needed()
        expect(page.frame_locator("iframe").first.locator("h1, #figure").first).to_be_attached()
        source = frame.get_attribute("src")
        assert source is not None
        answer = page.goto(server.url + source)
        assert answer is not None
        assert answer.status == 403


def test_the_dashboard_works_under_a_prefix(tmp_path: Path, browser: Browser) -> None:
    reader, writer = os.pipe()
    command = [sys.executable, "-m", "tracker_server", "--dir", str(tmp_path), "--port", "0", "--root-path", "/tracker"]
    process = subprocess.Popen([*command, "--announce-fd", str(writer)], pass_fds=[writer], stdout=subprocess.DEVNULL)
    os.close(writer)
    with open(reader) as pipe:
        said = json.load(pipe)
    server = Embedded(said["url"], said["token"], process)  # type: ignore[arg-type]
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    try:
        runs = Runs(server, "p")
        runs.add("one", [{"loss": 1.0}, {"loss": 2.0}])
        runs.print("one", "a printed line")
        with proxied(server.url, "/tracker") as url, watched(context, url) as page:
            page.goto(f"{url}/?token={server.token}")
            page.get_by_role("link", name="p", exact=True).first.click()
            table = Table(page)
            table.shows("one")
            assert "/tracker/projects/me/p" in page.url
            expect(page.get_by_role("application")).to_have_count(1)
            runs.add("two")  # from the stream of changes
            table.shows("two", "one")
            page.reload()
            table.shows("two", "one")
            table.row("one").get_by_role("link").click()
            page.wait_for_url("**/tracker/runs/me/p/one**")
            page.get_by_role("tab", name="Console").click()
            expect(page.get_by_text("a printed line")).to_be_visible()
            page.goto(f"{url}/runs/me/p/one?tab=charts")
            expect(page.get_by_role("application")).to_have_count(1)
            (cookie,) = context.cookies()
            assert cookie["path"] == "/tracker/"
    finally:
        context.close()
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
