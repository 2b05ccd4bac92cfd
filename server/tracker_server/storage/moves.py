"""Rename, move and delete projects, and move runs between them. Former names lead to the present ones (aliases.py).

Rows of runs carry the run's number, so a move changes one row for each run, however large it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from tracker.names import RunKey

from . import reports, run_state
from .access_schema import access_version, project_aliases, run_aliases, share_links
from .aliases import inherit
from .interface import NameTaken, NoSuchRun, Visibility
from .projects import number
from .removal import remove
from .schema import digests, projects, runs, views

_NAMED = 5
"""Runs that an error names."""


_MOVE = (
    runs.update()
    .where(runs.c.id == sa.bindparam("id_"))
    .values(project=sa.bindparam("project_"), version=sa.bindparam("version_"))
)
_FORGET_ALIAS = run_aliases.delete().where(
    run_aliases.c.project == sa.bindparam("project_"), run_aliases.c.run == sa.bindparam("id_")
)


def set_visibility(connection: sa.Connection, entity: str, name: str, visibility: Visibility) -> None:
    """Decide who reads a project. Raises `NoSuchProject`."""
    project = number(connection, entity, name)
    connection.execute(projects.update().where(projects.c.id == project).values(visibility=visibility))
    rights_changed(connection)


def rename(connection: sa.Connection, entity: str, name: str, to: tuple[str, str]) -> None:
    """Rename a project or move it to another entity. Raises `NoSuchProject`, `NameTaken`."""
    project = number(connection, entity, name)
    if to == (entity, name):
        return
    refuse_taken(connection, *to)
    inherit(connection, *to, project)
    back = (project_aliases.c.entity == to[0]) & (project_aliases.c.name == to[1])
    connection.execute(project_aliases.delete().where(back, project_aliases.c.project == project))
    connection.execute(projects.update().where(projects.c.id == project).values(entity=to[0], name=to[1]))
    _leave_alias(connection, entity, name, project)
    rights_changed(connection)


def delete(connection: sa.Connection, entity: str, name: str) -> tuple[list[int], list[str]]:
    """Delete a project and all that belongs to it.

    Its runs are deleted like single ones: uploads of them are refused, and the name of the project is free. Return the
    numbers of the runs, whose rows are still to be removed, and the digests that they named. Raises `NoSuchProject`.
    """
    project = number(connection, entity, name)
    which = runs.c.project == project
    named = sa.select(digests.c.digest).distinct().where(digests.c.run.in_(sa.select(runs.c.id).where(which)))
    found = list(connection.execute(named).scalars())
    numbers = remove(connection, which)
    reports.delete_all(connection, project)
    for table in (views, share_links):
        connection.execute(table.delete().where(table.c.project == project))
    # Its row stays, for the tombstones, under a name that no project can have.
    gone = {"name": f"/{project}", "visibility": "private", "deletions": projects.c.deletions + 1}
    connection.execute(projects.update().where(projects.c.id == project).values(gone))
    _leave_alias(connection, entity, name, project)
    rights_changed(connection)
    return numbers, found


def move_runs(connection: sa.Connection, keys: Sequence[RunKey], entity: str, name: str) -> list[RunKey]:
    """Move runs to another project; return the names of those that were not there already.

    Raises `NoSuchRun`, `NoSuchProject`, and `NameTaken` if the project has a run of one of the ids.
    """
    target = number(connection, entity, name)
    rows = run_state.find_all(connection, keys)
    for key in keys:
        if key not in rows:
            raise NoSuchRun(f"there is no run {'/'.join(key)} on this server")
    moving = {key: row for key, row in rows.items() if row.project != target}
    _refuse_same_ids(connection, moving, target, f"{entity}/{name}")
    top = connection.execute(sa.select(sa.func.max(runs.c.version)).where(runs.c.project == target)).scalar_one() or 0
    changes, left = [], []
    for key, row in moving.items():
        # Above its own version, too: it may come back to a project that is still in memory with it.
        top = max(top, row.version) + 1
        changes.append({"id_": row.id, "project_": target, "version_": top})
        left.append({"project": row.project, "name": key.id, "run": row.id})
    if changes:
        connection.execute(_MOVE, changes)
        connection.execute(_FORGET_ALIAS, changes)
        connection.execute(run_aliases.insert().prefix_with("OR REPLACE"), left)
        _move_links(connection, left, target)
    sources = projects.c.id.in_({row.project for row in moving.values()})
    connection.execute(projects.update().where(sources).values(deletions=projects.c.deletions + 1))
    rights_changed(connection)
    return list(moving)


def _move_links(connection: sa.Connection, moved: Sequence[dict[str, Any]], target: int) -> None:
    """Let share links to single runs follow them."""
    places = {(one["project"], one["name"]) for one in moved}
    to_runs = (share_links.c.kind == "run") & share_links.c.project.in_({project for project, _ in places})
    for link in connection.execute(sa.select(share_links).where(to_runs)).all():
        if (link.project, link.target) in places:
            connection.execute(share_links.update().where(share_links.c.id == link.id).values(project=target))


def refuse_taken(connection: sa.Connection, entity: str, name: str) -> None:
    """Raise `NameTaken` if there is a project of this name."""
    where = (projects.c.entity == entity) & (projects.c.name == name)
    if connection.execute(sa.select(projects.c.id).where(where)).first() is not None:
        raise NameTaken(f"there is a project {entity}/{name} already: choose another name")


def rights_changed(connection: sa.Connection) -> None:
    """Let the server read the rights again, which depend on the names and the visibility of projects."""
    grown = access_version.update().values(version=access_version.c.version + 1)
    if not connection.execute(grown).rowcount:
        connection.execute(access_version.insert().values(id=1, version=1))


def _leave_alias(connection: sa.Connection, entity: str, name: str, project: int) -> None:
    alias = {"entity": entity, "name": name, "project": project}
    connection.execute(project_aliases.insert().prefix_with("OR REPLACE"), alias)


def _refuse_same_ids(connection: sa.Connection, moving: dict[RunKey, Any], target: int, name: str) -> None:
    """Raise `NameTaken` for ids that are there, or lead from there to another run, whose processes use them."""
    ids = [key.id for key in moving]
    twice = {id for id in ids if ids.count(id) > 1} if len(set(ids)) < len(ids) else set[str]()
    numbers = {row.id for row in moving.values()}
    for some in (ids[i : i + run_state.MANY] for i in range(0, len(ids), run_state.MANY)):
        there = sa.select(runs.c.name).where(runs.c.project == target, runs.c.name.in_(some))
        twice.update(connection.execute(there).scalars())
        former = sa.select(run_aliases).where(run_aliases.c.project == target, run_aliases.c.name.in_(some))
        twice.update(row.name for row in connection.execute(former) if row.run not in numbers)
    if twice:
        shown = ", ".join(sorted(twice)[:_NAMED]) + (" …" if len(twice) > _NAMED else "")
        raise NameTaken(f"{name} has or had runs with the same ids ({shown}): nothing was moved; leave these out")
