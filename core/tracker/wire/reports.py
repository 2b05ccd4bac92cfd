"""Define the shapes of reports and comments."""

from __future__ import annotations

from typing import Any, Literal, TypedDict

ReportState = Literal["draft", "published"]


class ReportInfo(TypedDict):
    """A report of a project, without its content. Times are Unix seconds; people are shown by name, null in personal
    mode.
    """

    id: str
    """Random and stable: `/reports/{id}` stays valid when the project or the entity gets another name."""
    entity: str
    project: str
    title: str
    state: ReportState
    """A draft is shown only to those who may edit."""
    version: int
    """Grows by one with each save."""
    author: str | None
    """Who created it."""
    editor: str | None
    """Who saved this version."""
    created: float
    updated: float
    """When this version was saved."""


class Report(ReportInfo):
    """One version of a report with its blocks."""

    message: str | None
    """What whoever saved this version said about it."""
    blocks: list[dict[str, Any]]


class ReportContent(TypedDict):
    """What a save stores."""

    title: str
    state: ReportState
    blocks: list[dict[str, Any]]
    message: str | None


class ReportVersion(TypedDict):
    """A saved version of a report, without its blocks."""

    version: int
    title: str
    state: ReportState
    author: str | None
    saved: float
    message: str | None


class Comment(TypedDict):
    """A comment on a run or a report; exactly one of `run` and `report` is set. Times are Unix seconds."""

    id: int
    run: str | None
    """`entity/project/id`"""
    report: str | None
    """The report's id."""
    author: str | None
    """By name; null in personal mode."""
    text: str
    """Markdown; empty if the comment was deleted."""
    mentions: list[str]
    """The accounts that the text mentions as `@name` and that may read the project."""
    created: float
    edited: float | None
    deleted: float | None
