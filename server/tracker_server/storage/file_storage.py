"""Implement the part of the storage that says whose files are whose."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TypeVar

import sqlalchemy as sa

from tracker.names import RunKey

from . import possessions, run_state
from .interface import By
from .schema import digests as digest_table
from .writer import Writer

T = TypeVar("T")


class FileStorage:
    """The methods of `interface.Storage` for digests and possessions."""

    _engine: sa.Engine
    _writer: Writer

    def _space(self) -> AbstractContextManager[None]:
        """Raise `StorageFull` for errors that mean a full disk."""
        raise NotImplementedError

    def _making_room(self, change: Callable[[], T]) -> T:
        """Make a change that frees space, also on a full disk."""
        raise NotImplementedError

    def digests(self, run: RunKey) -> list[str]:
        """See `Storage.digests`. An unknown run has none."""
        with self._engine.connect() as connection:
            row = run_state.find(connection, run)
            if row is None:
                return []
            named = sa.select(digest_table.c.digest).where(digest_table.c.run == row.id)
            return list(connection.execute(named).scalars())

    def names_digest(self, run: RunKey, digest: str) -> bool:
        """See `Storage.names_digest`."""
        with self._engine.connect() as connection:
            row = run_state.find(connection, run)
            if row is None:
                return False
            here = (digest_table.c.run == row.id) & (digest_table.c.digest == digest)
            return connection.execute(sa.select(digest_table.c.run).where(here)).first() is not None

    def digests_in_use(self, digests: list[str]) -> set[str]:
        """See `Storage.digests_in_use`."""
        with self._engine.connect() as connection:
            return possessions.in_use(connection, digests)

    def held(self, run: RunKey, digests: list[str]) -> set[str]:
        """See `Storage.held`."""
        with self._engine.connect() as connection:
            row = run_state.find(connection, run)
            return set() if row is None else possessions.held(connection, row.id, digests)

    def possesses(self, digest: str, by: By) -> bool:
        """See `Storage.possesses`."""
        with self._engine.connect() as connection:
            return by.id is not None and possessions.possesses(connection, by.id, digest)

    def possess(self, run: RunKey, digest: str, size: int, by: By) -> None:
        """See `Storage.possess`."""
        with self._space(), self._writer.changing() as connection:
            row = run_state.find(connection, run)
            possessions.possess(connection, by.id, None if row is None else row.id, digest, size)

    def forget(self, digests: list[str]) -> None:
        """See `Storage.forget`."""

        def forget() -> None:
            with self._writer.changing() as connection:
                possessions.forget(connection, digests)

        self._making_room(forget)

    def uses(self, entity: str, digest: str) -> bool:
        """See `Storage.uses`."""
        with self._engine.connect() as connection:
            return possessions.uses(connection, entity, digest)

    def usage(self, entity: str) -> tuple[int, list[str]]:
        """See `Storage.usage`."""
        with self._engine.connect() as connection:
            return possessions.usage(connection, entity)

    def put_sizes(self, sizes: dict[str, int]) -> None:
        """See `Storage.put_sizes`."""
        with self._space(), self._writer.changing() as connection:
            possessions.put_sizes(connection, sizes)
