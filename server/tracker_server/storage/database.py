"""Connect to the database, and run prepared statements."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sqlalchemy as sa

from . import access_schema, query_budget, report_schema
from .database_file import SCHEMA_VERSION, prepare
from .migrations import migrate

metadata = access_schema.entities.metadata
assert report_schema.reports.metadata is metadata  # all tables are made together


BUSY_TIMEOUT = 30_000
"""Milliseconds that a connection waits for others."""


def connect(url: str, locked: bool = False) -> sa.Engine:
    """Return an engine for the database, with all tables created. Each transaction reads one state of the database.

    A database of an earlier version is migrated, which needs the lock of its directory: `locked` says that this
    process holds it. With SQLite a commit returns once the data is on disk (WAL, synchronous=FULL), and connections
    with the execution option `write=True` take the write lock when they begin.

    Raises `UnusableDatabase`, before anything is written, if the file is not a database of this program, is of a newer
    version, or is of an earlier one and in use.
    """
    engine = sa.create_engine(url, pool_size=8, max_overflow=32)
    if engine.dialect.name == "sqlite":
        path = Path(engine.url.database or "")
        version = prepare(path)
        sa.event.listen(engine, "connect", _set_up_sqlite)
        sa.event.listen(engine, "begin", _begin_sqlite)
    writer = engine.execution_options(write=True)
    if engine.dialect.name == "sqlite" and version < SCHEMA_VERSION:
        migrate(writer, path, locked)
    metadata.create_all(writer)
    return engine


def _set_up_sqlite(connection: Any, _record: object) -> None:
    query_budget.watch(connection)
    connection.isolation_level = None  # otherwise the driver begins transactions late and without the lock
    connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA journal_size_limit = 67108864")
    connection.execute("PRAGMA cache_size = -2000")


def _begin_sqlite(connection: sa.Connection) -> None:
    # IMMEDIATE: a transaction that begins with reading fails to write if another has written in between.
    write = connection.get_execution_options().get("write", False)
    connection.connection.cursor().execute("BEGIN IMMEDIATE" if write else "BEGIN")


class Prepared:
    """A statement that is compiled once and passed directly to the driver.

    During ingest SQLAlchemy's bookkeeping for each statement would cost more than the database's work. Errors are the
    driver's own, not wrapped.
    """

    def __init__(self, engine: sa.Engine, statement: Any, names: list[str] | None = None) -> None:
        """Compile the statement; `names` are the columns that an insert fills."""
        compiled = statement.compile(dialect=engine.dialect, column_keys=names)
        self._sql = str(compiled)
        self._names = getattr(compiled, "positiontup", None)

    def __call__(self, connection: sa.Connection, **values: Any) -> Any:
        """Run the statement with named values in the connection's transaction; return the driver's cursor."""
        cursor = connection.connection.cursor()
        cursor.execute(self._sql, values if self._names is None else [values[name] for name in self._names])
        return cursor

    def many(self, connection: sa.Connection, values: list[tuple[Any, ...]]) -> None:
        """Run the statement with each of the tuples, whose values are in the order of `names`."""
        connection.connection.cursor().executemany(self._sql, values)
