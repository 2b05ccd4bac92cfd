"""Reports of a team: two people write one report, a viewer and a link only read it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tracker_server.embedded import serve

from .team import Team, check_accessible, send

REPORTS = "/projects/me/digits/reports"
API = "/api/projects/me/digits/reports"


@pytest.fixture(scope="module")
def team(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    directory = tmp_path_factory.mktemp("team")
    with serve(directory) as server:
        yield Team(server, directory, browser)


def made(page: Page, title: str, state: str, *texts: str) -> str:
    """Make a report as the page's account; return its address."""
    blocks: list[dict[str, Any]] = [{"id": f"b{i}", "kind": "markdown", "text": text} for i, text in enumerate(texts)]
    id_ = page.evaluate(
        """async ([path, body]) => {
            const secret = localStorage.getItem('tracker page ') ?? ''
            const headers = {'x-tracker-page': secret, 'content-type': 'application/json'}
            return (await (await fetch(path, {method: 'POST', headers, body: JSON.stringify(body)})).json()).id
        }""",
        [API, {"title": title, "state": state, "blocks": blocks}],
    )
    return f"{REPORTS}/{id_}"


def test_two_people_write_one_report_and_one_revokes_the_others_link(team: Team) -> None:
    with team.signed_in("bob", REPORTS) as bob:
        path = made(bob, "Plan", "published", "alpha", "beta")
        bob.goto(f"{team.server.url}{path}")
        bob.get_by_role("button", name="Share", exact=True).click()
        dialog = bob.get_by_role("dialog", name=re.compile("Plan"))
        dialog.get_by_role("button", name="Create link").click()
        url = dialog.get_by_role("textbox", name="Share link").input_value()
        bob.keyboard.press("Escape")

        with team.signed_in("mem", f"{path}?show=edit", refusals=(409,)) as mem:
            bob.get_by_role("button", name="Edit", exact=True).click()
            bob.get_by_role("textbox", name="Text in Markdown").nth(0).fill("alpha of bob")
            mem.get_by_role("textbox", name="Text in Markdown").nth(1).fill("beta of mem")
            bob.get_by_role("button", name="Save changes").click()
            expect(bob.get_by_role("article")).to_contain_text("alpha of bob")
            notice = mem.get_by_role("alert")
            expect(notice).to_contain_text("bob saved version 2")
            notice.get_by_role("button", name="Compare").click()
            mem.get_by_role("button", name="Merge both").click()
            mem.get_by_role("button", name="Save changes").click()
            expect(mem.get_by_role("article").first).to_contain_text("beta of mem")
            expect(bob.get_by_role("article").first).to_contain_text("beta of mem")  # without reloading
            expect(bob.get_by_role("article").first).to_contain_text("alpha of bob")
            expect(bob.get_by_text("by mem")).to_be_visible()

            with team.visitor(url, refusals=(404,)) as visitor:
                expect(visitor.get_by_role("article")).to_contain_text("beta of mem")
                expect(visitor.get_by_role("button", name="Edit", exact=True)).to_have_count(0)
                expect(visitor.get_by_role("button", name="Share", exact=True)).to_have_count(0)
                expect(visitor.get_by_role("region", name="Comments")).to_have_count(0)
                expect(visitor.get_by_text("Couldn't load")).to_have_count(0)
                check_accessible(visitor)
                bob.get_by_role("button", name="Share", exact=True).click()
                dialog.get_by_role("button", name=re.compile("^Revoke link")).click()
                expect(dialog.get_by_text("No links yet")).to_be_visible()
                visitor.reload()
                expect(visitor.get_by_role("heading", name="This link does not work")).to_be_visible()


def test_a_viewer_reads_reports_and_changes_nothing(team: Team) -> None:
    with team.signed_in("mem", REPORTS) as mem:
        path = made(mem, "For all", "published", "read me")
        made(mem, "Not yet", "draft", "hidden")
        send(mem, "POST", f"/api/comments?report={path.rsplit('/', 1)[1]}", {"text": "Look, @vic"})
    with team.signed_in("vic", REPORTS) as vic:
        expect(vic.get_by_role("link", name="For all")).to_be_visible()
        expect(vic.get_by_text("Not yet")).to_have_count(0)
        expect(vic.get_by_role("link", name="New report")).to_have_count(0)
        vic.get_by_role("link", name="For all").click()
        expect(vic.get_by_role("article").first).to_contain_text("read me")
        expect(vic.get_by_role("region", name="Comments")).to_contain_text("Look, @vic")
        expect(vic.get_by_role("combobox", name="Write a comment")).to_have_count(0)
        expect(vic.get_by_role("button", name="Edit", exact=True)).to_have_count(0)
        vic.get_by_role("button", name="More").click()
        items = vic.get_by_role("menuitem").all_inner_texts()
        assert "Export as HTML" in items
        assert "Delete report" not in items
        assert "Versions" not in items
        vic.keyboard.press("Escape")
        check_accessible(vic)
        vic.goto(f"{team.server.url}{path}?show=edit")
        expect(vic.get_by_role("article").first).to_contain_text("read me")
        vic.goto(f"{team.server.url}{REPORTS}/new")
        expect(vic.get_by_role("textbox", name="Title", exact=True)).to_have_count(0)


def test_a_mention_is_completed(team: Team) -> None:
    with team.signed_in("mem", REPORTS) as mem:
        path = made(mem, "Talk", "published", "x")
        mem.goto(f"{team.server.url}{path}")
        field = mem.get_by_role("combobox", name="Write a comment")
        field.press_sequentially("See this, @vi")
        option = mem.get_by_role("option", name="vic")
        expect(option).to_be_visible()
        check_accessible(mem)
        field.press("Enter")
        expect(field).to_have_value("See this, @vic ")
        field.press("Control+Enter")
        expect(mem.get_by_role("region", name="Comments").get_by_role("article")).to_contain_text("See this, @vic")
