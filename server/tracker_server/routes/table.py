"""The runs table: rows, columns, groups."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from tracker import wire
from tracker_server.schemas import FilterError, model
from tracker_server.services import Services, json_response
from tracker_server.storage.interface import MAX_EXPRESSION

from .parameters import run_key

_BAD_FILTER: dict[int | str, dict[str, Any]] = {
    400: {"model": FilterError, "description": "What is wrong, and with a filter that is not understood, where"}
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
        "", max_length=1000, description="Text in a run's name, id, notes, tags or group; a pattern between slashes"
    )
    sort: list[SortBy] = Field([], max_length=10, description="By default the newest come first")
    columns: list[str] = Field([], max_length=1000)
    offset: int = Field(0, ge=0)
    ids: list[str] | None = Field(None, max_length=100_000, description="Only these runs")
    trashed: bool = Field(False, description="Those in the trash, in place of all others")


class TableRequest(_Query):
    """Which runs, in what order, and which of their columns."""

    limit: int = Field(100, ge=0, le=10_000)


class ColumnsRequest(BaseModel):
    """Which columns are looked for."""

    model_config = ConfigDict(extra="forbid")

    search: str = Field("", max_length=20_000, description="Only those whose name has this text, in any case")
    names: list[str] = Field([], max_length=1000, description="Besides, those of these names")


class GroupRequest(_Query):
    """Which runs are drawn together how; `columns` are summed up in each group.

    Groups are sorted by the mean of a number, else by the value; `count` is their size, by which they are sorted by
    default, the largest first.
    """

    by: list[str] | None = Field(None, max_length=100, description="Runs in a group have the same in these columns")
    except_: list[str] | None = Field(
        None, alias="except", max_length=1000, description="… in every column of the config but these"
    )
    limit: int = Field(100, ge=0, le=1000)


def add_routes(api: FastAPI, services: Services) -> None:
    """Add the routes."""
    storage = services.storage

    async def answer(function: Callable[..., Any], *args: Any) -> Response:
        # Long columns are arrays, in which NaN stands for null.
        read = lambda: orjson.dumps(function(*args), option=orjson.OPT_SERIALIZE_NUMPY)  # noqa: E731
        return json_response(await services.read(read))

    @api.post(
        "/api/table/{entity}/{project}",
        response_model=model(wire.TablePage),
        responses=_BAD_FILTER,
        summary="Rows of the runs table, by column",
    )
    async def table(entity: str, project: str, query: TableRequest) -> Response:
        run_key(entity, project, "any")
        return await answer(storage.table, entity, project, query.model_dump(exclude_none=True))

    @api.get(
        "/api/columns/{entity}/{project}",
        response_model=model(wire.TableColumns),
        summary="What columns the runs table has",
    )
    async def columns(entity: str, project: str) -> Response:
        run_key(entity, project, "any")
        return await answer(storage.columns, entity, project)

    @api.post(
        "/api/columns/{entity}/{project}",
        response_model=model(wire.TableColumns),
        summary="Columns of the runs table, by search and by name",
    )
    async def search_columns(entity: str, project: str, query: ColumnsRequest) -> Response:
        run_key(entity, project, "any")
        return await answer(storage.columns, entity, project, query.search, query.names)

    @api.post(
        "/api/groups/{entity}/{project}",
        response_model=model(wire.TableGroups),
        responses=_BAD_FILTER,
        summary="Runs drawn together into groups",
    )
    async def groups(entity: str, project: str, query: GroupRequest) -> Response:
        run_key(entity, project, "any")
        return await answer(storage.groups, entity, project, query.model_dump(exclude_none=True, by_alias=True))
