"""Parameters that several routes take: runs, pages, filters. Bad ones are refused with 400."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Depends, Path, Query
from starlette.exceptions import HTTPException
from starlette.requests import Request

from tracker.names import NAME_RULE, is_project_name
from tracker.runlog.records import RUN_ID
from tracker_server.storage.interface import RunKey


def run_key(entity: str, project: str, id: str) -> RunKey:
    """Return the run that a path names. Anything but the documented characters is refused with 400."""
    for what, value in (("entity", entity), ("project", project)):
        if not is_project_name(value):
            raise HTTPException(400, f"the {what} {value[:140]!r} {NAME_RULE}")
    if not RUN_ID.fullmatch(id):
        raise HTTPException(400, f"the run id {id[:80]!r} is not allowed: use 1 to 64 letters, digits, _ and -")
    return RunKey(entity, project, id)


def run_of(name: str) -> RunKey:
    """Return the run that `entity/project/id` names; see `run_key`."""
    parts = name.split("/")
    if len(parts) != 3:
        raise HTTPException(400, f"the run {name[:200]!r} must read entity/project/id")
    return run_key(*parts)


def byte_count(request: Request, parameter: str, hint: str) -> int:
    """Return a number of bytes from the query. Anything else is refused with 400 and the hint."""
    text = request.query_params.get(parameter, "")
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise HTTPException(400, f"{hint}, a number of bytes")
    return int(text)


def run_keys(names: list[str]) -> list[RunKey]:
    """Return the runs that `entity/project/id` name, each once. Anything else is refused with 400."""
    return [run_of(name) for name in dict.fromkeys(names)]


def _run(
    entity: Annotated[str, Path(description="User or team")],
    project: Annotated[str, Path()],
    id: Annotated[str, Path(description="The run's id")],
) -> RunKey:
    return run_key(entity, project, id)


Run = Annotated[RunKey, Depends(_run)]
Keys = Annotated[list[str] | None, Query(description="Only these keys; repeat it for several")]
KindOf = Annotated[Literal["history", "system"], Query(description="Logged metrics, or those of the machine")]
Limit = Annotated[int, Query(ge=1, le=10_000, description="At most this many")]
Cursor = Annotated[str | None, Query(max_length=1000, description="From the page before")]
Filters = Annotated[
    str,
    Query(
        max_length=20_000,
        description='An expression, for example `summary.acc >= 0.9`, or JSON: `{"summary.acc": {"$gte": 0.9}}`',
    ),
]
Order = Annotated[
    str, Query(max_length=1000, description="Names, separated by commas, each with an optional `-` for falling order")
]
