"""Reports and comments as one principal may use them."""

from __future__ import annotations

from collections.abc import Sequence

from tracker.names import RunKey
from tracker.wire import Comment, Report, ReportContent
from tracker_server.storage.interface import CommentPlace, NoSuchComment, NoSuchReport, Page, ReportPlace

from .errors import Forbidden
from .rights import Rights


class GuardedReports(Rights):
    """The part of `GuardedStorage` for reports and comments.

    Drafts and versions are there only for who may edit: a version may hold what its author took out again. Share links
    show no comments, since colleagues write those to each other.
    """

    def reports(
        self, entity: str, project: str, search: str, limit: int, cursor: str | None, drafts: bool = True
    ) -> Page:
        """See `Storage.reports`."""
        here = self._project(entity, project)
        return self._storage.reports(*here, search, limit, cursor, drafts and self.may("edit", *here))

    def report_place(self, report: str) -> ReportPlace:
        """See `Storage.report_place`."""
        here = self._storage.report_place(report)
        about = here.entity, here.project
        reads = self.may("read", *about) or self._shares_report(*about, report)
        if not reads or (here.is_draft and not self.may("edit", *about)):
            raise _unknown()
        return here

    def report(self, entity: str, project: str, report: str, version: int | None = None) -> Report:
        """See `Storage.report`."""
        here = self.present_project(entity, project)
        if not self._shares_report(*here, report):
            here = self._project(entity, project)
        found = self._storage.report(*here, report)
        if found["state"] == "draft" and not self.may("edit", *here):
            raise _unknown()
        if version is None or version == found["version"]:
            return found
        if not self.may("edit", *here):
            raise _unknown()
        return self._storage.report(*here, report, version)

    def report_versions(self, entity: str, project: str, report: str, limit: int, cursor: str | None) -> Page:
        """See `Storage.report_versions`."""
        here = self._project(entity, project)
        if not self.may("edit", *here):
            raise _unknown()
        return self._storage.report_versions(*here, report, limit, cursor)

    def create_report(self, entity: str, project: str, content: ReportContent) -> Report:
        """See `Storage.create_report`."""
        return self._storage.create_report(*self._project_for("edit", entity, project), content, self._by())

    def save_report(self, entity: str, project: str, report: str, replaces: int, content: ReportContent) -> Report:
        """See `Storage.save_report`."""
        here = self._project_for("edit", entity, project)
        return self._storage.save_report(*here, report, replaces, content, self._by())

    def delete_report(self, entity: str, project: str, report: str) -> None:
        """See `Storage.delete_report`. One may delete one's own, and admins all."""
        here = self._project_for("edit", entity, project)
        place = self._storage.report_place(report)
        if (place.entity, place.project) == here and not self._is_own(place.author) and not self.may("delete", *here):
            raise Forbidden(f"only its author or an admin of {here[0]} may delete a report")
        self._storage.delete_report(*here, report)

    def comments(self, on: CommentPlace, limit: int, cursor: str | None) -> Page:
        """See `Storage.comments`."""
        place = self._place(on)
        if self._principal.kind == "link":
            return Page([], None, 0)
        return self._storage.comments(place, limit, cursor)

    def comment(self, comment: int) -> tuple[Comment, CommentPlace, int | None]:
        """See `Storage.comment`."""
        found, place, author = self._storage.comment(comment)
        if self._principal.kind == "link" or not self._reads(place):
            raise NoSuchComment("there is no such comment on this server")
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
        if not self._is_own(author):
            raise Forbidden("only its author may change a comment")
        return self._storage.edit_comment(comment, text, mentions)

    def delete_comment(self, comment: int) -> None:
        """See `Storage.delete_comment`. One may delete one's own, and admins all."""
        _, place, author = self.comment(comment)
        self.require("edit", place.entity, place.project)
        if not self._is_own(author) and not self.may("delete", place.entity, place.project):
            raise Forbidden(f"only its author or an admin of {place.entity} may delete a comment")
        self._storage.delete_comment(comment)

    def _is_own(self, author: int | None) -> bool:
        """Return whether the principal wrote it. What was written in personal mode belongs to the owner alone."""
        return self._principal.kind == "owner" or (author is not None and author == self._principal.id)

    def _shares_report(self, entity: str, project: str, report: str) -> bool:
        """Return whether the principal is a link to this report."""
        shared = self._principal.shared
        return shared is not None and shared == (entity, project, "report", report)

    def _reads(self, place: CommentPlace) -> bool:
        if place.report is None:
            return self.may("read", place.entity, place.project, place.run)
        try:
            self.report_place(place.report)
        except NoSuchReport:
            return False
        return True

    def _place(self, on: CommentPlace) -> CommentPlace:
        """Return the present names. Raises `NoSuchRun`, `NoSuchReport`."""
        if on.run is not None:
            return CommentPlace(*self._readable(RunKey(on.entity, on.project, on.run)))
        assert on.report is not None
        here = self.report_place(on.report)
        return CommentPlace(here.entity, here.project, report=on.report)


def _unknown() -> NoSuchReport:
    return NoSuchReport("there is no such report on this server")
