"""An exported report in a browser without scripts and without a network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tracker_server.embedded import Embedded

from .conftest import SIZES, watched
from .runs import HOSTILE
from .test_hostile import MADE, NOTES
from .workspace import Runs


def block(**members: Any) -> dict[str, Any]:
    return members


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_an_exported_page_opens_without_scripts_and_network(
    browser: Browser, server: Embedded, tmp_path: Path, theme: Any, size: str
) -> None:
    runs = Runs(server)
    runs.add("one", [{"loss": 1 / (i + 1), HOSTILE: float(i)} for i in range(900)], name=HOSTILE)
    runs.add("two", [{"loss": 2 / (i + 1)} for i in range(900)])
    line = {"kind": "line", "keys": ["loss", HOSTILE], "title": HOSTILE, "logY": True}
    beside = block(id="d", kind="panel", panel={"kind": "bar", "column": "summary.loss"})
    report = runs.report(
        HOSTILE[:200],
        [
            block(id="a", kind="markdown", text=NOTES),
            block(id="b", kind="panel", panel=line),
            block(id="c", kind="columns", left=[block(id="e", kind="markdown", text="Beside.")], right=[beside]),
            block(id="f", kind="table", title="Runs", columns=["name", "summary.loss"]),
        ],
    )
    path = f"/api/projects/me/{runs.project}/reports/{report}/export?format=html"
    file = tmp_path / "report.html"
    file.write_bytes(runs.download(path))
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=theme, java_script_enabled=False, offline=True
    )
    try:
        with watched(context, file.as_uri()) as page:
            page.goto(file.as_uri())
            expect(page.get_by_role("img")).to_have_count(3)  # one is in the text
            expect(page.get_by_role("row")).to_have_count(3)
            expect(page.get_by_role("link", name="Download data")).to_have_count(3)
            expect(page.locator(MADE)).to_have_count(0)
            # Charts are as wide as the page allows, and nothing is wider.
            chart = page.get_by_role("img").first.bounding_box()
            assert chart is not None
            assert 0.7 * min(width, 860) < chart["width"] < width
            assert page.locator("html").evaluate("element => element.scrollWidth") <= width
    finally:
        context.close()
