"""Read and change the tables of accounts, keys and links; each change is known to the running server."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from tracker_server.storage.access_schema import access_version
from tracker_server.storage.interface import StorageFull


class AccessDatabase:
    """The tables of `storage.access_schema`, over the engine of the storage.

    Any process may change them, also while a server runs: each change increases `version`, which the server compares
    with that of its snapshot.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._writer = engine.execution_options(write=True)

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Return a connection that sees one state of the database."""
        with self._engine.connect() as connection:
            yield connection

    @contextmanager
    def changing(self) -> Iterator[sa.Connection]:
        """Return a connection with the write lock; commit at the end of the block, or nothing after an error.

        Raises `StorageFull` on a full disk.
        """
        with _space(), self._writer.begin() as connection:
            yield connection
            grown = access_version.update().values(version=access_version.c.version + 1)
            if not connection.execute(grown).rowcount:
                connection.execute(access_version.insert().values(id=1, version=1))

    @contextmanager
    def noting(self) -> Iterator[sa.Connection]:
        """Return a connection for changes that do not concern rights, such as when a key was last used."""
        with _space(), self._writer.begin() as connection:
            yield connection

    def version(self) -> int:
        """Return the number of changes so far."""
        with self._engine.connect() as connection:
            return version_of(connection)


@contextmanager
def _space() -> Iterator[None]:
    """Raise `StorageFull` for errors that mean a full disk."""
    try:
        yield
    except sa.exc.DBAPIError as error:
        if "disk is full" in str(error.orig) or getattr(error.orig, "errno", None) in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFull("the server's disk is full: free some space there") from error
        raise


def version_of(connection: sa.Connection) -> int:
    """Return the number of changes that this connection sees."""
    return connection.execute(sa.select(access_version.c.version)).scalar_one_or_none() or 0
