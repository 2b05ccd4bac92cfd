"""Implement the part of the storage that renames, moves and deletes projects, and finds them by former names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import TypeVar

import sqlalchemy as sa

from tracker.names import RunKey

from . import copies, moves
from .aliases import Aliases
from .interface import Visibility
from .writer import Writer

T = TypeVar("T")


class ProjectStorage:
    """The methods of `interface.Storage` that change which projects there are, and what they are called."""

    _engine: sa.Engine
    _writer: Writer
    _aliases: Aliases

    def _space(self) -> AbstractContextManager[None]:
        """Raise `StorageFull` for errors that mean a full disk."""
        raise NotImplementedError

    def _making_room(self, change: Callable[[], T]) -> T:
        """Make a change that frees space, also on a full disk."""
        raise NotImplementedError

    def set_visibility(self, entity: str, project: str, visibility: Visibility) -> None:
        """See `Storage.set_visibility`. Raises `NoSuchProject`."""
        with self._space(), self._writer.changing() as connection:
            moves.set_visibility(connection, entity, project, visibility)

    def rename_project(self, entity: str, project: str, new_entity: str, new_name: str) -> None:
        """See `Storage.rename_project`. Raises `NoSuchProject`, `NameTaken`."""
        with self._space(), self._writer.moving() as connection:
            moves.rename(connection, entity, project, (new_entity, new_name))
        self._aliases.changed()

    def copy_project(
        self, entity: str, project: str, new_entity: str, new_name: str, stop: Callable[[], bool] = lambda: False
    ) -> None:
        """See `Storage.copy_project`. Raises `NoSuchProject`, `NameTaken`, `CopyStopped`."""
        with self._space():
            copies.copy(self._engine, self._writer, (entity, project), (new_entity, new_name), stop)
        self._aliases.changed()

    def delete_project(self, entity: str, project: str) -> list[str]:
        """See `Storage.delete_project`. Raises `NoSuchProject`."""

        def delete() -> list[str]:
            with self._writer.moving() as connection:
                numbers, named = moves.delete(connection, entity, project)
            self._writer.remove_rows(numbers)
            return named

        named = self._making_room(delete)
        self._aliases.changed(runs=True)
        return named

    def move_runs(self, runs: Sequence[RunKey], entity: str, project: str) -> list[RunKey]:
        """See `Storage.move_runs`. Raises `NoSuchRun`, `NoSuchProject`, `NameTaken`."""
        with self._space(), self._writer.moving() as connection:
            moved = moves.move_runs(connection, runs, entity, project)
        self._aliases.changed(runs=True)
        return moved

    def names_changed(self) -> None:
        """See `Storage.names_changed`."""
        self._aliases.changed()

    def resolve(self, run: RunKey) -> RunKey:
        """See `Storage.resolve`."""
        return self._aliases.run(run)

    def resolve_project(self, entity: str, project: str) -> tuple[str, str]:
        """See `Storage.resolve_project`."""
        return self._aliases.project(entity, project)
