"""The filter bar: typing, completion, and building conditions with the mouse."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tracker_server.embedded import Embedded

from .conftest import Visit
from .workspace import Runs, Table


@pytest.fixture(scope="module")
def runs(server: Embedded) -> Runs:
    made = Runs(server)
    for i in range(6):
        config = {"lr": 10.0**-i, "optimizer": {"name": ("adam", "sgd")[i % 2]}}
        made.add(f"r{i}", [{"val/loss": float(i)}], config, tags=["base"] if i < 3 else ["long run"])
    return made


def test_a_typed_filter_applies_to_table_and_charts(runs: Runs, visit: Visit) -> None:
    with visit(runs.path()) as page:
        table = Table(page)
        bar = page.get_by_role("combobox", name="Filter expression")
        bar.fill('config.lr < 1e-1 and tags has "base" or val/loss == 5')
        bar.press("Enter")
        table.shows("r5", "r2")
        expect(page.get_by_role("toolbar", name="Chart settings")).to_contain_text("Showing 2 of 2 runs")
        page.get_by_role("button", name="Clear filter").click()
        table.shows("r5", "r4", "r3", "r2", "r1", "r0")


def test_a_filter_can_be_completed_with_the_keyboard(runs: Runs, visit: Visit) -> None:
    with visit(runs.path()) as page:
        table = Table(page)
        table.shows("r5", "r4", "r3", "r2", "r1", "r0")
        bar = page.get_by_role("combobox", name="Filter expression")
        bar.focus()
        page.keyboard.type("optim")
        expect(bar).to_have_attribute("aria-expanded", "true")
        page.keyboard.press("ArrowDown")
        option = page.get_by_role("option", name="config.optimizer.name")
        expect(option).to_have_attribute("aria-selected", "true")
        expect(bar).to_have_attribute("aria-activedescendant", str(option.get_attribute("id")))
        page.keyboard.press("Tab")
        expect(bar).to_have_value("config.optimizer.name ")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        expect(bar).to_have_value("config.optimizer.name == ")
        page.keyboard.type("s")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        expect(bar).to_have_value('config.optimizer.name == "sgd" ')
        page.keyboard.press("Escape")
        expect(page.get_by_role("listbox", name="Suggestions")).to_be_hidden()
        page.keyboard.press("Enter")
        table.shows("r5", "r3", "r1")


def test_an_error_is_shown_at_its_position(runs: Runs, browser: Browser) -> None:
    with browser.new_context() as context:  # not watched: browsers write refused filters to their console
        page = context.new_page()
        page.goto(f"{runs.server.url}/?token={runs.server.token}")
        page.goto(runs.server.url + runs.path())
        bar = page.get_by_role("combobox", name="Filter expression")
        bar.fill("config.lr < and")
        bar.press("Enter")
        expect(bar).to_have_attribute("aria-invalid", "true")
        expect(page.get_by_role("alert")).not_to_be_empty()
        wrong = page.get_by_role("main").locator("u")  # a visual mark; screen readers get the message
        expect(wrong).to_have_text("and")
        assert abs(offset_of(page, "config.lr < ") - wrong.evaluate("mark => mark.offsetLeft")) < 3
        Table(page).shows("r5", "r4", "r3", "r2", "r1", "r0")  # an invalid filter is not applied
        bar.fill("config.lr < 1e-3")
        bar.press("Enter")
        expect(bar).not_to_have_attribute("aria-invalid", "true")
        Table(page).shows("r5", "r4")


def test_conditions_can_be_built_changed_and_removed_with_the_mouse(runs: Runs, visit: Visit) -> None:
    with visit(runs.path()) as page:
        table = Table(page)
        table.shows("r5", "r4", "r3", "r2", "r1", "r0")
        page.get_by_role("button", name="Add filter").click()
        form = page.get_by_role("dialog")
        form.get_by_role("combobox", name="Column").click()
        page.keyboard.type("val/loss")
        page.get_by_role("option", name="summary.val/loss").click()
        form.get_by_role("combobox", name="Condition").click()
        page.get_by_role("option", name=re.compile("^>=")).click()
        form.get_by_role("combobox", name="Value").fill("3")
        form.get_by_role("button", name="Apply").click()
        table.shows("r5", "r4", "r3")
        bar = page.get_by_role("combobox", name="Filter expression")
        expect(bar).to_have_value("summary.val/loss >= 3")

        page.get_by_role("button", name="Add filter").click()
        form.get_by_role("combobox", name="Column").click()
        page.keyboard.type("optimizer")
        page.get_by_role("option", name="config.optimizer.name").click()
        form.get_by_role("combobox", name="Value").fill("sgd")
        page.keyboard.press("Enter")
        table.shows("r5", "r3")

        page.get_by_title("summary.val/loss >= 3", exact=True).click()
        form.get_by_role("combobox", name="Value").fill("4")
        form.get_by_role("button", name="Apply").click()
        table.shows("r5")
        page.get_by_role("button", name=re.compile("Remove config.optimizer.name")).click()
        table.shows("r5", "r4")


def test_conditions_can_be_added_from_columns_and_values(runs: Runs, visit: Visit) -> None:
    with visit(runs.path(layout="table")) as page:
        table = Table(page)
        table.menu("config.lr", "Filter by this…")
        form = page.get_by_role("dialog")
        expect(form.get_by_role("combobox", name="Column")).to_have_value("config.lr")
        form.get_by_role("combobox", name="Value").fill("0.5")
        form.get_by_role("button", name="Apply").click()
        table.shows("r5", "r4", "r3", "r2", "r1")
        table.cell("r1", "config.optimizer.name").click(button="right")
        page.get_by_role("menuitem", name='config.optimizer.name == "sgd"').click()
        table.shows("r5", "r3", "r1")


def offset_of(page: Page, text: str) -> float:
    """Return the width of a text in the font of the filter bar, in pixels."""
    measure = """([bar, text]) => {
        const context = document.createElement('canvas').getContext('2d')
        const { fontWeight, fontSize, fontFamily } = getComputedStyle(bar)
        context.font = `${fontWeight} ${fontSize} ${fontFamily}`
        return context.measureText(text).width
    }"""
    bar = page.get_by_role("combobox", name="Filter expression").element_handle()
    return float(page.evaluate(measure, [bar, text]))
