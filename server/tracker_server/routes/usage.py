"""Say how many bytes of files an account or team uses."""

from __future__ import annotations

from fastapi import FastAPI
from pydantic import BaseModel, Field
from starlette.responses import Response

from tracker_server.access.errors import Missing
from tracker_server.access.quotas import Quotas
from tracker_server.access.roles import may

from .asker import answer
from .dependencies import PrincipalOf


class Usage(BaseModel):
    """The files of an account or team."""

    entity: str
    used: int = Field(description="Bytes of files that its runs hold, each content once; up to some seconds old")
    quota: int | None = Field(description="Most bytes of files; null for no limit")


def add_routes(api: FastAPI, quotas: Quotas) -> None:
    """Add the route `/api/usage`."""

    @api.get("/api/usage/{entity}", response_model=Usage, summary="Get how many bytes of files an account or team uses")
    async def usage(principal: PrincipalOf, entity: str) -> Response:
        name = quotas.present(entity)
        if not may(principal, "read", name, None):
            raise Missing(f"there is no account or team {entity[:140]!r}")
        return answer({"entity": name, "used": await quotas.used(name), "quota": quotas.quota(name)})
