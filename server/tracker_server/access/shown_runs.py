"""Find the runs that a share link to a view or a report shows: its holder reads these and no others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from tracker.wire import Sort, TableQuery
from tracker_server.report_export import panels
from tracker_server.storage.interface import ExpressionError, NoSuchProject, NoSuchReport, NoSuchView, Storage

from .principal import Shared

MAX_SHOWN = 10_000
"""Runs that one filter of a view or report adds."""

_OF_ALL = ("scatter", "parallel")
"""Panels that show all runs that match."""


class _Selection(NamedTuple):
    """Runs by their ids, or the first of those that match a filter and a search."""

    ids: list[str]
    filter: str = ""
    search: str = ""
    sort: list[Sort] = []  # noqa: RUF012 - never changed
    limit: int = MAX_SHOWN


def shown_runs(storage: Storage, shared: Shared) -> frozenset[str]:
    """Return the ids of the runs that the view or report shows.

    A view shows what matches its filter. A report shows, in its published version, what its blocks name, and the first
    of what matches their filters. Without such a view or report nothing is shown.
    """
    found: set[str] = set()
    try:
        selections = list(_of_view(storage, shared) if shared.kind == "view" else _of_report(storage, shared))
    except (NoSuchProject, NoSuchView, NoSuchReport):
        return frozenset()
    for selection in selections:
        if selection.ids:
            found.update(selection.ids)
        else:
            found.update(_matching(storage, shared, selection))
    return frozenset(found)


def _of_view(storage: Storage, shared: Shared) -> Iterator[_Selection]:
    view = storage.view(shared.entity, shared.project, shared.target or "")
    if isinstance(view, dict):
        yield _Selection([], _text(view.get("filter")), _text(view.get("search")))


def _of_report(storage: Storage, shared: Shared) -> Iterator[_Selection]:
    report = storage.report(shared.entity, shared.project, shared.target or "")
    if report["state"] == "published":
        yield from _of_blocks(report["blocks"])


def _of_blocks(blocks: Iterable[Any]) -> Iterator[_Selection]:
    for block in blocks:
        kind = block["kind"]
        if kind == "columns":
            yield from _of_blocks([*block["left"], *block["right"]])
        elif kind == "media":
            yield _Selection([block["run"]])
        elif kind == "table":
            yield _Selection(block["runs"], block["filter"], "", block["sort"], block["limit"])
        elif kind == "panel":
            yield from _of_panel(panels.of_block, block)
        else:
            for source in panels.FENCE.findall(block["text"]):
                yield from _of_panel(panels.of_text, source)


def _of_panel(read: Callable[[Any], panels.Panel], what: Any) -> Iterator[_Selection]:
    try:
        panel = read(what)
    except panels.BadPanel:  # the dashboard does not show it either
        return
    # Groups are made of all runs that match.
    limit = MAX_SHOWN if panel.kind in _OF_ALL or panel.by else panel.limit
    yield _Selection(panel.runs, panel.filter, "", panel.sort, limit)


def _matching(storage: Storage, shared: Shared, selection: _Selection) -> list[str]:
    query = TableQuery(filter=selection.filter, search=selection.search, limit=selection.limit, columns=["id"])
    query["sort"] = selection.sort or [{"column": "created", "descending": True}]
    try:
        return storage.table(shared.entity, shared.project, query)["runs"]
    except (ExpressionError, ValueError):  # it does not filter in the dashboard either
        return []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
