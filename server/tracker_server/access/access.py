"""What the running server knows of accounts and rights: the snapshot, and how to read and change what is behind it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from tracker_server.workers import Workers

from . import snapshot
from .database import AccessDatabase

T = TypeVar("T")


class Access:
    """The snapshot of accounts and rights, kept current. Use it in the event loop's thread only."""

    def __init__(self, database: AccessDatabase, workers: Workers) -> None:
        self.database = database
        self._workers = workers
        self._listeners: list[Callable[[], None]] = []
        with database.reading() as connection:
            self.snapshot = snapshot.load(connection)

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call `listener` after each change of the snapshot."""
        self._listeners.append(listener)

    async def read(self, function: Callable[..., T], *args: Any) -> T:
        """Run `function(connection, *args)` in a reading thread."""

        def run() -> T:
            with self.database.reading() as connection:
                return function(connection, *args)

        return await self._workers.read(run)

    async def note(self, function: Callable[..., None], *args: Any) -> None:
        """Run `function(connection, *args)`, which changes nothing that rights depend on, in the writing thread."""

        def run() -> None:
            with self.database.noting() as connection:
                function(connection, *args)

        await self._workers.write(run)

    async def change(self, function: Callable[..., T], *args: Any) -> T:
        """Run `function(connection, *args)` in one transaction in the writing thread; the snapshot then has it."""

        def run() -> T:
            with self.database.changing() as connection:
                return function(connection, *args)

        try:
            return await self._workers.write(run)
        finally:
            await self.refresh()

    async def refresh(self) -> None:
        """Read the snapshot again if anything has changed."""
        fresh = await self._workers.parse(self._load)
        if fresh is not None and fresh.version > self.snapshot.version:
            self.snapshot = fresh
            for listener in self._listeners:
                listener()

    def _load(self) -> snapshot.Snapshot | None:
        if self.database.version() == self.snapshot.version:
            return None
        with self.database.reading() as connection:
            return snapshot.load(connection)
