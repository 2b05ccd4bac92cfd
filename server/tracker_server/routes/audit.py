"""Read the audit log."""

from __future__ import annotations

from typing import Annotated

from fastapi import FastAPI, Query
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from tracker_server.access import audit_log
from tracker_server.services import Services

from .asker import Asker, Right, answer_page
from .parameters import PartOf


class AuditEntry(BaseModel):
    """Who did what, when and from where; `time` in Unix seconds."""

    id: int
    time: float
    actor: str
    action: str
    entity: str | None = Field(description="The account or team that it concerns")
    subject: str = Field(description="What it was done to")
    address: str | None = Field(description="From where; null for a command on the server's machine")


class AuditLog(BaseModel):
    """A part of the audit log, the newest first."""

    entries: list[AuditEntry]
    cursor: str | None
    total: int


def add_routes(api: FastAPI, services: Services) -> None:
    """Add the route `/api/audit`."""

    @api.get("/api/audit", response_model=AuditLog, summary="Read the audit log of the server, an account or a team")
    async def listed(
        request: Request,
        part: PartOf,
        entity: Annotated[
            str | None, Query(max_length=300, description="The account or team; default: all that one may see")
        ] = None,
    ) -> Response:
        asker = Asker(services, request)
        entities = None
        if entity is not None:
            name = services.access.snapshot.entity(entity)
            asker.require(Right("audit", name))
            entities = [name]
        elif not asker.may(Right("audit")):
            entities = [name for name in asker.principal.roles if asker.may(Right("audit", name))]
            if not entities:
                asker.require(Right("audit"))
        page = await asker.read(audit_log.listed, part, entities)
        return answer_page("entries", page, lambda entry: entry._asdict())
