"""The runs table, with the mouse and with the keyboard alone."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tracker_server.embedded import Embedded

from .conftest import Visit
from .workspace import Runs, Table, workspace

WIDE = {"layout": "table"}


@pytest.fixture(scope="module")
def many(server: Embedded) -> str:
    """Create 300 runs with 40 columns of config."""
    made = Runs(server)
    for i in range(300):
        config = {f"option{j:02}": (i * 7 + j) % 11 for j in range(40)}
        made.add(f"many-{i:03}", [{"loss": (i * 37 % 300) / 300}], {"seed": i, **config})
    return made.project


@pytest.fixture
def few(server: Embedded) -> Runs:
    made = Runs(server)
    for i, loss in enumerate([4.0, 2.0, 3.0, 2.0]):
        rows = [{"loss": loss + 1}, {"loss": loss - 1}, {"loss": loss}]
        made.add(f"r{i}", rows, {"lr": 10.0**-i, "same": 1, "nested": {"depth": i % 2}}, tags=[f"t{i % 2}"])
    return made


def test_only_visible_rows_and_columns_of_a_large_table_are_rendered(many: str, visit: Visit) -> None:
    with visit(workspace(many, **WIDE)) as page:
        table = Table(page)
        expect(page.get_by_role("status").filter(has_text="300 runs")).to_be_visible()
        expect(table.grid).to_have_attribute("aria-rowcount", "301")
        expect(table.row("many-299")).to_have_attribute("aria-rowindex", "2")
        assert table.names.count() < 100, "only what is on the screen is in the document"
        table.row("many-299").hover()
        page.mouse.wheel(0, 4000)
        expect(table.row("many-170")).to_be_visible()
        page.mouse.wheel(0, 100_000)
        expect(table.row("many-000")).to_be_in_viewport()
        expect(table.head("config.option39")).to_have_count(0)
        page.mouse.wheel(3500, 0)
        expect(table.head("config.option39")).to_be_in_viewport()
        expect(table.head("name")).to_be_in_viewport()


def test_search_narrows_the_table(many: str, visit: Visit) -> None:
    with visit(workspace(many, **WIDE)) as page:
        table = Table(page)
        search = page.get_by_role("searchbox", name="Search runs by name")
        search.fill("MANY-12")
        table.shows(*(f"many-{i}" for i in range(129, 119, -1)))
        search.fill(r"/many-00[13]$/")
        table.shows("many-003", "many-001")
        search.fill("no such run")
        expect(page.get_by_text("No runs match “no such run”")).to_be_visible()
        page.get_by_role("button", name="Clear search").click()
        expect(table.row("many-299")).to_be_visible()


def test_the_table_can_be_sorted_by_several_columns(few: Runs, visit: Visit) -> None:
    with visit(few.path(**WIDE)) as page:
        table = Table(page)
        table.shows("r3", "r2", "r1", "r0")
        table.head("summary.loss").get_by_text("loss", exact=True).click()
        expect(table.head("summary.loss")).to_have_attribute("aria-sort", "descending")
        table.head("config.lr").get_by_text("lr", exact=True).click(modifiers=["Shift"])
        table.shows("r0", "r2", "r1", "r3")
        table.head("config.lr").get_by_text("lr", exact=True).click(modifiers=["Shift"])
        expect(table.head("config.lr")).to_have_attribute("aria-sort", "ascending")
        table.shows("r0", "r2", "r3", "r1")
        table.menu("summary.loss", "Sort ascending")
        expect(table.head("config.lr")).not_to_have_attribute("aria-sort", re.compile("."))
        table.menu("config.lr", "Add to sort")
        table.shows("r1", "r3", "r2", "r0")
        table.menu("summary.loss", "Remove sort")
        table.shows("r0", "r1", "r2", "r3")


def test_columns_can_be_hidden_pinned_moved_and_resized(few: Runs, visit: Visit) -> None:
    with visit(few.path(**WIDE)) as page:
        table = Table(page)
        expect(table.head("config.lr")).to_be_visible()
        before = table.heads()
        table.menu("config.lr", "Hide column")
        expect(table.head("config.lr")).to_have_count(0)
        page.get_by_role("button", name="Columns", exact=True).click()
        columns = page.get_by_role("dialog")
        columns.get_by_role("textbox", name="Search columns").fill("lr")
        columns.get_by_role("checkbox", name=re.compile("^lr")).check()
        expect(table.head("config.lr")).to_be_visible()
        assert table.heads() == before
        columns.get_by_role("button", name="Pin config.lr").click()
        expect(columns.get_by_role("button", name="Pin config.lr")).to_have_attribute("aria-pressed", "true")
        page.keyboard.press("Escape")
        expect(columns).to_have_count(0)
        assert table.heads()[:2] == ["name", "config.lr"]
        table.menu("config.lr", "Unpin")
        expect(table.head("config.lr")).to_be_visible()
        assert table.heads() == before

        table.head("summary.loss").drag_to(table.head("config.lr"))
        expect(table.head("config.lr")).to_have_attribute("aria-colindex", str(before.index("config.lr") + 4))
        assert table.heads().index("summary.loss") == before.index("config.lr")
        page.keyboard.press("Control+z")
        expect(table.head("config.lr")).to_have_attribute("aria-colindex", str(before.index("config.lr") + 3))

        box = table.head("config.lr").bounding_box()
        assert box is not None
        edge = (box["x"] + box["width"] - 2, box["y"] + box["height"] / 2)
        page.mouse.move(*edge)
        page.mouse.down()
        page.mouse.move(edge[0] + 60, edge[1], steps=4)
        page.mouse.up()
        expect(table.head("config.lr")).to_have_css("width", f"{box['width'] + 60:g}px")


def test_only_columns_that_differ_can_be_shown(few: Runs, visit: Visit) -> None:
    with visit(few.path(**WIDE)) as page:
        table = Table(page)
        expect(table.head("config.same")).to_be_visible()
        page.get_by_role("button", name="Columns", exact=True).click()
        columns = page.get_by_role("dialog")
        columns.get_by_role("switch", name="Only columns that differ").click()
        expect(table.head("config.same")).to_have_count(0)
        expect(table.head("config.nested.depth")).to_be_visible()
        columns.get_by_role("switch", name="Only columns that differ").click()
        columns.get_by_role("button", name="None").click()
        expect(table.head("config.lr")).to_have_count(0)
        assert table.heads() == ["name"]
        columns.get_by_role("button", name="Reset").click()
        expect(table.head("config.same")).to_be_visible()
        before = table.heads()
        grip = columns.get_by_role("button", name=re.compile(f"^Move {re.escape(before[2])}:"))
        grip.focus()
        page.keyboard.press("ArrowDown")
        expect(table.head(before[2])).to_have_attribute("aria-colindex", "6")
        expect(grip).to_be_focused()
        page.keyboard.press("ArrowUp")
        expect(table.head(before[2])).to_have_attribute("aria-colindex", "5")


def test_the_shown_value_of_a_metric_can_be_chosen(few: Runs, visit: Visit) -> None:
    with visit(few.path(**WIDE)) as page:
        table = Table(page)
        expect(table.cell("r0", "summary.loss")).to_have_text("4")
        table.menu("summary.loss", "Minimum")
        expect(table.cell("r0", "summary.loss@min")).to_have_text("3")
        table.menu("summary.loss@min", "Maximum")
        expect(table.cell("r0", "summary.loss@max")).to_have_text("5")
        table.menu("summary.loss@max", "Mean")
        expect(table.cell("r0", "summary.loss@mean")).to_have_text("4")
        table.menu("summary.loss@mean", "Last")
        expect(table.cell("r0", "summary.loss@last")).to_have_text("4")
        table.head("summary.loss@last").get_by_role("button").click()
        page.get_by_role("textbox", name="At step…").fill("1")
        page.get_by_role("button", name="Use this step").click()
        expect(table.cell("r0", "summary.loss@step=1")).to_have_text("3")
        table.menu("summary.loss@step=1", "Summary")
        expect(table.cell("r0", "summary.loss")).to_have_text("4")


def test_runs_are_compared_with_a_baseline(few: Runs, visit: Visit) -> None:
    with visit(few.path(**WIDE)) as page:
        table = Table(page)
        table.line_menu("r1", "Set as baseline")
        expect(table.row("r1")).to_have_count(2)  # at the top, and in its own position
        expect(table.cell("r0", "summary.loss")).to_have_text(re.compile(r"\+100\s?%.*4"))
        expect(table.cell("r2", "summary.loss")).to_have_text(re.compile(r"\+50\s?%.*3"))
        table.row("r1").first.get_by_role("rowheader").click(button="right")
        page.get_by_role("menuitem", name="Clear baseline").click()
        expect(table.cell("r0", "summary.loss")).to_have_text("4")


def test_the_table_works_with_the_keyboard_alone(few: Runs, visit: Visit) -> None:
    with visit(few.path(**WIDE)) as page:
        table = Table(page)
        table.shows("r3", "r2", "r1", "r0")
        press = page.keyboard.press
        page.get_by_role("button", name="Table options").focus()
        press("Tab")
        expect(table.grid.locator(":focus")).to_have_count(1)
        press("Control+Home")
        press("ArrowRight")
        press("ArrowRight")
        expect(table.row("r3").get_by_role("rowheader")).to_be_focused()
        press("ArrowDown")
        expect(table.row("r2").get_by_role("rowheader")).to_be_focused()
        press("Space")
        expect(table.row("r2")).to_have_attribute("aria-selected", "true")
        press("ArrowDown")
        press("ArrowDown")
        press("Shift+Space")
        expect(page.get_by_role("toolbar", name="Selected runs")).to_contain_text("3 selected")
        press("Escape")
        expect(page.get_by_role("toolbar", name="Selected runs")).to_have_count(0)
        press("Control+a")
        expect(page.get_by_role("toolbar", name="Selected runs")).to_contain_text("4 selected")
        press("Escape")
        press("v")
        expect(table.row("r0").get_by_role("button", name="Show r0 in charts")).to_be_visible()
        press("b")
        expect(table.row("r0")).to_have_count(2)
        press("b")
        expect(table.row("r0")).to_have_count(1)
        press("Control+Home")
        press("ArrowUp")
        press("ArrowRight")
        press("ArrowRight")
        expect(table.head("name")).to_be_focused()
        press("Enter")
        table.shows("r0", "r1", "r2", "r3")
        press("ArrowRight")
        press("ArrowRight")
        moved = table.heads()[1:3]
        expect(table.head(moved[1])).to_be_focused()
        press("Alt+ArrowLeft")
        expect(table.head(moved[1])).to_have_attribute("aria-colindex", "4")
        expect(table.head(moved[1])).to_be_focused()
        width = table.head(moved[1]).evaluate("head => head.offsetWidth")
        press("Shift+ArrowRight")
        expect(table.head(moved[1])).to_have_css("width", f"{width + 16}px")
        press("Shift+F10")
        expect(page.get_by_role("menuitem", name="Sort ascending")).to_be_focused()
        press("Escape")
        expect(table.head(moved[1])).to_be_focused()
        press("ArrowDown")
        press("Home")
        press("ArrowRight")
        press("ArrowRight")
        press("F2")
        expect(page.get_by_role("dialog", name="Edit run").get_by_role("textbox", name="Name")).to_be_focused()
        press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)  # while it fades out, it still receives keys
        expect(table.row("r0").get_by_role("rowheader")).to_be_focused()
        press("Enter")
        page.wait_for_url("**/runs/me/*/r0")
