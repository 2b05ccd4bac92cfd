"""Panels that are fenced in the text of a report, as in the notes that projects once had."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from tracker_server.embedded import Embedded

from .conftest import Visit
from .workspace import Runs


@pytest.fixture
def runs(server: Embedded) -> Runs:
    made = Runs(server)
    made.add("one", [{"loss": 1.0}, {"loss": 0.5}])
    made.add("two", [{"loss": 2.0}, {"loss": 1.5}], config={"lr": 0.1})
    return made


def text(content: str) -> list[dict[str, Any]]:
    return [{"id": "notes", "kind": "markdown", "text": content}]


def test_a_panel_in_a_text_is_live(runs: Runs, visit: Visit) -> None:
    report = runs.report("Notes", text("Before.\n\n```panel\nkey: loss\nlimit: 10\n```\n\nAfter."))
    with visit(f"/reports/{report}") as page:
        chart = page.get_by_role("application", name=re.compile("^Line chart loss"))
        expect(chart).to_have_accessible_name(re.compile("2 lines"))
        runs.add("three", [{"loss": 3.0}, {"loss": 2.5}])
        expect(chart).to_have_accessible_name(re.compile("3 lines"))


def test_a_panel_that_cannot_be_shown_says_why(runs: Runs, visit: Visit) -> None:
    source = "```panel\nkind: pie\nkey: loss\n```\n\n```panel\nkey: loss\nfilter: config.lr > 5\n```\n"
    report = runs.report("Notes", text(source))
    with visit(f"/reports/{report}") as page:
        expect(page.get_by_text("Couldn't show this panel")).to_have_count(2)
        expect(page.get_by_text("Unknown panel type “pie”")).to_be_visible()
        expect(page.get_by_text("No runs match this filter")).to_be_visible()


def test_the_former_address_of_notes_leads_to_the_reports(runs: Runs, visit: Visit) -> None:
    runs.report("Notes", text("Text."))
    with visit(f"/projects/me/{runs.project}/notes") as page:
        page.get_by_role("link", name="Notes").click()
        expect(page.get_by_text("Text.")).to_be_visible()
