"""Who sees which controls, share links, and what happens when a session, a link or a right ends."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tracker_server.access import accounts, entities, passwords, teams
from tracker_server.embedded import serve

from .team import PASSWORD, Team, check_accessible, send, sign_in
from .workspace import Runs

PROJECT = "/projects/me/digits"


@pytest.fixture(scope="module")
def team(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    directory = tmp_path_factory.mktemp("team")
    with serve(directory) as server:
        yield Team(server, directory, browser)


def _select_first(page: Page) -> None:
    page.get_by_role("checkbox", name="Select run-0").click()
    expect(page.get_by_role("toolbar", name="Selected runs")).to_be_visible()


def _items(page: Page) -> list[str]:
    expect(page.get_by_role("menu")).to_be_visible()
    return page.get_by_role("menuitem").all_inner_texts()


def test_a_viewer_sees_no_control_that_changes_anything(team: Team) -> None:
    with team.signed_in("vic", PROJECT, refusals=(403,)) as page:
        grid = page.get_by_role("grid", name="Runs")
        expect(grid.get_by_role("row", name="run-0")).to_be_visible()
        # The rights have arrived: they come with who has access.
        expect(page.get_by_role("button", name="Access: Private")).to_be_visible()
        _select_first(page)
        bar = page.get_by_role("toolbar", name="Selected runs")
        assert bar.get_by_role("button").all_inner_texts() == ["Compare", "Select all", ""]
        page.keyboard.press("Delete")
        page.get_by_role("button", name="Table options").click()
        assert _items(page) == ["Download as CSV", "Show all runs in charts"]
        page.keyboard.press("Escape")
        row = grid.get_by_role("row", name="run-0")
        row.get_by_role("rowheader").click(button="right")
        items = _items(page)
        assert "Open run" in items
        assert not [one for one in items if one.startswith(("Edit", "Delete"))]
        page.keyboard.press("Escape")
        row.get_by_role("rowheader").focus()
        page.keyboard.press("F2")
        expect(page.get_by_role("dialog")).to_have_count(0)
        page.get_by_role("button", name="Views").click()
        expect(page.get_by_role("button", name="Default view")).to_be_visible()
        expect(page.get_by_role("textbox", name="Save this view as…")).to_have_count(0)
        page.keyboard.press("Escape")
        expect(page.get_by_role("button", name="Share")).to_have_count(0)
        page.get_by_role("button", name="Access: Private").click()
        expect(page.get_by_role("link", name="Members of me")).to_be_visible()
        expect(page.get_by_role("link", name="Project settings")).to_have_count(0)
        page.keyboard.press("Escape")
        page.keyboard.press("?")
        keys = page.get_by_role("dialog", name="Keyboard shortcuts")
        expect(keys.get_by_text("Open run (or sort, on a header)")).to_be_visible()
        expect(keys.get_by_text("Delete selected")).to_have_count(0)
        expect(keys.get_by_text("Rename")).to_have_count(0)
        page.keyboard.press("Escape")
        check_accessible(page)


def test_a_viewer_reads_a_run_and_the_notes(team: Team) -> None:
    with team.signed_in("vic", "/runs/me/digits/r0") as page:
        expect(page.get_by_role("heading", level=1, name="run-0")).to_be_visible()
        expect(page.get_by_text("No tags")).to_be_visible()
        header = page.get_by_role("main").locator("header")
        assert header.get_by_role("button").count() == 1
        header.get_by_role("button", name="More").click()
        assert _items(page) == ["Compare with other runs"]
        page.keyboard.press("Escape")
        expect(page.get_by_role("button", name="Add notes")).to_have_count(0)
        expect(page.get_by_text("Resume run")).to_have_count(0)
        page.goto(f"{team.server.url}{PROJECT}/settings")
        expect(page.get_by_text("You don't have access to this page")).to_be_visible()
        page.goto(f"{team.server.url}/accounts")
        expect(page.get_by_text("You don't have access to this page")).to_be_visible()
        page.goto(f"{team.server.url}/teams/me")
        expect(page.get_by_role("list", name="Members").get_by_text("bob")).to_be_visible()
        expect(page.get_by_role("button", name="Add member")).to_have_count(0)
        expect(page.get_by_role("heading", name="Service keys")).to_have_count(0)


def test_requests_that_a_viewer_makes_by_hand_are_refused(team: Team) -> None:
    with team.signed_in("vic", refusals=(403,)) as page:
        expect(page.get_by_role("link", name="digits")).to_be_visible()
        run = ["me/digits/r0"]
        api = "/api/projects/me/digits"
        for method, path, body in [
            ("POST", "/api/edits", {"runs": run, "set": {"name": "mine"}}),
            ("POST", "/api/edits", {"runs": ["me/digits/live"], "stop": True}),
            ("POST", "/api/trash", {"runs": run}),
            ("POST", "/api/trash/restore", {"runs": run}),
            ("DELETE", "/api/runs/me/digits/r0", None),
            ("POST", f"{api}/reports", {"title": "mine"}),
            ("POST", "/api/comments?run=me/digits/r0", {"text": "mine"}),
            ("PUT", f"{api}/views/mine", {"view": {}}),
            ("PATCH", api, {"visibility": "internal"}),
            ("DELETE", api, None),
            ("GET", f"{api}/links", None),
            ("POST", f"{api}/links", {"kind": "project"}),
            ("PUT", "/api/teams/me/members/vic", {"role": "admin"}),
            ("POST", "/api/teams/me/keys", {"name": "mine", "scope": "all"}),
            ("PATCH", "/api/accounts/vic", {"admin": True}),
            ("GET", "/api/audit?entity=me", None),
            ("POST", "/api/runs/move", {"runs": run, "entity": "vic", "project": "mine"}),
        ]:
            assert send(page, method, path, body) == 403, (method, path)
        assert send(page, "GET", "/api/runs/me/digits/r0") == 200


def test_a_member_edits_and_deletes_only_own_runs(team: Team) -> None:
    Runs(team.server, "digits", key=team.key("mem")).add("own", name="own-run")
    with team.signed_in("mem", PROJECT) as page:
        expect(page.get_by_role("row", name="run-0")).to_be_visible()
        _select_first(page)
        bar = page.get_by_role("toolbar", name="Selected runs")
        expect(bar.get_by_role("button", name="Edit")).to_be_visible()
        expect(bar.get_by_role("button", name="Tag")).to_be_visible()
        expect(bar.get_by_role("button", name="Delete")).to_have_count(0)
        expect(bar.get_by_role("button", name="Move")).to_have_count(0)
        expect(page.get_by_role("button", name="Share")).to_have_count(0)
        bar.get_by_role("button", name="Clear selection").click()
        page.get_by_role("checkbox", name="Select own-run").click()
        bar.get_by_role("button", name="Delete").click()
        expect(page.get_by_text("Moved 1 run to trash")).to_be_visible()
        expect(page.get_by_role("row", name="own-run")).to_have_count(0)


def test_a_run_says_who_edited_it(team: Team) -> None:
    Runs(team.server, "digits", key=team.key("mem")).add("edited", name="edited-run")
    with team.signed_in("mem", "/runs/me/digits/edited") as page:
        edited = {"runs": ["me/digits/edited"], "set": {"notes": "looks good", "job_type": "eval"}}
        assert send(page, "POST", "/api/edits", edited) == 200
        history = page.locator("section").filter(has=page.get_by_role("heading", name="Edits", exact=True))
        expect(history).to_contain_text("mem changed notes, Job type")


def test_a_link_shows_a_project_until_it_is_revoked(team: Team) -> None:
    with team.signed_in("bob", PROJECT) as page:
        page.get_by_role("button", name="Share", exact=True).click()
        dialog = page.get_by_role("dialog", name="Share project digits")
        expect(dialog.get_by_text("No links yet")).to_be_visible()
        check_accessible(page)
        dialog.get_by_role("button", name="Create link").click()
        url = dialog.get_by_role("textbox", name="Share link").input_value()
        assert url.startswith(f"{team.server.url}/s/")
        dialog.get_by_role("button", name="Copy").click()
        assert page.evaluate("navigator.clipboard.readText()") == url
        expect(dialog.get_by_text("never opened")).to_be_visible()

        with team.visitor(url, refusals=(404,)) as other:
            expect(other.get_by_text("Shared view, read-only")).to_be_visible()
            expect(other.get_by_role("row", name="run-0")).to_be_visible()
            assert "/s/" in other.url
            expect(other.get_by_role("button", name="Account")).to_have_count(0)
            expect(other.get_by_role("link", name="All projects")).to_have_count(0)
            _select_first(other)
            buttons = other.get_by_role("toolbar", name="Selected runs").get_by_role("button").all_inner_texts()
            assert buttons == ["Compare", "Select all", ""]
            other.get_by_role("rowheader", name="run-1").get_by_role("link").click()
            expect(other.get_by_role("heading", level=1, name="run-1")).to_be_visible()
            expect(other.get_by_text("No tags")).to_be_visible()
            expect(other.get_by_role("button", name="Edit tags")).to_have_count(0)
            other.keyboard.press("Control+k")
            expect(other.get_by_role("button", name="Reports of this project")).to_be_visible()
            expect(other.get_by_role("button", name="All projects")).to_have_count(0)
            other.keyboard.press("Escape")
            check_accessible(other)

            dialog.get_by_role("button", name="Revoke link to Project").click()
            expect(dialog.get_by_text("No links yet")).to_be_visible()
            expect(other.get_by_text("This link no longer works.")).to_be_visible()
            other.reload()
            expect(other.get_by_role("heading", name="This link does not work")).to_be_visible()


def test_a_link_to_a_run_leads_nowhere_else(team: Team) -> None:
    with team.signed_in("bob", "/runs/me/digits/r2") as page:
        page.get_by_role("button", name="Share", exact=True).click()
        dialog = page.get_by_role("dialog", name="Share run run-2")
        dialog.get_by_role("button", name="Create link").click()
        url = dialog.get_by_role("textbox", name="Share link").input_value()
    with team.visitor(url, refusals=(404,)) as other:
        expect(other.get_by_role("heading", level=1, name="run-2")).to_be_visible()
        expect(other.get_by_text("Shared view, read-only")).to_be_visible()
        links = other.get_by_role("banner").get_by_role("link")
        assert [link.get_attribute("aria-label") for link in links.all()] == ["Back to the shared page"]
        expect(other.get_by_role("button", name="More")).to_have_count(0)
        for tab in ("Charts", "Console", "Files", "Config"):
            other.get_by_role("tab", name=tab).click()
            expect(other.get_by_role("tabpanel")).to_be_visible()
        other.keyboard.press("Control+k")
        other.get_by_role("textbox", name="Search projects, runs and commands").fill("run")
        expect(other.get_by_role("button", name="run-1")).to_have_count(0)
        other.keyboard.press("Escape")
        other.get_by_role("link", name="Back to the shared page").click()
        expect(other.get_by_role("heading", level=1, name="run-2")).to_be_visible()
        other.goto(url.rstrip("/") + PROJECT)
        expect(other.get_by_role("row", name="run-1")).to_have_count(0)


def test_a_link_to_a_view_shows_its_runs_and_no_others(team: Team) -> None:
    with team.signed_in("bob", PROJECT) as page:
        expect(page.get_by_role("row", name="run-0")).to_be_visible()
        path = "/api/projects/me/digits/views/one run"
        assert send(page, "PUT", path, {"view": {"filter": 'name = "run-1"'}}) == 204
        page.get_by_role("button", name="Views").click()
        page.get_by_role("button", name="Share view one run").click()
        dialog = page.get_by_role("dialog", name="Share view one run")
        dialog.get_by_role("button", name="Create link").click()
        url = dialog.get_by_role("textbox", name="Share link").input_value()
    with team.visitor(url, refusals=(404,)) as other:
        rows = other.get_by_role("grid", name="Runs").get_by_role("rowheader")
        expect(rows).to_have_text(["run-1, finished"])
        expect(other.get_by_role("columnheader", name="loss")).to_be_visible()
        other.get_by_role("button", name="Clear filter").click()
        expect(rows).to_have_text(["run-1, finished"])
        expect(other.get_by_role("link", name="Reports")).to_have_count(0)
        rows.get_by_role("link").click()
        expect(other.get_by_role("heading", level=1, name="run-1")).to_be_visible()
        other.get_by_role("link", name="digits").click()
        expect(rows).to_have_text(["run-1, finished"])


def test_a_session_that_another_browser_ends_keeps_what_was_typed(team: Team) -> None:
    with (
        team.signed_in("mem", "/runs/me/digits/r0", refusals=(401,)) as page,
        team.signed_in("mem", "/account") as other,
    ):
        page.get_by_role("button", name="Add notes").click()
        page.get_by_role("textbox", name="Notes").fill("a long thought")
        sessions = other.get_by_role("region", name="Signed-in browsers")
        ends = sessions.get_by_role("button", name="Sign out")
        expect(ends.first).to_be_visible()
        while (left := ends.count()) > 0:
            ends.first.click()
            expect(ends).to_have_count(left - 1)
        expect(page.get_by_text("You've been signed out.")).to_be_visible()
        with page.expect_popup() as opened:
            page.get_by_role("link", name="Sign in again in a new tab").click()
        sign_in(opened.value, "mem")
        expect(page.get_by_text("You've been signed out.")).to_be_hidden()
        expect(page.get_by_role("textbox", name="Notes")).to_have_value("a long thought")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("paragraph").filter(has_text="a long thought")).to_be_visible()


def test_a_right_that_ends_takes_its_controls_away(team: Team) -> None:
    team.change(accounts.add, "tmp", password=passwords.hashed(PASSWORD, "tmp"))
    team.change(teams.set_member, "me", "tmp", "member")
    with team.signed_in("tmp", "/runs/me/digits/r1", refusals=(403,)) as page:
        expect(page.get_by_role("button", name="Edit tags")).to_be_visible()
        team.change(teams.set_member, "me", "tmp", "viewer")
        expect(page.get_by_role("button", name="Edit tags")).to_have_count(0)
        assert send(page, "POST", "/api/edits", {"runs": ["me/digits/r1"], "set": {"name": "mine"}}) == 403
        expect(page.get_by_role("heading", level=1, name="run-1")).to_be_visible()


def test_two_admins_change_one_member(team: Team) -> None:
    team.change(accounts.add, "new", password="none")
    with team.signed_in("bob", "/teams/me", refusals=(409,)) as page:
        members = page.get_by_role("list", name="Members")
        page.get_by_role("button", name="Add member").click()
        dialog = page.get_by_role("dialog", name="Add member")
        dialog.get_by_label("Account").fill("new")
        dialog.get_by_role("button", name="Add member").click()
        row = members.get_by_role("listitem").filter(has_text="new")
        role = row.get_by_label("Role of new")
        expect(role).to_have_value("Member")
        team.change(teams.set_member, "me", "new", "admin")
        role.click()
        page.get_by_role("option", name="Viewer").click()
        expect(page.get_by_text("somebody else has changed this")).to_be_visible()
        expect(role).to_have_value("Admin")
        row.get_by_role("button", name="Remove new").click()
        page.get_by_role("dialog", name="Remove new").get_by_role("button", name="Remove").click()
        expect(row).to_have_count(0)
        check_accessible(page)


def test_keys_are_shown_once_and_can_be_revoked(team: Team) -> None:
    with team.signed_in("mem", "/account") as page:
        keys = page.get_by_role("region", name="API keys")
        keys.get_by_role("button", name="New key").click()
        dialog = page.get_by_role("dialog", name="New API key")
        dialog.get_by_role("textbox", name="Name").fill("cluster")
        dialog.get_by_role("button", name="Create key").click()
        key = dialog.get_by_role("textbox", name="API key").input_value()
        assert key.startswith("trk_")
        dialog.get_by_role("button", name="Close").last.click()
        row = keys.get_by_role("listitem").filter(has_text="cluster")
        expect(row.get_by_text("never used")).to_be_visible()
        assert key not in page.content()
        keys.get_by_role("button", name="Revoke cluster").click()
        page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
        expect(row.get_by_text("revoked just now")).to_be_visible()
        expect(keys.get_by_role("button", name="Revoke cluster")).to_have_count(0)
        check_accessible(page)


def test_a_server_admin_adds_an_account_that_sets_its_password(team: Team) -> None:
    with team.signed_in("ada", "/accounts") as page:
        page.get_by_role("button", name="New account").click()
        dialog = page.get_by_role("dialog", name="New account")
        dialog.get_by_role("textbox", name="Account name").fill("nina")
        dialog.get_by_role("button", name="Create account").click()
        link = dialog.get_by_role("textbox", name="One-time link").input_value()
        dialog.get_by_role("button", name="Close").last.click()
        row = page.get_by_role("list", name="Accounts").get_by_role("listitem").filter(has_text="nina")
        expect(row.get_by_text("Invited")).to_be_visible()
        with team.visitor(link) as other:
            other.get_by_label("New password").fill(PASSWORD)
            other.get_by_label("Repeat it").fill(PASSWORD)
            other.get_by_role("button", name="Set password and sign in").click()
            expect(other.get_by_role("button", name="Account of nina")).to_be_visible()
        row.get_by_role("button", name="Actions for nina").click()
        page.get_by_role("menuitem", name="Disable").click()
        page.get_by_role("dialog").get_by_role("button", name="Disable").click()
        expect(row.get_by_text("Disabled")).to_be_visible()
        check_accessible(page)


def test_an_admin_reads_and_downloads_the_audit_log(team: Team) -> None:
    with team.signed_in("bob", "/audit?entity=me") as page:
        table = page.get_by_role("table", name="Audit log")
        expect(table.get_by_role("row").nth(1)).to_be_visible()
        page.get_by_role("searchbox", name="Search who, what, or address").fill("member")
        expect(table.get_by_role("row").nth(1)).to_contain_text("member")
        with page.expect_download() as download:
            page.get_by_role("button", name="Download as JSON").click()
        entries = json.loads(Path(download.value.path()).read_text())
        assert entries
        assert all(entry["entity"] == "me" for entry in entries)
        check_accessible(page)


def test_a_project_is_renamed_opened_to_all_and_deleted(team: Team) -> None:
    Runs(team.server, "mine", entity="bob", key=team.key("bob")).add("r9", name="run-9")
    with team.signed_in("bob", "/projects/bob/mine/settings", refusals=(404,)) as page:
        page.get_by_role("radio", name="Internal").check()
        expect(page.get_by_text("Visibility changed")).to_be_visible()
        page.get_by_role("textbox", name="Name", exact=True).fill("renamed")
        page.get_by_role("button", name="Rename").click()
        page.wait_for_url("**/renamed/settings")
        check_accessible(page)
        with team.signed_in("vic", "/projects/bob/mine") as other:  # the former name leads on
            expect(other.get_by_role("row", name="run-9")).to_be_visible()
            expect(other.get_by_role("button", name="Access: Internal")).to_be_visible()
        page.get_by_role("button", name="Delete project").click()
        dialog = page.get_by_role("dialog", name="Delete project")
        expect(dialog.get_by_role("button", name="Delete project")).to_be_disabled()
        dialog.get_by_role("textbox").fill("renamed")
        dialog.get_by_role("button", name="Delete project").click()
        expect(page.get_by_text("Deleted renamed")).to_be_visible()


def test_the_pages_of_a_team_and_of_the_account_say_how_many_bytes_of_files_they_use(team: Team) -> None:
    team.change(entities.set_quota, "me", 5 * 10**9)
    with team.signed_in("vic", "/teams/me") as page:
        expect(page.get_by_text("of 5 GB")).to_be_visible()
        page.goto(team.server.url + "/account")
        expect(page.get_by_text("Files: 0 B", exact=True)).to_be_visible()
