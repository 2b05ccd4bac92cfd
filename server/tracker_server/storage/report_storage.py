"""Implement the part of the storage that holds reports and comments."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager

import sqlalchemy as sa

from tracker.wire import Comment, Report, ReportContent

from . import comments, projects, reports
from .interface import OWNER, By, CommentPlace, Page, ReportPlace
from .writer import Writer


class ReportStorage:
    """The methods of `interface.Storage` for reports and comments."""

    _engine: sa.Engine
    _writer: Writer

    def _space(self) -> AbstractContextManager[None]:
        """Raise `StorageFull` for errors that mean a full disk."""
        raise NotImplementedError

    def create_report(self, entity: str, project: str, content: ReportContent, by: By = OWNER) -> Report:
        """See `Storage.create_report`. Raises `NoSuchProject`, ValueError if there are too many."""
        with self._space(), self._writer.changing() as connection:
            return reports.create(connection, projects.number(connection, entity, project), content, by.id)

    def save_report(
        self, entity: str, project: str, report: str, replaces: int, content: ReportContent, by: By = OWNER
    ) -> Report:
        """See `Storage.save_report`. Raises `ReportChanged`, `NoSuchProject`, `NoSuchReport`, ValueError."""
        with self._space(), self._writer.changing() as connection:
            number = projects.number(connection, entity, project)
            return reports.save(connection, number, report, replaces, content, by.id)

    def delete_report(self, entity: str, project: str, report: str) -> None:
        """See `Storage.delete_report`. Raises `NoSuchProject`, `NoSuchReport`."""
        with self._space(), self._writer.changing() as connection:
            reports.delete(connection, projects.number(connection, entity, project), report)

    def add_comment(self, on: CommentPlace, text: str, mentions: Sequence[int], by: By = OWNER) -> Comment:
        """See `Storage.add_comment`. Raises `NoSuchRun`, `NoSuchReport`, ValueError."""
        with self._space(), self._writer.changing() as connection:
            return comments.add(connection, on, text, mentions, by.id)

    def edit_comment(self, comment: int, text: str, mentions: Sequence[int]) -> Comment:
        """See `Storage.edit_comment`. Raises `NoSuchComment`."""
        with self._space(), self._writer.changing() as connection:
            return comments.edit(connection, comment, text, mentions)

    def delete_comment(self, comment: int) -> None:
        """See `Storage.delete_comment`. Raises `NoSuchComment`."""
        with self._space(), self._writer.changing() as connection:
            comments.delete(connection, comment)

    def comments(self, on: CommentPlace, limit: int, cursor: str | None) -> Page:
        """See `Storage.comments`. Raises `NoSuchRun`, `NoSuchReport`, ValueError."""
        with self._engine.connect() as connection:
            return comments.page(connection, on, limit, cursor)

    def comment(self, comment: int) -> tuple[Comment, CommentPlace, int | None]:
        """See `Storage.comment`. Raises `NoSuchComment`."""
        with self._engine.connect() as connection:
            return comments.read(connection, comment)

    def reports(
        self, entity: str, project: str, search: str, limit: int, cursor: str | None, drafts: bool = True
    ) -> Page:
        """See `Storage.reports`. Raises `NoSuchProject`, ValueError."""
        with self._engine.connect() as connection:
            number = projects.number(connection, entity, project)
            return reports.page(connection, number, search, limit, cursor, drafts)

    def report_place(self, report: str) -> ReportPlace:
        """See `Storage.report_place`. Raises `NoSuchReport`."""
        with self._engine.connect() as connection:
            return reports.place(connection, report)

    def report(self, entity: str, project: str, report: str, version: int | None = None) -> Report:
        """See `Storage.report`. Raises `NoSuchProject`, `NoSuchReport`."""
        with self._engine.connect() as connection:
            return reports.read(connection, projects.number(connection, entity, project), report, version)

    def report_versions(self, entity: str, project: str, report: str, limit: int, cursor: str | None) -> Page:
        """See `Storage.report_versions`. Raises `NoSuchProject`, `NoSuchReport`, ValueError."""
        with self._engine.connect() as connection:
            return reports.versions(connection, projects.number(connection, entity, project), report, limit, cursor)
