"""The page of one run: its head, its edits, and each of its tabs."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson
import pytest
from playwright.sync_api import Locator, Page, expect

from tracker.runlog.records import encode
from tracker_server.embedded import Embedded

from .conftest import Visit
from .workspace import START, Runs

ORIGIN = "/runs/me/origin/origin"
CLIPBOARD = {"permissions": ["clipboard-read", "clipboard-write"]}


@pytest.fixture
def runs(server: Embedded) -> Runs:
    return Runs(server)


def copied(page: Page) -> str:
    return str(page.evaluate("navigator.clipboard.readText()"))


def downloaded(page: Page, button: Locator) -> tuple[str, bytes]:
    """Return name and content of the file that a button downloads."""
    with page.expect_download() as download:
        button.click()
    return download.value.suggested_filename, Path(download.value.path()).read_bytes()


# -- the head, and what can be changed ----------------------------------------------------------------------------


def test_the_name_can_be_edited_in_place(runs: Runs, visit: Visit) -> None:
    runs.add("one", name="before")
    with visit(f"/runs/me/{runs.project}/one") as page:
        heading = page.get_by_role("heading", level=1)
        expect(heading).to_have_text("before")
        page.get_by_role("button", name="Rename").click()
        field = page.get_by_role("textbox", name="Run name")
        expect(field).to_be_focused()
        field.fill("given up")
        field.press("Escape")
        expect(heading).to_have_text("before")
        page.get_by_role("button", name="Rename").press("Enter")
        field.fill("  after ")
        field.press("Enter")
        expect(heading).to_have_text("after")
        expect(page).to_have_title(re.compile("^after · "))
        page.reload()
        expect(heading).to_have_text("after")
    assert runs.get("one")["name"] == "after"


def test_tags_can_be_added_and_removed(runs: Runs, visit: Visit) -> None:
    runs.add("one", tags=["old"])
    with visit(f"/runs/me/{runs.project}/one") as page:
        head = page.get_by_role("main").locator("header").first
        expect(head.get_by_text("old", exact=True)).to_be_visible()
        page.get_by_role("button", name="Edit tags").click()
        field = page.get_by_role("combobox", name="Tags")
        field.press("Backspace")
        field.press_sequentially("good")
        field.press("Enter")
        field.press_sequentially("last")
        field.blur()
        expect(head.get_by_text("last", exact=True)).to_be_visible()
        page.reload()
        expect(head.get_by_text("good", exact=True)).to_be_visible()
        expect(head.get_by_text("old", exact=True)).to_have_count(0)
    assert runs.get("one")["tags"] == ["good", "last"]


def test_a_colour_can_be_chosen_and_reset(runs: Runs, visit: Visit) -> None:
    runs.add("one")
    with visit(f"/runs/me/{runs.project}/one") as page:
        button = page.get_by_role("button", name="Run colour")
        button.click()
        third = page.get_by_role("button", name="Palette colour 3")
        own = page.get_by_role("button", name="Default colour")
        expect(own).to_be_disabled()
        third.click()
        expect(third).to_be_hidden()
        expect(button).to_be_focused()
        button.press("Enter")
        expect(third).to_have_attribute("aria-pressed", "true")
        assert re.fullmatch("#[0-9a-f]{6}", runs.get("one")["color"])
        own.click()
        button.click()
        expect(third).to_have_attribute("aria-pressed", "false")
        page.keyboard.press("Escape")
        expect(third).to_be_hidden()


def test_notes_can_be_written_previewed_and_saved(runs: Runs, visit: Visit) -> None:
    runs.add("one")
    with visit(f"/runs/me/{runs.project}/one") as page:
        page.get_by_role("button", name="Add notes").click()
        field = page.get_by_role("textbox", name="Notes")
        expect(field).to_be_focused()
        field.fill("It **works** at [last](https://example.com)\n\n- [x] done")
        page.get_by_text("Preview", exact=True).click()
        expect(page.get_by_role("strong").filter(has_text="works")).to_be_visible()
        page.get_by_text("Write", exact=True).click()
        field.press("Control+Enter")
        expect(page.get_by_role("strong").filter(has_text="works")).to_be_visible()
        link = page.get_by_role("link", name="last")
        expect(link).to_have_attribute("rel", "noopener noreferrer")
        expect(page.get_by_role("checkbox")).to_be_disabled()
        page.reload()
        page.get_by_role("button", name="Edit notes").click()
        expect(field).to_have_value(re.compile("It \\*\\*works"))
        page.get_by_role("button", name="Cancel").click()
        expect(link).to_be_visible()


def test_a_deleted_run_can_be_restored(runs: Runs, visit: Visit) -> None:
    runs.add("one")
    runs.add("two")
    with visit(f"/runs/me/{runs.project}/one") as page:
        page.get_by_role("button", name="More").click()
        page.get_by_role("menuitem", name="Delete").click()
        page.wait_for_url(f"**/projects/me/{runs.project}")
        names = page.get_by_role("grid", name="Runs").get_by_role("rowheader")
        expect(names).to_have_text([re.compile("^two")])
        page.get_by_text("Moved one to trash").wait_for()
        page.get_by_role("button", name="Undo", exact=True).last.click()
        page.get_by_text("Restored one").wait_for()
        expect(names).to_have_count(2)


@contextmanager
def training(server: Embedded, project: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process that trains until it is stopped."""
    script = (
        "import sys, time, tracker\n"
        "with tracker.init(project=sys.argv[1], id='live', name='live') as run:\n"
        "    for step in range(100_000):\n"
        "        run.log({'loss': 1 / (step + 1)})\n"
        "        print('step', step)\n"
        "        time.sleep(0.05)\n"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TRACKER_")}
    settings = {"TRACKER_BASE_URL": server.url, "TRACKER_API_KEY": server.token, "TRACKER_ENTITY": "me"}
    process = subprocess.Popen([sys.executable, "-c", script, project], env={**environment, **settings})
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def test_a_running_training_is_followed_and_can_be_stopped(
    runs: Runs, server: Embedded, visit: Visit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    runs.add("other")
    with training(server, runs.project) as process, visit(f"/projects/me/{runs.project}") as page:
        link = page.get_by_role("grid", name="Runs").get_by_role("link", name=re.compile("^live"))
        link.click(timeout=120_000)  # slow: the training and its agent start
        expect(page.get_by_text("running", exact=True)).to_be_visible()
        page.get_by_role("tab", name="Console").click()
        expect(page.get_by_role("region", name="Console output")).to_contain_text("step 40")
        page.get_by_role("button", name="Stop", exact=True).click()
        dialog = page.get_by_role("dialog", name="Stop this run?")
        dialog.get_by_role("button", name="Cancel").click()
        expect(dialog).to_be_hidden()
        page.get_by_role("button", name="Stop", exact=True).click()
        dialog.get_by_role("button", name="Stop").click()
        page.get_by_text("Stop requested", exact=True).wait_for()
        process.wait(60)
        expect(page.get_by_text("killed", exact=True)).to_be_visible()
        expect(page.get_by_role("button", name="Stop", exact=True)).to_have_count(0)


# -- overview -----------------------------------------------------------------------------------------------------


def test_the_overview_shows_where_a_run_came_from(visit: Visit) -> None:
    with visit(ORIGIN, **CLIPBOARD) as page:
        main = page.get_by_role("main")
        expect(main.get_by_text("Nearly done")).to_be_visible()
        expect(main.get_by_role("img", name="warn")).to_be_visible()
        expect(main.get_by_text("train.py").first).to_be_visible()
        expect(main.get_by_text("uncommitted changes")).to_be_visible()
        for heading in ("About", "Summary", "Reproduce", "Machine"):
            expect(main.get_by_role("heading", name=heading)).to_be_visible()
        main.get_by_role("button", name="Copy ID").click()
        expect(main.get_by_role("button", name="Copied")).to_be_visible()
        assert copied(page) == "origin"
        main.get_by_role("link", name="uncommitted changes").click()
        expect(page.get_by_role("tab", name="Code")).to_have_attribute("aria-selected", "true")


def test_a_failure_is_shown_with_its_traceback(server: Embedded, runs: Runs, visit: Visit, tmp_path: Path) -> None:
    script = (
        f"import tracker\nwith tracker.init(project={runs.project!r}, id='bad'):\n    raise ValueError('too hot')\n"
    )
    settings = {"TRACKER_BASE_URL": server.url, "TRACKER_API_KEY": server.token, "TRACKER_ENTITY": "me"}
    settings["TRACKER_FINISH_TIMEOUT"] = "60"  # open the page once the run exists
    failed = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, env={**os.environ, **settings}, check=False)
    assert failed.returncode == 1
    with visit(f"/runs/me/{runs.project}/bad") as page:
        expect(page.get_by_text("failed", exact=True)).to_be_visible()
        expect(page.get_by_role("heading", name="Error")).to_be_visible()
        expect(page.get_by_text("Traceback (most recent call last)")).to_be_visible()


def test_a_fork_and_its_origin_link_to_each_other(runs: Runs, visit: Visit) -> None:
    runs.add("parent", [{"loss": 1.0}, {"loss": 0.5}])
    runs.add("child", forked_from=f"me/{runs.project}/parent?_step=1")
    with visit(f"/runs/me/{runs.project}/child") as page:
        main = page.get_by_role("main")
        expect(main.get_by_text("at step 1")).to_be_visible()
        main.get_by_role("link", name="parent").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("parent")
        main.get_by_role("link", name="child").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("child")


def test_tabs_can_be_reached_by_keyboard_and_are_in_the_address(visit: Visit) -> None:
    with visit(ORIGIN) as page:
        page.get_by_role("tab", name="Overview").focus()
        page.keyboard.press("ArrowRight")
        page.wait_for_url("**?tab=charts")
        expect(page.get_by_role("tab", name="Charts")).to_be_focused()
        expect(page.get_by_role("application", name=re.compile("^Line chart loss"))).to_be_visible()
        page.keyboard.press("ArrowRight")
        expect(page.get_by_role("region", name=re.compile("cpu")).first).to_be_visible()
        page.go_back()
        expect(page.get_by_role("tab", name="Charts")).to_have_attribute("aria-selected", "true")


# -- console ------------------------------------------------------------------------------------------------------

CONSOLE = "Console output"


@pytest.fixture
def printed(runs: Runs) -> Runs:
    """Create a running run that has printed a thousand lines."""
    runs.add("one", ended=False)
    runs.print("one", *(f"line {i:04}" + (" needle" if i % 100 == 50 else "") for i in range(1000)))
    runs.print("one", "something to stderr", stream="stderr")
    return runs


def console(page: Page) -> Locator:
    return page.get_by_role("region", name=CONSOLE)


def test_the_console_follows_until_somebody_scrolls_up(printed: Runs, visit: Visit) -> None:
    with visit(f"/runs/me/{printed.project}/one?tab=console") as page:
        lines = console(page)
        expect(lines).to_contain_text("something to stderr")
        expect(page.get_by_role("switch", name="Follow")).to_be_checked()
        printed.print("one", "it came by itself")
        expect(lines).to_contain_text("it came by itself")
        lines.hover()
        page.mouse.wheel(0, -4000)
        expect(page.get_by_role("switch", name="Follow")).not_to_be_checked()
        expect(lines).not_to_contain_text("it came by itself")
        printed.print("one", "unseen one", "unseen two")
        jump = page.get_by_role("button", name="2 new lines")
        expect(jump).to_be_visible()
        expect(lines).not_to_contain_text("unseen")
        jump.click()
        expect(lines).to_contain_text("unseen two")
        expect(page.get_by_role("switch", name="Follow")).to_be_checked()
        lines.focus()
        page.keyboard.press("Home")
        expect(lines).to_contain_text("line 0000")
        page.keyboard.press("End")
        expect(lines).to_contain_text("unseen two")


def test_the_console_can_be_searched(printed: Runs, visit: Visit) -> None:
    with visit(f"/runs/me/{printed.project}/one?tab=console", refusals=(400,)) as page:
        field = page.get_by_role("searchbox", name="Search console")
        count = page.get_by_role("main").get_by_text(re.compile(r"^\d+ of 10$"))
        field.fill("needle")
        field.press("Enter")  # before the search can have found anything
        expect(count).to_have_text("1 of 10")
        expect(console(page)).to_contain_text("line 0050 needle")
        page.get_by_role("button", name="Next").click()
        expect(count).to_have_text("2 of 10")
        expect(console(page).get_by_role("mark").or_(console(page).locator("mark")).first).to_have_text("needle")  # type: ignore[arg-type]
        page.get_by_role("button", name="Previous").click()
        field.press("Shift+Enter")
        expect(count).to_have_text("10 of 10")
        expect(console(page)).to_contain_text("line 0950 needle")
        page.get_by_role("button", name="Regular expression").click()
        field.fill("line 00[12]0$")
        expect(page.get_by_text(re.compile("of 2$"))).to_be_visible()
        field.fill("nowhere")
        expect(page.get_by_text("No match")).to_be_visible()
        field.fill("(")
        expect(field).to_have_attribute("aria-invalid", "true")


def test_a_console_search_ignores_colours(runs: Runs, visit: Visit) -> None:
    runs.add("one", ended=False)
    runs.print("one", *(f"\x1b[32mline\x1b[0m {i}" for i in range(300)), "an \x1b[31mer\x1b[1mro\x1b[0mr, an error")
    with visit(f"/runs/me/{runs.project}/one?tab=console") as page:
        field = page.get_by_role("searchbox", name="Search console")
        marks = console(page).locator("mark")
        field.fill("Error")
        expect(page.get_by_text("0 of 1")).to_be_visible()
        expect(marks).to_have_text(["er", "ro", "r", "error"])
        expect(marks.first).not_to_have_css("color", marks.last.evaluate("one => getComputedStyle(one).color"))
        page.get_by_role("button", name="Regular expression").click()
        field.fill("^an err")
        expect(page.get_by_text("0 of 1")).to_be_visible()
        expect(marks).to_have_text(["an ", "er", "r"])
        field.fill("32m")
        expect(page.get_by_text("No match")).to_be_visible()


def test_the_console_offers_streams_times_copying_and_download(printed: Runs, visit: Visit) -> None:
    with visit(f"/runs/me/{printed.project}/one?tab=console", **CLIPBOARD) as page:
        page.get_by_text("stderr", exact=True).click()
        expect(console(page)).to_contain_text("something to stderr")
        expect(console(page)).not_to_contain_text("line")
        options = page.get_by_role("button", name="Console options")
        options.click()
        page.get_by_role("menuitemcheckbox", name="Show times").click()
        expect(console(page)).to_contain_text(re.compile(r"\d\d:\d\d:\d\d"))
        options.click()
        page.get_by_role("menuitem", name="Copy all").click()
        page.get_by_text("Copied 1 line", exact=True).wait_for()
        assert copied(page).splitlines() == ["something to stderr"]
        page.get_by_text("All", exact=True).click()
        options.click()
        name, content = downloaded(page, page.get_by_role("menuitem", name="Download"))
        assert name == "one-console.txt"
        assert len(content.splitlines()) == 1001


def test_escape_sequences_are_colours(visit: Visit) -> None:
    with visit(f"{ORIGIN}?tab=console") as page:
        starting = console(page).get_by_text("starting", exact=True)
        expect(starting).to_have_css("font-weight", "700")
        red = console(page).get_by_text("red", exact=True)
        r, g, b = (int(part) for part in re.findall(r"\d+", red.evaluate("one => getComputedStyle(one).color"))[:3])
        assert r > 2 * max(g, b)
        expect(console(page)).to_contain_text("<script>alert(8)</script>")


# -- files, config, code, packages --------------------------------------------------------------------------------


def test_files_can_be_searched_previewed_and_downloaded(visit: Visit) -> None:
    with visit(f"{ORIGIN}?tab=files") as page:
        listed = page.get_by_role("navigation", name="Run files")
        listed.get_by_role("button", name="table.csv").click()
        page.wait_for_url("**file=table.csv")
        expect(page.get_by_role("columnheader", name="score")).to_be_visible()
        expect(page.get_by_role("cell", name="cat")).to_be_visible()
        page.get_by_text("Source", exact=True).click()
        expect(page.get_by_text("name,score")).to_be_visible()
        name, content = downloaded(page, page.get_by_role("link", name="Download"))
        assert (name, content) == ("table.csv", b"name,score\ncat,0.5\n")
        listed.get_by_role("button", name="readme.md").click()
        expect(page.get_by_role("heading", name="A result")).to_be_visible()
        listed.get_by_role("button", name="result.json").click()
        expect(page.get_by_role("group", name="result.json")).to_contain_text("0.9")
        search = page.get_by_role("searchbox", name="Search files")
        search.fill("csv")
        expect(listed.get_by_role("button", name="result.json")).to_have_count(0)
        search.fill("nothing so")
        expect(page.get_by_text("No matching files")).to_be_visible()


def test_config_can_be_searched_expanded_and_copied(visit: Visit) -> None:
    with visit(f"{ORIGIN}?tab=config", **CLIPBOARD) as page:
        nested = page.get_by_role("button", name="nested", exact=True)
        expect(page.get_by_text("depth", exact=True)).to_be_visible()
        nested.click()
        expect(page.get_by_text("depth", exact=True)).to_have_count(0)
        search = page.get_by_role("searchbox", name="Search keys and values")
        search.fill("depth")
        expect(page.get_by_text("depth", exact=True)).to_be_visible()
        expect(page.get_by_text("width", exact=True)).to_have_count(0)
        page.get_by_role("button", name="Copy value of nested.depth").click()
        expect(page.get_by_role("button", name="Copied")).to_be_visible()
        assert copied(page) == "3"
        search.fill("")
        page.get_by_role("button", name="Copy as JSON").first.click()
        expect(page.get_by_role("button", name="Copied").first).to_be_visible()
        assert orjson.loads(copied(page))["nested"] == {"depth": 3, "names": ["a", "b"]}


def test_the_code_tab_shows_uncommitted_changes(visit: Visit) -> None:
    with visit(f"{ORIGIN}?tab=code") as page:
        lines = page.get_by_role("group", name="model.py")
        expect(lines).to_contain_text("WIDTH = 20")
        expect(lines.get_by_label("added")).to_be_visible()
        expect(lines.get_by_label("removed")).to_be_visible()
        page.get_by_role("button", name="model.py").last.click()
        expect(lines).to_have_count(0)
        page.get_by_role("link", name="notes.txt").click()
        expect(page.get_by_text("an untracked file")).to_be_visible()


def test_packages_can_be_searched(visit: Visit) -> None:
    with visit(f"{ORIGIN}?tab=packages") as page:
        expect(page.get_by_role("cell", name="orjson", exact=True)).to_be_visible()
        search = page.get_by_role("searchbox", name="Search packages")
        search.fill("orjso")
        expect(page.get_by_role("row")).to_have_count(2)
        search.fill("no such package")
        expect(page.get_by_text("No packages match")).to_be_visible()


def test_system_metrics_are_drawn(visit: Visit) -> None:
    with visit(f"{ORIGIN}?tab=system") as page:
        charts = page.get_by_role("application")
        expect(charts.first).to_be_visible()
        expect(page.get_by_role("application", name=re.compile("cpu")).first).to_be_visible()


# -- how it ended, and what was too large ---------------------------------------------------------------------------


def test_the_end_of_a_killed_process_is_shown_with_what_the_machine_recorded(runs: Runs, visit: Visit) -> None:
    runs.add("one", ended=False)
    end = {"state": "crashed", "signal": "SIGKILL", "exit_code": 137, "error": "ended by SIGKILL"}
    runs.append("one", encode("finish", {**end, "peak_memory": 3 * 2**30, "out_of_memory": True}, START + 9))
    with visit(f"/runs/me/{runs.project}/one") as page:
        expect(page.get_by_text("ended by SIGKILL").last).to_be_visible()
        expect(page.get_by_role("heading", name="Error")).to_be_visible()


def test_a_config_value_stored_as_a_file_can_be_downloaded(runs: Runs, visit: Visit) -> None:
    content = orjson.dumps({"words": ["a"] * 1000})
    digest = hashlib.sha256(content).hexdigest()
    kept = {"_type": "file", "digest": digest, "size": len(content), "format": "json", "name": "config/vocabulary.json"}
    runs.add("one", config={"vocabulary": kept, "lr": 0.1})
    address = f"{runs.server.url}/api/runs/me/{runs.project}/one/blobs/{digest}"
    runs._session.put(address, data=content).raise_for_status()
    with visit(f"/runs/me/{runs.project}/one?tab=config") as page:
        link = page.get_by_role("link", name=re.compile("Download"))
        _, got = downloaded(page, link)
        assert got == content


def test_problems_show_lost_and_unreadable_records(runs: Runs, visit: Visit) -> None:
    runs.add("one")
    runs.append("one", encode("lost", {"count": 3}, START) + b"not a record\n")
    with visit(f"/runs/me/{runs.project}/one") as page:
        expect(page.get_by_text("3 records lost")).to_be_visible()
        expect(page.get_by_text("1 unreadable line")).to_be_visible()
