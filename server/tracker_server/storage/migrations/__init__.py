"""Bring databases of earlier versions to the present schema, with Alembic.

The version of a database is SQLite's `user_version`, which is also what older programs look at before they refuse a
newer database. There is no second record of it (`alembic_version`). New databases are created from the tables in
`schema.py` and `access_schema.py` and never migrated; Alembic is imported only when there is something to migrate.

A migration is a module in `versions/` whose `revision` is the version it leads to. Once that version is released, the
module never changes. To change the schema until then:

1. change the tables;
2. run `python tools/migration.py`, which writes the newest module again from the difference to the version before.

To begin a new version, increase `SCHEMA_VERSION` first, and add a database of the version before to
`tests/server/storage/migrations/`.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import sqlalchemy as sa

from tracker_server.storage.database_file import SCHEMA_VERSION, UnusableDatabase
from tracker_server.storage.directory_lock import DirectoryInUse, sole_use

HERE = Path(__file__).parent


def migrate(writer: sa.Engine, path: Path, locked: bool) -> None:
    """Bring the database to `SCHEMA_VERSION`: in one transaction, so that any failure leaves it as it was.

    Args:
        writer: An engine whose transactions take the write lock when they begin.
        path: The database.
        locked: Whether this process holds the lock of the directory; otherwise it is taken, since a server of an
            earlier version that uses the database must not have it changed.

    Raises:
        UnusableDatabase: If another process uses the directory, or the disk is full.
    """
    with ExitStack() as stack:
        try:
            if not locked:
                stack.enter_context(sole_use(path.parent))
            with writer.begin() as connection:
                apply(connection)
        except DirectoryInUse as error:
            raise UnusableDatabase(
                f"{path} must be upgraded to this version, but a server of an earlier version{error.process} uses it: "
                "stop that server, and try again; nothing was changed"
            ) from None
        except (OSError, sa.exc.OperationalError) as error:
            why = getattr(error, "orig", None) or getattr(error, "strerror", None) or error
            raise UnusableDatabase(
                f"{path} could not be upgraded to this version ({why}): if the disk is full, free some space; "
                "nothing was changed"
            ) from error


def apply(connection: sa.Connection) -> None:
    """Apply the migrations that the database lacks, in the transaction of the connection."""
    from alembic.migration import MigrationContext
    from alembic.operations import Operations
    from alembic.script import ScriptDirectory

    (version,) = connection.exec_driver_sql("PRAGMA user_version").one()
    scripts = reversed(list(ScriptDirectory(str(HERE)).walk_revisions()))
    if sa.inspect(connection).has_table("projects"):  # else the process that created it was killed before its tables
        with Operations.context(MigrationContext.configure(connection)):
            for script in scripts:
                if int(script.revision) > version:
                    script.module.upgrade()
    if version < SCHEMA_VERSION:
        connection.exec_driver_sql(f"PRAGMA user_version = {SCHEMA_VERSION}")
