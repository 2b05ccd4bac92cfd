"""Give the server's key to the page that explains how to log the first run."""

from __future__ import annotations

from fastapi import FastAPI
from pydantic import BaseModel
from starlette.responses import Response

from tracker_server.services import Services

from .dependencies import PrincipalOf, StorageOf


class Key(BaseModel):
    """The token that clients need; null once anything has been logged."""

    key: str | None


def add_routes(api: FastAPI, services: Services) -> None:
    """Add the route `/api/key`."""
    token = services.settings.token

    @api.get("/api/key", response_model=Key, summary="Get the server's key until something is logged")
    async def key(storage: StorageOf, principal: PrincipalOf) -> Response:
        """Return the key only while nothing has been logged.

        A browser's cookie does not contain the key, so a page that logged content has taken over could use the server
        only while it is open. To keep that true, the key is not available once there is logged content.
        """
        if principal.kind != "owner":
            return await services.answer(lambda: {"key": None})
        return await services.answer(lambda: {"key": None if storage.projects() else token})
