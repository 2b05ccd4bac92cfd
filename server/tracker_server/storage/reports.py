"""Store reports and their versions."""

from __future__ import annotations

import secrets
import string
import time
from typing import Any

import orjson
import sqlalchemy as sa
import zstandard

from tracker.wire import Report, ReportContent, ReportInfo, ReportVersion

from .access_schema import entities
from .aliases import is_gone
from .cursors import pack, unpack
from .interface import NoSuchReport, Page, ReportChanged, ReportPlace
from .report_schema import comments, report_versions, reports
from .schema import projects

MAX_REPORTS = 500
"""Most reports of one project."""

MAX_VERSIONS = 1000
"""Most versions of one report."""

_LETTERS = string.ascii_lowercase + string.digits
_ID_LENGTH = 12

_author, _editor = entities.alias("author"), entities.alias("editor")


def page(connection: sa.Connection, project: int, search: str, limit: int, cursor: str | None, drafts: bool) -> Page:
    """Return reports, those saved last first. Raises ValueError for a bad cursor."""
    query = _infos().where(reports.c.project == project).order_by(reports.c.updated.desc(), reports.c.id)
    if not drafts:
        query = query.where(reports.c.state == "published")
    wanted = search.casefold()
    # At most MAX_REPORTS, so that searching here costs little; SQLite ignores the case of ASCII letters only.
    found = [row for row in connection.execute(query) if wanted in row.title.casefold()]
    rest = found
    if cursor is not None:
        match unpack(cursor):
            case [int() | float() as updated, str() as last]:
                rest = [row for row in found if (-row.updated, row.id) > (-updated, last)]
            case _:
                raise ValueError("this cursor is not from this list: omit it to start at the first page")
    shown = rest[:limit]
    following = pack([shown[-1].updated, shown[-1].id]) if len(rest) > limit else None
    return Page([_info(row) for row in shown], following, len(found))


def place(connection: sa.Connection, report: str) -> ReportPlace:
    """Return where a report is. Raises `NoSuchReport`."""
    query = sa.select(projects.c.entity, projects.c.name, reports.c.state, reports.c.author)
    query = query.join(reports, reports.c.project == projects.c.id).where(reports.c.id == report)
    found = connection.execute(query).one_or_none()
    if found is None or is_gone(found.name):
        raise unknown()
    return ReportPlace(found.entity, found.name, found.state == "draft", found.author)


def read(connection: sa.Connection, project: int, report: str, version: int | None = None) -> Report:
    """Return a version of a report, by default the current one. Raises `NoSuchReport`."""
    row = connection.execute(_infos().where(reports.c.id == report, reports.c.project == project)).one_or_none()
    if row is None:
        raise unknown()
    wanted = row.version if version is None else version
    where = (report_versions.c.report == report) & (report_versions.c.version == wanted)
    query = sa.select(report_versions, _editor.c.name.label("editor_name"))
    query = query.outerjoin(_editor, _editor.c.id == report_versions.c.author)
    saved = connection.execute(query.where(where)).one_or_none()
    if saved is None:
        raise NoSuchReport(f"this report has no version {wanted}")
    return Report(
        **{  # type: ignore[typeddict-item]
            **_info(row),
            "title": saved.title,
            "state": saved.state,
            "version": saved.version,
            "editor": saved.editor_name,
            "updated": saved.saved,
        },
        message=saved.message,
        blocks=orjson.loads(zstandard.decompress(saved.blocks)),
    )


def versions(connection: sa.Connection, project: int, report: str, limit: int, cursor: str | None) -> Page:
    """Return the versions of a report, the newest first. Raises `NoSuchReport`, ValueError for a bad cursor."""
    current = _version(connection, project, report)
    query = sa.select(
        *(column for column in report_versions.c if column.name != "blocks"), _author.c.name.label("author_name")
    )
    query = query.outerjoin(_author, _author.c.id == report_versions.c.author)
    query = query.where(report_versions.c.report == report).order_by(report_versions.c.version.desc())
    if cursor is not None:
        match unpack(cursor):
            case [int() as last] if 0 < last <= current:
                query = query.where(report_versions.c.version < last)
            case _:
                raise ValueError("this cursor is not from this list: omit it to start at the first page")
    rows = connection.execute(query.limit(limit + 1)).all()
    shown = [
        ReportVersion(
            version=row.version, title=row.title, state=row.state, author=row.author_name, saved=row.saved,
            message=row.message,
        )
        for row in rows[:limit]
    ]  # fmt: skip
    counted = sa.select(sa.func.count()).where(report_versions.c.report == report)
    following = pack([shown[-1]["version"]]) if len(rows) > limit else None
    return Page(shown, following, connection.execute(counted).scalar_one())


def create(connection: sa.Connection, project: int, content: ReportContent, author: int | None) -> Report:
    """Store a new report. Raises ValueError if the project has too many."""
    count = connection.execute(sa.select(sa.func.count()).where(reports.c.project == project)).scalar_one()
    if count >= MAX_REPORTS:
        raise ValueError(f"a project can have at most {MAX_REPORTS} reports: delete some")
    report = _new_id()
    now = time.time()
    made = {"id": report, "project": project, "author": author, "created": now}
    connection.execute(reports.insert(), {**made, **_current(content, author, now, 1)})
    _add_version(connection, report, content, author, now, 1)
    return read(connection, project, report)


def save(
    connection: sa.Connection, project: int, report: str, replaces: int, content: ReportContent, author: int | None
) -> Report:
    """Store a new version in place of the version `replaces`.

    Raises `ReportChanged` if that is not the current one, `NoSuchReport`, and ValueError if there are too many.
    """
    version = _version(connection, project, report)
    if version != replaces:
        raise ReportChanged(read(connection, project, report))
    if version >= MAX_VERSIONS:
        raise ValueError(
            f"this report has {MAX_VERSIONS:,} versions, which is the most: copy its content into a new report"
        )
    now = time.time()
    there = reports.update().where(reports.c.id == report)
    connection.execute(there.values(_current(content, author, now, version + 1)))
    _add_version(connection, report, content, author, now, version + 1)
    return read(connection, project, report)


def delete(connection: sa.Connection, project: int, report: str) -> None:
    """Delete a report, its versions and its comments. Raises `NoSuchReport`."""
    _version(connection, project, report)
    connection.execute(comments.delete().where(comments.c.report == report))
    connection.execute(report_versions.delete().where(report_versions.c.report == report))
    connection.execute(reports.delete().where(reports.c.id == report))


def delete_all(connection: sa.Connection, project: int) -> None:
    """Delete all reports of a project."""
    for report in connection.execute(sa.select(reports.c.id).where(reports.c.project == project)).scalars().all():
        delete(connection, project, report)


def copy_published(connection: sa.Connection, project: int, to: int) -> None:
    """Copy the published reports of a project to another one, without their former versions and their comments."""
    where = (reports.c.project == project) & (reports.c.state == "published")
    for row in connection.execute(sa.select(reports).where(where).order_by(reports.c.updated)).all():
        made = _new_id()
        connection.execute(reports.insert(), {**row._asdict(), "id": made, "project": to, "version": 1})
        current = (report_versions.c.report == row.id) & (report_versions.c.version == row.version)
        saved = connection.execute(sa.select(report_versions).where(current)).one()
        connection.execute(report_versions.insert(), {**saved._asdict(), "report": made, "version": 1})


def unknown() -> NoSuchReport:
    """Return the error for a report that is not there."""
    return NoSuchReport("there is no such report on this server")


def _new_id() -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(_ID_LENGTH))


def _version(connection: sa.Connection, project: int, report: str) -> int:
    query = sa.select(reports.c.version).where(reports.c.id == report, reports.c.project == project)
    found: int | None = connection.execute(query).scalar_one_or_none()
    if found is None:
        raise unknown()
    return found


def _current(content: ReportContent, editor: int | None, now: float, version: int) -> dict[str, Any]:
    about = {"title": content["title"], "state": content["state"]}
    return {**about, "version": version, "editor": editor, "updated": now}


def _add_version(
    connection: sa.Connection, report: str, content: ReportContent, author: int | None, now: float, version: int
) -> None:
    about = {"title": content["title"], "state": content["state"], "message": content["message"] or None}
    row = {"report": report, "version": version, "author": author, "saved": now, **about}
    blocks = zstandard.compress(orjson.dumps(content["blocks"]))
    connection.execute(report_versions.insert(), {**row, "blocks": blocks})


def _infos() -> sa.Select[Any]:
    query = sa.select(
        reports,
        projects.c.entity,
        projects.c.name.label("project_name"),
        _author.c.name.label("author_name"),
        _editor.c.name.label("editor_name"),
    ).join(projects, projects.c.id == reports.c.project)
    query = query.outerjoin(_author, _author.c.id == reports.c.author)
    return query.outerjoin(_editor, _editor.c.id == reports.c.editor)


def _info(row: sa.Row[Any]) -> ReportInfo:
    return ReportInfo(
        id=row.id, entity=row.entity, project=row.project_name, title=row.title, state=row.state, version=row.version,
        author=row.author_name, editor=row.editor_name, created=row.created, updated=row.updated,
    )  # fmt: skip
