"""Every page shows names of any text, and very many of them."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tracker_server.embedded import Embedded

from .conftest import Visit
from .workspace import Runs, Table

NAMES = {
    "empty": "",
    "spaces": "   ",
    "around": " loss ",
    "backtick": "a`b``c",
    "quotes": "q\"u'o\\te",
    "slashes": "/a//b/",
    "dots": ".a..b.",
    "choice": "loss@min",
    "prototype": "__proto__",
    "constructor": "constructor",
    "lines": "a\nb\r\n\tc",
    "controls": "a\x00b\x1b[31mc\x7f",
    "right to left": "\u202eabc \u05d0\u05d1",
    "1,100 characters": "k" * 1100,
    "10,000 characters": "損" * 10_000,
    "markup": "<img src=x onerror=alert(1)>",
    "number": "1",
    "keyword": "and",
    "percent": "%2F%00%",
    "comma": "a,b;c|d",
    "case": "Other",
}


def _written(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


@pytest.fixture(scope="module")
def named(server: Embedded) -> Runs:
    """Create two runs in which every name is a metric, a config key, a tag, a group, …"""
    runs = Runs(server)
    every = list(NAMES.values())
    for id_, value in (("one", 1.5), ("two", 2.5)):
        rows = [dict.fromkeys(every, value), dict.fromkeys(every, value + 1)]
        head = {"group": NAMES["markup"], "job_type": NAMES["lines"], "tags": every, "notes": "\n\n".join(every)}
        runs.add(id_, rows, dict.fromkeys(every, value), **head)  # type: ignore[arg-type]
    return runs


def test_table_charts_and_csv_show_every_name(named: Runs, visit: Visit, tmp_path: Path) -> None:
    with visit(named.path()) as page:
        table = Table(page)
        table.shows("two", "one")
        assert {f"config.{NAMES['empty']}", f"config.{NAMES['backtick']}"} <= {*table.heads()}
        expect(page.get_by_role("region", name="Panel “”", exact=True).get_by_role("application")).to_be_visible()
        expect(page.get_by_role("region", name=re.compile("^Panel "))).to_have_count(len(NAMES))
        page.get_by_role("button", name="Table options").click()
        with page.expect_download() as saved:
            page.get_by_role("menuitem", name="Download as CSV").click()
        saved.value.save_as(tmp_path / "runs.csv")
    text = (tmp_path / "runs.csv").read_bytes().decode("utf-8-sig")
    one, two = sorted(csv.DictReader(io.StringIO(text, newline="")), key=lambda row: row["id"])
    for name in NAMES.values():
        head = [c for c in one if c.lstrip("'") == f"config.{name}"]
        assert [(float(one[c]), float(two[c])) for c in head] == [(1.5, 2.5)], name


@pytest.mark.parametrize("what", ["empty", "spaces", "backtick", "quotes", "prototype", "lines", "1,100 characters"])
def test_the_address_keeps_a_view_with_any_name(named: Runs, visit: Visit, what: str) -> None:
    column = f"summary.{NAMES[what]}"
    with visit(named.path(filter=f"{_written(column)} > 3", sort=[{"column": column, "descending": True}])) as page:
        table = Table(page)
        table.shows("two")
        page.goto(named.server.url + named.path(sort=[{"column": f"config.{NAMES[what]}", "descending": False}]))
        table.shows("one", "two")
        page.goto(named.server.url + named.path(group={"by": [f"config.{NAMES[what]}"]}))
        expect(table.names).to_have_text([re.compile(r"^2\.5"), re.compile(r"^1\.5")])


def test_the_browser_keeps_a_view_that_is_too_long_for_an_address(named: Runs, visit: Visit) -> None:
    with visit(named.path()) as page:
        table = Table(page)
        table.shows("two", "one")
        field = page.get_by_role("combobox", name="Filter expression")
        field.fill(f"{_written('summary.' + NAMES['10,000 characters'])} > 3")
        field.press("Enter")
        table.shows("two")
        page.wait_for_url(re.compile("v=(~|%7E)"))
        page.reload()
        table.shows("two")
        page.get_by_role("button", name="Views", exact=True).click()
        page.get_by_role("textbox", name="Save this view as…").fill("long")
        page.keyboard.press("Enter")
        expect(
            page.get_by_role("button", name="long", exact=True).or_(page.get_by_text("long", exact=True)).first
        ).to_be_visible()


def test_the_pages_of_a_run_show_every_name(named: Runs, visit: Visit) -> None:
    with visit(f"/runs/me/{named.project}/one") as page:
        expect(page.get_by_role("heading", name="one")).to_be_visible()
        page.get_by_role("tab", name="Charts").click()
        expect(page.get_by_role("region", name=re.compile("^Panel "))).to_have_count(len(NAMES))
        page.get_by_role("tab", name="Config").click()
        expect(page.get_by_role("button", name=re.compile("^Copy value of"))).to_have_count(2 * len(NAMES))


def test_the_comparison_shows_every_name(named: Runs, visit: Visit) -> None:
    with visit(f"/projects/me/{named.project}/compare?runs=one,two") as page:
        expect(page.get_by_role("row").filter(has_text="+66.7 %")).to_have_count(len(NAMES))
        page.get_by_role("tab", name="Charts").click()
        expect(page.get_by_role("region", name=re.compile("^Panel "))).to_have_count(len(NAMES))


def test_some_of_very_many_columns_are_shown_and_search_finds_the_others(server: Embedded, visit: Visit) -> None:
    runs = Runs(server)
    for id_, value in (("one", 1), ("two", 2)):
        rows = [{f"layer{i:04}/norm": i * value for i in range(3000)}] * 2
        runs.add(id_, rows, {f"p{i}": value for i in range(300)})
    with visit(runs.path(layout="table")) as page:
        table = Table(page)
        table.shows("two", "one")
        page.get_by_role("button", name="Columns", exact=True).click()
        expect(page.get_by_text("columns at once")).to_be_visible()
        page.get_by_role("textbox", name="Search columns").fill("layer2999")
        page.get_by_role("list", name="Columns").get_by_role("checkbox").check()
        page.keyboard.press("Escape")
        expect(table.head("summary.layer2999/norm")).to_be_visible()
        expect(table.cell("two", "summary.layer2999/norm")).to_have_text("5,998")
        page.wait_for_url("**layer2999**")
        page.reload()
        expect(table.cell("two", "summary.layer2999/norm")).to_have_text("5,998")
        field = page.get_by_role("combobox", name="Filter expression")
        field.fill("summary.layer2998")
        page.get_by_role("option", name="summary.layer2998/norm").first.click()
        field.press_sequentially("> 3000")
        field.press("Enter")
        table.shows("two")
    with visit(runs.path()) as page:
        page.get_by_label("Search panels (regex)").fill("layer2999")
        expect(page.get_by_role("region", name=re.compile("^Panel "))).to_have_count(1)
