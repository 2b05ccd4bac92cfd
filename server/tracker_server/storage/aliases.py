"""Lead former names of projects and runs to the present ones.

What exists comes first: a project or a run is never hidden by a former name of another one.
"""

from __future__ import annotations

from typing import Any

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


class Aliases:
    """Finds present names. For a name that was never a former one, this costs two look-ups in memory. Thread-safe."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._projects: frozenset[str] = frozenset()
        self._runs: frozenset[str] = frozenset()
        self._stale = True

    def changed(self) -> None:
        """Read the former names again before the next look-up."""
        self._stale = True

    def _refresh(self) -> None:
        if not self._stale:
            return
        self._stale = False  # first, or a change meanwhile would be missed
        with self._engine.connect() as connection:
            self._projects = frozenset(connection.execute(sa.select(project_aliases.c.name)).scalars())
            self._runs = frozenset(connection.execute(sa.select(run_aliases.c.name)).scalars())

    def project(self, entity: str, name: str) -> tuple[str, str]:
        """Return the present entity and name of a project; unchanged for an unknown or deleted one."""
        self._refresh()
        if name not in self._projects:
            return entity, name
        with self._engine.connect() as connection:
            for found in candidates(connection, entity, name):
                if not is_gone(found.name):
                    return found.entity, found.name
        return entity, name

    def run(self, key: RunKey) -> RunKey:
        """Return the present name of a run; unchanged for an unknown or deleted one, except for its project's name."""
        self._refresh()
        if key.project not in self._projects and key.id not in self._runs:
            return key
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
            living = next((project for project in found if not is_gone(project.name)), None)
            return key if living is None else RunKey(living.entity, living.name, key.id)


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
