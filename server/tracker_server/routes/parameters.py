"""Parameters that several routes share: runs, pages, filters. Invalid ones are refused with 400."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Depends, Path, Query
from starlette.exceptions import HTTPException
from starlette.requests import Request

from tracker.names import NAME_RULE, RunKey, is_project_name
from tracker.runlog.records import RUN_ID
from tracker_server.access.paging import MAX_PAGE, Part


def run_key(entity: str, project: str, id: str) -> RunKey:
    """Return the run that a path names. Raises 400 for names that are not allowed."""
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
        raise HTTPException(400, f"the run {name[:200]!r} must have the form entity/project/id")
    return run_key(*parts)


def byte_count(request: Request, parameter: str, hint: str) -> int:
    """Return a number of bytes from the query. Raises 400 with the hint for anything else."""
    text = request.query_params.get(parameter, "")
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise HTTPException(400, f"{hint}, a number of bytes")
    return int(text)


def run_keys(names: list[str]) -> list[RunKey]:
    """Return the runs with these names (`entity/project/id`), without duplicates. Raises 400 for invalid names."""
    return [run_of(name) for name in dict.fromkeys(names)]


def _run(
    entity: Annotated[str, Path(description="User or team")],
    project: Annotated[str, Path()],
    id: Annotated[str, Path(description="The run's id")],
) -> RunKey:
    return run_key(entity, project, id)


Run = Annotated[RunKey, Depends(_run)]
Keys = Annotated[list[str] | None, Query(description="Only these keys; can be repeated")]
KindOf = Annotated[Literal["history", "system"], Query(description="Logged metrics or system metrics")]
Limit = Annotated[int, Query(ge=1, le=10_000, description="At most this many")]
Cursor = Annotated[str | None, Query(max_length=1000, description="The cursor of the previous page")]
Filters = Annotated[
    str,
    Query(
        max_length=20_000,
        description='An expression such as `summary.acc >= 0.9`, or JSON such as `{"summary.acc": {"$gte": 0.9}}`',
    ),
]
Order = Annotated[
    str, Query(max_length=1000, description="Comma-separated names to sort by; a leading `-` means descending")
]


async def _part(  # a coroutine, because FastAPI runs other functions in a thread
    search: Annotated[str, Query(max_length=200, description="Only entries that contain this text")] = "",
    cursor: Cursor = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE, description="At most this many")] = 100,
) -> Part:
    return Part(search, cursor, limit)


PartOf = Annotated[Part, Depends(_part)]
