"""Sign in and out of a team's server, on pages without scripts."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from tracker_server.access import known_browsers, passwords, pending_sign_ins, session_cookie
from tracker_server.access.accounts import Account
from tracker_server.access.errors import Missing, Refused
from tracker_server.access.principal import Principal
from tracker_server.access.sessions import LIFETIME
from tracker_server.access.sign_in import Browser, NotSignedIn, SignedIn, SignIn, TooMany
from tracker_server.pages import team_sign_in as pages
from tracker_server.pages.sign_in import reload
from tracker_server.services import Services
from tracker_server.storage.interface import StorageFull

from .request_bodies import chunks

PAGES = ("/sign-in", "/sign-in/with/{provider}", "/sign-in/callback/{provider}", "/welcome/{secret}")

_MAX_FORM = 16 * 1024
_MAX_TARGET = 2000
_FORM_LIFETIME = 86400.0

NO_COOKIES = (
    "This browser sent no cookie, so it cannot stay signed in. If it blocks cookies, allow them for this address. Then "
    "try again."
)
NO_SPACE = (
    "Nobody can sign in until there is space again. Browsers that are signed in can still delete runs; otherwise free "
    "some space on the server's machine."
)
NO_LINK = (
    "It works once, and for 24 hours. If you have set your password with it, sign in. If not, ask a server admin for a "
    "new one."
)


class Cookies:
    """The cookies of signing in, and what every page here needs of a request."""

    def __init__(self, services: Services) -> None:
        self.root = services.settings.root_path
        self.session = session_cookie.name_for(services.settings.token.encode())
        self.known, self.form, self.provider = (f"{self.session}-{name}" for name in ("known", "form", "provider"))

    def read(self, request: Request, name: str) -> str:
        """Return the value of a cookie, empty if it is missing."""
        return session_cookie.read(request.headers.get("cookie", ""), name)

    def browser(self, request: Request) -> Browser:
        """Return who asks."""
        address = request.client.host if request.client else ""
        agent = request.headers.get("user-agent", "")
        return Browser(address, agent, self.read(request, self.session), self.read(request, self.known))

    def set(self, response: Response, request: Request, name: str, value: str, lifetime: float, path: str = "") -> None:
        """Set a cookie for the addresses below the server's own and `path`."""
        secure = request.scope.get("scheme") == "https"
        # A strict cookie would be withheld when the provider sends the browser back.
        same_site: Any = "lax" if name == self.provider else "strict"
        header = session_cookie.header(name, value, f"{self.root}/{path}", secure, lifetime, same_site)
        response.headers.append("set-cookie", header.decode("latin-1"))

    def with_form(self, response: Response, request: Request) -> Response:
        """Set the cookie by which the form notices that cookies are blocked."""
        self.set(response, request, self.form, "1", _FORM_LIFETIME)
        return response

    def sign_in(self, response: Response, request: Request, made: SignedIn) -> Response:
        """Set the cookies of a new session."""
        self.set(response, request, self.session, made.cookie, LIFETIME)
        self.set(response, request, self.known, made.known, known_browsers.LIFETIME)
        return response


def routes(services: Services, flow: SignIn) -> list[BaseRoute]:
    """Return the routes of the pages."""
    cookies = Cookies(services)
    root = cookies.root
    offered = [pages.Button(one.name, one.label) for one in flow.providers.by_name.values()]

    def form(target: str, **options: Any) -> Response:
        return pages.sign_in(root, target, passwords=flow.providers.passwords, providers=offered, **options)

    async def show(request: Request) -> Response:
        return cookies.with_form(form(own_target(request.query_params.get("next", ""), root)), request)

    async def sign_in(request: Request) -> Response:
        given = await _form(request)
        name, target = given.get("name", "").strip(), own_target(given.get("next", ""), root)
        if not cookies.read(request, cookies.form):
            return cookies.with_form(form(target, name=name, problem=NO_COOKIES, status=400), request)
        try:
            made = await flow.with_password(name, given.get("password", ""), cookies.browser(request))
        except TooMany as error:
            response = form(target, name=name, problem=str(error), status=429)
            response.headers["retry-after"] = str(error.seconds)
            return response
        except NotSignedIn as error:
            return form(target, name=name, problem=str(error), status=401)
        return cookies.sign_in(RedirectResponse(f"{root}{target}#page={made.page}", 303), request, made)

    def welcome_page(secret: str, account: Account, **options: Any) -> Response:
        return pages.welcome(
            root,
            secret,
            account.name,
            is_new=account.state == "invited",
            minimum=passwords.MIN_LENGTH,
            passwords=flow.providers.passwords,
            providers=offered,
            **options,
        )

    async def welcome(request: Request) -> Response:
        secret = request.path_params["secret"]
        account = await flow.account_of_link(secret)
        return cookies.with_form(welcome_page(secret, account), request)

    async def set_password(request: Request) -> Response:
        secret, given = request.path_params["secret"], await _form(request)
        account = await flow.account_of_link(secret)
        if not cookies.read(request, cookies.form):
            return cookies.with_form(welcome_page(secret, account, problem=NO_COOKIES, status=400), request)
        if given.get("password", "") != given.get("again", ""):
            problem = "The two passwords differ. Type the same twice."
            return welcome_page(secret, account, problem=problem, status=400)
        try:
            made = await flow.with_link(secret, given.get("password", ""), cookies.browser(request))
        except Refused as error:
            return welcome_page(secret, account, problem=_sentence(str(error)), status=400)
        return cookies.sign_in(RedirectResponse(f"{root}/#page={made.page}", 303), request, made)

    async def to_provider(request: Request) -> Response:
        query = request.query_params
        url, secret = await flow.to_provider(
            request.path_params["provider"],
            redirect_uri(request, root),
            own_target(query.get("next", ""), root),
            cookies.browser(request),
            cookies.read(request, cookies.provider),
            link=query.get("link", "")[:200],
        )
        response = RedirectResponse(url, 303)
        cookies.set(response, request, cookies.provider, secret, pending_sign_ins.LIFETIME, "sign-in/")
        return response

    async def from_provider(request: Request) -> Response:
        if request.headers.get("sec-fetch-site") == "cross-site":
            # The browser withholds the session's strict cookie from a visit that begins at another site. The visit of
            # this page to itself does not.
            return reload(root + request.url.path.removeprefix(root), request.url.query, 200)
        query, name = request.query_params, request.path_params["provider"]
        pending = flow.returning(name, query.get("state", ""), cookies.read(request, cookies.provider))
        if "error" in query or "code" not in query:
            raise NotSignedIn("The provider did not sign you in. Start again, or choose another way.")
        browser = cookies.browser(request)
        if pending.account is None:
            made = await flow.from_provider(pending, query["code"], query.get("iss"), browser)
            response = pages.onward(f"{root}{pending.target}#page={made.page}")
            return cookies.sign_in(response, request, made)
        principal: Principal = request.scope["tracker.principal"]
        if principal.kind != "account" or principal.id != pending.account:
            raise NotSignedIn("You signed in to another account in the meantime. Start again on your account page.")
        await flow.connect(pending, query["code"], query.get("iss"), browser.address)
        return pages.onward(f"{root}{pending.target}")

    def page(handle: Callable[[Request], Coroutine[Any, Any, Response]]) -> Callable[..., Any]:
        """Turn what went wrong into a page for people."""

        async def handled(request: Request) -> Response:
            if not services.access.snapshot.is_team:
                return RedirectResponse(f"{root}/", 303)
            try:
                return await handle(request)
            except TooMany as error:
                response = pages.failure("Try again later", str(error), 429)
                response.headers["retry-after"] = str(error.seconds)
                return response
            except NotSignedIn as error:
                return pages.failure("That did not work", str(error), 403, [(f"{root}/sign-in", "Sign in")])
            except StorageFull:
                return pages.failure("The server's disk is full", NO_SPACE, 507)
            except Missing:
                if handle in (to_provider, from_provider):
                    text = "This server has no such provider. Choose one that it offers."
                    return pages.failure("That did not work", text, 404, [(f"{root}/sign-in", "Sign in")])
                return pages.failure("This link no longer works", NO_LINK, 410, [(f"{root}/sign-in", "Sign in")])

        return handled

    return [
        Route("/sign-in", page(show), methods=["GET"]),
        Route("/sign-in", page(sign_in), methods=["POST"]),
        Route("/sign-in/with/{provider}", page(to_provider), methods=["GET"]),
        Route("/sign-in/callback/{provider}", page(from_provider), methods=["GET"]),
        Route("/welcome/{secret}", page(welcome), methods=["GET"]),
        Route("/welcome/{secret}", page(set_password), methods=["POST"]),
    ]


def own_target(text: str, root: str) -> str:
    """Return a path of this server to open after signing in; `/` for anything that might lead elsewhere.

    The path may have the prefix `root`, which is left out.
    """
    if root and f"{text}/".startswith(f"{root}/"):
        text = text[len(root) :]
    if len(text) > _MAX_TARGET or not text.startswith("/") or text.startswith("//"):
        return "/"
    if "\\" in text or not text.isprintable() or " " in text:
        return "/"
    parts = urlsplit(text)
    if parts.netloc or f"{parts.path}/".startswith(("/api/", "/sign-in/", "/welcome/")):
        return "/"
    return quote(parts.path, safe="/%-_.~:@!$&'()*+,;=") + (f"?{parts.query}" if parts.query else "")


def redirect_uri(request: Request, root: str) -> str:
    """Return the address to which the provider sends the browser back. The guard has checked its host."""
    name = quote(request.path_params["provider"], safe="")
    return f"{request.scope['scheme']}://{request.headers['host']}{root}/sign-in/callback/{name}"


async def _form(request: Request) -> dict[str, str]:
    body = b"".join([piece async for piece in chunks(request.receive, _MAX_FORM)])
    try:
        fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=20)
    except ValueError:
        return {}
    return {name: values[0] for name, values in fields.items()}


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
