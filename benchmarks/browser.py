"""Measure pages in a headless Chromium, with `subjects/watch.js` in each page."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .measure import SUBJECTS

CHROMIUM = os.environ.get("TRACKER_TEST_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
UNPACED = ["--disable-frame-rate-limit", "--disable-gpu-vsync"]
"""Frames follow each other without a pause, so the time between two is the cost of one."""
SIZE = (1440, 900)


class Chromium:
    """A running browser."""

    def __init__(self, browser: Any) -> None:
        self._browser = browser
        self._devtools = browser.new_browser_cdp_session()

    @contextmanager
    def page(self, size: tuple[int, int] = SIZE, sign_in: str | None = None) -> Iterator[Any]:
        """Open an empty page with an empty cache. `sign_in` is an address that starts a session."""
        context = self._browser.new_context(viewport={"width": size[0], "height": size[1]}, color_scheme="light")
        context.add_init_script(path=SUBJECTS / "watch.js")
        try:
            if sign_in is not None:
                # The cookie, and the secret that the dashboard's pages keep for their origin.
                _, _, secret = context.request.get(sign_in, max_redirects=0).headers["location"].partition("#page=")
                context.add_init_script(script=f"localStorage.setItem('tracker page ', {json.dumps(secret)})")
            page = context.new_page()
            page.set_default_timeout(60_000)
            yield page
        finally:
            context.close()

    def cpu(self) -> dict[str, float]:
        """Return the CPU seconds used so far: of all renderers, and of all processes of the browser."""
        processes = self._devtools.send("SystemInfo.getProcessInfo")["processInfo"]
        renderers = sum(process["cpuTime"] for process in processes if process["type"] == "renderer")
        return {"renderer": renderers, "all": sum(process["cpuTime"] for process in processes)}


@contextmanager
def chromium(*flags: str) -> Iterator[Chromium]:
    """Run a browser during a block."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, *flags])
        try:
            yield Chromium(browser)
        finally:
            browser.close()


def missing() -> str | None:
    """Return what must be installed before pages can be measured; None if nothing is missing."""
    try:
        import playwright  # noqa: F401
    except ImportError:
        return "the Python package playwright (dependency group `browser`)"
    return None if CHROMIUM else "Chromium"


def left_out(group: str) -> bool:
    """Return whether a group cannot be measured here; if so, print the reason on stderr."""
    needed = missing()
    if needed:
        print(f"{group}: {needed} is not installed here; nothing is measured", file=sys.stderr)
    return needed is not None
