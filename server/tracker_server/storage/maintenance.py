"""Work that is put off, in pieces that keep the writer for a moment each: merges of rows with very many keys, rows of
deleted runs, space that is free.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from .columnar.chunks import Merge
from .schema import of_a_run, runs, streams, tombstones

_ROWS = 500
"""Rows that one piece removes; a row of `chunks` has about 16 KB."""

_SECONDS = 0.04
"""For about so long one piece merges."""

_PAGES = 512
"""Pages of the database that one piece gives back."""


class Tidying:
    """Remembers what is left to do. Used by the writer only, in transactions of its."""

    def __init__(self, connection: sa.Connection) -> None:
        left = sa.select(tombstones.c.run).where(tombstones.c.run.is_not(None))
        self._deleted: list[int] = list(connection.execute(left).scalars())
        begun = sa.select(streams.c.run, streams.c.id).where(streams.c.merging.is_not(None))
        self._due: dict[int, int] = {stream: run for run, stream in connection.execute(begun)}
        """The streams to be merged, and their runs."""
        self._merge: tuple[int, Merge] | None = None
        self._again = False
        self._sqlite = connection.dialect.name == "sqlite"
        self._free = True

    @property
    def left(self) -> bool:
        """Whether there is anything to do."""
        return bool(self._due) or bool(self._deleted) or self._free

    def deleted(self, run: int) -> None:
        """Take in that the rows of this run are to be removed."""
        self._deleted.append(run)

    def merge(self, run: int, stream: int) -> None:
        """Take in that the rows of this stream are to be merged."""
        self._due[stream] = run
        self._again = self._again or (self._merge is not None and self._merge[0] == stream)

    def prepare(self, engine: sa.Engine) -> bool:
        """Read and unpack the rows that are merged next, if that is not done; tell whether anything is left."""
        if self._merge is None and (stream := next(iter(self._due), None)) is not None:
            with engine.connect() as connection:
                self._merge = stream, Merge(connection, self._due[stream], stream)
        return self.left

    def merge_some(self, connection: sa.Connection) -> bool:
        """Merge some keys of what was prepared; tell whether there were any."""
        if self._merge is None:
            return False
        stream, merge = self._merge
        run = self._due[stream]
        gone = connection.execute(sa.select(runs.c.id).where(runs.c.id == run)).first() is None
        if gone or merge.work(connection, _SECONDS):
            if gone or not self._again:  # else rows came meanwhile whose merge is due as well
                del self._due[stream]
            self.reset()
        return True

    def reset(self) -> None:
        """Forget what was prepared: it may not be what is on disk any more."""
        self._merge, self._again = None, False

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
