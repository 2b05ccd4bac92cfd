"""Groups of runs: in the table with aggregates, in charts as bands."""

from __future__ import annotations

import re
import statistics

import pytest
from playwright.sync_api import Page, expect

from tracker_server.embedded import Embedded

from .conftest import Visit
from .workspace import Chart, Runs, Table

LOSSES = {"adam": [1.0, 2.0, 3.0], "sgd": [5.0, 6.0, 10.0]}


@pytest.fixture(scope="module")
def runs(server: Embedded) -> Runs:
    made = Runs(server)
    for name, losses in LOSSES.items():
        for seed, loss in enumerate(losses):
            config = {"optimizer": {"name": name}, "seed": seed, "width": 8}
            made.add(f"{name}-{seed}", [{"loss": loss + step} for step in range(10, -1, -1)], config)
    return made


def group_by(page: Page, *columns: str) -> None:
    page.get_by_role("button", name="Group", exact=True).click()
    for column in columns:
        page.get_by_role("combobox", name="Columns to group by").fill(column)
        page.get_by_role("option", name=column, exact=True).click()
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")


def test_runs_are_grouped_by_nested_config_with_aggregates(runs: Runs, visit: Visit) -> None:
    with visit(runs.path(layout="table")) as page:
        table = Table(page)
        expect(table.row("sgd-2")).to_be_visible()
        group_by(page, "config.optimizer.name")
        table.shows("sgd", "adam")
        expect(page.get_by_role("status").filter(has_text="2 groups · 6 runs")).to_be_visible()
        for name, losses in LOSSES.items():
            mean, std = statistics.mean(losses), statistics.stdev(losses)
            cell = table.cell(name, "summary.loss")
            expect(cell).to_contain_text(f"{mean:.4g}")
            expect(cell).to_contain_text(f"±{std:.2g}")
            expect(cell.get_by_title(re.compile(f"min {min(losses):g}, max {max(losses):g}, n 3"))).to_be_visible()
        expect(table.row("adam")).to_have_attribute("aria-expanded", "false")
        table.row("adam").get_by_role("button", name=re.compile("^adam.*3 runs")).click()
        expect(table.row("adam").first).to_have_attribute("aria-expanded", "true")
        table.shows("sgd", "adam", "adam-2", "adam-1", "adam-0")
        table.line_menu("sgd", "Filter to this group")
        table.shows("sgd")
        page.get_by_role("button", name="By optimizer.name").click()
        page.get_by_role("button", name="Stop grouping").click()
        table.shows("sgd-2", "sgd-1", "sgd-0")


def test_groups_by_several_keys_and_by_all_except(runs: Runs, visit: Visit) -> None:
    with visit(runs.path(layout="table")) as page:
        table = Table(page)
        expect(table.row("sgd-2")).to_be_visible()
        group_by(page, "config.optimizer.name", "config.seed")
        expect(page.get_by_role("status").filter(has_text="6 groups · 6 runs")).to_be_visible()
        page.get_by_role("button", name="By optimizer.name, seed").click()
        page.get_by_role("radiogroup", name="Group").get_by_text("All config except…").click()
        expect(page.get_by_role("status").filter(has_text="6 groups · 6 runs")).to_be_visible()
        page.get_by_role("combobox", name="Config to ignore, such as seed").fill("seed")
        page.get_by_role("option", name="config.seed").click()
        expect(page.get_by_role("status").filter(has_text="2 groups · 6 runs")).to_be_visible()
        table.shows("sgd", "adam")


def test_a_band_shows_the_standard_deviation_or_the_extremes_of_a_group(runs: Runs, visit: Visit) -> None:
    with visit(runs.path(group={"by": ["config.optimizer.name"]}, layout="charts")) as page:
        chart = Chart(page, "loss")
        expect(chart.lines(2)).to_be_visible()
        pictures = set()
        sgd = LOSSES["sgd"]
        mean, std = statistics.mean(sgd), statistics.stdev(sgd)
        for band, said in (
            ("mean ± std", f"{mean - std:.4g} … {mean + std:.4g}"),
            ("mean, min–max", f"{min(sgd):g} … {max(sgd):g}"),
            ("mean only", ""),
        ):
            page.get_by_role("button", name="More settings").click()
            choice = page.get_by_role("combobox", name="Show groups as")
            before = chart.picture()
            if choice.input_value() != band:
                choice.click()
                page.get_by_role("option", name=band, exact=True).click()
                chart.redrawn(before)
            page.keyboard.press("Escape")
            chart.plot.press("End")
            row = chart.values.get_by_role("row").filter(has_text="sgd")
            expect(row).to_have_text(re.compile(rf"^sgd\s*{mean:g}\s*{re.escape(said)}$"))
            chart.plot.press("Escape")
            expect(chart.values).to_have_count(0)
            pictures.add(chart.picture())
        assert len(pictures) == 3


def test_groups_are_drawn_as_bands(runs: Runs, visit: Visit) -> None:
    with visit(runs.path(group={"by": ["config.optimizer.name"]})) as page:
        settings = page.get_by_role("toolbar", name="Chart settings")
        expect(settings).to_contain_text("Showing 2 of 2 groups")
        chart = page.get_by_role("application", name="Line chart loss, 2 lines")
        chart.focus()
        chart.press("End")
        expect(page.get_by_role("region", name="Panel loss")).to_contain_text("sgd 7, adam 2")
        with page.expect_response("**/api/charts") as asked:
            page.get_by_role("button", name="More settings").click()
            page.get_by_role("combobox", name="Show groups as").click()
            page.get_by_role("option", name="every run").click()
        assert asked.value.ok
        expect(page.get_by_role("application", name="Line chart loss, 6 lines")).to_be_visible()
