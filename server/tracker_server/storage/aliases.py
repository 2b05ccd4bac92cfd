"""Lead former names of projects and runs to the present ones.

What exists comes first: a project or a run is never hidden by a former name of another one.
"""

from __future__ import annotations

import threading
from typing import Any, NamedTuple

import sqlalchemy as sa

from tracker.names import RunKey

from .access_schema import entities, entity_aliases, project_aliases, run_aliases
from .interface import NamesChanged
from .schema import projects, runs, tombstones

_PRESENT = sa.select(projects.c.id, projects.c.entity, projects.c.name).where(
    projects.c.entity == sa.bindparam("entity_"), projects.c.name == sa.bindparam("name_")
)
_FORMER = (
    sa.select(projects.c.id, projects.c.entity, projects.c.name)
    .join(project_aliases, project_aliases.c.project == projects.c.id)
    .where(project_aliases.c.entity == sa.bindparam("entity_"), project_aliases.c.name == sa.bindparam("name_"))
)
_RUN = sa.select(runs.c.id).where(runs.c.project == sa.bindparam("project_"), runs.c.name == sa.bindparam("name_"))
_MOVED_RUN = (
    sa.select(projects.c.entity, projects.c.name, runs.c.name)
    .join(runs, runs.c.project == projects.c.id)
    .join(run_aliases, run_aliases.c.run == runs.c.id)
    .where(run_aliases.c.project == sa.bindparam("project_"), run_aliases.c.name == sa.bindparam("name_"))
)
_ALL_MOVED = sa.select(run_aliases.c.project, run_aliases.c.name, runs.c.project, runs.c.name).join(
    runs, runs.c.id == run_aliases.c.run
)


class _Names(NamedTuple):
    """All names as of one moment."""

    of_project: dict[int, tuple[str, str]]
    """Entity and name of each project that was not deleted, by number."""
    present: dict[tuple[str, str], int]
    """The numbers of these projects by entity and name."""
    former: dict[tuple[str, str], int]
    """The numbers of projects, also of deleted ones, by former entity and name."""
    moved: dict[tuple[int, str], tuple[int, str]]
    """Project and id of moved runs, by the project they were in before and their id there."""


class Aliases:
    """Finds present names. A look-up costs about a microsecond, whether something has moved or not. Thread-safe.

    Only where a project has the former name of another one, the database is asked which of them has the run.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._changes = 0
        self._names: _Names | None = None
        self._moved: tuple[int, dict[tuple[int, str], tuple[int, str]]] | None = None

    def changed(self, runs: bool = False) -> None:
        """Read the names of projects again before the next look-up and, with `runs`, where moved runs are."""
        with self._lock:
            self._changes += 1
            self._names = None
            if runs:
                self._moved = None

    def run_deleted(self) -> None:
        """Notice that a run was deleted, and its former names with it."""
        if self._moved is None or self._moved[1]:
            self.changed(runs=True)

    def _current(self) -> _Names:
        names = self._names
        if names is not None:
            return names
        with self._lock:
            changes, moved = self._changes, self._moved
        with self._engine.connect() as connection:
            count = connection.execute(sa.select(sa.func.count()).select_from(run_aliases)).scalar_one()
            if moved is None or moved[0] != count:  # a new project has those of a deleted one: see `inherit`
                moved = count, {(row[0], row[1]): (row[2], row[3]) for row in connection.execute(_ALL_MOVED)}
            rows = connection.execute(sa.select(projects.c.id, projects.c.entity, projects.c.name)).all()
            aliases = connection.execute(sa.select(project_aliases)).all()
        living = {row.id: (row.entity, row.name) for row in rows if not is_gone(row.name)}
        present = {names: number for number, names in living.items()}
        former = {(row.entity, row.name): row.project for row in aliases}
        names = _Names(living, present, former, moved[1])
        with self._lock:
            if changes == self._changes:  # else it may be out of date already
                self._names, self._moved = names, moved
        return names

    def project(self, entity: str, name: str) -> tuple[str, str]:
        """Return the present entity and name of a project; unchanged for an unknown or deleted one."""
        names, wanted = self._current(), (entity, name)
        if wanted in names.present:
            return wanted
        return names.of_project.get(names.former.get(wanted, 0), wanted)

    def run(self, key: RunKey) -> RunKey:
        """Return the present name of a run; unchanged for an unknown or deleted one, except for its project's name."""
        names, wanted = self._current(), (key.entity, key.project)
        here, former = names.present.get(wanted), names.former.get(wanted)
        if here is not None and former in names.of_project:
            return self._searched(key)
        project = former if here is None else here
        if project is None:
            return key
        moved = names.moved.get((project, key.id))
        if moved is not None and moved[0] in names.of_project:
            return RunKey(*names.of_project[moved[0]], moved[1])
        return key if here is not None else RunKey(*names.of_project.get(project, wanted), key.id)

    def _searched(self, key: RunKey) -> RunKey:
        with self._engine.connect() as connection:
            found = candidates(connection, key.entity, key.project)
            for project in found:
                here = {"project_": project.id, "name_": key.id}
                if connection.execute(_RUN, here).first() is not None:
                    return RunKey(project.entity, project.name, key.id)
            for project in found:
                moved = connection.execute(_MOVED_RUN, {"project_": project.id, "name_": key.id}).first()
                if moved is not None:
                    return RunKey(*moved)
        return key


def candidates(connection: sa.Connection, entity: str, name: str) -> list[Any]:
    """Return id, entity and name of the projects that have this name and that had it before, also of a deleted one."""
    wanted = {"entity_": entity, "name_": name}
    found: list[Any] = []
    for query in (_PRESENT, _FORMER):
        found += connection.execute(query, wanted).all()
    return found


def inherit(connection: sa.Connection, entity: str, name: str, project: int) -> None:
    """Let a project take a name that a deleted one may have had, whose runs stay deleted."""
    for former in connection.execute(_FORMER, {"entity_": entity, "name_": name}).all():
        if not is_gone(former.name):
            continue
        for table, rest in ((tombstones, [tombstones.c.deleted]), (run_aliases, [run_aliases.c.run])):
            columns = [table.c.name, *rest]
            old = sa.select(sa.literal(project), *columns).where(table.c.project == former.id, ~_gone(table.c.name))
            names = ["project", *(column.name for column in columns)]
            connection.execute(table.insert().prefix_with("OR IGNORE").from_select(names, old))
        here = (project_aliases.c.entity == entity) & (project_aliases.c.name == name)
        connection.execute(project_aliases.delete().where(here))


def refuse_former(connection: sa.Connection, entity: str) -> None:
    """Raise `NamesChanged` if an entity of this name was renamed or removed: nothing new may lie under the name.

    Requests come with present names, unless another process has changed these a moment ago.
    """
    renamed = (
        sa.select(entities.c.id)
        .join(entity_aliases, entity_aliases.c.entity == entities.c.id)
        .where(entity_aliases.c.name == entity, entities.c.kind.in_(("account", "team")))
    )
    removed = sa.select(entities.c.id).where(entities.c.name == entity, entities.c.kind == "removed")
    if connection.execute(sa.union_all(renamed, removed)).first() is not None:
        raise NamesChanged(entity)


def _gone(name: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    return name.startswith("/")


def is_gone(name: str) -> bool:
    """Tell whether a project of this name was deleted, or is being copied: no other has a slash in its name."""
    return name.startswith("/")
