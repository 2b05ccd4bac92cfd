"""Routes for the processes of a run: resume state, stop requests and alerts."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from starlette.responses import Response

from tracker import wire
from tracker_server import schemas
from tracker_server.schemas import model
from tracker_server.services import Services

from .parameters import Run


def add_routes(api: FastAPI, services: Services) -> None:
    """Add the routes of a run's processes."""
    storage = services.storage
    run = "/api/runs/{entity}/{project}/{id}"

    @api.get(
        run + "/resumption",
        response_model=model(wire.Resumption),
        summary="Get the state that a resuming process needs",
    )
    async def resumption(run: Run) -> Response:
        def read() -> dict[str, Any]:
            fold = storage.fold(run)
            known = fold.to_json()
            members = ("meta", "config", "explicit_summary", "metrics", "stats")
            silent = storage.run(run)["state"] != "running"  # includes runs whose machine has died
            return {
                "step": fold.last_step,
                **{member: known[member] for member in members},
                "ended": fold.deciding(ended=not silent),
            }

        return await services.answer(read)

    @api.get(run + "/stop", response_model=model(wire.Stop), summary="Get whether the run was asked to stop")
    async def stop(run: Run) -> Response:
        return await services.answer(lambda: {"requested": storage.stop_requested(run)})

    @api.get(run + "/alerts", response_model=schemas.Alerts, summary="Get the latest 100 alerts")
    async def alerts(run: Run) -> Response:
        return await services.answer(lambda: {"alerts": storage.alerts(run)})
