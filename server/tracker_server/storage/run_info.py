"""Describe a run as the API returns it (`wire.RunInfo`)."""

from __future__ import annotations

from typing import Any

from tracker.runlog.fold import RunState
from tracker.runlog.records import COLOR
from tracker.wire import RunInfo


def info(entity: str, project: str, row: Any, user: str | None, fold: RunState) -> RunInfo:
    """Return the description of a run from its row in the database, the name of its user, and its state."""
    meta, header = fold.meta, fold.header
    tags = meta.get("tags")
    return RunInfo(
        id=row.name,
        entity=entity,
        project=project,
        ordinal=row.id,
        user=user,
        name=_text(meta.get("name")) or row.name,
        state=fold.state,
        group=_text(meta.get("group")),
        job_type=_text(meta.get("job_type")),
        tags=[str(tag) for tag in tags] if isinstance(tags, list) else [],
        notes=_text(meta.get("notes")),
        config=fold.config,
        summary=fold.summary,
        metrics=fold.metrics,
        created=row.created,
        updated=fold.updated or row.created,  # runs that were only edited or added to have no lines of their own
        seen=row.seen,
        host=_text(header.get("host")),
        program=_text(header.get("program")),
        rows=sum(s.rows for name, s in fold.streams.items() if name.startswith("history")),
        corrupt=fold.corrupt,
        lost=fold.lost,
        refused=fold.refused,
        suspect=any(s.suspect is not None for s in fold.streams.values()),
        event_files=fold.event_files,
        error=fold.error,
        environment=fold.environment,
        last_step=fold.last_step,
        forked_from=_text(header.get("forked_from")),
        allow_stop=fold.allow_stop,
        stop_requested=fold.stop_requested,
        color=_color(meta.get("color")),
        trashed=row.trashed,
    )


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _color(value: Any) -> str | None:
    return value if isinstance(value, str) and COLOR.fullmatch(value) else None
