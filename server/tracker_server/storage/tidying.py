"""Work that is put off, in pieces that keep the writer for a moment each: rows of deleted runs, space that is free."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from .schema import of_a_run, tombstones

_ROWS = 500
"""Rows that one piece removes; a row of `chunks` has about 16 KB."""

_PAGES = 512
"""Pages of the database that one piece gives back."""


class Tidying:
    """Remembers what is left to do. Used by the writer only, in transactions of its."""

    def __init__(self, connection: sa.Connection) -> None:
        left = sa.select(tombstones.c.run).where(tombstones.c.run.is_not(None))
        self._deleted: list[int] = list(connection.execute(left).scalars())
        self._sqlite = connection.dialect.name == "sqlite"
        self._free = True

    @property
    def left(self) -> bool:
        """Whether there is anything to do."""
        return bool(self._deleted) or self._free

    def deleted(self, run: int) -> None:
        """Take in that the rows of this run are to be removed."""
        self._deleted.append(run)

    def remove_some(self, connection: sa.Connection) -> bool:
        """Remove some rows of deleted runs; tell whether there were any."""
        if not self._deleted:
            return False
        run = self._deleted[0]
        for table in of_a_run:
            key = list(table.primary_key.columns)
            some = sa.select(*key).where(table.c.run == run).limit(_ROWS)
            if connection.execute(table.delete().where(_tuple(key).in_(some))).rowcount:
                return True
        readmitted = (tombstones.c.run == run) & tombstones.c.name.startswith("/")
        connection.execute(tombstones.delete().where(readmitted))
        connection.execute(tombstones.update().where(tombstones.c.run == run).values(run=None))
        self._deleted.pop(0)
        self._free = True
        return True

    def give_back(self, connection: sa.Connection) -> None:
        """Let the file shrink by some of its free pages. Runs outside of a transaction."""
        if not self._sqlite:
            self._free = False
            return
        cursor = connection.connection.cursor()
        cursor.execute("PRAGMA freelist_count")
        (free,) = cursor.fetchall()[0]
        if free:
            cursor.executescript(f"PRAGMA incremental_vacuum({_PAGES})")  # `execute` would free one page and stop
        if free <= _PAGES:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self._free = False


def _tuple(columns: list[Any]) -> Any:
    return columns[0] if len(columns) == 1 else sa.tuple_(*columns)
