"""Actions on selected runs."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tracker_server.embedded import Embedded

from .conftest import Visit
from .workspace import Runs, Table


@pytest.fixture
def runs(server: Embedded) -> Runs:
    made = Runs(server)
    for i in range(6):
        made.add(f"r{i}", [{"loss": float(i)}], {"lr": 0.1 * i}, tags=["old"])
    return made


ALL = ("r5", "r4", "r3", "r2", "r1", "r0")


def bar(page: Page):  # type: ignore[no-untyped-def]
    return page.get_by_role("toolbar", name="Selected runs")


def test_runs_can_be_selected_in_ranges_and_all_at_once(runs: Runs, visit: Visit) -> None:
    with visit(runs.path()) as page:
        table = Table(page)
        table.shows(*ALL)
        table.select("r5")
        table.row("r3").get_by_role("checkbox").click(modifiers=["Shift"])
        expect(bar(page)).to_contain_text("3 selected")
        expect(table.row("r4")).to_have_attribute("aria-selected", "true")
        bar(page).get_by_role("button", name="Select all").click()
        expect(bar(page)).to_contain_text("6 selected")
        page.get_by_role("checkbox", name="Select all matching runs").click()
        expect(bar(page)).to_have_count(0)


def test_tags_can_be_added_and_removed(runs: Runs, visit: Visit) -> None:
    with visit(runs.path(layout="table")) as page:
        table = Table(page)
        table.shows(*ALL)
        table.select("r1", "r2")
        for button, tag in (("Add", "best"), ("Remove", "old")):
            bar(page).get_by_role("button", name="Tag", exact=True).click()
            page.get_by_role("combobox", name="Tags").fill(tag)
            page.keyboard.press("Enter")
            page.get_by_role("dialog").get_by_role("button", name=button, exact=True).click()
        expect(table.cell("r1", "tags")).to_have_text("best")
        expect(table.cell("r2", "tags")).to_have_text("best")
        expect(table.cell("r3", "tags")).to_have_text("old")
        assert runs.get("r1")["tags"] == ["best"]


def test_names_notes_and_colours_can_be_edited(runs: Runs, visit: Visit) -> None:
    with visit(runs.path(layout="table")) as page:
        table = Table(page)
        table.shows(*ALL)
        table.line_menu("r2", "Edit name and notes…")
        form = page.get_by_role("dialog", name="Edit run")
        form.get_by_role("textbox", name="Name").fill("a better name")
        form.get_by_role("textbox", name="Notes").fill("It *converged*")
        form.get_by_role("button", name="Save").click()
        expect(table.row("a better name")).to_be_visible()
        assert runs.get("r2")["notes"] == "It *converged*"
        table.line_menu("a better name", "Edit name and notes…")
        expect(form.get_by_role("textbox", name="Notes")).to_have_value("It *converged*")
        page.keyboard.press("Escape")
        table.select("r0", "r1")
        bar(page).get_by_role("button", name="Edit").click()
        form = page.get_by_role("dialog", name="Edit 2 runs")
        form.get_by_role("textbox", name="Group").fill("twins")
        form.get_by_role("textbox", name="Colour").fill("#ff0000")
        form.get_by_role("textbox", name="Colour").press("Enter")
        expect(page.get_by_text("Updated 2 runs")).to_be_visible()
        for id_ in ("r0", "r1"):
            stroke = table.row(id_).get_by_role("button", name=f"Hide {id_} from charts").locator("svg line")
            expect(stroke).to_have_attribute("stroke", "#ff0000")
            assert runs.get(id_)["group"] == "twins"


def test_runs_can_get_their_default_colours_back(runs: Runs, visit: Visit) -> None:
    with visit(runs.path(layout="table")) as page:
        table = Table(page)
        table.shows(*ALL)

        def stroke(id_: str) -> Locator:
            return table.row(id_).get_by_role("button", name=f"Hide {id_} from charts").locator("svg line")

        def edit(color: str | None, *ids: str) -> None:
            table.select(*ids)
            bar(page).get_by_role("button", name="Edit").click()
            form = page.get_by_role("dialog", name=re.compile("^Edit"))
            if color is None:
                form.get_by_role("button", name="Default colour").click()
                expect(form.get_by_role("textbox", name="Colour")).to_have_attribute("placeholder", "Default colour")
            else:
                if len(ids) == 1:
                    expect(form.get_by_role("textbox", name="Colour")).to_have_value("#ff0000")
                form.get_by_role("textbox", name="Colour").fill(color)
                form.get_by_role("textbox", name="Notes").focus()
            with page.expect_response("**/api/edits"):
                form.get_by_role("button", name="Save").click()
            expect(form).to_be_hidden()
            table.select(*ids)

        ids = ("r0", "r1", "r2")
        own = {id_: stroke(id_).get_attribute("stroke") or "" for id_ in ids}
        edit("#ff0000", *ids)
        for id_ in ids:
            expect(stroke(id_)).to_have_attribute("stroke", "#ff0000")
        edit("", "r0")  # the field is cleared
        expect(stroke("r0")).to_have_attribute("stroke", own["r0"])
        expect(stroke("r1")).to_have_attribute("stroke", "#ff0000")
        table.select("r1", "r2")
        bar(page).get_by_role("button", name="Edit").click()
        form = page.get_by_role("dialog", name="Edit 2 runs")
        form.get_by_role("textbox", name="Colour").fill("#ff")
        expect(form.get_by_text("Use a hex colour such as #2a8efe")).to_be_visible()
        page.keyboard.press("Escape")
        page.keyboard.press("Escape")
        bar(page).get_by_role("button", name="Edit").click()
        form.get_by_role("textbox", name="Colour").focus()  # focusing a field changes nothing
        form.get_by_role("textbox", name="Group").fill("kept")
        with page.expect_response("**/api/edits"):
            form.get_by_role("button", name="Save").click()
        table.select("r1", "r2")
        assert (runs.get("r1")["group"], runs.get("r1")["color"]) == ("kept", "#ff0000")
        edit(None, *ids)
        for id_ in ids:
            expect(stroke(id_)).to_have_attribute("stroke", own[id_])
            assert runs.get(id_)["color"] is None


def test_a_running_run_can_be_asked_to_stop(runs: Runs, visit: Visit) -> None:
    runs.add("lasting", ended=False, allow_stop=True)
    with visit(runs.path()) as page:
        Table(page).select("lasting")
        with page.expect_response("**/api/edits") as response:
            bar(page).get_by_role("button", name="Stop").click()
        assert response.value.request.post_data_json["stop"] is True  # type: ignore[index]
        assert response.value.json() == {"changed": 1}


def test_deleted_runs_can_be_restored(runs: Runs, visit: Visit) -> None:
    with visit(runs.path(layout="table")) as page:
        table = Table(page)
        table.shows(*ALL)
        table.select("r0", "r1")
        bar(page).get_by_role("button", name="Delete").click()
        table.shows("r5", "r4", "r3", "r2")
        page.get_by_role("alert").get_by_role("button", name="Undo").click()
        table.shows(*ALL)
        table.select("r4", "r5")
        page.keyboard.press("Delete")
        table.shows("r3", "r2", "r1", "r0")
        page.get_by_role("button", name="Table options").click()
        page.get_by_role("menuitem", name="Trash").click()
        table.shows("r5", "r4")
        table.select("r5")
        bar(page).get_by_role("button", name="Restore").click()
        table.shows("r4")
        table.select("r4")
        bar(page).get_by_role("button", name="Delete permanently").click()
        sure = page.get_by_role("dialog")
        expect(sure).to_contain_text("This can't be undone")
        sure.get_by_role("button", name="Delete permanently").click()
        expect(page.get_by_text("The trash is empty")).to_be_visible()
        page.get_by_role("button", name="Back to runs").click()
        table.shows("r5", "r3", "r2", "r1", "r0")


def test_csv_has_the_shown_values_and_no_formulas(runs: Runs, visit: Visit, tmp_path: Path) -> None:
    for i, text in enumerate(("=1+2", "@SUM(A1)", '-2+3" end', "plain, text")):
        runs.add(f"odd{i}", [{"loss": -1.5}], {"lr": text}, name=text)
    view = {"layout": "table", "filter": "loss < 0 or loss > 4", "sort": [{"column": "created", "descending": False}]}
    with visit(runs.path(**view)) as page:
        Table(page).shows("r5", "=1+2", "@SUM(A1)", '-2+3" end', "plain, text")
        shown = Table(page).heads()
        page.get_by_role("button", name="Table options").click()
        with page.expect_download() as saved:
            page.get_by_role("menuitem", name="Download as CSV").click()
        assert saved.value.suggested_filename == f"{runs.project}.csv"
        saved.value.save_as(tmp_path / "table.csv")
    with (tmp_path / "table.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["id", *shown]
    assert [row["name"] for row in rows] == ["r5", "'=1+2", "'@SUM(A1)", "'-2+3\" end", "plain, text"]
    assert [row["config.lr"] for row in rows] == ["0.5", "'=1+2", "'@SUM(A1)", "'-2+3\" end", "plain, text"]
    assert [row["summary.loss"] for row in rows] == ["5", "-1.5", "-1.5", "-1.5", "-1.5"]
    assert rows[0]["created"].startswith("2023-11-14T22:18:20")


def test_selected_runs_can_be_compared(runs: Runs, visit: Visit) -> None:
    with visit(runs.path()) as page:
        table = Table(page)
        table.select("r1")
        expect(bar(page).get_by_role("button", name="Compare")).to_be_disabled()
        table.select("r3")
        bar(page).get_by_role("button", name="Compare").click()
        page.wait_for_url("**/compare?runs=r1*")
        expect(page.get_by_role("main").get_by_text("r3").first).to_be_visible()
