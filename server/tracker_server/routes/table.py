"""Read the runs table: rows, columns and groups."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from tracker import wire
from tracker_server.responses import json_response
from tracker_server.schemas import FilterError, model
from tracker_server.services import Services
from tracker_server.storage.interface import MAX_EXPRESSION

from .dependencies import StorageOf
from .parameters import run_key

_BAD_FILTER: dict[int | str, dict[str, Any]] = {
    400: {"model": FilterError, "description": "The problem and, for an invalid filter, its position"}
}


class SortBy(BaseModel):
    """A column to sort by."""

    model_config = ConfigDict(extra="forbid")

    column: str
    descending: bool = False


class _Query(BaseModel):
    model_config = ConfigDict(extra="forbid")

    filter: str = Field("", max_length=MAX_EXPRESSION, description="An expression: docs/reference/filters.md")
    search: str = Field(
        "", max_length=1000, description="Text in a run's name, id, notes, tags or group; between slashes a pattern"
    )
    sort: list[SortBy] = Field([], max_length=10, description="By default the newest runs come first")
    columns: list[str] = Field([], max_length=1000)
    offset: int = Field(0, ge=0)
    ids: list[str] | None = Field(None, max_length=100_000, description="Only these runs")
    trashed: bool = Field(False, description="Only runs in the trash, instead of all others")


class TableRequest(_Query):
    """Selects runs, their order and columns."""

    limit: int = Field(100, ge=0, le=10_000)


class ColumnsRequest(BaseModel):
    """Selects columns by text or name."""

    model_config = ConfigDict(extra="forbid")

    search: str = Field(
        "", max_length=20_000, description="Only columns whose name contains this text; case is ignored"
    )
    names: list[str] = Field([], max_length=1000, description="Columns to list in addition")


class GroupRequest(_Query):
    """Selects runs and how they are grouped; `columns` are aggregated for each group.

    Groups are sorted by the mean of a numeric column, else by the value. `count` is the size of a group. By default
    the largest groups come first.
    """

    by: list[str] | None = Field(None, max_length=100, description="Runs of a group have equal values in these columns")
    except_: list[str] | None = Field(
        None,
        alias="except",
        max_length=1000,
        description="Runs of a group have equal values in all config columns except these",
    )
    limit: int = Field(100, ge=0, le=1000)


def add_routes(api: FastAPI, services: Services) -> None:
    """Add the routes of the runs table."""

    async def answer(function: Callable[..., Any], *args: Any) -> Response:
        # Long columns are numpy arrays, in which NaN means null.
        read = lambda: orjson.dumps(function(*args), option=orjson.OPT_SERIALIZE_NUMPY)  # noqa: E731
        return json_response(await services.read(read))

    @api.post(
        "/api/table/{entity}/{project}",
        response_model=model(wire.TablePage),
        responses=_BAD_FILTER,
        summary="Get rows of the runs table by column",
    )
    async def table(storage: StorageOf, entity: str, project: str, query: TableRequest) -> Response:
        run_key(entity, project, "any")
        return await answer(storage.table, entity, project, query.model_dump(exclude_none=True))

    @api.get(
        "/api/columns/{entity}/{project}",
        response_model=model(wire.TableColumns),
        summary="List the columns of the runs table",
    )
    async def columns(storage: StorageOf, entity: str, project: str) -> Response:
        run_key(entity, project, "any")
        return await answer(storage.columns, entity, project)

    @api.post(
        "/api/columns/{entity}/{project}",
        response_model=model(wire.TableColumns),
        summary="Find columns of the runs table by text and name",
    )
    async def search_columns(storage: StorageOf, entity: str, project: str, query: ColumnsRequest) -> Response:
        run_key(entity, project, "any")
        return await answer(storage.columns, entity, project, query.search, query.names)

    @api.post(
        "/api/groups/{entity}/{project}",
        response_model=model(wire.TableGroups),
        responses=_BAD_FILTER,
        summary="Group runs",
    )
    async def groups(storage: StorageOf, entity: str, project: str, query: GroupRequest) -> Response:
        run_key(entity, project, "any")
        return await answer(storage.groups, entity, project, query.model_dump(exclude_none=True, by_alias=True))
