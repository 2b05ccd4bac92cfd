"""Views: in the address, saved under a name, and undone step by step."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tracker_server.embedded import Embedded

from .conftest import Visit
from .workspace import Runs, Table


@pytest.fixture
def runs(server: Embedded) -> Runs:
    made = Runs(server)
    for i in range(4):
        made.add(f"r{i}", [{"loss": float(i)}, {"loss": i / 2}], {"lr": 0.1 * i})
    return made


def test_the_address_contains_the_view(runs: Runs, visit: Visit) -> None:
    with visit(runs.path()) as page:
        table = Table(page)
        table.shows("r3", "r2", "r1", "r0")
        table.head("created").get_by_text("created", exact=True).click()
        table.shows("r0", "r1", "r2", "r3")
        table.row("r1").get_by_role("button", name="Hide r1 from charts").click()
        page.get_by_role("searchbox", name="Search runs by name").fill("/r[123]/")
        table.shows("r1", "r2", "r3")
        page.get_by_role("button", name="More settings").click()
        page.get_by_role("switch", name="Log y axis").click()
        page.wait_for_url(re.compile("logY"))
        address = page.url
        page.reload()
        table.shows("r1", "r2", "r3")
        assert page.url == address
        expect(page.get_by_role("searchbox", name="Search runs by name")).to_have_value("/r[123]/")
        expect(table.row("r1").get_by_role("button", name="Show r1 in charts")).to_be_visible()
        page.get_by_role("button", name="More settings").click()
        expect(page.get_by_role("switch", name="Log y axis")).to_be_checked()


def test_changes_can_be_undone_and_redone_with_keys(runs: Runs, visit: Visit) -> None:
    with visit(runs.path()) as page:
        table = Table(page)
        table.shows("r3", "r2", "r1", "r0")
        table.head("created").get_by_text("created", exact=True).click()
        table.shows("r0", "r1", "r2", "r3")
        table.menu("state" if "state" in table.heads() else "config.lr", "Group by this")
        expect(page.get_by_role("status").filter(has_text="4 runs")).to_have_text("1 group · 4 runs")
        page.keyboard.press("Control+z")
        table.shows("r0", "r1", "r2", "r3")
        page.keyboard.press("Control+z")
        table.shows("r3", "r2", "r1", "r0")
        page.keyboard.press("Control+Shift+z")
        table.shows("r0", "r1", "r2", "r3")
        page.get_by_role("button", name="Undo (Ctrl+Z)").click()
        table.shows("r3", "r2", "r1", "r0")
        expect(page.get_by_role("button", name="Undo (Ctrl+Z)")).to_be_disabled()
        page.get_by_role("button", name="Redo (Ctrl+Shift+Z)").click()
        table.shows("r0", "r1", "r2", "r3")


def test_a_link_to_the_view_can_be_copied(runs: Runs, visit: Visit) -> None:
    with visit(runs.path(search="r2"), permissions=["clipboard-read", "clipboard-write"]) as page:
        Table(page).shows("r2")
        page.get_by_role("button", name="Copy link to this view").click()
        expect(page.get_by_role("button", name="Copied")).to_be_visible()
        assert page.evaluate("navigator.clipboard.readText()") == page.url


def test_views_can_be_saved_opened_renamed_and_deleted(runs: Runs, visit: Visit) -> None:
    with visit(runs.path(search="r2")) as page:
        table = Table(page)
        table.shows("r2")
        menu = page.get_by_role("button", name="Views", exact=True)
        views = page.get_by_role("dialog")
        menu.click()
        views.get_by_role("textbox", name="Save this view as…").fill("only two")
        page.keyboard.press("Enter")
        expect(page.get_by_text("Saved view “only two”")).to_be_visible()
        views.get_by_role("button", name="Default view").click()
        table.shows("r3", "r2", "r1", "r0")
        menu.click()
        views.get_by_role("button", name=re.compile("^only two")).click()
        table.shows("r2")
        menu.click()
        views.get_by_role("button", name="Rename only two").click()
        views.get_by_role("textbox", name="New name for only two").fill("number two")
        page.keyboard.press("Enter")
        expect(views.get_by_role("button", name="Delete number two")).to_be_visible()
        expect(views.get_by_role("button", name="Delete only two")).to_have_count(0)
        page.keyboard.press("Escape")
        expect(views).to_have_count(0)
        expect(menu).to_be_focused()
        page.get_by_role("searchbox", name="Search runs by name").fill("r3")
        table.shows("r3")
        menu.click()
        views.get_by_role("button", name="Update number two with the current view").click()
        expect(page.get_by_text("Saved view “number two”")).to_be_visible()
        views.get_by_role("button", name="Delete number two").click()
        page.get_by_role("alert").filter(has_text="Deleted view").get_by_role("button", name="Undo").click()
        menu.click()
        views.get_by_role("button", name=re.compile("^number two")).click()
        table.shows("r3")


def test_runs_can_be_hidden_from_charts(runs: Runs, visit: Visit) -> None:
    with visit(runs.path()) as page:
        table = Table(page)
        settings = page.get_by_role("toolbar", name="Chart settings")
        expect(page.get_by_role("application", name="Line chart loss, 4 lines")).to_be_visible()
        table.row("r2").get_by_role("button", name="Hide r2 from charts").click()
        expect(page.get_by_role("application", name="Line chart loss, 3 lines")).to_be_visible()
        expect(settings).to_contain_text("Showing 3 of 4 runs")
        table.line_menu("r1", "Show only this run in charts")
        expect(page.get_by_role("application", name="Line chart loss, 1 line")).to_be_visible()
        page.get_by_role("button", name="Show all runs in charts").click()
        expect(page.get_by_role("application", name="Line chart loss, 4 lines")).to_be_visible()
        page.get_by_role("button", name="Hide all runs from charts").click()
        expect(page.get_by_text("No runs shown.")).to_be_visible()


def test_table_and_charts_share_the_width(runs: Runs, visit: Visit) -> None:
    with visit(runs.path()) as page:
        splitter = page.get_by_role("separator", name="Resize table")
        grid = Table(page).grid
        expect(splitter).to_have_attribute("aria-valuenow", "40")
        narrow = grid.evaluate("one => one.offsetWidth")
        splitter.focus()
        page.keyboard.press("ArrowRight")
        expect(splitter).to_have_attribute("aria-valuenow", "42")
        assert grid.evaluate("one => one.offsetWidth") > narrow
        page.keyboard.press("End")
        expect(splitter).to_have_attribute("aria-valuenow", "85")
        splitter.dblclick()
        expect(splitter).to_have_attribute("aria-valuenow", "40")
        box = splitter.bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + 3, box["y"] + 200)
        page.mouse.down()
        page.mouse.move(720, box["y"] + 200, steps=3)
        page.mouse.up()
        expect(splitter).to_have_attribute("aria-valuenow", re.compile("^(49|50|51)$"))
        page.get_by_role("radiogroup", name="Layout").get_by_text("Charts").click()
        expect(grid).to_have_count(0)
        page.get_by_role("radiogroup", name="Layout").get_by_text("Table").click()
        expect(page.get_by_role("toolbar", name="Chart settings")).to_have_count(0)


def test_a_narrow_screen_has_tabs(runs: Runs, visit: Visit) -> None:
    with visit(runs.path(), size="phone") as page:
        Table(page).shows("r3", "r2", "r1", "r0")
        page.get_by_role("tab", name="Charts").click()
        expect(page.get_by_role("application", name="Line chart loss, 4 lines")).to_be_visible()
        expect(Table(page).grid).to_have_count(0)
        page.get_by_role("tab", name="Table").click()
        Table(page).shows("r3", "r2", "r1", "r0")
