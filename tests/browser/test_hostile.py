"""Text of users stays text: no script in it runs, no element of it is created, nothing in it is loaded.

These tests also fail if a dialog opens, the console has an error (such as of the content policy), or a page sends a
request to another server; see `conftest.watched`.
"""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from tracker_server.embedded import Embedded

from .conftest import Visit
from .runs import HOSTILE
from .workspace import Runs

RUN = "/runs/me/hostile/h1"
PAGES = {
    "home": "/",
    "workspace": "/projects/me/hostile",
    "comparison": "/projects/me/hostile/compare?runs=h1,h2",
    "compared charts": "/projects/me/hostile/compare?runs=h1,h2&tab=charts",
    "compared code": "/projects/me/hostile/compare?runs=h1,h2&tab=code",
    "compared packages": "/projects/me/hostile/compare?runs=h1,h2&tab=packages",
    "reports": "/projects/me/hostile/reports",
    **{tab: f"{RUN}?tab={tab}" for tab in ("charts", "system", "console", "files", "config", "code", "packages")},
    "overview": RUN,
    "console with tags": "/runs/me/origin/origin?tab=console",
    "a project that is not": f"/projects/me/{quote(HOSTILE, safe='')}",
    "a run that is not": f"/runs/me/hostile/{quote(HOSTILE.replace('/', ''))}",
    "a view": f"/projects/me/hostile?v={quote(HOSTILE)}",
    "a file": f"{RUN}?tab=files&file={quote(HOSTILE)}",
}
MADE = "script:not([src]), [onerror], [onload], [onclick], a[href^='javascript:' i], img[src='x']"
"""Elements that payloads would create."""


def harmless(page: Page) -> None:
    """Assert that no payload became an element, and that no link is a script."""
    expect(page.locator("[aria-busy=true], .mantine-Skeleton-root")).to_have_count(0)
    made = page.locator(f"body :is({MADE})").evaluate_all("all => all.map((one) => one.outerHTML)")
    assert made == []


@pytest.mark.parametrize("name", PAGES)
def test_names_that_users_choose_are_shown_as_text(name: str, visit: Visit) -> None:
    with visit(PAGES[name], refusals=(400, 404)) as page:
        expect(page.get_by_role("main")).not_to_be_empty()
        harmless(page)


def test_dialogs_menus_and_tooltips_show_text(visit: Visit) -> None:
    with visit("/projects/me/hostile") as page:
        grid = page.get_by_role("grid", name="Runs")
        first = grid.get_by_role("rowheader").first
        expect(first).to_contain_text("onerror")
        first.click(button="right")
        expect(page.get_by_role("menu")).to_be_visible()
        harmless(page)
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Group").click()
        harmless(page)
        page.keyboard.press("Escape")
        page.keyboard.press("Control+k")
        page.keyboard.type("onerror")
        expect(page.get_by_role("button", name=re.compile("onerror")).first).to_be_visible()
        harmless(page)
        page.keyboard.press("Escape")
        page.get_by_role("combobox", name=re.compile("Filter")).or_(
            page.get_by_role("textbox", name=re.compile("Filter"))
        ).first.fill('tags has "<img')
        harmless(page)


def test_a_file_preview_is_text(visit: Visit) -> None:
    with visit(f"{RUN}?tab=files") as page:
        page.get_by_role("navigation", name="Run files").get_by_role("button", name=re.compile("onerror")).click()
        shown = page.get_by_role("group", name=re.compile("onerror"))
        expect(shown).to_contain_text(HOSTILE)
        link = shown.get_by_text("a", exact=True)
        expect(link).to_be_visible()
        harmless(page)


NOTES = f"""{HOSTILE}

[a](javascript:alert(9)) [b](JaVaScRiPt:alert(9)) [c](data:text/html,<script>alert(9)</script>)
![d](https://example.com/seen.png) ![e](x)
<svg onload=alert(9)><style>*{{display:none}}</style><iframe src="https://example.com"></iframe>
<form action="https://example.com"><input name=q><button>send</button></form>

```panel
key: {HOSTILE}
title: {HOSTILE}
```

```panel
kind: {HOSTILE}
```
"""


def test_markdown_is_sanitised(server: Embedded, visit: Visit) -> None:
    runs = Runs(server)
    runs.add("one", [{HOSTILE: 1.0}, {HOSTILE: 2.0}], notes=NOTES)
    report = runs.report(HOSTILE[:200], [{"id": "a", "kind": "markdown", "text": NOTES}])
    with visit(f"/projects/me/{runs.project}/reports/{report}?show=edit") as page:
        expect(page.get_by_role("textbox", name="Text in Markdown")).to_have_value(NOTES)
        harmless(page)
        page.goto(f"{server.url}/reports/{report}")
        expect(page.get_by_text("Couldn't show this panel")).to_be_visible()
        article = page.get_by_role("article")
        expect(article).to_contain_text(HOSTILE)
        # An image on another server would reveal the reader, so it becomes a link.
        expect(article.get_by_role("link", name="d")).to_have_attribute("href", "https://example.com/seen.png")
        expect(article.locator("svg[onload], style, iframe, form, img")).to_have_count(0)
        harmless(page)
        page.goto(f"{server.url}/runs/me/{runs.project}/one")
        expect(page.get_by_role("main")).to_contain_text(HOSTILE)
        harmless(page)


def test_the_console_is_text(server: Embedded, visit: Visit) -> None:
    runs = Runs(server)
    runs.add("one")
    runs.print("one", HOSTILE, f"\x1b]8;;javascript:alert(9)\x1b\\link\x1b]8;;\x1b\\ \x1b[31m{HOSTILE}\x1b[0m")
    with visit(f"/runs/me/{runs.project}/one?tab=console") as page:
        expect(page.get_by_role("region", name="Console output")).to_contain_text(HOSTILE)
        page.get_by_role("searchbox", name="Search console").fill("<img")
        expect(page.get_by_text("0 of 2")).to_be_visible()
        harmless(page)


def test_logged_pages_stay_in_their_sandbox(visit: Visit) -> None:
    with visit(f"{RUN}?tab=charts") as page:
        box = page.locator("iframe").first
        expect(box).to_have_attribute("sandbox", "allow-scripts")
        title = page.title()
        inside = page.frame_locator("iframe").first.locator("img")
        expect(inside).to_be_attached()
        assert page.title() == title
