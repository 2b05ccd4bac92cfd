"""Delete runs: what queries find at once, their rows later."""

from __future__ import annotations

import time
from typing import Any

import sqlalchemy as sa

from .access_schema import run_aliases
from .report_schema import comments
from .schema import digests, projects, runs, tombstones


def remove(connection: sa.Connection, which: sa.ColumnElement[bool]) -> list[int]:
    """Delete the runs that a condition on `runs` selects; return their numbers, whose rows are still to be removed.

    Tombstones under their names, also former ones, keep their processes from creating them again.
    """
    found = sa.select(runs.c.id).where(which)
    numbers = list(connection.execute(found).scalars())
    if not numbers:
        return []
    now = time.time()
    # Two statements for each kind of name: a tombstone of an earlier run of this name may be there.
    for names, rest in (
        (sa.select(runs.c.project, runs.c.name, runs.c.id).where(which), True),
        (sa.select(run_aliases.c.project, run_aliases.c.name, run_aliases.c.run).where(_in(run_aliases, found)), False),
    ):
        here = names.subquery()
        free(connection, sa.tuple_(tombstones.c.project, tombstones.c.name).in_(sa.select(here.c.project, here.c.name)))
        stones = sa.select(here.c.project, here.c.name, sa.literal(now), here.c[2] if rest else sa.null())
        connection.execute(tombstones.insert().from_select(["project", "name", "deleted", "run"], stones))
    for table in (run_aliases, digests, comments):
        connection.execute(table.delete().where(_in(table, found)))
    shrunk = projects.c.id.in_(sa.select(runs.c.project).where(which))
    connection.execute(projects.update().where(shrunk).values(deletions=projects.c.deletions + 1))
    connection.execute(runs.delete().where(which))
    return numbers


def free(connection: sa.Connection, which: sa.ColumnElement[bool]) -> None:
    """Remove tombstones, so that their names are free.

    Those whose runs still have rows stay under a name that no run can have.
    """
    connection.execute(tombstones.delete().where(which & tombstones.c.run.is_(None)))
    gone = "/" + sa.cast(tombstones.c.run, sa.Text)
    connection.execute(tombstones.update().where(which).values(name=gone))


def _in(table: sa.Table, found: Any) -> sa.ColumnElement[bool]:
    return table.c.run.in_(found)
