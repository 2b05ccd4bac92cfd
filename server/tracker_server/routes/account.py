"""List the signed-in browsers and sign them out."""

from __future__ import annotations

from typing import Annotated

import orjson
from fastapi import FastAPI, Path
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from tracker_server.access.sessions import Sessions
from tracker_server.services import json_response


class SessionInfo(BaseModel):
    """One signed-in browser; times are Unix seconds."""

    id: str
    created: float
    seen: float
    address: str
    agent: str
    current: bool


class SessionList(BaseModel):
    """The signed-in browsers, the most recently used first."""

    sessions: list[SessionInfo]


def add_routes(api: FastAPI, sessions: Sessions) -> None:
    """Add the routes under `/api/sessions`."""

    @api.get("/api/sessions", response_model=SessionList, summary="List signed-in browsers")
    async def listed(request: Request) -> Response:
        mine = request.scope.get("tracker.session")
        members = ("id", "created", "seen", "address", "agent")
        found = [
            {**{name: getattr(one, name) for name in members}, "current": one.id == mine} for one in sessions.listed()
        ]
        return json_response(orjson.dumps({"sessions": found}))

    @api.delete("/api/sessions/{id}", status_code=204, summary="Sign out a browser; `current` is the requesting one")
    async def end(request: Request, id: Annotated[str, Path(max_length=20)]) -> Response:
        mine = request.scope.get("tracker.session")
        if not sessions.end(mine if id == "current" and mine is not None else id):
            raise HTTPException(404, "there is no such session")
        return Response(status_code=204)
