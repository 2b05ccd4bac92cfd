"""Changes of projects, and moves of runs, as one principal may make them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tracker.names import RunKey
from tracker_server.storage.interface import Visibility

from .rights import Rights


class GuardedProjects(Rights):
    """The part of `GuardedStorage` that changes projects. It needs `manage_project` in each place that changes."""

    def set_visibility(self, entity: str, project: str, visibility: Visibility) -> None:
        """See `Storage.set_visibility`."""
        self._storage.set_visibility(*self._project_for("manage_project", entity, project), visibility)

    def rename_project(self, entity: str, project: str, new_entity: str, new_name: str) -> None:
        """See `Storage.rename_project`."""
        here = self._project_for("manage_project", entity, project)
        self._storage.rename_project(*here, *self.new_project(new_entity, new_name))

    def copy_project(
        self, entity: str, project: str, new_entity: str, new_name: str, stop: Callable[[], bool] = lambda: False
    ) -> None:
        """See `Storage.copy_project`."""
        here = self._project_for("manage_project", entity, project)
        self._storage.copy_project(*here, *self.new_project(new_entity, new_name), stop)

    def delete_project(self, entity: str, project: str) -> list[str]:
        """See `Storage.delete_project`."""
        return self._storage.delete_project(*self._project_for("manage_project", entity, project))

    def move_runs(self, runs: Sequence[RunKey], entity: str, project: str) -> list[RunKey]:
        """See `Storage.move_runs`."""
        there = self._project_for("manage_project", entity, project)
        return self._storage.move_runs([self._for("manage_project", run) for run in runs], *there)

    def new_project(self, entity: str, name: str) -> tuple[str, str]:
        """Return the present entity and the name for a project. Raises `Forbidden` where it may not be managed."""
        here = self._snapshot.entity(entity)
        self.require("manage_project", here, name, RunKey(entity, name, ""))
        return here, name
