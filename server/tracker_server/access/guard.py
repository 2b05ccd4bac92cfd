"""The guard in front of every route: it checks token or session, host name and origin of each request.

It is plain ASGI and the outermost layer. It denies by default: routes are protected without any mark, and none can be
exempted.
"""

from __future__ import annotations

import hmac
import ipaddress
import logging
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import orjson
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from tracker_server.pages import sign_in
from tracker_server.services import Settings, json_response
from tracker_server.workers import Requester, current_requester

from . import server_proof, session_cookie
from .response_headers import with_headers
from .sessions import Sessions

log = logging.getLogger("tracker_server")

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

_SAFE = ("GET", "HEAD", "OPTIONS")

NO_KEY = (
    "this server needs its token: set TRACKER_API_KEY to the token that `tracker server` printed when it started, "
    "or run `tracker login`"
)


NO_PAGE = "this page is not signed in, although its browser is: open the address that `tracker server` printed again"


class Guard:
    """ASGI application that passes on to `app` only requests that are allowed.

    - `Host` must be a loopback name, a plain IP address or one of `settings.allowed_hosts` (else 403), against DNS
      rebinding.
    - Requests carry the token as `Authorization: Bearer`, or the cookie of a session (`sessions`) that
      `GET /?token=…` has started. The cookie alone gives access to the dashboard's files. Requests for data (`/api/…`)
      also need the session's second secret (else 401), as `X-Tracker-Page`, or as `page` in the query where a page
      cannot set a header.
    - `Origin`, if present, must be this server's own, including the port (else 403). Requests that change something
      and rely on the cookie must send it.
    - Logged pages (`/render/`) are only served into frames.

    Behind a proxy with a path prefix (`settings.root_path`), paths may arrive with or without it.

    The server calls `stop` before it waits for open responses; it ends those that would never end.
    """

    def __init__(self, app: ASGIApp, settings: Settings, sessions: Sessions, stop: Callable[[], None]) -> None:
        self.app = app
        self.stop = stop
        self._sessions = sessions
        self._token = settings.token.encode()
        self._root = settings.root_path
        self._proxies = frozenset(settings.trusted_proxies)
        self._cookie_name = session_cookie.name_for(self._token)
        self._visits = settings.visits
        self._origins = {host.lower() for host in settings.allowed_hosts}
        self._hosts = {_hostname(host) for host in self._origins}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or pass it on."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        self._undo_proxy(scope)
        response = self._check(scope)
        who = Requester(scope, receive)
        current_requester.set(who)
        try:
            await (response or self.app)(scope, who.receive, with_headers(send, scope.get("tracker.cookie")))
        except Exception:
            # Starlette has answered with 500 and raises again. Passing that on would only cut the connection.
            log.exception("%s %s failed", scope["method"], scope["path"])

    def _check(self, scope: Scope) -> Response | None:
        """Return the refusal of a request, or the response to signing in; None if the request may pass."""
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        host = headers.get(b"host", "")
        name = _hostname(host)
        if not self._is_known_host(name):
            text = (
                f"this server does not answer to the host name {name[:100]!r}: if clients use it, start the server "
                f"with --allowed-host {name[:100] or 'NAME'}"
            )
            return _refusal(403, text)
        if scope["path"] == "/" and scope["method"] == "GET" and b"token=" in scope["query_string"]:
            return self._sign_in(scope, headers)
        if server_proof.is_question(scope):
            return server_proof.answer(scope, self._token.decode())
        by_cookie = False
        if not self._has_key(headers.get(b"authorization", "")):
            by_cookie = True
            session = self._sessions.find(session_cookie.read(headers.get(b"cookie", ""), self._cookie_name))
            if session is None:
                return _unauthorised(headers, scope, self._root)
            scope["tracker.session"] = session.id
            if scope["path"].startswith("/api/"):
                if not self._sessions.holds(session, _page_secret(scope, headers)):
                    return _refusal(401, NO_PAGE)
                if "/render/" in scope["path"] and headers.get(b"sec-fetch-dest", "iframe") != "iframe":
                    return _refusal(403, "logged pages can only be shown inside the dashboard")
            elif scope["method"] == "GET" and "/assets/" not in scope["path"]:
                cookie = session_cookie.read(headers[b"cookie"], self._cookie_name)
                scope["tracker.cookie"] = self._set_cookie(scope, cookie)
        return self._check_origin(scope["method"], headers, host, by_cookie)

    def _undo_proxy(self, scope: Scope) -> None:
        """Undo what a proxy changed in the request: the scheme and the path prefix."""
        client = (scope.get("client") or ("",))[0]
        if client in self._proxies:
            schemes = [value for name, value in scope["headers"] if name == b"x-forwarded-proto"]
            if schemes and schemes[-1].split(b",")[0].strip().lower() == b"https":
                scope["scheme"] = "https"
        if self._root and f"{scope['path']}/".startswith(self._root + "/"):
            scope["path"] = scope["path"][len(self._root) :] or "/"
            scope.pop("raw_path", None)

    def _is_known_host(self, name: str) -> bool:
        # DNS rebinding needs a name that the attacker controls, so plain addresses are safe.
        return name in LOOPBACK or name in self._hosts or _is_address(name)

    def _has_key(self, authorization: str) -> bool:
        scheme, _, key = authorization.partition(" ")
        return scheme.lower() == "bearer" and hmac.compare_digest(key.strip().encode("latin-1"), self._token)

    def _sign_in(self, scope: Scope, headers: dict[bytes, str]) -> Response:
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[-1]
        if given in self._visits:
            self._visits.remove(given)
        elif not hmac.compare_digest(given.encode("utf-8", "replace"), self._token):
            return _unauthorised(headers, scope, self._root)
        former = self._sessions.find(session_cookie.read(headers.get(b"cookie", ""), self._cookie_name))
        if former is not None:
            self._sessions.end(former.id)  # a browser has one session
        address = (scope.get("client") or ("",))[0]
        cookie, page = self._sessions.begin(address, headers.get(b"user-agent", ""))
        # The part after # is not sent to servers: the page reads it and stores it for its origin.
        response = RedirectResponse(f"{self._root}/#page={page}", 303)
        response.headers["set-cookie"] = self._set_cookie(scope, cookie).decode("latin-1")
        return response

    def _set_cookie(self, scope: Scope, value: str) -> bytes:
        return session_cookie.header(self._cookie_name, value, f"{self._root}/", scope.get("scheme") == "https")

    def _check_origin(self, method: str, headers: dict[bytes, str], host: str, by_cookie: bool) -> Response | None:
        origin = headers.get(b"origin")
        changes = method not in _SAFE
        if origin is None:
            if changes and by_cookie:
                return _refusal(403, "requests of browsers that change something must have an Origin header")
            # `same-site` means another port of this host, which is another application.
            foreign = headers.get(b"sec-fetch-site") in ("cross-site", "same-site")
            if by_cookie and foreign and headers.get(b"sec-fetch-mode") != "navigate":
                return _refusal(403, "other sites may not load content of this server")
            return None
        if (changes or by_cookie) and not self._is_own(origin, host):
            return _refusal(403, f"requests from {origin[:100]!r} are not allowed: open the server's own pages")
        return None

    def _is_own(self, origin: str, host: str) -> bool:
        scheme, _, authority = origin.lower().partition("://")
        if scheme not in ("http", "https"):
            return False
        # A proxy may listen on another port than the one it passes on: `--allowed-host NAME:PORT` names that port.
        return authority == host.lower() or authority in self._origins


def _hostname(host: str) -> str:
    """Return the name in a Host header, without port and brackets."""
    try:
        return (urlsplit("//" + host).hostname or "") if host and "@" not in host else ""
    except ValueError:
        return ""


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _refusal(status: int, text: str) -> Response:
    return json_response(orjson.dumps({"error": text}), status)


def _page_secret(scope: Scope, headers: dict[bytes, str]) -> str:
    given = headers.get(b"x-tracker-page")
    if given is None and scope["method"] in _SAFE:
        given = parse_qs(scope["query_string"].decode("latin-1")).get("page", [""])[-1]
    return given or ""


def _unauthorised(headers: dict[bytes, str], scope: Scope, root: str) -> Response:
    if "text/html" not in headers.get(b"accept", ""):
        response = _refusal(401, NO_KEY)
    elif headers.get(b"sec-fetch-site") == "cross-site" and headers.get(b"sec-fetch-mode") == "navigate":
        # A link on another site: the browser withholds its strict cookie, so this page reloads itself from this site.
        response = sign_in.reload(root + str(scope["path"]), scope["query_string"].decode("latin-1"))
    else:
        response = sign_in.page(root)
    response.headers["www-authenticate"] = "Bearer"
    return response
