"""Adding and arranging panels, and panels that compare all runs."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tracker.runlog.records import encode
from tracker_server.embedded import Embedded

from .conftest import Visit
from .workspace import START, Chart, Runs, Table


@pytest.fixture(scope="module")
def runs(server: Embedded) -> Runs:
    made = Runs(server)
    for i in range(8):
        config = {"lr": 10.0 ** -(1 + i % 4), "depth": i, "model": ("vit", "mlp")[i % 2]}
        rows = [{"loss": 8.0 - i + step, "val/loss": float(i), "val/acc": i / 10} for step in range(5)]
        made.add(f"r{i}", rows, config)
    return made


def regions(page: Page) -> list[str]:
    found = page.get_by_role("region", name=re.compile("^Panel "))
    return [str(name).removeprefix("Panel ") for name in found.evaluate_all("all => all.map((one) => one.ariaLabel)")]


def added(page: Page, kind: str) -> Locator:
    """Open the form of a new panel of this kind."""
    page.get_by_role("button", name="Add panel").first.click()
    form = page.get_by_role("dialog", name="Add panel")
    form.get_by_role("radiogroup", name="Type").get_by_text(kind, exact=True).click()
    return form


def choose(page: Page, form: Locator, label: str, option: str) -> None:
    form.get_by_role("combobox", name=label, exact=True).click()
    page.get_by_role("option", name=option, exact=True).click()


def action(page: Page, title: str, item: str) -> None:
    page.get_by_role("button", name=f"Actions for {title}").click()
    page.get_by_role("menuitem", name=item).click()


def test_a_panel_can_be_added_changed_and_removed(runs: Runs, visit: Visit) -> None:
    with visit(runs.path(layout="charts")) as page:
        expect(Chart(page, "loss").lines(8)).to_be_visible()
        form = added(page, "Line chart")
        choose(page, form, "Metrics", "val/acc")
        page.keyboard.press("Escape")
        form.get_by_role("textbox", name="Include metrics matching").fill("(")
        expect(form.get_by_text("Invalid regular expression")).to_be_visible()
        form.get_by_role("textbox", name="Include metrics matching").fill("loss$")
        expect(form.get_by_text("2 metrics match")).to_be_visible()
        form.get_by_role("textbox", name="Title").fill("all of it")
        form.get_by_role("combobox", name="Section").fill("mine")
        form.get_by_role("button", name="Add panel").click()
        expect(Chart(page, "all of it").lines(24)).to_be_visible()
        expect(page.get_by_role("button", name="mine 1 panel")).to_be_visible()

        action(page, "all of it", "Edit…")
        form = page.get_by_role("dialog", name="Edit panel")
        expect(form.get_by_role("textbox", name="Title")).to_have_value("all of it")
        form.get_by_role("textbox", name="Title").fill("some of it")
        form.get_by_role("textbox", name="Include metrics matching").fill("")
        form.get_by_role("button", name="Save").click()
        expect(Chart(page, "some of it").lines(8)).to_be_visible()
        expect(page.get_by_role("button", name="Actions for some of it")).to_be_visible()
        page.wait_for_url(re.compile("some.*of.*it"))
        page.reload()
        expect(Chart(page, "some of it").lines(8)).to_be_visible()

        action(page, "some of it", "Remove")
        expect(Chart(page, "some of it").panel).to_have_count(0)
        action(page, "loss", "Remove")
        expect(Chart(page, "loss").panel).to_have_count(0)
        page.get_by_role("button", name="More settings").click()
        page.get_by_role("button", name="Restore removed panels (1)").click()
        expect(Chart(page, "loss").panel).to_be_visible()


def test_a_panel_can_override_smoothing(runs: Runs, visit: Visit) -> None:
    with visit(runs.path(layout="charts", filter='name == "r0"')) as page:
        chart, other = Chart(page, "loss"), Chart(page, "val/loss")
        logged = [8.0 + step for step in range(5)]

        def last(of: Chart) -> str:
            of.plot.press("End")
            text = of.values.get_by_role("row").inner_text()
            of.plot.press("Escape")
            expect(of.values).to_have_count(0)
            return " ".join(text.split())

        def smooth(panel: str, kind: str, weight: str | None = None) -> None:
            action(page, panel, "Edit…")
            form = page.get_by_role("dialog", name="Edit panel")
            form.get_by_role("switch", name="Override smoothing").click()
            choose(page, form, "Smoothing", kind)
            field = form.get_by_role("textbox", name=re.compile(r"Smoothing weight|Window \(points\)"))
            expect(field).to_have_count(0 if weight is None else 1)
            if weight is not None:
                field.fill(weight)
            form.get_by_role("button", name="Save").click()
            expect(form).to_be_hidden()

        expect(chart.lines(1)).to_be_visible()
        assert last(chart) == "r0 12"
        before, beside = chart.picture(), other.picture()
        smooth("loss", "Running mean", "3")
        chart.redrawn(before)
        assert last(chart) == f"r0 {sum(logged[-2:]) / 2:g} raw 12"  # the window is limited by the line
        assert last(other) == "r0 0"
        assert other.picture() == beside
        page.wait_for_url(re.compile("smoothing"))
        page.reload()
        expect(chart.lines(1)).to_be_visible()
        assert last(chart) == "r0 11.5 raw 12"
        choose(page, page.locator("body"), "Smoothing", "EMA (debiased)")
        page.wait_for_url(re.compile("ema"))
        assert last(other) == "r0 0 raw 0"
        assert last(chart) == "r0 11.5 raw 12"
        before = chart.picture()
        action(page, "loss", "Edit…")
        form = page.get_by_role("dialog", name="Edit panel")
        choose(page, form, "Smoothing", "No smoothing")
        form.get_by_role("button", name="Save").click()
        chart.redrawn(before)
        assert last(chart) == "r0 12"
        assert last(other) == "r0 0 raw 0"


def test_panels_can_be_moved_and_resized_with_keyboard_and_mouse(runs: Runs, visit: Visit) -> None:
    with visit(runs.path(layout="charts")) as page:
        expect(Chart(page, "val/loss").lines(8)).to_be_visible()
        assert regions(page) == ["loss", "val/acc", "val/loss"]
        handle = page.get_by_role("button", name="Move val/acc: drag, or use the arrow keys")
        handle.press("ArrowRight")
        expect(page.get_by_text("Moved to position 2 of 2")).to_be_attached()
        assert regions(page) == ["loss", "val/loss", "val/acc"]
        handle.drag_to(Chart(page, "val/loss").panel)
        expect(page.get_by_text("Moved to position 1 of 2")).to_be_attached()
        assert regions(page) == ["loss", "val/acc", "val/loss"]
        page.get_by_role("button", name="Move loss: drag, or use the arrow keys").drag_to(Chart(page, "val/loss").panel)
        expect(page.get_by_role("button", name="val 3 panels")).to_be_visible()
        assert regions(page) == ["val/acc", "loss", "val/loss"]

        corner = page.get_by_role("button", name="Resize val/acc: drag, or use the arrow keys")
        panel = Chart(page, "val/acc").panel
        corner.press("ArrowDown")
        expect(panel).to_have_css("height", "300px")
        width = panel.evaluate("one => one.offsetWidth")
        corner.press("ArrowRight")
        expect(page.get_by_text("Resized to 2 columns by 300 pixels")).to_be_attached()
        assert panel.evaluate("one => one.offsetWidth") > 1.9 * width
        corner.scroll_into_view_if_needed()
        box = corner.bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + 5, box["y"] + 5)
        page.mouse.down()
        page.mouse.move(box["x"] + 5 - width, box["y"] + 105, steps=4)
        page.mouse.up()
        expect(page.get_by_text("Resized to 1 column by 400 pixels")).to_be_attached()
        page.keyboard.press("Control+z")
        expect(panel).to_have_css("height", "300px")


def test_a_panel_can_fill_the_screen(runs: Runs, visit: Visit) -> None:
    with visit(runs.path(layout="charts")) as page:
        expect(Chart(page, "loss").lines(8)).to_be_visible()
        page.get_by_role("button", name="Full screen: loss").click()
        expect(page.get_by_role("dialog", name="loss").get_by_role("application")).to_be_visible()
        for key, title in (("ArrowRight", "val/acc"), ("ArrowRight", "val/loss"), ("ArrowLeft", "val/acc")):
            page.keyboard.press(key)
            expect(page.get_by_role("dialog", name=title).get_by_role("heading", name=title)).to_be_visible()
        page.get_by_role("button", name="Next panel").click()
        expect(page.get_by_role("dialog", name="val/loss")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
        expect(page.get_by_role("button", name="Full screen: loss")).to_be_focused()


def test_a_bar_chart_shows_the_latest_values_of_filtered_runs(runs: Runs, visit: Visit) -> None:
    with visit(runs.path(layout="charts", filter="depth > 5")) as page:
        form = added(page, "Bar chart")
        choose(page, form, "Value", "val/loss")
        form.get_by_role("textbox", name="Title").fill("bars")
        form.get_by_role("button", name="Add panel").click()
        bars = page.get_by_role("img", name=re.compile("^Bar chart bars: "))
        expect(bars).to_have_accessible_name(re.compile("r7 7.*r6 6"))


def test_a_scatter_plot_follows_filter_and_search_and_shows_colours_and_pareto_front(runs: Runs, visit: Visit) -> None:
    with visit(runs.path(layout="charts")) as page:
        form = added(page, "Scatter plot")
        choose(page, form, "X axis", "config.depth")
        choose(page, form, "Y axis", "loss")
        choose(page, form, "Colour by", "config.model")
        choose(page, form, "Pareto front", "Minimize x and y")
        form.get_by_role("button", name="Add panel").click()
        chart = Chart(page, "loss over depth")
        expect(page.get_by_role("img", name="Scatter plot loss over depth of 8 runs")).to_be_visible()
        expect(chart.panel.get_by_text("vit", exact=True)).to_be_visible()
        expect(chart.panel.get_by_text("mlp", exact=True)).to_be_visible()
        before = chart.picture()
        action(page, "loss over depth", "Edit…")
        form = page.get_by_role("dialog", name="Edit panel")
        choose(page, form, "Pareto front", "None")
        choose(page, form, "Colour by", "config.lr")
        form.get_by_role("button", name="Save").click()
        chart.redrawn(before)
        expect(chart.panel.get_by_text("vit", exact=True)).to_have_count(0)
        page.get_by_role("searchbox", name="Search runs by name").fill("/r[0-3]/")
        expect(page.get_by_role("img", name="Scatter plot loss over depth of 4 runs")).to_be_visible()
        page.get_by_role("combobox", name="Filter expression").fill("depth > 1")
        expect(page.get_by_role("img", name="Scatter plot loss over depth of 2 runs")).to_be_visible()


def test_ranges_of_parallel_coordinates_filter_the_table(runs: Runs, visit: Visit) -> None:
    with visit(runs.path()) as page:
        table = Table(page)
        expect(table.row("r7")).to_be_visible()
        form = added(page, "Parallel coordinates")
        form.get_by_role("textbox", name="Title").fill("all")
        form.get_by_role("button", name="Add panel").click()
        panel = Chart(page, "all").panel
        lines = page.get_by_role("img", name="Parallel coordinates all of 8 runs")
        expect(lines).to_be_visible()
        panel.get_by_role("button", name="Ranges").click()
        panel.get_by_role("textbox", name="depth from").fill("3")
        expect(panel).to_contain_text("5 of 8 runs in the selected ranges")
        panel.get_by_role("textbox", name="depth to").fill("5")
        expect(panel).to_contain_text("3 of 8 runs in the selected ranges")
        panel.get_by_role("button", name="Clear ranges").click()
        expect(panel).to_contain_text("8 runs")
        panel.get_by_role("button", name="Ranges").click()

        lines.scroll_into_view_if_needed()
        box = lines.bounding_box()
        assert box is not None
        first = page.evaluate("width => width", box["x"] + 40)
        for at in range(8, 100, 8):  # the position of the first axis has no accessible name
            page.mouse.move(box["x"] + at, box["y"] + box["height"] * 0.15)
            page.mouse.down()
            page.mouse.move(box["x"] + at, box["y"] + box["height"] * 0.5, steps=3)
            page.mouse.up()
            if panel.get_by_role("button", name="Filter table").is_visible():
                break
        assert first > 0
        expect(panel).to_contain_text(re.compile("[1-7] of 8 runs in the selected ranges"))
        panel.get_by_role("button", name="Filter table").click()
        expect(page.get_by_role("combobox", name="Filter expression")).not_to_have_value("")
        expect(page.get_by_role("status").filter(has_text=re.compile("^[1-7] runs?$"))).to_be_visible()


def test_metrics_are_drawn_over_the_key_that_their_runs_defined(server: Embedded, visit: Visit) -> None:
    made = Runs(server)
    rows = [{"val/loss": 1 / (epoch + 1), "epoch": 10 * epoch, "loss": 1.0} for epoch in range(5)]
    made.add("r0", rows, ended=False)
    made.append("r0", encode("metric", {"name": "val/*", "step_metric": "epoch"}, START))
    with visit(made.path(layout="charts")) as page:
        chart = Chart(page, "val/loss")
        expect(chart.lines(1)).to_be_visible()
        assert regions(page) == ["loss", "val/loss"]
        expect(chart.panel).to_contain_text("x-axis: epoch")
        chart.plot.press("End")
        expect(chart.values).to_contain_text("40")
        page.get_by_role("combobox", name="X axis").click()
        page.get_by_role("option", name="Relative time", exact=True).click()
        expect(chart.panel).not_to_contain_text("x-axis: epoch")
