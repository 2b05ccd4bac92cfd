"""The storage as one principal may use it: each method asks `may` first.

What the principal may not read is answered as if it were not there, before the storage is asked, so that neither the
text nor the time tells whether it exists.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

from tracker.names import RunKey
from tracker.runlog.alerts import Alert
from tracker.runlog.fold import RunState
from tracker.wire import (
    ChartGroup,
    ChartQuery,
    CommonKey,
    Folded,
    GroupQuery,
    KeyInfo,
    Project,
    ProjectInfo,
    Resumption,
    RowPage,
    RunInfo,
    Series,
    StoredProject,
    TableColumns,
    TableGroups,
    TablePage,
    TableQuery,
)
from tracker_server.storage.interface import (
    Appended,
    Chart,
    ConsolePage,
    Kind,
    NoSuchRun,
    Page,
)

from .guarded_files import GuardedFiles
from .guarded_projects import GuardedProjects
from .guarded_reports import GuardedReports
from .rights import NOWHERE
from .roles import ACTIONS


class GuardedStorage(GuardedFiles, GuardedProjects, GuardedReports):
    """Implements `interface.Storage` for one principal, as of one snapshot of the rights."""

    def renewed(self) -> GuardedStorage | None:
        """Return the storage as the same credentials open it now: itself without a change, None if not at all."""
        renewed: GuardedStorage | None = self._renew(self)
        return renewed

    # -- writing --------------------------------------------------------------------------------------------------

    def read(self, stream: str, data: bytes) -> Any:
        """See `Storage.read`."""
        return self._storage.read(stream, data)

    def append(self, run: RunKey, stream: str, offset: int, lines: Any) -> Appended:
        """See `Storage.append`."""
        here = self.present(run)
        self.require("edit" if stream.startswith("edits") else "log", here.entity, here.project, run)
        return self._storage.append(here, stream, offset, lines, self._by())

    def append_all(self, batches: Sequence[tuple[RunKey, str, bytes]]) -> None:
        """See `Storage.append_all`."""
        self._storage.append_all([(self._for("edit", run), stream, data) for run, stream, data in batches], self._by())

    def delete(self, run: RunKey) -> list[str]:
        """See `Storage.delete`."""
        here = self._readable(run)
        self._require_delete([here])
        return self._storage.delete(here)

    def readmit(self, run: RunKey) -> None:
        """See `Storage.readmit`."""
        here = self._readable(run)
        self.require("delete_own", here.entity, here.project)
        self._storage.readmit(here)

    def trash(self, runs: Sequence[RunKey], when: float | None) -> int:
        """See `Storage.trash`. Runs that may not be read are ignored, like unknown ones."""
        readable = self._of_readable(runs)
        self._require_delete(readable)
        return self._storage.trash(readable, when)

    def _require_delete(self, runs: Sequence[RunKey]) -> None:
        others = [run for run in runs if not self.may("delete", run.entity, run.project)]
        if not others:
            return
        users = self._storage.users(others)
        for run in others:
            mine = run in users and users[run] == self._principal.id
            self.require("delete_own" if mine else "delete", run.entity, run.project)

    def put_view(self, entity: str, project: str, name: str, view: Any) -> None:
        """See `Storage.put_view`."""
        self._storage.put_view(*self._project_for("edit", entity, project), name, view, self._by())

    def delete_view(self, entity: str, project: str, name: str) -> None:
        """See `Storage.delete_view`."""
        self._storage.delete_view(*self._project_for("edit", entity, project), name)

    # -- what logging needs -----------------------------------------------------------------------------------------

    def offsets(self, run: RunKey) -> dict[str, int]:
        """See `Storage.offsets`."""
        return self._storage.offsets(self._for_log(run))

    def is_deleted(self, run: RunKey) -> None:
        """See `Storage.is_deleted`."""
        self._storage.is_deleted(self._for_log(run))

    def resumption(self, run: RunKey) -> Resumption:
        """See `Storage.resumption`."""
        return self._storage.resumption(self._for_log(run))

    def stop_requested(self, run: RunKey) -> float | None:
        """See `Storage.stop_requested`."""
        return self._storage.stop_requested(self._for_log(run))

    @property
    def has_deferred_work(self) -> bool:
        """See `Storage.has_deferred_work`."""
        return self._storage.has_deferred_work

    # -- reading ----------------------------------------------------------------------------------------------------

    def projects(self) -> list[ProjectInfo]:
        """See `Storage.projects`."""
        return [one for one in self._storage.projects() if self.may("read", one["entity"], one["project"])]

    def project(self, entity: str, project: str) -> Project:
        """See `Storage.project`. It also says what the principal may do there."""
        here = self.present_project(entity, project)
        shown = self._only(*here)
        if shown is None:
            here = self._project(entity, project)
            rights: list[str] = [action for action in ACTIONS if self.may(action, *here)]
            members = 0 if self._principal.kind == "link" else self._snapshot.members(here[0])
            return {**self._storage.project(*here), "rights": rights, "members": members}
        found = self._storage.project(*here)
        views = [view for view in found["views"] if self._shares_view(*here, view["name"])]
        # Of the rest of the project a link to a part of it tells nothing.
        part: StoredProject = {
            **found,
            "runs": len(shown),
            "active": 0,
            "activity": [],
            "views": views,
        }
        return {**part, "rights": ["read"], "members": 0}

    def _shares_view(self, entity: str, project: str, name: str) -> bool:
        shared = self._principal.shared
        return shared is not None and shared == (entity, project, "view", name)

    def view(self, entity: str, project: str, name: str) -> Any:
        """See `Storage.view`."""
        here = self.present_project(entity, project)
        return self._storage.view(*(here if self._shares_view(*here, name) else self._project(entity, project)), name)

    def table(self, entity: str, project: str, query: TableQuery) -> TablePage:
        """See `Storage.table`."""
        here, ids = self._listed(entity, project, query.get("ids"))
        return self._storage.table(*here, query if ids is None else {**query, "ids": ids})

    def columns(
        self,
        entity: str,
        project: str,
        search: str = "",
        wanted: Sequence[str] = (),
        ids: Sequence[str] | None = None,
    ) -> TableColumns:
        """See `Storage.columns`. Columns and their values tell nothing of runs that may not be read."""
        here, only = self._listed(entity, project, None if ids is None else list(ids))
        return self._storage.columns(*here, search, wanted, only)

    def groups(self, entity: str, project: str, query: GroupQuery) -> TableGroups:
        """See `Storage.groups`."""
        here, ids = self._listed(entity, project, query.get("ids"))
        return self._storage.groups(*here, query if ids is None else {**query, "ids": ids})

    def runs(
        self, entity: str, project: str, filters: dict[str, Any] | str, order: str, limit: int, cursor: str | None
    ) -> Page:
        """See `Storage.runs`."""
        return self._storage.runs(*self._table_of(entity, project), filters, order, limit, cursor)

    def run(self, run: RunKey) -> RunInfo:
        """See `Storage.run`."""
        return self._storage.run(self._readable(run))

    def edits(self, run: RunKey, limit: int, cursor: str | None) -> Page:
        """See `Storage.edits`."""
        return self._storage.edits(self._readable(run), limit, cursor)

    def users(self, runs: Sequence[RunKey]) -> dict[RunKey, int | None]:
        """See `Storage.users`."""
        return self._storage.users(self._of_readable(runs))

    def keys(self, run: RunKey, kind: Kind) -> list[KeyInfo]:
        """See `Storage.keys`."""
        return self._storage.keys(self._readable(run), kind)

    def common_keys(self, runs: Sequence[RunKey], kind: Kind) -> list[CommonKey]:
        """See `Storage.common_keys`. Runs that may not be read have no keys."""
        return self._storage.common_keys(
            [self._readable_or_none(run) or RunKey(*NOWHERE, run.id) for run in runs], kind
        )

    def rows(self, run: RunKey, kind: Kind, keys: list[str] | None, limit: int, cursor: str | None) -> RowPage:
        """See `Storage.rows`."""
        return self._storage.rows(self._readable(run), kind, keys, limit, cursor)

    def series(self, query: ChartQuery) -> list[Series]:
        """See `Storage.series`."""
        query, former = self._charted(query)
        found = self._storage.series(query)
        return [{**one, "run": former.get(one["run"], one["run"])} for one in found] if former else found

    def chart(self, query: ChartQuery) -> Chart:
        """See `Storage.chart`."""
        query, former = self._charted(query)
        chart = self._storage.chart(query)
        if former and "groups" not in query:
            lines = [line._replace(source=former.get(line.source, line.source)) for line in chart.lines]
            return chart._replace(lines=lines)
        return chart

    def console(
        self, run: RunKey, limit: int, cursor: str | None = None, start: int | None = None, only: str | None = None
    ) -> ConsolePage:
        """See `Storage.console`."""
        return self._storage.console(self._readable(run), limit, cursor, start, only)

    def console_search(
        self, run: RunKey, wanted: str, regex: bool, after: int, limit: int, only: str | None = None
    ) -> tuple[list[int], int | None]:
        """See `Storage.console_search`."""
        return self._storage.console_search(self._readable(run), wanted, regex, after, limit, only)

    def fold(self, run: RunKey) -> RunState:
        """See `Storage.fold`."""
        return self._storage.fold(self._readable(run))

    def folded(self, run: RunKey) -> Folded:
        """See `Storage.folded`."""
        return self._storage.folded(self._readable(run))

    def alerts(self, run: RunKey) -> list[Alert]:
        """See `Storage.alerts`."""
        return self._storage.alerts(self._readable(run))

    def files(self, run: RunKey) -> dict[str, dict[str, Any]]:
        """See `Storage.files`."""
        return self._storage.files(self._readable(run))

    def resolve(self, run: RunKey) -> RunKey:
        """See `Storage.resolve`."""
        return self._readable(run)

    def resolve_project(self, entity: str, project: str) -> tuple[str, str]:
        """See `Storage.resolve_project`."""
        return self._project(entity, project)

    def _listed(self, entity: str, project: str, ids: list[str] | None) -> tuple[tuple[str, str], list[str] | None]:
        """Return in which project to list runs, and which of them at most (None: all)."""
        here = self.present_project(entity, project)
        only = self._only(*here)
        if only is None:
            return self._table_of(entity, project), ids
        return here, only if ids is None else [id for id in ids if id in set(only)]

    def _readable_or_none(self, run: RunKey) -> RunKey | None:
        try:
            return self._readable(run)
        except NoSuchRun:
            return None

    def _of_readable(self, runs: Sequence[RunKey]) -> list[RunKey]:
        return [here for run in runs if (here := self._readable_or_none(run)) is not None]

    def _charted(self, query: ChartQuery) -> tuple[ChartQuery, dict[str, str]]:
        """Return the query for those runs that may be read, by present names; and their former names in the query.

        Names of a wrong form stay, for the storage to refuse.
        """
        former: dict[str, str] = {}

        def present(names: list[str]) -> list[str]:
            kept = []
            for name in names:
                parts = name.split("/")
                here = self._readable_or_none(RunKey(*parts)) if len(parts) == 3 else None
                if here is not None:
                    kept.append("/".join(here))
                    if kept[-1] != name:
                        former[kept[-1]] = name
                else:
                    kept.append(name if len(parts) != 3 else "/".join([*NOWHERE, parts[2]]))
            return kept

        made: ChartQuery = {**query}
        if "runs" in query:
            made["runs"] = present(query["runs"])
        if "groups" in query:
            made["groups"] = [ChartGroup(name=one["name"], runs=present(one["runs"])) for one in query["groups"]]
        return made, former

    # -- background work only ---------------------------------------------------------------------------------------

    def digests_in_use(self, digests: list[str]) -> NoReturn:
        """Not for requests."""
        raise NotImplementedError

    def names_changed(self) -> NoReturn:
        """Not for requests."""
        raise NotImplementedError

    def trashed(self, before: float) -> NoReturn:
        """Not for requests."""
        raise NotImplementedError

    def prepare_deferred_work(self) -> NoReturn:
        """Not for requests."""
        raise NotImplementedError

    def do_deferred_work(self) -> NoReturn:
        """Not for requests."""
        raise NotImplementedError

    def close(self) -> NoReturn:
        """Not for requests."""
        raise NotImplementedError
