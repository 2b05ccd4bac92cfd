"""The application: routes put together, errors turned into answers, the guard in front."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import orjson
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Mount

from . import live
from .access.guard import Guard
from .access.sessions import Sessions
from .background.maintenance import tidying
from .openapi import document
from .routes import (
    account,
    charts,
    console,
    edits,
    files,
    first_run,
    ingest,
    media,
    processes,
    projects,
    runs,
    table,
    trash,
    web,
)
from .routes.request_bodies import Capped, StrictRoute
from .services import Services, Settings, json_response
from .storage.interface import (
    Blobs,
    NoSuchProject,
    NoSuchRun,
    NoSuchView,
    NotesChanged,
    RunDeleted,
    Storage,
    StorageFull,
)
from .storage.query_budget import OverBudget
from .storage.table.tokens import ExpressionError
from .webhook import Webhook
from .workers import Busy

MAX_QUERY = 1024 * 1024
"""Bytes of a request body that is not an upload."""

log = logging.getLogger("tracker_server")


def create_app(storage: Storage, blobs: Blobs, settings: Settings) -> Guard:
    """Return the ASGI application. Whoever opened `storage` closes it, after the application has ended."""
    webhook = None if settings.webhook is None else Webhook(settings.webhook, settings.url)
    sessions = Sessions(settings.sessions, settings.token)
    services = Services(storage, blobs, settings, webhook=webhook)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with trash.emptying(services), tidying(services):
            yield
        services.workers.close()
        if webhook is not None:
            webhook.close()

    api = FastAPI(
        title="tracker", openapi_url="/api/openapi.json", docs_url=None, redoc_url=None, redirect_slashes=False
    )
    api.router.route_class = StrictRoute
    runs.add_routes(api, services)
    charts.add_routes(api, services)
    console.add_routes(api, services)
    first_run.add_routes(api, services)
    processes.add_routes(api, services)
    for routes_of in (projects, table, edits, trash):
        routes_of.add_routes(api, services)
    account.add_routes(api, sessions)
    api.openapi = document(api, {**ingest.OPERATIONS, **files.OPERATIONS, **live.OPERATIONS, **media.OPERATIONS})  # type: ignore[method-assign]
    # Ingest first: routes are tried in order, and it is what is asked for most.
    routes = [
        *ingest.routes(services),
        *files.routes(services),
        *live.routes(services.live),
        *media.routes(services),
        *web.routes(settings.root_path),
        Mount("/", Capped(api, MAX_QUERY)),
    ]
    app = Starlette(routes=routes, lifespan=lifespan)
    app.router.redirect_slashes = False
    for part in (app, api):
        part.state.root_path = settings.root_path
        part.add_exception_handler(HTTPException, _http_error)
        part.add_exception_handler(RequestValidationError, _invalid)
        part.add_exception_handler(NoSuchRun, _no_such_run)
        part.add_exception_handler(RunDeleted, _deleted)
        part.add_exception_handler(NoSuchProject, _not_here)
        part.add_exception_handler(NoSuchView, _not_here)
        part.add_exception_handler(NotesChanged, _changed)
        part.add_exception_handler(ExpressionError, _bad_filter)
        part.add_exception_handler(StorageFull, _full)
        part.add_exception_handler(OverBudget, _not_asked_well)
        part.add_exception_handler(Busy, _busy)
        part.add_exception_handler(ClientDisconnect, _gone)
        part.add_exception_handler(Exception, _failed)

    def stop() -> None:
        services.live.close()
        services.workers.stop()

    return Guard(app, settings, sessions, stop)


def _error(status: int, text: str, headers: dict[str, str] | None = None) -> Response:
    return json_response(orjson.dumps({"error": text}), status, headers)


def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    text = error.detail
    if text == "Not Found":
        if web.wants_page(request):
            return web.page(404, request.app.state.root_path)
        text = f"there is nothing at {request.url.path[:300]}: /api/openapi.json lists what is"
    elif text == "Method Not Allowed":
        text = f"{request.method} is not possible here: /api/openapi.json lists what is"
    return _error(error.status_code, text, dict(error.headers or {}))


def _invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    problems = (f"{'.'.join(str(part) for part in e['loc'][1:]) or 'the body'}: {e['msg']}" for e in error.errors()[:5])
    return _error(400, "; ".join(problems))


def _no_such_run(_request: Request, _raised: Exception) -> Response:
    return _error(404, "there is no such run on this server")


def _not_here(_request: Request, error: Exception) -> Response:
    return _error(404, str(error))


def _deleted(_request: Request, error: Exception) -> Response:
    return _error(410, str(error))


def _changed(_request: Request, error: Exception) -> Response:
    return _error(409, str(error))


def _bad_filter(_request: Request, error: Exception) -> Response:
    assert isinstance(error, ExpressionError)
    told = {"error": str(error), "position": error.position, "length": error.length}
    return json_response(orjson.dumps(told), 400)


def _full(_request: Request, error: Exception) -> Response:
    log.error("%s", error)
    return _error(
        507, "the server's disk is full: nothing of this was stored; make room and it goes on", {"retry-after": "30"}
    )


def _not_asked_well(_request: Request, error: Exception) -> Response:
    return _error(400, str(error))


def _busy(_request: Request, _raised: Exception) -> Response:
    return _error(503, "the server is busy: try again in a second", {"retry-after": "1"})


def _gone(_request: Request, _raised: Exception) -> Response:
    return Response(status_code=400)  # nobody is left to read it


def _failed(request: Request, _raised: Exception) -> Response:
    # The traceback goes to the server's log: Starlette raises the error again after this answer, and the guard logs it.
    return _error(500, f"the server failed to {request.method} this; its log says why", {"retry-after": "5"})
