"""The guard in front of every route: it checks token or session, host name and origin of each request.

It is plain ASGI and the outermost layer. It denies by default: routes are protected without any mark, and none can be
exempted.
"""

from __future__ import annotations

import hmac
import ipaddress
import logging
import re
from collections.abc import Callable
from urllib.parse import parse_qs, quote, urlsplit

import orjson
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from tracker_server.pages import share_link, sign_in, team_sign_in
from tracker_server.responses import json_response
from tracker_server.settings import Settings
from tracker_server.workers import Requester, current_requester

from . import account_sessions, server_proof, session_cookie
from .access import Access
from .account_sessions import AccountSession
from .client_address import real_address
from .gate import Credential, Gate
from .principal import NOBODY, Principal
from .response_headers import with_headers
from .sessions import Session, Sessions

log = logging.getLogger("tracker_server")

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

_SAFE = ("GET", "HEAD", "OPTIONS")

NO_KEY = (
    "this server needs its token: set TRACKER_API_KEY to the token that `tracker server` printed when it started, "
    "or run `tracker login`"
)


NO_PAGE = "this page is not signed in, although its browser is: open the address that `tracker server` printed again"
NO_PAGE_OF_ACCOUNT = "this page is not signed in, although its browser is: sign in again"


NO_API_KEY = (
    "this server needs an API key: run `tracker login`, or set TRACKER_API_KEY to a key that you make on your account "
    "page"
)

NO_ACCOUNT = (
    "the proxy in front of this server signed you in under a name that no active account has: ask a server admin for "
    "an account of that name"
)

NO_LINK = "this link does not exist, has expired or was revoked: ask whoever sent it for a new one"

_SHARED = re.compile(r"/s/([A-Za-z0-9_-]{1,100})(/.*)?", re.DOTALL)

_PAGE = ("GET", "HEAD", "POST")
PUBLIC: dict[str, tuple[str, ...]] = {
    "/sign-in": _PAGE,
    "/sign-in/": _PAGE,
    "/welcome/": _PAGE,
    "/api/login/device": ("POST",),
    "/api/login/device/token": ("POST",),
}
"""What nobody in particular may use on a team's server: signing in. A path that ends with a slash has all below it."""


class Guard:
    """ASGI application that passes on to `app` only requests that are allowed.

    - `Host` must be a loopback name, a plain IP address or one of `settings.allowed_hosts` (else 403), against DNS
      rebinding.
    - With accounts, requests carry an API key or the cookie of an account's session instead of what follows.
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

    def __init__(
        self,
        app: ASGIApp,
        settings: Settings,
        sessions: Sessions,
        access: Access,
        gate: Gate,
        stop: Callable[[], None],
    ) -> None:
        self.app = app
        self.access, self.gate = access, gate
        self.stop = stop
        self._sessions = sessions
        self._token = settings.token.encode()
        self._root = settings.root_path
        self._proxies = frozenset(settings.trusted_proxies)
        self._user_header = settings.user_header.lower().encode("latin-1")
        self._user_proxies = frozenset(settings.user_proxies)
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
        user = self._take_user(scope)
        self._undo_proxy(scope)
        response = self._check(scope, user)
        who = Requester(scope, receive)
        current_requester.set(who)
        try:
            await (response or self.app)(scope, who.receive, with_headers(send, scope.get("tracker.cookie")))
        except Exception:
            # Starlette has answered with 500 and raises again. Passing that on would only cut the connection.
            log.exception("%s %s failed", scope["method"], scope["path"])

    def _check(self, scope: Scope, user: str | None) -> Response | None:
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
        if _SHARED.fullmatch(scope["path"]):
            return self._check_link(scope, headers, host)
        if not self.gate.is_team:
            if scope["path"] == "/" and scope["method"] == "GET" and b"token=" in scope["query_string"]:
                return self._sign_in(scope, headers)
            if server_proof.is_question(scope):
                return server_proof.answer(scope, self._token.decode())
        key = _bearer(headers.get(b"authorization", ""))
        if key is not None:
            return self._check_key(scope, headers, host, key)
        if user is not None and self.gate.is_team:
            return self._check_user(scope, headers, host, user)
        return self._check_session(scope, headers, host)

    def _take_user(self, scope: Scope) -> str | None:
        """Take the proxy's user header out of the request; return its value if a trusted proxy has sent it.

        Of several, all are wrong: one may be the client's own, to which the proxy has added.
        """
        if not self._user_header:
            return None
        given = [value for name, value in scope["headers"] if name == self._user_header]
        if not given:
            return None
        scope["headers"] = [pair for pair in scope["headers"] if pair[0] != self._user_header]
        if (scope.get("client") or ("",))[0] not in self._user_proxies:
            return None
        return given[0].decode("utf-8", "replace").strip() if len(given) == 1 else ""

    def _check_user(self, scope: Scope, headers: dict[bytes, str], host: str, user: str) -> Response | None:
        """Judge a request whose sender a proxy has signed in. The proxy's cookie is like one of ours."""
        credential = Credential("proxy", user)
        principal = self.gate.judge(credential)
        if not isinstance(principal, Principal):
            wants_page = "text/html" in headers.get(b"accept", "")
            return team_sign_in.failure("No account", NO_ACCOUNT, 403) if wants_page else _refusal(403, NO_ACCOUNT)
        self.gate.note_proxy(principal, (scope.get("client") or ("",))[0])
        self.gate.open(scope, credential, principal)
        return _unframed(scope, headers) or self._check_origin(scope["method"], headers, host, by_cookie=True)

    def _check_key(self, scope: Scope, headers: dict[bytes, str], host: str, key: str) -> Response | None:
        credential = Credential("key", key)
        if not self.gate.is_team and hmac.compare_digest(key.encode("latin-1"), self._token):
            credential = Credential("owner")
        principal = self.gate.judge(credential)
        if isinstance(principal, Principal):
            self.gate.open(scope, credential, principal)
            return self._check_origin(scope["method"], headers, host, by_cookie=False)
        if principal:
            return _refusal(401, principal)
        # A browser may send a stale key beside its cookie.
        return self._check_session(scope, headers, host)

    def _check_session(self, scope: Scope, headers: dict[bytes, str], host: str) -> Response | None:
        cookie = session_cookie.read(headers.get(b"cookie", ""), self._cookie_name)
        session: Session | AccountSession | None
        if self.gate.is_team:
            session, credential = self.gate.session(cookie), Credential("session", cookie)
            holds: Callable[[str], bool] = lambda page: account_sessions.holds(session, page)  # type: ignore[arg-type]  # noqa: E731
        else:
            session, credential = self._sessions.find(cookie), Credential("owner")
            holds = lambda page: self._sessions.holds(session, page)  # type: ignore[arg-type]  # noqa: E731
        principal = NOBODY if session is None else self.gate.judge(credential)
        if session is None or not isinstance(principal, Principal):
            if self.gate.is_team and _is_public(scope):
                self.gate.open(scope, Credential("nobody"), NOBODY)
                return self._check_origin(scope["method"], headers, host, by_cookie="/api/" not in scope["path"])
            return _unauthorised(headers, scope, self._root, self.gate.is_team)
        scope["tracker.session"] = session.id
        self.gate.open(scope, credential, principal)
        if scope["path"].startswith("/api/"):
            if not _is_public(scope) and not holds(_page_secret(scope, headers)):
                return _refusal(401, NO_PAGE_OF_ACCOUNT if self.gate.is_team else NO_PAGE)
            if (refusal := _unframed(scope, headers)) is not None:
                return refusal
        elif scope["method"] == "GET" and "/assets/" not in scope["path"] and not _is_public(scope):
            scope["tracker.cookie"] = self._set_cookie(scope, cookie)
        return self._check_origin(scope["method"], headers, host, by_cookie=True)

    def _check_link(self, scope: Scope, headers: dict[bytes, str], host: str) -> Response | None:
        """Take the share link out of the path, so that the rest is a path as everywhere."""
        found = _SHARED.fullmatch(scope["path"])
        assert found is not None
        credential = Credential("link", found[1])
        principal = self.gate.judge(credential)
        if not isinstance(principal, Principal):
            return share_link.gone() if "text/html" in headers.get(b"accept", "") else _refusal(404, NO_LINK)
        scope["path"] = found[2] or "/"
        if scope["path"] == "/api/whoami":  # asked by the page once it runs, not by the preview of a link
            self.gate.link_opened(principal.credential)
        scope["tracker.root"] = f"{self._root}/s/{found[1]}"
        scope.pop("raw_path", None)
        self.gate.open(scope, credential, principal)
        return _unframed(scope, headers) or self._check_origin(scope["method"], headers, host, by_cookie=False)

    def _undo_proxy(self, scope: Scope) -> None:
        """Undo what a proxy changed in the request: the scheme, the client's address and the path prefix."""
        client = (scope.get("client") or ("",))[0]
        if client in self._proxies:
            schemes = [value for name, value in scope["headers"] if name == b"x-forwarded-proto"]
            if schemes and schemes[-1].split(b",")[0].strip().lower() == b"https":
                scope["scheme"] = "https"
            scope["client"] = (real_address(client, scope["headers"], self._proxies), 0)
        if self._root and f"{scope['path']}/".startswith(self._root + "/"):
            scope["path"] = scope["path"][len(self._root) :] or "/"
            scope.pop("raw_path", None)

    def _is_known_host(self, name: str) -> bool:
        # DNS rebinding needs a name that the attacker controls, so plain addresses are safe.
        return name in LOOPBACK or name in self._hosts or _is_address(name)

    def _sign_in(self, scope: Scope, headers: dict[bytes, str]) -> Response:
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[-1]
        if given in self._visits:
            self._visits.remove(given)
        elif not hmac.compare_digest(given.encode("utf-8", "replace"), self._token):
            return _unauthorised(headers, scope, self._root, is_team=False)
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


def _bearer(authorization: str) -> str | None:
    scheme, _, key = authorization.partition(" ")
    return key.strip() if scheme.lower() == "bearer" else None


def _unframed(scope: Scope, headers: dict[bytes, str]) -> Response | None:
    """Return the refusal of a logged page that a browser would not show in a frame."""
    if "/render/" in scope["path"] and headers.get(b"sec-fetch-dest", "iframe") != "iframe":
        return _refusal(403, "logged pages can only be shown inside the dashboard")
    return None


def _is_public(scope: Scope) -> bool:
    return any(
        scope["method"] in methods and (scope["path"] == path or (path[-1] == "/" and scope["path"].startswith(path)))
        for path, methods in PUBLIC.items()
    )


def _unauthorised(headers: dict[bytes, str], scope: Scope, root: str, is_team: bool) -> Response:
    response: Response
    if "text/html" not in headers.get(b"accept", ""):
        response = _refusal(401, NO_API_KEY if is_team else NO_KEY)
    elif headers.get(b"sec-fetch-site") == "cross-site" and headers.get(b"sec-fetch-mode") == "navigate":
        # A link on another site: the browser withholds its strict cookie, so this page reloads itself from this site.
        response = sign_in.reload(root + str(scope["path"]), scope["query_string"].decode("latin-1"))
    elif is_team and scope["method"] in _SAFE:
        query = scope["query_string"].decode("latin-1")
        target = quote(str(scope["path"])) + (f"?{query}" if query else "")
        return RedirectResponse(f"{root}/sign-in?next={quote(target, safe='')}", 303)
    else:
        response = sign_in.page(root)
    response.headers["www-authenticate"] = "Bearer"
    return response
