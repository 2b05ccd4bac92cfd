"""Serve the dashboard: the page and assets that the build of `server/web` has put in `dashboard/`."""

from __future__ import annotations

import secrets
from functools import cache, lru_cache
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from tracker_server.access.response_headers import CONTENT_POLICY

BUILT = Path(__file__).parent.parent / "dashboard"

PAGES = (
    "/",
    "/login/device",
    "/projects/{entity}/{project}",
    "/projects/{entity}/{project}/compare",
    "/projects/{entity}/{project}/notes",
    "/projects/{entity}/{project}/reports",
    "/projects/{entity}/{project}/reports/{id}",
    "/reports/{id}",
    "/projects/{entity}/{project}/settings",
    "/runs/{entity}/{project}/{id}",
    "/account",
    "/accounts",
    "/teams",
    "/teams/{team}",
    "/audit",
)
ASSET = "/assets/{name}"

_ENCODINGS = (("br", ".br"), ("gzip", ".gz"))
_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".woff2": "font/woff2"}
_LEFT_OUT = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>tracker</title><p>This package was built without the '
    "dashboard: install it from its sources without TRACKER_SKIP_DASHBOARD. The API works: see /api/openapi.json."
)


def routes(root: str = "") -> list[BaseRoute]:
    """Return the routes of the dashboard: one page for several addresses, and its assets."""

    async def _page(request: Request) -> Response:
        return page(root=root_of(request, root))

    return [*(Route(path, _page, methods=["GET"]) for path in PAGES), Route(ASSET, _asset, methods=["GET"])]


def root_of(request: Request, root: str) -> str:
    """Return the prefix of the dashboard's addresses: behind a share link, that of the link."""
    shared: str = request.scope.get("tracker.root", root)
    return shared


def wants_page(request: Request) -> bool:
    """Return whether the request comes from a person in a browser and not from a program."""
    if request.method not in ("GET", "HEAD") or f"{request.url.path}/".startswith("/api/"):
        return False
    return "text/html" in request.headers.get("accept", "")


def page(status: int = 200, root: str = "") -> Response:
    """Return the dashboard's page; it shows what belongs to its address, or that nothing was found there."""
    # The components insert style sheets at run time, which the policy allows only with a nonce.
    nonce = secrets.token_urlsafe(16)
    policy = CONTENT_POLICY.replace("style-src 'self'", f"style-src 'self' 'nonce-{nonce}'") + "; frame-src 'self'"
    return HTMLResponse(_index(root).replace("{{nonce}}", nonce), status, {"content-security-policy": policy})


@lru_cache(16)
def _index(root: str) -> str:
    try:
        # The build writes relative addresses, but the page is served at several paths.
        text = (BUILT / "index.html").read_text(encoding="utf-8")
        return text.replace('"./assets/', f'"{root}/assets/').replace("{{root}}", root)
    except FileNotFoundError:
        return _LEFT_OUT


@cache
def _assets() -> frozenset[str]:
    folder = BUILT / "assets"
    return frozenset(path.name for path in folder.iterdir()) if folder.is_dir() else frozenset()


async def _asset(request: Request) -> Response:
    name = request.path_params["name"]
    kind = _TYPES.get(Path(name).suffix)
    if name not in _assets() or kind is None:
        raise HTTPException(404)
    # The names contain a digest of the content, so browsers never need to ask again.
    headers = {"cache-control": "private, max-age=31536000, immutable", "vary": "accept-encoding"}
    accepted = request.headers.get("accept-encoding", "")
    for encoding, ending in _ENCODINGS:
        if encoding in accepted and name + ending in _assets():
            headers["content-encoding"] = encoding
            return FileResponse(BUILT / "assets" / (name + ending), media_type=kind, headers=headers)
    return FileResponse(BUILT / "assets" / name, media_type=kind, headers=headers)
