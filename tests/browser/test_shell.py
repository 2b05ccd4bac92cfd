"""The header around every page, and the first page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tracker.runlog.records import encode
from tracker_server.embedded import Embedded, serve

from .conftest import Visit, watched
from .workspace import START, Runs


def palette(page: Page) -> Locator:
    """Open the palette with its keys; return its search field."""
    page.keyboard.press("Control+k")
    dialog = page.get_by_role("dialog", name="Search and commands", exact=True)
    field = dialog.get_by_role("textbox", name="Search projects, runs and commands")
    expect(field).to_be_focused()
    return field


def test_the_palette_finds_projects_and_runs(visit: Visit) -> None:
    with visit("/") as page:
        expect(page.get_by_role("heading", name="Projects")).to_be_visible()
        field = palette(page)
        field.fill("visi")
        expect(page.get_by_role("button", name=re.compile("me.vision")).first).to_be_visible()
        page.keyboard.press("Enter")
        page.wait_for_url("**/projects/me/vision")
        expect(page.get_by_role("grid", name="Runs")).to_be_visible()
        field = palette(page)
        field.fill("resnet-03")
        expect(page.get_by_role("button", name=re.compile("^resnet-03"))).to_be_visible()
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1, name="resnet-03")).to_be_visible()
        palette(page).fill("nothing is called so")
        expect(page.get_by_text("No results")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.get_by_text("No results")).to_be_hidden()


def test_the_palette_runs_commands(visit: Visit) -> None:
    permissions = ["clipboard-read", "clipboard-write"]
    with visit("/runs/me/vision/v00", permissions=permissions) as page:
        expect(page.get_by_role("heading", level=1)).to_have_text("resnet-00")
        palette(page).fill("link")
        page.get_by_role("button", name="Copy link to this view").click()
        page.get_by_text("Link copied").wait_for()
        assert page.evaluate("navigator.clipboard.readText()") == page.url
        palette(page).fill("reports")
        page.get_by_role("button", name="Reports of this project").click()
        expect(page.get_by_role("heading", level=1, name="Reports")).to_be_visible()
        palette(page).fill("keyboard")
        page.get_by_role("button", name="Show keyboard shortcuts").click()
        expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()


def test_keyboard_shortcuts_show_their_list_and_focus_the_search(visit: Visit) -> None:
    with visit("/projects/me/vision") as page:
        grid = page.get_by_role("grid", name="Runs")
        expect(grid.get_by_role("rowheader").first).to_be_visible()
        page.keyboard.press("?")
        shown = page.get_by_role("dialog", name="Keyboard shortcuts")
        expect(shown.get_by_role("heading", name="Runs table")).to_be_visible()
        page.keyboard.press("Escape")
        expect(shown).to_be_hidden()
        page.keyboard.press("/")
        search = page.get_by_role("searchbox", name="Search runs by name")
        expect(search).to_be_focused()
        search.press_sequentially("?/")  # there, these keys are text
        expect(search).to_have_value("?/")
        expect(shown).to_be_hidden()
        page.get_by_role("button", name="Keyboard shortcuts").click()
        expect(shown).to_be_visible()


def test_the_theme_follows_the_system_until_one_is_chosen(visit: Visit) -> None:
    with visit("/", theme="dark") as page:
        root = page.locator("html")
        expect(root).to_have_attribute("data-mantine-color-scheme", "dark")
        page.emulate_media(color_scheme="light")
        expect(root).to_have_attribute("data-mantine-color-scheme", "light")
        page.get_by_role("button", name="Theme: system").click()
        page.get_by_role("button", name="Theme: light").click()
        expect(root).to_have_attribute("data-mantine-color-scheme", "dark")
        page.reload()
        expect(root).to_have_attribute("data-mantine-color-scheme", "dark")
        page.get_by_role("button", name="Theme: dark").click()
        expect(root).to_have_attribute("data-mantine-color-scheme", "light")


def test_keyboard_users_can_skip_the_header_and_focus_moves_to_a_new_page(visit: Visit) -> None:
    with visit("/") as page:
        expect(page.get_by_role("heading", name="Projects")).to_be_visible()
        page.keyboard.press("Tab")
        skip = page.get_by_role("link", name="Skip to content")
        expect(skip).to_be_focused()
        expect(skip).to_be_in_viewport()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        expect(page.get_by_role("main").locator(":focus")).to_have_count(1)
        page.get_by_role("main").get_by_role("link", name="vision", exact=True).press("Enter")
        page.wait_for_url("**/projects/me/vision")
        expect(page.get_by_role("main")).to_be_focused()
        crumbs = page.get_by_role("navigation", name="Breadcrumb")
        expect(crumbs).to_be_visible()
        page.get_by_role("link", name="All projects").press("Enter")
        expect(page.get_by_role("heading", name="Projects")).to_be_visible()


def test_an_unknown_page_links_to_the_projects(visit: Visit) -> None:
    with visit("/projects/me/vision/no-such-page", refusals=(404,)) as page:
        expect(page.get_by_text("Page not found")).to_be_visible()
        page.get_by_role("link", name="Back to projects").click()
        expect(page.get_by_role("heading", name="Projects")).to_be_visible()
        page.goto(page.url + "runs/me/vision/no-such-run")
        expect(page.get_by_text("Run not found.")).to_be_visible()


@pytest.mark.parametrize("path", ["/nothing/here", "/projects/me", "/x"])
def test_an_invalid_address_shows_page_not_found(visit: Visit, path: str) -> None:
    with visit(path, refusals=(404,)) as page:
        expect(page.get_by_role("main")).to_contain_text("Page not found")
        expect(page.get_by_role("banner")).to_be_visible()
        page.get_by_role("link", name="Back to projects").click()
        expect(page.get_by_role("heading", name="Projects")).to_be_visible()


@contextmanager
def own_server(browser: Browser, path: Path) -> Iterator[tuple[Page, Embedded]]:
    """Yield a page of a server without runs."""
    with serve(path) as server:
        context = browser.new_context()
        try:
            with watched(context, server.url) as page:
                page.goto(f"{server.url}/?token={server.token}")
                yield page, server
        finally:
            context.close()


def test_the_first_run_page_turns_into_the_chart(browser: Browser, tmp_path: Path) -> None:
    with own_server(browser, tmp_path) as (page, server):
        expect(page.get_by_role("heading", level=1, name="Log your first run")).to_be_visible()
        shown = page.get_by_role("main")
        expect(shown).to_contain_text(server.url)
        expect(shown).to_contain_text(server.token)
        expect(shown.get_by_role("button", name="Copy Log a metric")).to_be_visible()
        runs = Runs(server, "first")
        runs.add("one", rows=[], ended=False)
        expect(page.get_by_role("heading", level=1, name="Your first run is here")).to_be_visible()
        expect(page.get_by_text("Started. Waiting for the first data point…")).to_be_visible()
        for step in range(3):
            runs.append("one", encode("log", {"loss": 1 / (step + 1)}, START + step, step))
        expect(page.get_by_role("application", name=re.compile("^Line chart loss"))).to_be_visible()
        page.get_by_role("link", name="Open project").click()
        expect(page.get_by_role("grid", name="Runs")).to_be_visible()


def test_projects_can_be_searched_by_name(browser: Browser, tmp_path: Path) -> None:
    with serve(tmp_path) as server:
        for i in range(10):
            Runs(server, f"project-{i}").add("one")
        context = browser.new_context()
        with watched(context, server.url) as page:
            page.goto(f"{server.url}/?token={server.token}")
            page.get_by_role("searchbox", name="Search projects").fill("-7")
            expect(page.get_by_role("listitem")).to_have_count(1)
            expect(page.get_by_role("img", name="1 run started in the last 30 days")).to_have_count(0)
            page.get_by_role("searchbox", name="Search projects").fill("none")
            expect(page.get_by_text("No projects match “none”")).to_be_visible()
        context.close()


def test_a_lost_connection_is_shown_until_the_server_is_back(browser: Browser, tmp_path: Path) -> None:
    context = browser.new_context()
    with serve(tmp_path) as server:
        Runs(server, "first").add("one")
        page = context.new_page()
        page.goto(f"{server.url}/?token={server.token}")
        page.get_by_role("link", name="first").click()
        expect(page.get_by_role("grid", name="Runs").get_by_role("rowheader")).to_have_count(1)
        port = int(server.url.rpartition(":")[2])
    banner = page.get_by_text("Can't reach the server.")
    expect(banner).to_be_visible()
    # The content stays.
    expect(page.get_by_role("grid", name="Runs").get_by_role("rowheader")).to_have_count(1)
    with serve(tmp_path, port=port):
        expect(banner).to_be_hidden()
    context.close()


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_all_controls_are_reachable_at_any_size(size: str, visit: Visit) -> None:
    with visit("/projects/me/vision", size=size) as page:
        page.get_by_role("button", name="Search projects, runs and commands").click()
        field = page.get_by_role("textbox", name="Search projects, runs and commands")
        field.fill("conv-20")
        page.get_by_role("button", name=re.compile("^conv-20")).click()
        expect(page.get_by_role("heading", level=1, name="conv-20")).to_be_visible()
        page.get_by_role("tab", name="Packages").click()
        expect(page.get_by_role("tab", name="Packages")).to_be_in_viewport()
