"""Ask `may` for a principal, and find the present names of runs and projects."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tracker.names import RunKey
from tracker_server.storage.interface import OWNER, By, NoSuchProject, NoSuchRun, Storage

from .errors import Forbidden
from .principal import Principal
from .roles import Action, may
from .shown_runs import shown_runs
from .snapshot import Snapshot

NOWHERE = ".", "."
"""A project that cannot exist: no name begins with a dot."""


class Rights:
    """What one principal may do with a storage, as of one snapshot of the rights."""

    def __init__(
        self,
        storage: Storage,
        principal: Principal,
        snapshot: Snapshot,
        renew: Callable[[Any], Any],
        note_reading: Callable[[Principal, str, str], None],
    ) -> None:
        """`renew` returns what the same credentials allow now; None if nothing.

        `note_reading` is told which projects a server admin reads without a role there.
        """
        self._storage, self._principal, self._snapshot, self._renew = storage, principal, snapshot, renew
        self._note_reading = note_reading

    def may(self, action: Action, entity: str, project: str | None = None, run: str | None = None) -> bool:
        """Return whether the principal may do this; the names are present ones."""
        about = None if project is None else self._snapshot.project(entity, project)
        return may(self._principal if run is None else self._with_shown(), action, entity, about, run)

    def _with_shown(self) -> Principal:
        """Return the principal; a link to a view or report with the runs that it shows."""
        shared = self._principal.shared
        if shared is not None and shared.kind in ("view", "report") and not self._principal.shown:
            self._principal = replace(self._principal, shown=shown_runs(self._storage, shared))
        return self._principal

    def _only(self, entity: str, project: str) -> list[str] | None:
        """Return the runs of a project to which a link is restricted; None if it is no such link."""
        shared = self._principal.shared
        if shared is None or shared.kind == "project" or (shared.entity, shared.project) != (entity, project):
            return None
        return [shared.target or ""] if shared.kind == "run" else sorted(self._with_shown().shown)

    def sees(self, entity: str, project: str, run: str | None) -> bool:
        """Return whether the principal may hear of changes; the names are present ones."""
        shared = self._principal.shared
        if shared is not None and shared.kind in ("view", "report"):
            return False  # which runs these show is not known without the disk
        return self.may("read", entity, project, run)

    def is_like(self, principal: Principal, snapshot: Snapshot) -> bool:
        """Return whether it was made for the same rights."""
        return replace(self._principal, shown=frozenset()) == principal and self._snapshot.internal == snapshot.internal

    def require(self, action: Action, entity: str, project: str, asked: RunKey | None = None) -> None:
        """Raise `Forbidden` unless the principal may do this. The text does not depend on what exists.

        `asked` has the names in the request: a text with the present ones would tell where a former name leads.
        """
        if not self.may(action, entity, project):
            named = (entity, project) if asked is None else asked[:2]
            name = self._principal.name or "NAME"
            raise Forbidden(_REFUSED[action].format(entity=named[0], project=named[1], name=name))

    def _by(self) -> By:
        """Return who writes, for the storage."""
        if self._principal.kind == "owner":
            return OWNER
        return By(self._principal.id, lambda entity, project: self.may("read", entity, project))

    def present(self, run: RunKey) -> RunKey:
        """Return the present name of a run, whether it exists or not. It tells nothing about who may read it."""
        return self._storage.resolve(RunKey(self._snapshot.entity(run.entity), run.project, run.id))

    def present_project(self, entity: str, project: str) -> tuple[str, str]:
        """Return the present entity and name of a project, whether it exists or not."""
        return self._storage.resolve_project(self._snapshot.entity(entity), project)

    def require_log(self, run: RunKey) -> None:
        """Raise `Forbidden` unless the principal may log to the run."""
        here = self.present(run)
        self.require("log", here.entity, here.project, run)

    def _readable(self, run: RunKey) -> RunKey:
        """Return the present name of a run. Raises `NoSuchRun` if the principal may not read it."""
        here = self.present(run)
        if not self.may("read", here.entity, here.project, here.id):
            raise NoSuchRun(f"there is no run {'/'.join(run)} on this server")
        self._note(here.entity, here.project)
        return here

    def _for_log(self, run: RunKey) -> RunKey:
        """Return the present name of a run for reading what resuming needs. Raises `Forbidden`."""
        here = self.present(run)
        if not self.may("read", here.entity, here.project, here.id):
            self.require("log", here.entity, here.project, run)
        return here

    def _for(self, action: Action, run: RunKey) -> RunKey:
        """Return the present name of a run for a change. Raises `NoSuchRun`, `Forbidden`."""
        here = self._readable(run)
        self.require(action, here.entity, here.project)
        return here

    def _project(self, entity: str, project: str) -> tuple[str, str]:
        """Return the present name of a project. Raises `NoSuchProject` if the principal may not read it."""
        here = self.present_project(entity, project)
        if not self.may("read", *here):
            raise NoSuchProject(f"there is no project {entity}/{project} on this server")
        self._note(*here)
        return here

    def _project_for(self, action: Action, entity: str, project: str) -> tuple[str, str]:
        here = self._project(entity, project)
        self.require(action, *here)
        return here

    def project_to_share(self, entity: str, project: str) -> tuple[str, str]:
        """Return the present name of a project. Raises `NoSuchProject`, or `Forbidden` unless it may be shared."""
        return self._project_for("share", entity, project)

    def _table_of(self, entity: str, project: str) -> tuple[str, str]:
        """Return the present name of a project; for one that may not be read, one that has no runs."""
        here = self.present_project(entity, project)
        if not self.may("read", *here):
            return NOWHERE
        self._note(*here)
        return here

    def _note(self, entity: str, project: str) -> None:
        """Note that a server admin reads what their roles would not show them."""
        if self._principal.is_admin and entity not in self._principal.roles:
            self._note_reading(self._principal, entity, project)


_NOT_YOURS = "ask an admin of {entity} for "
_REFUSED: dict[Action, str] = {
    "log": "you may not log to {entity}/{project}: " + _NOT_YOURS + "the role member, or log to a project "
    "of your own with TRACKER_ENTITY={name}",
    "edit": "you may not change anything in {entity}/{project}: " + _NOT_YOURS + "the role member",
    "delete_own": "you may not delete runs of {entity}/{project}: " + _NOT_YOURS + "the role member",
    "delete": "you may delete only your own runs in {entity}/{project}: " + _NOT_YOURS + "the role admin",
    "share": "you may not share {entity}/{project}: " + _NOT_YOURS + "the role admin",
    "manage_project": "you may not manage {entity}/{project}: " + _NOT_YOURS + "the role admin",
}
