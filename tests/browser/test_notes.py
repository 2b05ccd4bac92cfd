"""Notes of a project, with live panels."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tracker_server.embedded import Embedded

from .conftest import Visit
from .workspace import Runs


@pytest.fixture
def runs(server: Embedded) -> Runs:
    made = Runs(server)
    made.add("one", [{"loss": 1.0}, {"loss": 0.5}])
    made.add("two", [{"loss": 2.0}, {"loss": 1.5}], config={"lr": 0.1})
    return made


def write(page: Page, text: str) -> None:
    """Start a note, and write text in it."""
    page.get_by_role("button", name="Write a note").or_(page.get_by_role("button", name="Edit")).first.click()
    page.get_by_role("textbox", name="Project notes").fill(text)


def test_notes_can_be_written_previewed_and_saved(runs: Runs, visit: Visit) -> None:
    with visit(f"/projects/me/{runs.project}/notes") as page:
        expect(page.get_by_role("heading", level=1, name="Notes")).to_be_visible()
        write(page, "# What we saw\n\nIt *falls*.\n\n| a | b |\n|---|---|\n| 1 | 2 |")
        page.get_by_text("Preview", exact=True).click()
        expect(page.get_by_role("heading", name="What we saw")).to_be_visible()
        expect(page.get_by_role("cell", name="2")).to_be_visible()
        page.get_by_text("Write", exact=True).click()
        page.get_by_role("textbox", name="Project notes").press("Control+Enter")
        expect(page.get_by_role("article")).to_contain_text("It falls.")
        page.reload()
        expect(page.get_by_role("heading", level=2, name="What we saw")).to_be_visible()
        page.get_by_role("button", name="Edit").click()
        page.get_by_role("textbox", name="Project notes").press("Escape")
        expect(page.get_by_role("article")).to_be_visible()


def test_changes_that_others_saved_meanwhile_are_not_overwritten_silently(runs: Runs, visit: Visit) -> None:
    path = f"/projects/me/{runs.project}/notes"
    with visit(path, refusals=(409,)) as mine:
        write(mine, "mine")
        theirs = mine.context.new_page()
        theirs.goto(runs.server.url + path)
        write(theirs, "theirs")
        theirs.get_by_role("button", name="Save").click()
        expect(theirs.get_by_role("article")).to_have_text("theirs")
        with mine.expect_response(lambda answer: answer.status == 409):
            mine.get_by_role("button", name="Save").click()
        expect(mine.get_by_role("alert")).to_contain_text("Someone else saved these notes")
        mine.get_by_text("Show their version").click()
        expect(mine.get_by_role("alert")).to_contain_text("theirs")
        expect(mine.get_by_role("textbox", name="Project notes")).to_have_value("mine")
        mine.get_by_role("button", name="Overwrite").click()
        expect(mine.get_by_role("article")).to_have_text("mine")
        expect(theirs.get_by_role("article")).to_have_text("mine")  # without reloading, since notes are live


def test_a_panel_in_the_notes_is_live(runs: Runs, visit: Visit) -> None:
    with visit(f"/projects/me/{runs.project}/notes") as page:
        write(page, "Before.\n")
        page.get_by_role("textbox", name="Project notes").press("Control+End")
        page.get_by_role("button", name="Insert panel").click()
        page.get_by_role("button", name="Save").click()
        chart = page.get_by_role("application", name=re.compile("^Line chart loss"))
        expect(chart).to_have_accessible_name(re.compile("2 lines"))
        runs.add("three", [{"loss": 3.0}, {"loss": 2.5}])
        expect(chart).to_have_accessible_name(re.compile("3 lines"))


def test_a_panel_that_cannot_be_shown_says_why(runs: Runs, visit: Visit) -> None:
    with visit(f"/projects/me/{runs.project}/notes") as page:
        write(page, "```panel\nkind: pie\nkey: loss\n```\n\n```panel\nkey: loss\nfilter: config.lr > 5\n```\n")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_text("Couldn't show this panel")).to_have_count(2)
        expect(page.get_by_text("Unknown panel type “pie”")).to_be_visible()
        expect(page.get_by_text("No runs match this filter")).to_be_visible()


def test_a_saved_view_is_linked(runs: Runs, visit: Visit) -> None:
    with visit(runs.path(filter="config.lr = 0.1")) as page:
        grid = page.get_by_role("grid", name="Runs")
        expect(grid.get_by_role("rowheader")).to_have_text([re.compile("^two")])
        page.get_by_role("button", name="Views").click()
        page.get_by_role("textbox", name="Save this view as").fill("fast (ones)")
        page.keyboard.press("Enter")
        page.get_by_text("Saved view “fast (ones)”").wait_for()
        page.keyboard.press("Escape")
        page.goto(f"{runs.server.url}/projects/me/{runs.project}/notes")
        page.get_by_role("button", name="Write a note").click()
        page.get_by_role("button", name="Insert view").click()
        page.get_by_role("menuitem", name="fast (ones)").click()
        page.get_by_role("button", name="Save").click()
        page.get_by_role("article").get_by_role("link", name="fast (ones)").click()
        expect(grid.get_by_role("rowheader")).to_have_text([re.compile("^two")])
