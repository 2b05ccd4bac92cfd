"""Pages survive errors of the server and of their own parts."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tracker_server.embedded import Embedded, serve

from .conftest import Visit
from .workspace import Runs


def test_a_tab_that_failed_to_load_appears_when_the_server_is_back(browser: Browser, tmp_path: Path) -> None:
    context = browser.new_context()
    try:
        with serve(tmp_path / "data") as server:
            runs = Runs(server, "p")
            runs.add("one")
            runs.print("one", "a printed line")
            page = context.new_page()
            page.goto(f"{server.url}/?token={server.token}")
            page.goto(f"{server.url}/runs/me/p/one")
            expect(page.get_by_role("heading", name="one")).to_be_visible()
            port = int(server.url.rpartition(":")[2])
        page.get_by_role("tab", name="Console").click()
        expect(page.get_by_role("alert")).to_contain_text("Couldn't load this part of the page")
        expect(page.get_by_role("heading", name="one")).to_be_visible()
        with serve(tmp_path / "data", port=port):
            expect(page.get_by_text("a printed line")).to_be_visible(timeout=60_000)
    finally:
        context.close()


def test_a_page_of_an_older_version_is_reloaded_once(server: Embedded, browser: Browser) -> None:
    runs = Runs(server)
    runs.add("one")
    runs.print("one", "a printed line")
    context = browser.new_context()
    loads = []
    try:
        page = context.new_page()
        page.goto(f"{server.url}/?token={server.token}")
        page.goto(f"{server.url}/runs/me/{runs.project}/one")
        expect(page.get_by_role("heading", name="one")).to_be_visible()

        def missing(route: Route) -> None:
            loads.append(route.request.url)
            if len(loads) == 1:
                route.fulfill(status=404, body="gone")
            else:
                route.continue_()

        page.route(re.compile(r"/assets/ConsoleTab.*\.js$"), missing)
        page.get_by_role("tab", name="Console").click()
        expect(page.get_by_text("a printed line")).to_be_visible()
        assert len(loads) == 2
    finally:
        context.close()


@pytest.mark.parametrize(
    "text", [">" * 2000 + " deep", "> " * 50_000 + "deep", "- " * 2000 + "deep", "[" * 2000 + "deep"]
)
def test_deeply_nested_notes_do_not_break_the_page(server: Embedded, visit: Visit, text: str) -> None:
    runs = Runs(server)
    runs.add("one", notes=text)
    with visit(f"/runs/me/{runs.project}/one") as page:
        expect(page.get_by_text("deep").first).to_be_attached()
        expect(page.get_by_role("heading", name="About")).to_be_visible()


def test_a_failing_panel_does_not_affect_the_others(server: Embedded, visit: Visit) -> None:
    runs = Runs(server)
    runs.add("one", [{"loss": 1.0}, {"loss": 2.0}])
    odd: Any = {"id": "p-odd", "section": "Charts", "kind": "parallel", "columns": 7}
    with visit(runs.path(charts={"panels": [odd]})) as page:
        expect(_panel(page, "loss").get_by_role("application")).to_be_visible()


def _panel(page: Page, title: str) -> Any:
    return page.get_by_role("region", name=f"Panel {title}", exact=True)
