from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
import requests
from playwright.sync_api import Browser, BrowserContext, FrameLocator, Page

from tracker.runlog.records import encode
from tracker_server.embedded import Embedded, serve

from .conftest import watched

START = 1_700_000_000.0
HTML = b"""<p id="said"></p><script>
const said = [];
const wanted = [() => document.cookie, () => parent.document.title, () => top.location.href, () => localStorage.length];
for (const reach of wanted)
  try { reach(); said.push("reached"); } catch { said.push("refused"); }
document.getElementById("said").textContent = said.join(" ");
</script>"""
FRAME = "address => { const made = document.createElement('iframe'); made.src = address; document.body.append(made) }"
SECRET = "localStorage.getItem('tracker page ')"
FIGURE = orjson.dumps({"data": [{"y": [1, 3, 2]}], "layout": {"title": {"text": "</script>a figure"}}})


class Logging:
    """A separate server, and runs that are logged to it."""

    def __init__(self, server: Embedded) -> None:
        self.server = server
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["Authorization"] = f"Bearer {server.token}"

    def run(self, name: str, row: dict[str, Any]) -> None:
        head = {"version": 1, "id": name, "entity": "me", "project": "live"}
        lines = encode("run", head, START) + encode("log", row, START + 1, 0) + encode("finish", {}, START + 2)
        path = f"{self.server.url}/api/runs/me/live/{name}/streams/history.jsonl?offset=0"
        self._session.post(path, data=lines).raise_for_status()

    def media(self, run: str, kind: str, content: bytes) -> str:
        """The page of media that a new run logs."""
        digest = hashlib.sha256(content).hexdigest()
        self.run(run, {"page": {"_type": kind, "digest": digest, "size": len(content)}})
        path = f"{self.server.url}/api/runs/me/live/{run}"
        self._session.put(f"{path}/blobs/{digest}", data=content).raise_for_status()
        return f"{path}/render/{digest}"


@pytest.fixture(scope="module")
def logging(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Logging]:
    with serve(tmp_path_factory.mktemp("live")) as server:
        yield Logging(server)


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    made = browser.new_context()
    yield made
    made.close()


def test_all_tabs_are_live_even_if_there_are_more_than_the_browser_has_connections(
    logging: Logging, context: BrowserContext
) -> None:
    logging.run("first", {"loss": 1.0})
    with watched(context, logging.server.url) as page:
        page.goto(f"{logging.server.url}/?token={logging.server.token}")
        tabs = [page, *(context.new_page() for _ in range(7))]
        for tab in tabs[1:]:
            tab.goto(logging.server.url)
        for tab in tabs:
            tab.get_by_text("1 run", exact=True).first.wait_for()
        logging.run("second", {"loss": 1.0})
        for tab in tabs:
            tab.bring_to_front()
            tab.get_by_text("2 runs").first.wait_for()


def test_a_lost_connection_is_shown_until_the_server_is_back(tmp_path: Path, context: BrowserContext) -> None:
    with serve(tmp_path) as server:
        Logging(server).run("first", {"loss": 1.0})
        page = context.new_page()
        page.goto(f"{server.url}/?token={server.token}")
        page.get_by_text("1 run", exact=True).first.wait_for()
        port = int(server.url.rpartition(":")[2])
    page.get_by_text("Can't reach the server").first.wait_for()
    with serve(tmp_path, port=port) as server:
        page.get_by_text("Can't reach the server").first.wait_for(state="hidden")
        Logging(server).run("second", {"loss": 1.0})
        page.get_by_text("2 runs").first.wait_for()


def _framed(page: Page, server: Embedded, address: str) -> FrameLocator:
    """Show a logged page as the dashboard does, with the secret in the storage of its origin."""
    page.goto(f"{server.url}/?token={server.token}")
    page.evaluate(FRAME, f"{address}?page={page.evaluate(SECRET)}")
    return page.frame_locator("iframe")


def test_logged_html_has_no_access_to_the_dashboard(logging: Logging, context: BrowserContext) -> None:
    address = logging.media("html", "html", HTML)
    # 404: the browser requests an icon for a response that is not a page of the dashboard.
    with watched(context, logging.server.url, refusals=(401, 403, 404)) as page:
        frame = _framed(page, logging.server, address)
        assert frame.locator("#said").inner_text() == "refused refused refused refused"
        # Outside of a frame it could look like the dashboard, so it is not shown.
        secret = page.evaluate(SECRET)
        for alone, status in ((address, 401), (f"{address}?page={secret}", 403)):
            answer = page.goto(alone)
            assert answer is not None
            assert answer.status == status


def test_a_figure_is_drawn(logging: Logging, context: BrowserContext) -> None:
    address = logging.media("figure", "plotly", FIGURE)
    with watched(context, logging.server.url) as page:
        page.set_default_timeout(60_000)  # the library that draws the figure is large
        frame = _framed(page, logging.server, address)
        frame.get_by_text("</script>a figure").wait_for()
        frame.locator("svg .scatterlayer path.js-line").wait_for()
