"""Every page in both themes and sizes: it shows its content without errors and is accessible."""

from __future__ import annotations

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit

PAGES = {
    "home": ("/", "vision"),
    "workspace": ("/projects/me/vision", "resnet-00"),
    "comparison": ("/projects/me/vision/compare?runs=v00,v07", "batch_size"),
    "reports": ("/projects/me/vision/reports", "Reports"),
    "new report": ("/projects/me/vision/reports/new", "Add a block"),
    "overview": ("/runs/me/origin/origin", "train.py"),
    "charts": ("/runs/me/origin/origin?tab=charts", "loss"),
    "system": ("/runs/me/origin/origin?tab=system", "cpu"),
    "console": ("/runs/me/origin/origin?tab=console", "step 0"),
    "files": ("/runs/me/origin/origin?tab=files", "result.json"),
    "config": ("/runs/me/origin/origin?tab=config", "width"),
    "code": ("/runs/me/origin/origin?tab=code", "model.py"),
    "media": ("/runs/me/media/all?tab=charts", "sample"),
    "hostile workspace": ("/projects/me/hostile", "onerror"),
    "hostile run": ("/runs/me/hostile/h1", "onerror"),
    "hostile charts": ("/runs/me/hostile/h1?tab=charts", "onerror"),
    "hostile files": ("/runs/me/hostile/h1?tab=files", "onerror"),
    "hostile config": ("/runs/me/hostile/h1?tab=config", "onerror"),
    "hostile comparison": ("/projects/me/hostile/compare?runs=h1,h2", "onerror"),
    "nothing there": ("/projects/me/nothing-here", "no run"),
}
LOOKS = [("desktop", "light"), ("desktop", "dark"), ("phone", "light"), ("phone", "dark")]


@pytest.mark.parametrize(("size", "theme"), LOOKS)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_accessible(name: str, size: str, theme: str, visit: Visit, shots: Path) -> None:
    path, shown = PAGES[name]
    with visit(path, size=size, theme=theme) as page:
        expect(page.get_by_text(shown).first).to_be_visible()
        settled(page)
        page.screenshot(path=shots / f"{name}-{size}-{theme}.png")
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), "it scrolls sideways"
        assert page.title() not in ("", "tracker") or name == "home"
        assert violations(page) == []


def settled(page: Page) -> None:
    """Wait until nothing is loading, and visible panels have content."""
    expect(page.locator("[aria-busy=true], .mantine-Skeleton-root")).to_have_count(0)
    page.wait_for_function(
        """() => [...document.querySelectorAll('[aria-label^="Panel "]')].every((panel) =>
            panel.getBoundingClientRect().top > innerHeight ||
            panel.querySelector('canvas, img, table, iframe, audio, pre, [data-empty], [role=alert]'))"""
    )
    expect(page.locator("[aria-busy=true], .mantine-Skeleton-root")).to_have_count(0)


def violations(page: Page) -> list[str]:
    options = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"], "resultTypes": ["violations"]}
    found = Axe().run(page, options=options).response["violations"]
    nodes = [(violation["id"], node) for violation in found for node in violation["nodes"][:3]]
    return [f"{rule}: {node['html'][:200]} — {node['failureSummary'][:300]}" for rule, node in nodes]
