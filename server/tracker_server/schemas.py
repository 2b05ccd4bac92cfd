"""Pydantic models of requests, and of the types in `tracker.wire`; responses use them for documentation only."""

from __future__ import annotations

import inspect
from functools import cache
from types import GenericAlias, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints, is_typeddict

from pydantic import BaseModel, ConfigDict, Field, create_model

from tracker import wire
from tracker.runlog.alerts import Alert

from .report_blocks import Block


class Error(BaseModel):
    """An error: what happened and what to do."""

    error: str


class FilterError(Error):
    """An error; for an invalid filter with the position and length of the part that is wrong."""

    position: int | None = None
    length: int | None = None


class ChartGroup(BaseModel):
    """A group of runs that are drawn as one series."""

    name: str = Field(max_length=10_000)
    runs: list[str] = Field(min_length=1, max_length=10_000, description="`entity/project/id` of each run")


class ChartRequest(BaseModel):
    """Line charts of several keys of runs, or of groups of runs."""

    model_config = ConfigDict(extra="forbid")

    runs: list[str] = Field([], max_length=1000, description="`entity/project/id` of each run")
    groups: list[ChartGroup] = Field([], max_length=1000, description="Instead of runs; only as a frame")
    keys: list[str] = Field(min_length=1, max_length=1000)
    kind: Literal["history", "system"] = "history"
    x: str = Field("_step", description="`_step`, `_timestamp`, `_runtime`, or a logged key")
    buckets: int = Field(
        1000, ge=1, le=10_000, description="Most points of a series; series with fewer points are returned whole"
    )
    min: float | None = Field(None, description="Smallest x", allow_inf_nan=False)
    max: float | None = Field(None, description="Largest x", allow_inf_nan=False)


class KeysRequest(BaseModel):
    """Selects runs whose logged keys are listed."""

    model_config = ConfigDict(extra="forbid")

    runs: list[str] = Field(max_length=1000, description="`entity/project/id` of each run")
    kind: Literal["history", "system"] = "history"


@cache
def model(shape: type) -> type[BaseModel]:
    """Return a pydantic model with the members and the docstring of a `TypedDict`."""
    # pydantic supports typing.TypedDict only from Python 3.12 on.
    hints = get_type_hints(shape)
    required: frozenset[str] = shape.__required_keys__  # type: ignore[attr-defined]
    fields: dict[str, Any] = {
        name: (_translated(hint), ... if name in required else None) for name, hint in hints.items()
    }
    return create_model(shape.__name__, __doc__=inspect.cleandoc(shape.__doc__ or ""), **fields)


def _translated(hint: Any) -> Any:
    if is_typeddict(hint):
        return model(hint)
    origin, parts = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return Union[tuple(_translated(part) for part in parts)]  # noqa: UP007 - built at run time
    if origin in (list, dict):
        return origin[tuple(_translated(part) for part in parts)]
    return hint


class FileInfo(BaseModel):
    """A named file of a run."""

    name: str
    digest: str
    size: int | None
    stored: bool = Field(description="Whether its content is uploaded")


class ConsoleLine(BaseModel):
    """A line of console output; `time` is Unix seconds."""

    time: float
    stream: str
    text: str


def _page(name: str, guarantee: str, **members: Any) -> type[BaseModel]:
    fields: dict[str, Any] = {member: (hint, ...) for member, hint in members.items()}
    made: type[BaseModel] = create_model(name, __doc__=guarantee, **fields)
    return made


def _paged(name: str, guarantee: str, **members: Any) -> type[BaseModel]:
    return _page(name, guarantee, **members, cursor=str | None, total=int)


def _many(shape: type) -> Any:
    return GenericAlias(list, (model(shape),))


Projects = _page("Projects", "All projects.", projects=_many(wire.ProjectInfo))
Runs = _paged(
    "Runs",
    "A page of matching runs; `total` counts all of them.",
    runs=_many(wire.RunInfo),
)
Keys = _page("Keys", "The logged keys of a run.", keys=_many(wire.KeyInfo))
CommonKeys = _page("CommonKeys", "The logged keys of several runs.", keys=_many(wire.CommonKey))
Charts = _page("Charts", "A series for each run and key that has points.", series=_many(wire.Series))
Console = _page(
    "Console",
    "Lines of console output from the number `start` on; `total` counts all lines.",
    lines=list[ConsoleLine],
    start=int,
    total=int,
    cursor=str | None,
)
Matches = _page(
    "Matches",
    "Numbers of matching lines; `next` is the `after` of the next request, null at the end.",
    matches=list[int],
    next=int | None,
)
Edits = _paged(
    "Edits",
    "Who edited a run, the newest edits first; `total` counts all of them.",
    edits=_many(wire.Edit),
)
Alerts = _page("Alerts", "The alerts of a run, the oldest first.", alerts=_many(Alert))
Files = _page("Files", "The named files of a run.", files=list[FileInfo])
Reports = _paged(
    "Reports",
    "A page of a project's reports; `total` counts all of them.",
    reports=_many(wire.ReportInfo),
)
ReportVersions = _paged(
    "ReportVersions",
    "A page of a report's versions, the newest first; `total` counts all of them.",
    versions=_many(wire.ReportVersion),
)
Comments = _paged(
    "Comments",
    "A page of comments on a run or report, the oldest first; `total` counts all of them.",
    comments=_many(wire.Comment),
)
Report = create_model("Report", __base__=model(wire.Report), __doc__=wire.Report.__doc__, blocks=(list[Block], ...))
ReportConflict = create_model(
    "ReportConflict",
    __base__=Error,
    __doc__="The report has a newer version than the one to replace: `report`.",
    report=(Report, ...),
)
