"""Summarize projects without reading their runs' content: how many runs, how many running, when started."""

from __future__ import annotations

import threading
import time
from typing import Any

import numpy as np
import sqlalchemy as sa

from tracker.wire import ProjectInfo

from .liveness import silent
from .schema import projects, runs

DAYS = 30
_DAY = 86400

_COLUMNS = [runs.c[name] for name in ("id", "version", "created", "updated", "seen", "state", "heartbeat", "trashed")]
_VERSION = (
    sa.select(sa.func.max(runs.c.version)).where(runs.c.project == projects.c.id).correlate(projects).scalar_subquery()
)
_PROJECTS = sa.select(
    projects.c.id, *(projects.c[n] for n in ("entity", "name", "created", "deletions")), _VERSION.label("version")
)


class _Project:
    def __init__(self) -> None:
        self.version = -1
        self.deletions = 0
        self.runs: dict[int, tuple[float, float, float, bool, float | None]] = {}
        """Runs that are not in the trash: created, updated, seen, whether it is running, heartbeat."""


class Overview:
    """Keeps a summary of all projects up to date by the runs' versions, so that only changes are read. Thread-safe."""

    def __init__(self, since: float) -> None:
        """`since` is when this server started, before which it could not hear from agents."""
        self._since = since
        self._lock = threading.Lock()
        self._projects: dict[int, _Project] = {}

    def read(self, connection: sa.Connection, entity: str | None = None, project: str | None = None) -> list[Any]:
        """Return number and `ProjectInfo` of all projects, or of one, the most recently updated first."""
        query = _PROJECTS.where(~projects.c.name.startswith("/"))  # deleted ones: see aliases.py
        if entity is not None:
            query = query.where(projects.c.entity == entity, projects.c.name == project)
        now = time.time()
        found = []
        with self._lock:
            for row in connection.execute(query).all():
                known = self._projects.setdefault(row.id, _Project())
                _refresh(connection, known, row)
                found.append((row.id, self._info(row, known, now)))
        return sorted(found, key=lambda one: (-one[1]["updated"], one[0]))

    def _info(self, row: Any, known: _Project, now: float) -> ProjectInfo:
        some = known.runs.values()
        running = np.array([(seen, heartbeat or np.nan) for _, _, seen, runs_, heartbeat in some if runs_], float)
        lost = silent(running[:, 0], running[:, 1], self._since, now).sum() if len(running) else 0
        today = int(now // _DAY)
        days = np.array([today - one[0] // _DAY for one in some], float)
        activity = np.bincount(days[(days >= 0) & (days < DAYS)].astype(int), minlength=DAYS)
        return ProjectInfo(
            entity=row.entity,
            project=row.name,
            runs=len(known.runs),
            updated=max((one[1] for one in some), default=0.0) or row.created,  # event files may have no times
            active=len(running) - int(lost),
            activity=activity[::-1].tolist(),
        )


def _refresh(connection: sa.Connection, known: _Project, row: Any) -> None:
    if row.deletions > known.deletions:
        known.runs, known.version, known.deletions = {}, -1, row.deletions
    if row.version is None or row.version <= known.version:
        return
    query = sa.select(*_COLUMNS).where(runs.c.project == row.id, runs.c.version > known.version)
    for run in connection.execute(query).all():
        if run.trashed is None:
            running = run.state == "running"
            known.runs[run.id] = run.created, run.updated, run.seen, running, run.heartbeat
        else:
            known.runs.pop(run.id, None)
        known.version = max(known.version, run.version)
