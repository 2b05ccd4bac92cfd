"""Reports and comments as one principal may use them."""

from __future__ import annotations

from collections.abc import Sequence

from tracker.names import RunKey
from tracker.wire import Comment, Report, ReportContent
from tracker_server.storage.interface import CommentPlace, NoSuchComment, NoSuchReport, Page

from .errors import Forbidden
from .rights import Rights


class GuardedReports(Rights):
    """The part of `GuardedStorage` for reports and comments. Drafts are there only for who may edit."""

    def reports(
        self, entity: str, project: str, search: str, limit: int, cursor: str | None, drafts: bool = True
    ) -> Page:
        """See `Storage.reports`."""
        here = self._project(entity, project)
        return self._storage.reports(*here, search, limit, cursor, drafts and self.may("edit", *here))

    def report_place(self, report: str) -> tuple[str, str]:
        """See `Storage.report_place`."""
        here = self._storage.report_place(report)
        if not (self.may("read", *here) or self.shares_report(report)):
            raise NoSuchReport("there is no such report on this server")
        return here

    def report(self, entity: str, project: str, report: str, version: int | None = None) -> Report:
        """See `Storage.report`."""
        here = self._report(entity, project, report)
        found = self._storage.report(*here, report, version)
        if found["state"] == "draft" and not self.may("edit", *here):
            raise NoSuchReport("there is no such report on this server")
        return found

    def report_versions(self, entity: str, project: str, report: str, limit: int, cursor: str | None) -> Page:
        """See `Storage.report_versions`. Only who may edit sees versions, since some were drafts."""
        here = self._project(entity, project)
        if not self.may("edit", *here):
            raise NoSuchReport("there is no such report on this server")
        return self._storage.report_versions(*here, report, limit, cursor)

    def create_report(self, entity: str, project: str, content: ReportContent) -> Report:
        """See `Storage.create_report`."""
        return self._storage.create_report(*self._project_for("edit", entity, project), content, self._by())

    def save_report(self, entity: str, project: str, report: str, replaces: int, content: ReportContent) -> Report:
        """See `Storage.save_report`."""
        here = self._project_for("edit", entity, project)
        return self._storage.save_report(*here, report, replaces, content, self._by())

    def delete_report(self, entity: str, project: str, report: str) -> None:
        """See `Storage.delete_report`."""
        self._storage.delete_report(*self._project_for("edit", entity, project), report)

    def comments(self, on: CommentPlace, limit: int, cursor: str | None) -> Page:
        """See `Storage.comments`."""
        if self._principal.kind == "link":
            return Page([], None, 0)  # comments are a conversation of the members
        return self._storage.comments(self._place(on), limit, cursor)

    def comment(self, comment: int) -> tuple[Comment, CommentPlace, int | None]:
        """See `Storage.comment`."""
        found, place, author = self._storage.comment(comment)
        if not self.may("read", place.entity, place.project, place.run):
            raise NoSuchComment("there is no such comment")
        return found, place, author

    def add_comment(self, on: CommentPlace, text: str, mentions: Sequence[int]) -> Comment:
        """See `Storage.add_comment`."""
        place = self._place(on)
        self.require("edit", place.entity, place.project)
        return self._storage.add_comment(place, text, mentions, self._by())

    def edit_comment(self, comment: int, text: str, mentions: Sequence[int]) -> Comment:
        """See `Storage.edit_comment`. Nobody changes what another has written."""
        _, place, author = self.comment(comment)
        self.require("edit", place.entity, place.project)
        if author != self._principal.id:
            raise Forbidden("only its author may change a comment")
        return self._storage.edit_comment(comment, text, mentions)

    def delete_comment(self, comment: int) -> None:
        """See `Storage.delete_comment`. One may delete one's own, and admins all."""
        _, place, author = self.comment(comment)
        self.require("edit" if author == self._principal.id else "delete", place.entity, place.project)
        self._storage.delete_comment(comment)

    def shares_report(self, report: str) -> bool:
        """Return whether the principal is a link to this report."""
        shared = self._principal.shared
        return shared is not None and shared.kind == "report" and shared.target == report

    def _report(self, entity: str, project: str, report: str) -> tuple[str, str]:
        if self.shares_report(report):
            return self.present_project(entity, project)
        return self._project(entity, project)

    def _place(self, on: CommentPlace) -> CommentPlace:
        """Return the present names. Raises `NoSuchRun`, `NoSuchReport`."""
        if on.run is not None:
            return CommentPlace(*self._readable(RunKey(on.entity, on.project, on.run)))
        if not self.may("read", on.entity, on.project):
            raise NoSuchReport("there is no such report on this server")
        return on
