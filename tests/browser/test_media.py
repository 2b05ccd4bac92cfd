"""Panels of media: images, sounds, tables, texts, histograms, curves, figures and pages."""

from __future__ import annotations

import hashlib
import re

import orjson
import pytest
import requests
from playwright.sync_api import expect

from tracker_server.embedded import Embedded

from .conftest import Visit
from .workspace import Chart, Runs, workspace

ALL = workspace("media", layout="charts")


def test_images_have_a_slider_over_steps(visit: Visit) -> None:
    with visit(ALL) as page:
        panel = Chart(page, "sample").panel
        expect(panel.get_by_role("img", name="step 3")).to_be_visible()
        loaded = "one => one.complete && one.naturalWidth"
        expect(panel).to_contain_text("every kind of value")
        panel.get_by_role("img", name="step 3").scroll_into_view_if_needed()
        page.wait_for_function(f"one => ({loaded})(one)", arg=panel.get_by_role("img", name="step 3").element_handle())
        slider = panel.get_by_role("slider", name="Step")
        slider.press("Home")
        expect(panel.get_by_role("img", name="step 0")).to_be_visible()
        slider.press("ArrowRight")
        expect(panel.get_by_role("img", name="step 1")).to_be_visible()
        slider.press("End")
        expect(panel.get_by_role("img", name="step 3")).to_be_visible()


def test_texts_and_sounds_are_shown(visit: Visit) -> None:
    with visit(ALL) as page:
        expect(Chart(page, "report").panel).to_contain_text("*all well* at 3")
        sound = Chart(page, "sound").panel.get_by_label("sound of every kind of value at step 3")
        sound.scroll_into_view_if_needed()
        assert sound.evaluate("one => one.tagName") == "AUDIO"
        playable = """one => new Promise((done, no) => {
            one.onloadedmetadata = () => done(one.duration)
            one.onerror = no
            one.load()
        })"""
        sound.evaluate("one => { one.preload = 'metadata' }")
        assert sound.evaluate(playable) == pytest.approx(0.5, abs=0.01)


def test_histograms_are_shown_over_steps(visit: Visit) -> None:
    with visit(ALL) as page:
        panel = Chart(page, "weights").panel
        heat = panel.get_by_role("img", name="Histograms weights of every kind of value over 4 steps")
        expect(heat).to_be_visible()
        heat.hover()
        expect(panel).to_contain_text(re.compile(r"step [12]: \d+ from"))


def test_tables_can_be_searched_and_sorted(visit: Visit) -> None:
    with visit(ALL) as page:
        panel = Chart(page, "errors").panel
        panel.scroll_into_view_if_needed()
        cells = panel.get_by_role("row")
        expect(cells.nth(1)).to_contain_text("cat")
        expect(panel).to_contain_text("2 rows")
        panel.get_by_role("button", name="score").click()
        expect(cells.nth(1)).to_contain_text("cat")
        panel.get_by_role("button", name="score").click()
        expect(cells.nth(1)).to_contain_text("dog")
        panel.get_by_role("textbox", name="Search table").fill("CAT")
        expect(panel).to_contain_text("1 of 2 rows")
        with page.expect_download() as saved:
            panel.get_by_role("button", name="Download table").or_(
                panel.get_by_role("link", name="Download table")
            ).click()
        assert saved.value.suggested_filename


def test_pages_and_figures_are_sandboxed(visit: Visit) -> None:
    with visit(ALL) as page:
        for key, shown in (("page", "Hello 3"), ("figure", "bars")):
            panel = Chart(page, key).panel
            panel.scroll_into_view_if_needed()
            frame = panel.locator("iframe")
            expect(frame).to_have_attribute("sandbox", "allow-scripts")
            expect(frame).to_have_attribute("title", f"{key} of every kind of value at step 3")
            expect(frame.content_frame.get_by_text(shown).first).to_be_visible()
        assert page.title() != "ran"


def test_a_panel_of_media_can_be_added(visit: Visit) -> None:
    with visit(ALL) as page:
        expect(Chart(page, "sample").panel).to_be_visible()
        page.get_by_role("button", name="Add panel").first.click()
        form = page.get_by_role("dialog", name="Add panel")
        form.get_by_role("radiogroup", name="Type").get_by_text("Media", exact=True).click()
        form.get_by_role("combobox", name="Key").click()
        page.get_by_role("option", name="report").click()
        form.get_by_role("textbox", name="Title").fill("once more")
        form.get_by_role("button", name="Add panel").click()
        expect(Chart(page, "once more").panel).to_contain_text("*all well* at 3")


def test_a_table_with_axes_is_drawn_as_a_curve(server: Embedded, visit: Visit) -> None:
    runs = Runs(server)
    content = orjson.dumps(
        {"columns": ["recall", "precision"], "data": [[i / 10, 1 - (i / 10) ** 2] for i in range(11)]}
    )
    digest = hashlib.sha256(content).hexdigest()
    value = {
        "_type": "table",
        "digest": digest,
        "size": len(content),
        "format": "json",
        "rows": 11,
        "columns": ["recall", "precision"],
        "plot": {"type": "line", "x": "recall", "y": "precision"},
    }
    for name in ("one", "two"):
        runs.add(name, [{"pr": value}])
        path = f"{server.url}/api/runs/me/{runs.project}/{name}/blobs/{digest}"
        headers = {"Authorization": f"Bearer {server.token}"}
        requests.put(path, data=content, headers=headers, proxies={"http": ""}).raise_for_status()
    with visit(runs.path(layout="charts")) as page:
        chart = Chart(page, "pr")
        expect(chart.lines(2)).to_be_visible()
        expect(chart.panel).to_contain_text("precision over recall")
        chart.plot.press("End")
        expect(chart.panel.locator("[aria-live]")).to_have_text("1, two 0, one 0")
