"""Routes for the processes of a run: resume state, stop requests and alerts."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.responses import Response

from tracker import wire
from tracker_server import schemas
from tracker_server.schemas import model
from tracker_server.services import Services

from .dependencies import StorageOf
from .parameters import Run


def add_routes(api: FastAPI, services: Services) -> None:
    """Add the routes of a run's processes."""
    run = "/api/runs/{entity}/{project}/{id}"

    @api.get(
        run + "/resumption",
        response_model=model(wire.Resumption),
        summary="Get the state that a resuming process needs",
    )
    async def resumption(storage: StorageOf, run: Run) -> Response:
        return await services.answer(storage.resumption, run)

    @api.get(run + "/stop", response_model=model(wire.Stop), summary="Get whether the run was asked to stop")
    async def stop(storage: StorageOf, run: Run) -> Response:
        return await services.answer(lambda: {"requested": storage.stop_requested(run)})

    @api.get(run + "/alerts", response_model=schemas.Alerts, summary="Get the latest 100 alerts")
    async def alerts(storage: StorageOf, run: Run) -> Response:
        return await services.answer(lambda: {"alerts": storage.alerts(run)})
