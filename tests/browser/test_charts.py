"""Line charts: drawing, reading values, panning and zooming."""

from __future__ import annotations

import math
import os
import random
import re
import subprocess
import sys
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest
from playwright.sync_api import Page, Request, expect

from tracker_server.embedded import Embedded

from .conftest import Visit
from .workspace import Chart, Runs, Table, workspace

STEPS = 400
POINTS = 1_000_000
SPIKE_AT = 618_034
CLIPBOARD = ["clipboard-read", "clipboard-write"]


def noisy() -> list[float]:
    chance = random.Random(3)
    values = [math.exp(-step / 100) + chance.random() for step in range(STEPS)]
    values[100] = math.nan
    values[200] = math.inf
    return values


@pytest.fixture(scope="module")
def curves(server: Embedded) -> Runs:
    """Create three runs with two metrics, a constant and epochs."""
    made = Runs(server)
    values = noisy()
    for i in range(3):
        rows = [
            {"loss": value + i, "val/loss": 2.0 * i + step / 1000, "same": 3.0, "epoch": step // 50}
            for step, value in enumerate(values)
        ]
        made.add(f"c{i}", rows)
    return made


def view_of(page: Page) -> Any:
    written = parse_qs(urlsplit(page.url).query).get("v")
    return orjson.loads(written[0]) if written else {}


def asked(request: Request) -> Any:
    return request.post_data_json if request.url.endswith("/api/charts") else {}


def tensorboard_ema(values: Sequence[float], weight: float) -> list[float]:
    """Return the smoothed line as TensorBoard's frontend computes it: debiased, without non-finite points."""
    if len(set(values)) == 1:
        return list(values)
    last, count, out = 0.0, 0, []
    for value in values:
        if not math.isfinite(value):
            out.append(value)
            continue
        last = last * weight + (1 - weight) * value
        count += 1
        out.append(last / (1 - weight**count))
    return out


def test_panels_appear_automatically_in_sections_and_can_be_searched(visit: Visit) -> None:
    with visit(workspace("vision", layout="charts")) as page:
        for section, panels in (("Charts", 3), ("train", 2), ("val", 1)):
            said = re.compile(rf"^{section} {panels} panels?$")
            expect(page.get_by_role("button", name=said)).to_have_attribute("aria-expanded", "true")
        expect(Chart(page, "train/loss").lines(10)).to_be_visible()
        expect(page.get_by_role("toolbar", name="Chart settings")).to_contain_text("Showing 10 of 24 runs")
        page.get_by_role("button", name="train 2 panels").click()
        expect(Chart(page, "train/loss").panel).to_have_count(0)
        page.get_by_role("button", name="train 2 panels").click()
        search = page.get_by_role("textbox", name="Search panels (regex)")
        search.fill("LOSS$")
        expect(page.get_by_role("region", name=re.compile("^Panel "))).to_have_count(2)
        search.fill("(")
        expect(page.get_by_text("Invalid regular expression")).to_be_visible()
        search.fill("nothing like it")
        page.get_by_role("button", name="Clear search").click()
        expect(page.get_by_role("region", name=re.compile("^Panel "))).to_have_count(6)
        expect(search).to_have_value("")


def test_smoothing_is_that_of_tensorboard(curves: Runs, visit: Visit) -> None:
    with visit(curves.path(layout="charts", filter='name == "c0"'), permissions=CLIPBOARD) as page:
        expect(Chart(page, "loss").lines(1)).to_be_visible()
        page.get_by_role("combobox", name="Smoothing").click()
        page.get_by_role("option", name="EMA (debiased)").click()
        page.get_by_role("textbox", name="Smoothing weight").fill("0.9")
        page.wait_for_url(re.compile(r"weight%22%3A0\.9\b"))
        expected = tensorboard_ema(noisy(), 0.9)
        chart = Chart(page, "loss")
        for keys, step in ((["End"], STEPS - 1), (["Home"], 0), (["PageDown"], 20), (["ArrowRight"] * 3, 2)):
            for key in keys:
                chart.plot.press(key)
            name, x, smoothed, logged = chart.copied()[0]
            assert (name, float(x)) == ("c0", step)
            assert float(smoothed) == pytest.approx(expected[step], rel=1e-9)
            assert float(logged) == noisy()[step]
        chart.hover(0.5)
        expect(chart.values).to_contain_text("raw")
        constant = Chart(page, "same")
        constant.plot.press("End")
        assert float(constant.copied()[0][2]) == 3.0
        for kind in ("EMA over time", "Running mean"):
            page.get_by_role("combobox", name="Smoothing").click()
            page.get_by_role("option", name=kind).click()
            chart.plot.press("Home")
            chart.plot.press("PageDown")
            _, _, smoothed, logged = chart.copied()[0]
            assert float(smoothed) not in (float(logged), pytest.approx(expected[20], rel=1e-9))


def test_the_x_axis_can_be_chosen(curves: Runs, visit: Visit) -> None:
    with visit(curves.path(layout="charts")) as page:
        chart = Chart(page, "loss")
        expect(chart.lines(3)).to_be_visible()
        for axis, x, at in (
            ("Relative time", "_runtime", re.compile("6 min 40 s")),
            ("Wall time", "_timestamp", re.compile("2023")),
            ("epoch", "epoch", re.compile("^7")),
            ("Step", "_step", re.compile("^399")),
        ):
            page.get_by_role("combobox", name="X axis").click()
            page.get_by_role("option", name=axis, exact=True).click()
            page.wait_for_url(re.compile(f"%22x%22%3A%22{x}%22" if x != "_step" else "^((?!%22x%22).)*$"))
            expect(chart.lines(3)).to_be_visible()
            chart.plot.press("End")
            expect(chart.values).to_contain_text(at)
        page.get_by_role("button", name="More settings").click()
        before = chart.picture()
        page.get_by_role("switch", name="Log y axis").click()
        chart.redrawn(before)
        before = chart.picture()
        page.get_by_role("switch", name="Log x axis").click()
        chart.redrawn(before)
        before = chart.picture()
        page.get_by_role("switch", name="Ignore outliers when scaling y").click()
        chart.redrawn(before)


def test_a_spike_is_visible_at_every_zoom(visit: Visit) -> None:
    with visit(workspace("spike", layout="charts")) as page:
        chart = Chart(page, "value")
        low, high = 0.0, POINTS - 1.0
        for width in (POINTS, 200_000, 40_000, 8_000, 1_000, 100):
            if width < POINTS:
                start = SPIKE_AT - width / 2
                with page.expect_response("**/api/charts") as refetched:
                    chart.zoom(*((at - low) / (high - low) for at in (start, start + width)))
                low, high = view_of(page)["charts"]["zoom"]
                question = asked(refetched.value.request)
                assert low - width < question["min"] < low
                assert high < question["max"] < high + width
            expect(chart.panel).to_contain_text(re.compile(r"[\d,]+ of [\d,]+ points|all [\d,]+ points"))
            chart.hover((SPIKE_AT - low) / (high - low) - 0.01)
            found = 0
            while "1,000" not in chart.values.inner_text():  # several points share one pixel
                chart.plot.press("ArrowRight")
                found += 1
                assert found < 30
        expect(chart.panel).to_contain_text(re.compile(r"all \d+ points"))
        page.get_by_role("button", name="Reset zoom").click()
        expect(chart.panel).to_contain_text(f"of {POINTS:,} points")


def test_the_min_max_band_is_drawn_until_it_is_switched_off(visit: Visit) -> None:
    with visit(workspace("spike", layout="charts")) as page:
        chart = Chart(page, "value")
        expect(chart.lines(1)).to_be_visible()
        chart.hover(SPIKE_AT / POINTS)
        expect(chart.values).to_contain_text("…")
        page.mouse.move(0, 0)
        expect(chart.values).to_have_count(0)
        before = chart.picture()
        page.get_by_role("button", name="More settings").click()
        envelope = page.get_by_role("switch", name="Show min–max band")
        expect(envelope).to_be_checked()
        envelope.click()
        chart.redrawn(before)
        page.keyboard.press("Escape")
        chart.hover(SPIKE_AT / POINTS)
        expect(chart.values.get_by_role("row")).to_contain_text("one spike")
        expect(chart.values).not_to_contain_text("…")
        page.mouse.move(0, 0)
        page.get_by_role("button", name="More settings").click()
        without = chart.picture()
        envelope.click()
        chart.redrawn(without)
        page.keyboard.press("Escape")
        chart.hover(SPIKE_AT / POINTS)
        expect(chart.values).to_contain_text("…")


def test_all_charts_zoom_together(curves: Runs, visit: Visit) -> None:
    with visit(curves.path(layout="charts")) as page:
        chart, other = Chart(page, "loss"), Chart(page, "val/loss")
        expect(chart.lines(3)).to_be_visible()
        expect(other.lines(3)).to_be_visible()
        before = other.picture()
        chart.zoom(0.25, 0.5)
        other.redrawn(before)
        low, high = view_of(page)["charts"]["zoom"]
        assert low == pytest.approx(STEPS / 4, abs=4)
        assert high == pytest.approx(STEPS / 2, abs=4)
        other.plot.press("0")
        expect(page.get_by_role("button", name="Reset zoom")).to_have_count(0)
        other.plot.press("+")
        page.wait_for_url(re.compile(r"99\.75"))
        other.plot.press("Shift+ArrowRight")
        page.wait_for_url(re.compile(r"139\.6"))
        other.plot.press("-")
        chart.over.dblclick()
        expect(page.get_by_role("button", name="Reset zoom")).to_have_count(0)


def test_values_at_the_cursor_can_be_read_pinned_and_copied(curves: Runs, visit: Visit) -> None:
    with visit(curves.path(layout="charts"), permissions=CLIPBOARD) as page:
        chart, other = Chart(page, "val/loss"), Chart(page, "loss")
        expect(chart.lines(3)).to_be_visible()
        expect(other.lines(3)).to_be_visible()
        chart.hover(0.5, 0.95)
        expect(chart.values.get_by_role("row").first).to_contain_text("c0")
        cursor = other.panel.locator(".u-cursor-x")
        shift = "line => new DOMMatrix(getComputedStyle(line).transform).m41 / line.parentElement.offsetWidth"
        assert cursor.evaluate(shift) == pytest.approx(0.5, abs=0.02)
        chart.hover(0.5, 0.05)
        expect(chart.values.get_by_role("row").first).to_contain_text("c2")
        chart.over.click(position={"x": 50, "y": 20})
        expect(chart.panel.get_by_role("button", name="Copy values")).to_be_visible()
        page.mouse.move(0, 0)
        lines = chart.copied()
        assert [line[0] for line in lines] == ["c2", "c1", "c0"]
        assert float(lines[0][2]) == pytest.approx(4 + float(lines[0][1]) / 1000)
        expect(chart.values).to_have_count(0)
        chart.plot.press("ArrowRight")
        expect(chart.panel.locator("[aria-live]")).to_have_text("0, c2 4, c1 2, c0 0")
        chart.plot.press("ArrowRight")
        expect(chart.panel.locator("[aria-live]")).to_have_text(re.compile("^1, c2 4.001"))
        chart.plot.press("Escape")
        expect(chart.values).to_have_count(0)


class Fingers:
    """Fingers on a page, each path a list of places that one goes through, all at the same time."""

    def __init__(self, page: Page) -> None:
        self._devtools = page.context.new_cdp_session(page)

    def move(self, *paths: Sequence[tuple[float, float]]) -> None:
        for kind, places in zip(["touchStart"] + ["touchMove"] * len(paths[0]), zip(*paths, strict=True), strict=False):
            points = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(places)]
            self._devtools.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        self._devtools.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    def tap(self, place: tuple[float, float]) -> None:
        self.move([place])


def between(start: tuple[float, float], end: tuple[float, float], count: int = 8) -> list[tuple[float, float]]:
    shares = [i / count for i in range(count + 1)]
    return [(start[0] + (end[0] - start[0]) * t, start[1] + (end[1] - start[1]) * t) for t in shares]


def test_a_finger_reads_values_and_scrolls_the_page(curves: Runs, visit: Visit) -> None:
    with visit(curves.path(layout="charts"), size="phone", has_touch=True, permissions=CLIPBOARD) as page:
        chart, other = Chart(page, "loss"), Chart(page, "same")
        expect(chart.lines(3)).to_be_visible()
        chart.panel.scroll_into_view_if_needed()
        fingers = Fingers(page)
        at = chart.values.locator("p").first
        fingers.tap(chart.point(0.5))
        expect(at).to_have_text(re.compile(r"^(19\d|20\d)$"))
        expect(chart.values.get_by_role("row")).to_have_count(3)
        fingers.move(between(chart.point(0.2), chart.point(0.75)))
        expect(at).to_have_text(re.compile(r"^(29\d|30\d)$"))
        expect(page.get_by_role("button", name="Reset zoom")).to_have_count(0)  # as dragging with a mouse would do
        scrolled = page.evaluate("scrollY") + chart.over.evaluate("one => -one.getBoundingClientRect().top")
        fingers.move(between(chart.point(0.5, 0.9), chart.point(0.45, 0.1)))
        page.wait_for_function(
            "([over, before]) => scrollY - over.getBoundingClientRect().top > before + 40",
            arg=[chart.over.element_handle(), scrolled],
        )
        expect(at).to_have_text(re.compile(r"^(29\d|30\d)$"))  # the values stay
        fingers.tap(chart.point(0.75))
        expect(chart.panel.get_by_role("button", name="Copy values")).to_be_visible()
        assert {line[0] for line in chart.copied()} == {"c0", "c1", "c2"}
        expect(chart.values).to_have_count(0)
        fingers.tap(chart.point(0.25))
        expect(at).to_have_text(re.compile(r"^(9\d|10\d)$"))
        other.panel.scroll_into_view_if_needed()
        fingers.tap(other.point(0.5))
        expect(other.values).to_be_visible()
        expect(chart.values).to_have_count(0)
        other.panel.get_by_role("heading", name="same").tap()
        expect(other.values).to_have_count(0)


def test_two_fingers_zoom_and_pan(curves: Runs, visit: Visit) -> None:
    with visit(curves.path(layout="charts"), size="phone", has_touch=True) as page:
        chart, other = Chart(page, "loss"), Chart(page, "epoch")
        expect(chart.lines(3)).to_be_visible()
        expect(other.lines(3)).to_be_visible()
        chart.panel.scroll_into_view_if_needed()
        fingers = Fingers(page)
        before = other.picture()
        fingers.move(
            between(chart.point(0.4, 0.4), chart.point(0.3, 0.3)), between(chart.point(0.6, 0.6), chart.point(0.7, 0.7))
        )
        page.wait_for_url(re.compile("zoom"))
        low, high = view_of(page)["charts"]["zoom"]
        assert (low, high) == (pytest.approx(STEPS / 4, abs=4), pytest.approx(3 * STEPS / 4, abs=4))
        other.redrawn(before)
        expect(chart.values).to_have_count(0)
        url = page.url
        fingers.move(
            between(chart.point(0.6, 0.5), chart.point(0.4, 0.5)), between(chart.point(0.8, 0.5), chart.point(0.6, 0.5))
        )
        page.wait_for_url(lambda now: now != url)
        shift = (high - low) / 5
        assert view_of(page)["charts"]["zoom"] == [
            pytest.approx(low + shift, abs=4),
            pytest.approx(high + shift, abs=4),
        ]
        url = page.url
        fingers.move(
            between(chart.point(0.1, 0.5), chart.point(0.4, 0.5)), between(chart.point(0.9, 0.5), chart.point(0.6, 0.5))
        )
        page.wait_for_url(lambda now: now != url)
        wider = view_of(page)["charts"]["zoom"]
        assert wider[1] - wider[0] == pytest.approx(4 * (high - low), rel=0.05)


def test_the_number_of_drawn_runs_can_be_chosen(curves: Runs, visit: Visit) -> None:
    with visit(curves.path(layout="charts")) as page:
        expect(Chart(page, "loss").lines(3)).to_be_visible()
        page.get_by_role("button", name="More settings").click()
        page.get_by_role("textbox", name="Max runs shown").fill("2")
        expect(Chart(page, "loss").lines(2)).to_be_visible()
        expect(page.get_by_role("toolbar", name="Chart settings")).to_contain_text("Showing 2 of 3 runs")
        width = Chart(page, "loss").panel.evaluate("one => one.offsetWidth")
        page.get_by_role("combobox", name="Panels per row").click()
        page.get_by_role("option", name="1", exact=True).click()
        expect(Chart(page, "loss").panel).not_to_have_css("width", f"{width}px")


TRAINING = """
import sys
import tracker
settings = {"stats_disabled": True, "capture": [], "silent": True, "console": "off"}
with tracker.init(project=sys.argv[1], id="living", name="living", settings=settings) as run:
    for step in range(100):
        run.log({"loss": float(step)})
    for line in sys.stdin:
        run.log({"loss": float(line)})
"""


def test_points_of_a_running_run_appear_and_the_zoom_stays(server: Embedded, visit: Visit) -> None:
    project = Runs(server).project
    names = {"TRACKER_BASE_URL": server.url, "TRACKER_API_KEY": server.token, "TRACKER_ENTITY": "me"}
    training = subprocess.Popen(
        [sys.executable, "-c", TRAINING, project], env=os.environ | names, stdin=subprocess.PIPE, text=True
    )
    assert training.stdin is not None
    try:
        with visit(workspace(project)) as page:
            chart = Chart(page, "loss")
            expect(chart.panel).to_contain_text("all 100 points")
            expect(Table(page).row("living")).to_contain_text("running")
            chart.zoom(0.5, 1.0)
            zoom = view_of(page)["charts"]["zoom"]
            print("77.25", file=training.stdin, flush=True)
            expect(Table(page).cell("living", "summary.loss")).to_have_text("77.25")
            page.get_by_role("button", name="Reset zoom").wait_for()
            assert view_of(page)["charts"]["zoom"] == zoom
            chart.plot.press("0")
            expect(chart.panel).to_contain_text("all 101 points")
            chart.plot.press("End")
            expect(chart.values).to_contain_text("77.25")
            print("55.5", file=training.stdin, flush=True)
            expect(chart.panel).to_contain_text("all 102 points")
            training.stdin.close()
            expect(Table(page).row("living")).to_contain_text("finished")
    finally:
        training.stdin.close()
        training.wait(60)
