"""Deferred work: merge rows with very many keys, remove rows of deleted runs, give back free space.

It is done in small pieces, each of which holds the writer only for a moment.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from .columnar.chunks import Merge
from .database import BUSY_TIMEOUT
from .schema import of_a_run, runs, streams, tombstones

_ROWS = 500
"""Rows that a piece removes; a row of `chunks` has about 16 KB."""

_SECONDS = 0.04
"""Seconds that a piece of a merge takes, about."""

_PAGES = 512
"""Pages of the database that a piece gives back."""


class Maintenance:
    """Keeps track of deferred work. Only the writer uses it, in its own transactions."""

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
        """Whether there is work."""
        return bool(self._due) or bool(self._deleted) or self._free

    def deleted(self, numbers: list[int]) -> None:
        """Add the removal of deleted runs' rows."""
        self._deleted += numbers

    def merge(self, run: int, stream: int) -> None:
        """Add the merge of a stream's rows."""
        self._due[stream] = run
        self._again = self._again or (self._merge is not None and self._merge[0] == stream)

    def prepare(self, engine: sa.Engine) -> bool:
        """Read and unpack the rows of the next merge, unless that is done; return whether there is any work."""
        if self._merge is None and (stream := next(iter(self._due), None)) is not None:
            with engine.connect() as connection:
                self._merge = stream, Merge(connection, self._due[stream], stream)
        return self.left

    def merge_some(self, connection: sa.Connection) -> bool:
        """Merge some keys of the prepared rows; return whether there were any."""
        if self._merge is None:
            return False
        stream, merge = self._merge
        run = self._due[stream]
        gone = connection.execute(sa.select(runs.c.id).where(runs.c.id == run)).first() is None
        if gone or merge.work(connection, _SECONDS):
            if gone or not self._again:  # else more rows have arrived that are due, too
                del self._due[stream]
            self.reset()
        return True

    def reset(self) -> None:
        """Discard the prepared rows, which may no longer match those on disk."""
        self._merge, self._again = None, False

    def remove_some(self, connection: sa.Connection) -> bool:
        """Remove some rows of deleted runs; return whether there were any."""
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
        """Shrink the file by some of its free pages. Call it outside of a transaction."""
        if not self._sqlite:
            self._free = False
            return
        cursor = connection.connection.cursor()
        cursor.execute("PRAGMA freelist_count")
        (free,) = cursor.fetchall()[0]
        if free:
            cursor.executescript(f"PRAGMA incremental_vacuum({_PAGES})")  # `execute` would free only one page
        if free <= _PAGES:
            # Without waiting for long queries and copies, which would keep writes waiting, too.
            cursor.execute("PRAGMA busy_timeout = 0")
            try:
                cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            finally:
                cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT}")
            self._free = False


def _tuple(columns: list[Any]) -> Any:
    return columns[0] if len(columns) == 1 else sa.tuple_(*columns)
