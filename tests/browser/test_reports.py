"""Reports of a project: written, reordered, published, compared, restored and read."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tracker_server.embedded import Embedded

from .conftest import Visit
from .test_pages import violations
from .workspace import Runs


@pytest.fixture
def runs(server: Embedded) -> Runs:
    made = Runs(server)
    made.add("one", [{"loss": 1.0}, {"loss": 0.5}], config={"lr": 0.1})
    made.add("two", [{"loss": 2.0}, {"loss": 1.5}], config={"lr": 0.2})
    return made


def reports(runs: Runs) -> str:
    return f"/projects/me/{runs.project}/reports"


def text(id_: str, content: str) -> dict[str, Any]:
    return {"id": id_, "kind": "markdown", "text": content}


CHART = {
    "id": "chart",
    "kind": "panel",
    "panel": {"id": "p", "kind": "line", "section": "", "keys": ["loss"]},
    "runs": [],
    "filter": "",
    "limit": 10,
    "view": {},
}


class Editor:
    """The editor of a report, by its accessible names."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.title = page.get_by_role("textbox", name="Title", exact=True)
        self.texts = page.get_by_role("textbox", name="Text in Markdown")
        self.blocks = page.get_by_role("region", name=re.compile("block [0-9]+ of [0-9]+$"))
        self.state = page.get_by_role("status").filter(has_text=re.compile("saved|changes", re.I))

    def add(self, kind: str) -> None:
        self.page.get_by_role("button", name=kind, exact=True).click()

    def names(self) -> list[str]:
        """Return what the blocks are, in their order on the page."""
        return [str(one.get_attribute("aria-label")).split(",")[0] for one in self.blocks.all()]

    def grip(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=f"Move {name}: drag, or use the arrow keys")

    def menu(self, kind: str, item: str) -> None:
        self.page.get_by_role("button", name=f"Actions for {kind}", exact=True).click()
        self.page.get_by_role("menuitem", name=item, exact=True).click()


def test_a_report_with_a_chart_is_written_reordered_and_published(runs: Runs, visit: Visit) -> None:
    with visit(f"/projects/me/{runs.project}") as page:
        page.get_by_role("link", name="Reports").click()
        expect(page.get_by_text("No reports yet")).to_be_visible()
        page.get_by_role("link", name="New report").click()
        editor = Editor(page)
        editor.title.fill("What we learned")
        editor.add("Text")
        editor.texts.fill("The loss *falls*.")
        editor.add("Chart")
        dialog = page.get_by_role("dialog", name="Add panel")
        dialog.get_by_role("combobox", name="Metrics").click()
        page.get_by_role("option", name="loss").click()
        page.keyboard.press("Escape")
        dialog.get_by_role("button", name="Add panel").click()
        expect(page.get_by_role("application", name=re.compile("^Line chart loss, 2 lines"))).to_be_visible()
        editor.add("Run table")
        expect(page.get_by_role("rowheader", name="two")).to_be_visible()
        expect(editor.blocks).to_have_count(3)
        assert editor.names() == ["Text", "Chart", "Run table"]
        assert violations(page) == []

        editor.grip("run table").press("ArrowUp")
        expect(editor.blocks.nth(1)).to_have_accessible_name("Run table, block 2 of 3")
        expect(editor.grip("run table")).to_be_focused()
        editor.grip("text").press("ArrowDown")
        editor.grip("text").press("ArrowDown")
        expect(editor.blocks.nth(2)).to_have_accessible_name("Text, block 3 of 3")
        editor.menu("text", "Put on the right side")
        expect(editor.blocks.nth(1)).to_have_accessible_name("Side by side, block 2 of 2")
        assert editor.names() == ["Run table", "Side by side", "Chart", "Text"]

        page.get_by_role("button", name="Save draft").click()
        expect(editor.state).to_have_text("Draft, all changes saved")
        page.get_by_role("button", name="Publish").click()
        expect(page.get_by_role("heading", level=1, name="What we learned")).to_be_visible()
        article = page.get_by_role("article")
        expect(article.get_by_text("The loss falls.")).to_be_visible()
        chart = article.get_by_role("application", name=re.compile("^Line chart loss"))
        expect(chart).to_have_accessible_name(re.compile("2 lines"))
        runs.add("three", [{"loss": 3.0}, {"loss": 2.5}])
        expect(chart).to_have_accessible_name(re.compile("3 lines"))
        assert violations(page) == []
        page.get_by_role("navigation", name="Breadcrumb").get_by_role("link", name="Reports").click()
        expect(page.get_by_role("link", name="What we learned")).to_be_visible()
        expect(page.get_by_text("Draft", exact=True)).to_have_count(0)


def test_blocks_are_duplicated_removed_and_brought_back(runs: Runs, visit: Visit) -> None:
    id_ = runs.report("Blocks", [text("a", "first"), text("b", "second")])
    with visit(f"{reports(runs)}/{id_}?show=edit") as page:
        editor = Editor(page)
        first = editor.blocks.first
        first.get_by_role("button", name="Actions for text").click()
        page.get_by_role("menuitem", name="Duplicate").click()
        expect(editor.blocks).to_have_count(3)
        expect(editor.texts.nth(1)).to_have_value("first")
        editor.blocks.nth(2).get_by_role("button", name="Actions for text").click()
        page.get_by_role("menuitem", name="Remove").click()
        expect(editor.blocks).to_have_count(2)
        page.get_by_role("button", name="Undo").click()
        expect(editor.texts.nth(2)).to_have_value("second")
        page.get_by_role("button", name="Undo").click()
        expect(editor.blocks).to_have_count(2)
        expect(editor.state).to_have_text("Draft, all changes saved")


def test_blocks_are_dragged_before_and_beside_others(runs: Runs, visit: Visit) -> None:
    id_ = runs.report("Drag", [text("a", "first"), text("b", "second"), text("c", "third")])
    with visit(f"{reports(runs)}/{id_}?show=edit") as page:
        editor = Editor(page)
        expect(editor.texts).to_have_count(3)

        def drag(place: int, to: int, x: float, y: float) -> None:
            """Drag a block to a part of another one, given in shares of its size."""
            target = editor.blocks.nth(to)
            box = target.bounding_box()
            assert box
            grip = editor.blocks.nth(place).get_by_role("button", name=re.compile("^Move"))
            grip.drag_to(target, target_position={"x": x * box["width"], "y": y * box["height"]})

        drag(2, 0, 0.5, 0.1)
        expect(editor.texts.nth(0)).to_have_value("third")
        drag(0, 2, 0.5, 0.9)
        expect(editor.texts.nth(2)).to_have_value("third")
        drag(1, 0, 0.95, 0.5)
        expect(editor.blocks.first).to_have_accessible_name("Side by side, block 1 of 2")
        expect(editor.blocks.nth(2)).to_have_accessible_name("Text, block 1 of 1")
        expect(editor.texts).to_have_count(3)


def test_what_two_people_write_at_once_is_not_lost(runs: Runs, visit: Visit) -> None:
    id_ = runs.report("Shared", [text("a", "alpha"), text("b", "beta")])
    path = f"{reports(runs)}/{id_}?show=edit"
    with visit(path, refusals=(409,)) as page, visit(path) as other:
        mine, theirs = Editor(page), Editor(other)
        mine.texts.nth(0).fill("alpha, by me")
        theirs.texts.nth(1).fill("beta, by them")
        theirs.title.fill("Shared by two")
        other.get_by_role("button", name="Save draft").click()
        expect(theirs.state).to_have_text("Draft, all changes saved")
        page.get_by_role("button", name="Save draft").click()
        alert = page.get_by_role("alert", name="Two versions of this report")
        expect(alert).to_contain_text("beta, by them")
        expect(alert).to_contain_text("alpha, by me")
        expect(mine.texts.nth(0)).to_have_value("alpha, by me")
        assert violations(page) == []
        alert.get_by_role("button", name="Merge both").click()
        expect(mine.title).to_have_value("Shared by two")
        expect(mine.texts.nth(0)).to_have_value("alpha, by me")
        expect(mine.texts.nth(1)).to_have_value("beta, by them")
        page.get_by_role("button", name="Save draft").click()
        expect(mine.state).to_have_text("Draft, all changes saved")
        # Who has changed nothing sees it at once.
        expect(theirs.texts.nth(0)).to_have_value("alpha, by me")


def test_a_change_of_the_same_text_is_chosen(runs: Runs, visit: Visit) -> None:
    id_ = runs.report("Shared", [text("a", "alpha")])
    with visit(f"{reports(runs)}/{id_}?show=edit", refusals=(409,)) as page:
        editor = Editor(page)
        editor.texts.fill("mine")
        runs.save_report(id_, 1, "Shared", [text("a", "theirs")])
        # The live stream says so even before saving.
        page.get_by_role("alert").get_by_role("button", name="Compare").click()
        page.get_by_role("button", name="Take theirs").click()
        expect(editor.texts).to_have_value("theirs")
        page.get_by_role("button", name="Undo").click()
        expect(editor.texts).to_have_value("mine")
        page.get_by_role("button", name="Save draft").click()
        expect(editor.state).to_have_text("Draft, all changes saved")
        versions = runs.api("GET", f"/api/projects/me/{runs.project}/reports/{id_}/versions")["versions"]
        assert [one["version"] for one in versions] == [3, 2, 1]


def test_what_was_written_outlives_the_report(runs: Runs, visit: Visit) -> None:
    id_ = runs.report("Short-lived", [text("a", "alpha")])
    with visit(f"{reports(runs)}/{id_}?show=edit", refusals=(404,)) as page:
        Editor(page).texts.fill("what I wrote")
        runs.api("DELETE", f"/api/projects/me/{runs.project}/reports/{id_}")
        page.get_by_role("button", name="Save draft").click()
        page.get_by_role("alert").get_by_role("button", name="Save as new report").click()
        expect(page.get_by_role("article")).to_contain_text("what I wrote")
        assert id_ not in page.url


def test_unsaved_changes_are_warned_about_and_kept(runs: Runs, visit: Visit) -> None:
    id_ = runs.report("Kept", [text("a", "old")])
    with visit(f"{reports(runs)}/{id_}?show=edit") as page:
        editor = Editor(page)
        editor.texts.fill("not saved")
        page.get_by_role("link", name="All projects").click()
        dialog = page.get_by_role("dialog", name="Leave without saving?")
        dialog.get_by_role("button", name="Keep editing").click()
        expect(editor.texts).to_have_value("not saved")
        page.get_by_role("button", name="Close editor").click()
        dialog.get_by_role("button", name="Leave").click()
        expect(page.get_by_role("article")).to_contain_text("old")
        page.get_by_role("button", name="Continue editing").click()
        expect(editor.texts).to_have_value("not saved")
        page.get_by_role("button", name="Discard changes").click()
        expect(editor.texts).to_have_value("old")
        page.get_by_role("button", name="Close editor").click()
        expect(page.get_by_role("article")).to_contain_text("old")
        expect(page.get_by_role("button", name="Continue editing")).to_have_count(0)


def test_versions_are_compared_and_restored(runs: Runs, visit: Visit) -> None:
    id_ = runs.report("Versions", [text("a", "first\n\nsame")])
    runs.save_report(id_, 1, "Versions", [text("a", "second\n\nsame"), CHART])
    with visit(f"{reports(runs)}/{id_}") as page:
        page.get_by_role("button", name="More").click()
        page.get_by_role("menuitem", name="Versions").click()
        differences = page.get_by_role("group", name="Differences")
        expect(differences).to_contain_text("removed: first")
        expect(differences).to_contain_text("added: second")
        expect(differences).to_contain_text("[Chart: loss]")
        assert violations(page) == []
        page.get_by_role("navigation", name="Versions").get_by_role("button", name=re.compile("^Version 1")).click()
        page.get_by_role("button", name="Restore this version").click()
        expect(page.get_by_role("button", name=re.compile("^Version 3 · current"))).to_be_visible()
        page.get_by_role("button", name="Back to the report").click()
        expect(page.get_by_role("article")).to_contain_text("first")


def test_a_chart_is_added_to_a_report_from_its_menu(runs: Runs, visit: Visit) -> None:
    id_ = runs.report("Findings", [text("a", "before")])
    with visit(runs.path(filter="config.lr = 0.1")) as page:
        panel = page.get_by_role("region", name="Panel loss")
        panel.get_by_role("button", name="Actions for loss").click()
        page.get_by_role("menuitem", name="Add to report…").click()
        page.get_by_role("button", name="Add to Findings").click()
        page.get_by_role("button", name="Open report").click()
        chart = page.get_by_role("article").get_by_role("application", name=re.compile("^Line chart loss, 1 line"))
        expect(chart).to_be_visible()
    blocks = runs.api("GET", f"/api/projects/me/{runs.project}/reports/{id_}")["blocks"]
    assert [block["kind"] for block in blocks] == ["markdown", "panel"]
    assert (blocks[1]["filter"], blocks[1]["runs"]) == ("config.lr = 0.1", [])


def test_a_chart_of_a_run_begins_a_new_report(runs: Runs, visit: Visit) -> None:
    with visit(f"/runs/me/{runs.project}/one?tab=charts") as page:
        page.get_by_role("button", name="Actions for loss").click()
        page.get_by_role("menuitem", name="Add to report…").click()
        page.get_by_role("textbox", name="Title of the new report").fill("One run")
        page.get_by_role("button", name="Create report").click()
        page.get_by_role("button", name="Open report").click()
        expect(page.get_by_role("heading", level=1, name="One run")).to_be_visible()
        expect(page.get_by_role("application", name=re.compile("^Line chart loss, 1 line"))).to_be_visible()


def test_an_address_by_the_id_alone_leads_to_the_report(runs: Runs, visit: Visit) -> None:
    id_ = runs.report("Short", [text("a", "found")])
    with visit(f"/reports/{id_}", refusals=(404,)) as page:
        expect(page.get_by_role("article")).to_contain_text("found")
        assert page.url.endswith(f"{reports(runs)}/{id_}")
        page.goto(f"{runs.server.url}/reports/nothere")
        expect(page.get_by_text("Report not found")).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_report_fits_a_phone_and_paper(runs: Runs, visit: Visit, theme: str) -> None:
    beside = {"id": "k", "kind": "columns", "left": [text("l", "left " * 40)], "right": [CHART]}
    table = {"id": "t", "kind": "table", "title": "All", "columns": ["created", "config.lr", "summary.loss", "state"]}
    id_ = runs.report("A rather long title of a report", [text("a", "# Head\n\n" + "word " * 60), beside, table])
    with visit(f"{reports(runs)}/{id_}", size="phone", theme=theme) as page:
        left, chart = page.get_by_text("left left").last, page.get_by_role("application")
        expect(chart).to_be_visible()
        above, below = left.bounding_box(), chart.bounding_box()
        assert above
        assert below
        assert above["y"] + above["height"] <= below["y"]
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), "it scrolls sideways"
        assert violations(page) == []
        page.goto(f"{runs.server.url}{reports(runs)}/{id_}?show=edit")
        expect(page.get_by_role("textbox", name="Title", exact=True)).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), "it scrolls sideways"
        assert violations(page) == []
        page.goto(f"{runs.server.url}{reports(runs)}/{id_}")
        expect(chart).to_be_visible()
        page.emulate_media(media="print")
        expect(page.get_by_role("banner")).to_be_hidden()
        expect(page.get_by_role("button", name="Edit")).to_be_hidden()
        expect(page.get_by_role("heading", level=1)).to_be_visible()


def test_comments_are_written_changed_and_deleted(runs: Runs, visit: Visit) -> None:
    id_ = runs.report("Discussed", [text("a", "x")])
    with visit(f"{reports(runs)}/{id_}") as page:
        comments = page.get_by_role("region", name="Comments")
        comments.get_by_role("combobox", name="Write a comment").fill("Is this *right*?")
        comments.get_by_role("button", name="Comment", exact=True).click()
        written = comments.get_by_role("article")
        expect(written).to_contain_text("Is this right?")
        expect(comments.get_by_role("combobox")).to_have_value("")
        written.get_by_role("button", name="Actions for the comment of Owner").click()
        page.get_by_role("menuitem", name="Edit comment").click()
        comments.get_by_role("combobox", name="Edit comment").fill("It is.")
        comments.get_by_role("button", name="Save").click()
        expect(written).to_contain_text("It is.")
        expect(written).to_contain_text("edited")
        assert violations(page) == []
        written.get_by_role("button", name="Actions for the comment of Owner").click()
        page.get_by_role("menuitem", name="Delete comment").click()
        page.get_by_role("dialog").get_by_role("button", name="Delete comment").click()
        expect(comments).to_contain_text("Deleted comment")
        expect(comments).not_to_contain_text("It is.")


def test_a_run_is_commented_on(runs: Runs, visit: Visit) -> None:
    with visit(f"/runs/me/{runs.project}/one") as page:
        comments = page.get_by_role("region", name="Comments")
        comments.get_by_role("combobox", name="Write a comment").fill("Look at step 1")
        comments.get_by_role("combobox", name="Write a comment").press("Control+Enter")
        expect(comments.get_by_role("article")).to_contain_text("Look at step 1")
        runs.api("POST", f"/api/comments?run=me/{runs.project}/one", {"text": "I did"})
        expect(comments.get_by_role("article")).to_have_count(2)


def test_a_report_is_deleted(runs: Runs, visit: Visit) -> None:
    id_ = runs.report("Old", [])
    with visit(f"{reports(runs)}/{id_}") as page:
        page.get_by_role("button", name="More").click()
        page.get_by_role("menuitem", name="Delete report").click()
        page.get_by_role("dialog").get_by_role("button", name="Delete report").click()
        expect(page.get_by_text("No reports yet")).to_be_visible()


def test_a_text_links_to_a_saved_view(runs: Runs, visit: Visit) -> None:
    runs.api("PUT", f"/api/projects/me/{runs.project}/views/fast (ones)", {"view": {"filter": "config.lr = 0.1"}})
    id_ = runs.report("Linked", [text("a", "See ")])
    with visit(f"{reports(runs)}/{id_}?show=edit") as page:
        page.get_by_role("button", name="Insert view").click()
        page.get_by_role("menuitem", name="fast (ones)").click()
        page.get_by_role("button", name="Publish").click()
        page.get_by_role("article").get_by_role("link", name="fast (ones)").click()
        grid = page.get_by_role("grid", name="Runs")
        expect(grid.get_by_role("rowheader")).to_have_text([re.compile("^one")])


def test_a_report_is_exported(runs: Runs, visit: Visit) -> None:
    id_ = runs.report("Exported", [text("a", "Some *text*."), CHART])
    with visit(f"{reports(runs)}/{id_}") as page:
        for item, ending, shown in (("Export as HTML", ".html", "<svg"), ("Export as Markdown", ".md", "Some *text*.")):
            page.get_by_role("button", name="More").click()
            with page.expect_download() as download:
                page.get_by_role("menuitem", name=item).click()
            assert download.value.suggested_filename.endswith(ending)
            assert shown in download.value.path().read_text(encoding="utf-8")
