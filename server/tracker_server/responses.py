"""Make responses of JSON that is encoded already."""

from __future__ import annotations

from starlette.responses import Response


def json_response(body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return a response with a body that is JSON already."""
    return Response(body, status, headers, media_type="application/json")
