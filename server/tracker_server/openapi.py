"""Build the OpenAPI document from the typed routes of FastAPI and the descriptions of the plain routes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from tracker import wire

from .schemas import Error, model

DESCRIPTION = """Every request needs `Authorization: Bearer <token>`, or the cookie and the page's secret
(`X-Tracker-Page`) that a browser gets from `/?token=<token>`. Errors are
`{"error": "<what happened and what to do>"}`. Numbers that JSON lacks are written as in the run log:
`{"_type": "float", "value": "NaN"}`. Times are Unix seconds."""

_SHAPES = {shape.__name__: shape for shape in (wire.StreamOffsets, wire.Accepted, wire.Upload)}
_WHAT = {
    "200": "Success",
    "400": "Invalid request; do not repeat it",
    "401": "The token is missing or wrong",
    "403": "Host name or origin not allowed",
    "404": "Not found",
    "409": "Wrong offset: continue from the returned one",
    "410": "The run was deleted on the server",
    "413": "Too large",
    "415": "Unsupported content encoding",
    "416": "The requested part is past the end of the file",
    "422": "The content does not match its digest",
    "429": "Busy: try again after Retry-After",
    "500": "Internal error: try again later",
    "503": "Too many requests: try again later",
    "507": "No space left on the server: try again after Retry-After",
}
_EVERYWHERE = ("400", "401", "403", "500")


def document(api: FastAPI, plain: Mapping[str, Mapping[str, Any]]) -> Callable[[], dict[str, Any]]:
    """Return a function that builds the OpenAPI document of `api` and the `plain` routes.

    `plain` maps path → method → operation. A response in it may be just the name of its schema.
    """
    made: dict[str, Any] = {}

    def openapi() -> dict[str, Any]:
        if not made:
            made.update(get_openapi(title="tracker", version="1", description=DESCRIPTION, routes=api.routes))
            _complete(made, plain)
        return made

    return openapi


def _complete(schema: dict[str, Any], plain: Mapping[str, Mapping[str, Any]]) -> None:
    components = schema.setdefault("components", {})
    shapes = components.setdefault("schemas", {})
    shapes["Error"] = Error.model_json_schema()
    for name, shape in _SHAPES.items():
        shapes[name] = model(shape).model_json_schema()
    for unused in ("HTTPValidationError", "ValidationError"):  # FastAPI's own form of errors, which is not used here
        shapes.pop(unused, None)
    components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    schema["security"] = [{"token": []}]
    for path, operations in plain.items():
        public = re.sub(r":\w+}", "}", path)
        for method, operation in operations.items():
            schema["paths"].setdefault(public, {})[method] = _operation(public, operation)
    for operations in schema["paths"].values():
        for operation in operations.values():
            responses = operation["responses"]
            if "HTTPValidationError" in str(responses.get("422")):
                del responses["422"]
            for status in _EVERYWHERE:
                responses.setdefault(status, _response(status, "Error"))


def _operation(path: str, operation: Mapping[str, Any]) -> dict[str, Any]:
    names = re.findall(r"{(\w+)}", path)
    parameters = [{"name": n, "in": "path", "required": True, "schema": {"type": "string"}} for n in names]
    responses = {
        status: _response(status, response) if isinstance(response, str) else response
        for status, response in operation["responses"].items()
    }
    return {**operation, "parameters": parameters + operation.get("parameters", []), "responses": responses}


def _response(status: str, shape: str) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{shape}"}
    return {"description": _WHAT[status], "content": {"application/json": {"schema": schema}}}
