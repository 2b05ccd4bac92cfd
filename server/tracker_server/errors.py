"""Turn errors into responses: `{"error": "<what happened and what to do>"}` with a fitting status."""

from __future__ import annotations

import logging

import orjson
from fastapi.exceptions import RequestValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from .access.errors import Conflict, Forbidden, Missing, OverQuota, Refused
from .responses import json_response
from .routes import web
from .storage.interface import (
    CopyStopped,
    ExpressionError,
    NamesChanged,
    NameTaken,
    NoSuchComment,
    NoSuchProject,
    NoSuchReport,
    NoSuchRun,
    NoSuchView,
    OverBudget,
    ReportChanged,
    RunDeleted,
    StorageFull,
)
from .workers import Busy

log = logging.getLogger("tracker_server")


def add_error_handlers(app: Starlette) -> None:
    """Register a handler for every error that a route may raise."""
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(NoSuchRun, _no_such_run)
    app.add_exception_handler(RunDeleted, _deleted)
    app.add_exception_handler(NoSuchProject, _not_found)
    app.add_exception_handler(NoSuchView, _not_found)
    app.add_exception_handler(NameTaken, _changed)
    app.add_exception_handler(NoSuchReport, _not_found)
    app.add_exception_handler(NoSuchComment, _not_found)
    app.add_exception_handler(ReportChanged, _report_changed)
    app.add_exception_handler(Forbidden, _forbidden)
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(Conflict, _changed)
    app.add_exception_handler(Missing, _not_found)
    app.add_exception_handler(ExpressionError, _bad_filter)
    app.add_exception_handler(StorageFull, _disk_full)
    app.add_exception_handler(OverQuota, _over_quota)
    app.add_exception_handler(OverBudget, _over_budget)
    app.add_exception_handler(Busy, _busy)
    app.add_exception_handler(NamesChanged, _busy)
    app.add_exception_handler(CopyStopped, _stopped)
    app.add_exception_handler(ClientDisconnect, _client_left)
    app.add_exception_handler(Exception, _internal_error)


def _error(status: int, text: str, headers: dict[str, str] | None = None) -> Response:
    return json_response(orjson.dumps({"error": text}), status, headers)


def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    text = error.detail
    if text == "Not Found":
        if web.wants_page(request):
            return web.page(404, web.root_of(request, request.app.state.root_path))
        text = f"there is nothing at {request.url.path[:300]}: see /api/openapi.json for all routes"
    elif text == "Method Not Allowed":
        text = f"{request.method} is not allowed here: see /api/openapi.json for all routes"
    return _error(error.status_code, text, dict(error.headers or {}))


def _invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    problems = (f"{'.'.join(str(part) for part in e['loc'][1:]) or 'the body'}: {e['msg']}" for e in error.errors()[:5])
    return _error(400, "; ".join(problems))


def _no_such_run(_request: Request, _raised: Exception) -> Response:
    return _error(404, "there is no such run on this server")


def _not_found(_request: Request, error: Exception) -> Response:
    return _error(404, str(error))


def _deleted(_request: Request, error: Exception) -> Response:
    return _error(410, str(error))


def _changed(_request: Request, error: Exception) -> Response:
    return _error(409, str(error))


def _report_changed(_request: Request, error: Exception) -> Response:
    assert isinstance(error, ReportChanged)
    return json_response(orjson.dumps({"error": str(error), "report": error.current}), 409)


def _forbidden(_request: Request, error: Exception) -> Response:
    return _error(403, str(error))


def _refused(_request: Request, error: Exception) -> Response:
    return _error(400, str(error))


def _bad_filter(_request: Request, error: Exception) -> Response:
    assert isinstance(error, ExpressionError)
    body = {"error": str(error), "position": error.position, "length": error.length}
    return json_response(orjson.dumps(body), 400)


def _disk_full(_request: Request, error: Exception) -> Response:
    log.error("%s", error)
    return _error(
        507,
        "the server's disk is full and nothing of this was stored: free some space, and uploads continue",
        {"retry-after": "30"},
    )


def _over_quota(_request: Request, error: Exception) -> Response:
    return _error(507, str(error), {"retry-after": "60"})


def _over_budget(_request: Request, error: Exception) -> Response:
    return _error(400, str(error))


def _stopped(_request: Request, error: Exception) -> Response:
    return _error(503, str(error))


def _busy(_request: Request, _raised: Exception) -> Response:
    return _error(503, "the server is busy: try again in a second", {"retry-after": "1"})


def _client_left(_request: Request, _raised: Exception) -> Response:
    return Response(status_code=400)  # the client has left


def _internal_error(request: Request, _raised: Exception) -> Response:
    # The traceback goes to the server's log: Starlette raises the error again after this, and the guard logs it.
    return _error(500, f"the server failed to {request.method} this; its log says why", {"retry-after": "5"})
