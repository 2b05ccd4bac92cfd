"""A project's workspace by its accessible names, and projects with runs that a test may change."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

import orjson
import requests
from playwright.sync_api import Locator, Page, expect

from tracker.runlog.records import encode, jsonable
from tracker_server.embedded import Embedded

START = 1_700_000_000.0
EACH = 60.0
"""Seconds between the starts of two runs of a project."""


class Runs:
    """A new project on a server; its runs are uploaded as agents upload them, with `key` or the owner's token."""

    def __init__(
        self, server: Embedded, project: str | None = None, entity: str = "me", key: str | None = None
    ) -> None:
        self.server = server
        self.entity = entity
        self.project = project or f"p-{secrets.token_hex(4)}"
        self.count = 0
        self._offsets: dict[str, int] = {}
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["Authorization"] = f"Bearer {key or server.token}"

    def add(
        self,
        id_: str,
        rows: Sequence[Mapping[str, Any]] = ({"loss": 1.0},),
        config: Mapping[str, Any] | None = None,
        ended: bool = True,
        **head: Any,
    ) -> None:
        """Make a run that logs one row a second."""
        begun = START + EACH * self.count
        self.count += 1
        line = {"version": 1, "id": id_, "entity": self.entity, "project": self.project, "name": id_, **head}
        lines = [encode("run", line, begun), encode("config", config or {}, begun)]
        lines += [encode("log", jsonable(row), begun + 1 + step, step) for step, row in enumerate(rows)]
        if ended:
            lines.append(encode("finish", {"state": "finished", "exit_code": 0}, begun + 1 + len(rows)))
        self.append(id_, b"".join(lines))

    def append(self, id_: str, data: bytes, stream: str = "history.jsonl") -> None:
        """Append to a stream of a run."""
        offset = self._offsets.get(f"{id_}/{stream}", 0)
        path = f"{self.server.url}/api/runs/{self.entity}/{self.project}/{id_}/streams/{stream}?offset={offset}"
        self._session.post(path, data=data).raise_for_status()
        self._offsets[f"{id_}/{stream}"] = offset + len(data)

    def print(self, id_: str, *lines: str, stream: str = "stdout") -> None:
        """Append lines to the console of a run."""
        records = [encode("console", {"stream": stream, "text": line}, START) for line in lines]
        self.append(id_, b"".join(records), "console.jsonl")

    def get(self, id_: str) -> Any:
        """Return the run as the server describes it."""
        answer = self._session.get(f"{self.server.url}/api/runs/{self.entity}/{self.project}/{id_}")
        answer.raise_for_status()
        return answer.json()

    def api(self, method: str, path: str, content: Any = None) -> Any:
        """Send a request and return the answer, decoded."""
        answer = self._session.request(method, self.server.url + path, json=content)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def download(self, path: str) -> bytes:
        """Return what a route answers."""
        answer = self._session.get(self.server.url + path)
        answer.raise_for_status()
        return answer.content

    def report(self, title: str, blocks: Sequence[Mapping[str, Any]]) -> str:
        """Make a draft and return its id."""
        content = {"title": title, "state": "draft", "blocks": blocks}
        return str(self.api("POST", f"/api/projects/me/{self.project}/reports", content)["id"])

    def save_report(self, id_: str, version: int, title: str, blocks: Sequence[Mapping[str, Any]]) -> None:
        """Save a draft as the version after `version`."""
        content = {"title": title, "state": "draft", "blocks": blocks, "version": version}
        self.api("PUT", f"/api/projects/me/{self.project}/reports/{id_}", content)

    def path(self, **view: Any) -> str:
        return workspace(self.project, **view)


def workspace(project: str, **view: Any) -> str:
    """Return the address of a project, with settings that differ from its default view."""
    return f"/projects/me/{project}" + (f"?v={quote(orjson.dumps(view))}" if view else "")


class Table:
    """The runs table of the page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.grid = page.get_by_role("grid", name="Runs")
        self.names = self.grid.get_by_role("rowheader")

    def head(self, column: str) -> Locator:
        return self.grid.get_by_role("columnheader", name=column, exact=True)

    def heads(self) -> list[str]:
        """Return the columns from left to right, without checkbox and eye."""
        found = self.grid.get_by_role("columnheader").evaluate_all("all => all.map((one) => one.ariaLabel)")
        return [name for name in found if name is not None]

    def row(self, name: str) -> Locator:
        named = self.page.get_by_role("rowheader", name=re.compile(rf"^{re.escape(name)}\b"))
        return self.grid.get_by_role("row").filter(has=named)

    def cell(self, name: str, column: str) -> Locator:
        index = self.head(column).get_attribute("aria-colindex")
        return self.row(name).locator(f"[aria-colindex='{index}']")

    def menu(self, column: str, item: str) -> None:
        """Choose an item of a column's menu."""
        self.head(column).get_by_role("button").click()
        self.page.get_by_role("menuitem", name=item, exact=True).click()

    def line_menu(self, name: str, item: str) -> None:
        """Choose an item of a row's menu."""
        self.row(name).get_by_role("rowheader").click(button="right")
        self.page.get_by_role("menuitem", name=item, exact=True).click()

    def select(self, *names: str) -> None:
        for name in names:
            self.row(name).get_by_role("checkbox").click()

    def shows(self, *names: str) -> None:
        """Wait until exactly these rows are shown, in this order."""
        expect(self.names).to_have_text([re.compile(rf"^{re.escape(name)}(?![\w-])") for name in names])


class Chart:
    """A panel of the page, and the line chart in it."""

    def __init__(self, page: Page, title: str) -> None:
        self.page = page
        self.panel = page.get_by_role("region", name=f"Panel {title}", exact=True)
        self.plot = self.panel.get_by_role("application")
        self.values = self.panel.get_by_role("group", name="Values at the cursor")
        """The box at the cursor; a live region has the same text."""
        self.over = self.panel.locator(".u-over")
        """Between the axes: a canvas, of which nothing is said but by the keys of `plot`."""

    def lines(self, count: int) -> Locator:
        """Return the chart once it draws this many lines."""
        said = "1 line" if count == 1 else f"{count} lines"
        return self.panel.get_by_role("application", name=re.compile(rf"^Line chart .*, {said}\. "))

    def point(self, x: float, y: float = 0.5) -> tuple[float, float]:
        """Return a position on the page, from fractions of the chart's width and height."""
        self.over.scroll_into_view_if_needed()
        box = self.over.bounding_box()
        assert box is not None
        return box["x"] + x * box["width"], box["y"] + y * box["height"]

    def hover(self, x: float, y: float = 0.5) -> None:
        self.page.mouse.move(*self.point(x, y), steps=3)

    def zoom(self, start: float, end: float) -> None:
        """Drag from one fraction of the width to another."""
        self.page.mouse.move(*self.point(start))
        self.page.mouse.down()
        self.page.mouse.move(*self.point(end), steps=4)
        before = self.page.url
        self.page.mouse.up()
        self.page.wait_for_url(lambda url: url != before)

    def copied(self) -> list[list[str]]:
        """Return the values at the cursor from the clipboard; they are pinned before, and not after."""
        if not self.panel.get_by_role("button", name="Copy values").is_visible():
            self.plot.press("Enter")
        self.panel.get_by_role("button", name="Copy values").click()
        expect(self.panel.get_by_role("button", name="Copied")).to_be_visible()
        text = self.page.evaluate("navigator.clipboard.readText()")
        self.panel.get_by_role("button", name="Close values").click()
        return [line.split("\t") for line in text.splitlines()]

    def picture(self) -> str:
        return str(self.panel.locator("canvas").first.evaluate("one => one.toDataURL()"))

    def redrawn(self, before: str) -> None:
        """Wait until the chart looks different."""
        canvas = self.panel.locator("canvas").first.element_handle()
        self.page.wait_for_function("([one, before]) => one.toDataURL() !== before", arg=[canvas, before])
