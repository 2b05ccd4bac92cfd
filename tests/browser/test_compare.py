"""The comparison of runs."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from .conftest import Visit

TWO = "/projects/me/vision/compare?runs=v00,v07"


def test_selected_runs_are_compared(visit: Visit) -> None:
    with visit("/projects/me/vision") as page:
        grid = page.get_by_role("grid", name="Runs")
        for name in ("conv-23", "conv-22"):
            grid.get_by_role("row").filter(has_text=name).get_by_role("checkbox").click()
        page.get_by_role("link", name="Compare").or_(page.get_by_role("button", name="Compare")).first.click()
        page.wait_for_url("**/compare?runs=*")
        expect(page.get_by_role("columnheader").filter(has_text="conv-22")).to_be_visible()
        expect(page.get_by_role("columnheader").filter(has_text="conv-23")).to_be_visible()
        page.go_back()
        expect(grid).to_be_visible()


def test_differences_from_a_baseline_are_marked(visit: Visit) -> None:
    with visit(TWO) as page:
        expect(page.get_by_role("button", name="resnet-00 is the baseline")).to_have_attribute("aria-pressed", "true")
        size = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name="batch_size"))
        expect(size.get_by_role("img", name="differs from the baseline")).to_have_count(1)
        expect(size).to_contain_text("+100 %")
        page.get_by_role("button", name="Set vit-07 as baseline").click()
        page.wait_for_url("**baseline=v07**")
        expect(size).to_contain_text("−50 %")
        page.reload()
        expect(page.get_by_role("button", name="vit-07 is the baseline")).to_be_visible()
        page.go_back()
        expect(page.get_by_role("button", name="resnet-00 is the baseline")).to_be_visible()


def test_only_differences_all_values_or_search_results_can_be_shown(visit: Visit) -> None:
    with visit(TWO) as page:
        same = page.get_by_role("rowheader", name="optimizer.beta")
        expect(page.get_by_role("rowheader", name="batch_size")).to_be_visible()
        expect(same).to_have_count(0)
        page.get_by_role("switch", name="Only differences").click()
        expect(same).to_be_visible()
        search = page.get_by_role("searchbox", name="Search keys and values")
        search.fill("adam")
        expect(page.get_by_role("rowheader")).to_have_text(["optimizer.name"])
        search.fill("nowhere")
        expect(page.get_by_text("No matches")).to_be_visible()


def test_runs_can_be_added_and_removed(visit: Visit) -> None:
    with visit("/projects/me/vision/compare?runs=v00") as page:
        add = page.get_by_role("combobox", name="Add run")
        add.fill("mlp-13")
        page.get_by_role("option", name=re.compile("mlp-13")).click()
        expect(page.get_by_role("columnheader").filter(has_text="mlp-13")).to_be_visible()
        page.get_by_role("switch", name="Only differences").set_checked(True, force=True)
        model = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name="model", exact=True))
        expect(model.get_by_role("cell")).to_have_text(["resnet", re.compile("mlp$")])
        page.get_by_role("button", name="Remove resnet-00").click()
        expect(page.get_by_role("columnheader").filter(has_text="resnet-00")).to_have_count(0)
        page.get_by_role("button", name="Remove mlp-13").click()
        expect(page.get_by_text("Nothing to compare yet")).to_be_visible()


def test_code_charts_and_packages_are_compared(visit: Visit) -> None:
    with visit("/projects/me/origin/compare?runs=origin,wider") as page:
        width = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name="width", exact=True))
        expect(width).to_contain_text("+100 %")
        page.get_by_role("tab", name="Charts").click()
        page.wait_for_url("**tab=charts**")
        chart = page.get_by_role("application", name=re.compile("^Line chart loss"))
        expect(chart).to_be_visible()
        page.get_by_role("tab", name="Code").click()
        expect(page.get_by_text("Same commit")).to_be_visible()
        # The files of the first run existed when the second one started.
        expect(page.get_by_text("Only in second").first).to_be_visible()
        expect(page.get_by_role("group", name="untracked/readme.md")).to_contain_text("A result")
        page.get_by_role("tab", name="Packages").click()
        page.get_by_role("switch", name="Only differences").click()
        expect(page.get_by_role("rowheader", name="orjson", exact=True)).to_be_visible()
