"""The server's key, told to the page that says how to log the first run."""

from __future__ import annotations

from fastapi import FastAPI
from pydantic import BaseModel
from starlette.responses import Response

from tracker_server.services import Services


class Key(BaseModel):
    """The token that clients need; null once anything was logged."""

    key: str | None


def add_routes(api: FastAPI, services: Services) -> None:
    """Add the route."""
    storage, token = services.storage, services.settings.token

    @api.get("/api/key", response_model=Key, summary="The server's key, while nothing has been logged")
    async def key() -> Response:
        """A browser's cookie does not hold the key, so that a page taken over by logged content could use the server
        only while it is open. That stays so: the key is told only as long as there is no such content.
        """
        return await services.answer(lambda: {"key": None if storage.projects() else token})
