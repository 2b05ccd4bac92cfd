"""Store the saved views of projects."""

from __future__ import annotations

import time
from typing import Any

import orjson
import sqlalchemy as sa

from tracker.wire import ViewInfo

from .access_schema import entities
from .interface import NoSuchProject, NoSuchView
from .schema import projects, views
from .writer import Writer

MAX_VIEWS = 500
"""Most saved views of one project."""


def number(connection: sa.Connection, entity: str, project: str) -> int:
    """Return the number of a project. Raises `NoSuchProject`."""
    where = (projects.c.entity == entity) & (projects.c.name == project)
    found = connection.execute(sa.select(projects.c.id).where(where)).scalar_one_or_none()
    if found is None:
        raise NoSuchProject(f"there is no project {entity}/{project} on this server")
    return int(found)


def details(connection: sa.Connection, project: int) -> dict[str, Any]:
    """Return the saved views without their content, and the visibility."""
    row = connection.execute(sa.select(projects).where(projects.c.id == project)).one()
    query = sa.select(views.c.name, views.c.updated, entities.c.name.label("user_name"))
    query = query.outerjoin(entities, entities.c.id == views.c.user).where(views.c.project == project)
    rows = connection.execute(query.order_by(views.c.name))
    saved = [ViewInfo(name=view.name, updated=view.updated, user=view.user_name) for view in rows]
    return {"views": saved, "visibility": row.visibility}


def view(connection: sa.Connection, project: int, name: str) -> Any:
    """Return a saved view. Raises `NoSuchView`."""
    where = (views.c.project == project) & (views.c.name == name)
    found = connection.execute(sa.select(views.c.view).where(where)).scalar_one_or_none()
    if found is None:
        raise NoSuchView(f"this project has no view {name[:100]!r}")
    return orjson.loads(found)


def put_view(writer: Writer, connection: sa.Connection, project: int, name: str, value: Any, user: int | None) -> None:
    """Save a view, replacing one of this name. Raises ValueError if there are too many."""
    there = {"view": orjson.dumps(value).decode(), "updated": time.time(), "user": user}
    where = (views.c.project == project) & (views.c.name == name)
    if writer.change(views.update().where(where).values(there)):
        return
    count = connection.execute(sa.select(sa.func.count()).where(views.c.project == project)).scalar_one()
    if count >= MAX_VIEWS:
        raise ValueError(f"a project can have at most {MAX_VIEWS} views: delete some")
    writer.change(views.insert().values(project=project, name=name, **there))


def delete_view(writer: Writer, project: int, name: str) -> None:
    """Delete a view. Raises `NoSuchView`."""
    if not writer.change(views.delete().where((views.c.project == project) & (views.c.name == name))):
        raise NoSuchView(f"this project has no view {name[:100]!r}")
