"""Find the runs that a share link to a view or a report shows: its holder reads these and no others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from tracker.wire import TableQuery
from tracker_server.storage.interface import ExpressionError, NoSuchProject, NoSuchReport, NoSuchView, Storage

from .principal import Shared

MAX_SHOWN = 10_000
"""Runs that one filter of a view or report adds."""


class _Selection(NamedTuple):
    """Runs by their ids, or those that match a filter and a search."""

    ids: list[str]
    filter: str = ""
    search: str = ""


def shown_runs(storage: Storage, shared: Shared) -> frozenset[str]:
    """Return the ids of the runs that match the filters of the view or report, or that it names.

    A report shows what its published version names. Without such a view or report nothing is shown.
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
        kind = block.get("kind")
        if kind in ("panel", "table"):
            yield _Selection(block.get("runs") or [], _text(block.get("filter")))
        elif kind == "media":
            yield _Selection([block["run"]])
        elif kind == "columns":
            yield from _of_blocks([*block["left"], *block["right"]])


def _matching(storage: Storage, shared: Shared, selection: _Selection) -> list[str]:
    query = TableQuery(filter=selection.filter, search=selection.search, limit=MAX_SHOWN, columns=["id"])
    try:
        return storage.table(shared.entity, shared.project, query)["columns"]["id"]
    except ExpressionError:  # it does not filter in the dashboard either
        return []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
