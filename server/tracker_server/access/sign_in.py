"""Sign people in to a team's server with a password, a one-time link or a provider; the audit log has each outcome."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, TypeVar

import sqlalchemy as sa

from . import account_sessions, accounts, identities, known_browsers, one_time_links, passwords
from .access import Access
from .accounts import Account
from .audit_log import Actor, write
from .client_address import network
from .entity_names import folded
from .errors import Conflict, Missing
from .oidc import OpenIdClient, Person, Rejected, Unreachable
from .pending_sign_ins import Pending, PendingSignIns
from .providers import Provider, Providers
from .throttle import Throttle

T = TypeVar("T")

log = logging.getLogger("tracker_server")

NO_PASSWORDS = "Passwords are switched off on this server. Sign in with a provider."
WRONG = "The name or the password is wrong."
_MAX_HASHING = 2
"""Passwords that are hashed at the same time: each takes a core and 64 MiB for some 50 ms."""

_MAX_ASKING = 4
"""Exchanges with providers at the same time."""

_MAX_WAITING = 100
"""Passwords and exchanges that wait; further ones are sent away."""


class Browser(NamedTuple):
    """The browser that signs in."""

    address: str
    agent: str
    session: str = ""
    """The cookie of its session so far."""
    known: str = ""
    """The cookie that shows that an account has signed in with it before."""


class SignedIn(NamedTuple):
    """A new session: its account, its two secrets, and the cookie by which the browser is known from now on."""

    account: Account
    cookie: str
    page: str
    known: str


class NotSignedIn(Exception):
    """It did not work; the text is for the person."""


class TooMany(NotSignedIn):
    """Too many attempts failed; the next one is possible after `seconds`."""

    def __init__(self, seconds: float) -> None:
        self.seconds = max(1, math.ceil(seconds))
        minutes = math.ceil(seconds / 60)
        wait = f"{minutes} minutes" if minutes > 2 else "1 second" if self.seconds == 1 else f"{self.seconds} seconds"
        super().__init__(f"Too many attempts. Try again in {wait}.")


class _Threads:
    """A few threads, and a limit to what waits for them."""

    def __init__(self, count: int, name: str) -> None:
        self._executor = ThreadPoolExecutor(count, thread_name_prefix=name)
        self._waiting = 0

    async def run(self, function: Callable[..., T], *args: object) -> T:
        """Run a function in a thread. Raises `TooMany` if too many wait."""
        if self._waiting >= _MAX_WAITING:
            raise TooMany(5)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._executor, function, *args)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        self._executor.shutdown(wait=False, cancel_futures=True)


class SignIn:
    """Signs people in. Used on the event loop."""

    def __init__(self, access: Access, key: bytes, providers: Providers) -> None:
        self.providers = providers
        self._access, self._key = access, key
        self._throttle = Throttle()
        self._pending = PendingSignIns()
        self._clients = {name: OpenIdClient(one) for name, one in providers.by_name.items()}
        # Of their own, so that neither a flood of passwords nor a slow provider delays the other.
        self._hashing = _Threads(_MAX_HASHING, "tracker-password")
        self._asking = _Threads(_MAX_ASKING, "tracker-provider")

    def close(self) -> None:
        """Let the threads end."""
        self._hashing.close()
        self._asking.close()

    async def with_password(self, name: str, password: str, browser: Browser) -> SignedIn:
        """Sign in with a name and a password. Raises `NotSignedIn`, or `TooMany` before the password is looked at.

        Answer and time are the same whether the account exists.
        """
        if not self.providers.passwords:
            raise NotSignedIn(NO_PASSWORDS)
        account, hash = await self._access.read(_by_name, name)
        counted = str(account.id) if account is not None else f"name {folded(name[:200])}"
        known = self._known(account, browser)
        seconds = self._throttle.attempt(counted, browser.address, known)
        if seconds > 0:
            raise TooMany(seconds)
        right = await self._hashing.run(passwords.is_right, hash, password)
        if account is None or hash is None or not right or account.state != "active":
            await self._access.note(_write_failure, account, browser.address)
            if right and account is not None:
                raise NotSignedIn(f"The account {account.name} is disabled. Ask a server admin.")
            raise NotSignedIn(WRONG)
        self._throttle.succeeded(counted, browser.address, known)
        fresh = await self._hashing.run(passwords.rehashed, password) if passwords.is_outdated(hash) else None
        return await self._access.change(self._begin_with_password, account, hash, fresh, browser)

    async def account_of_link(self, secret: str) -> Account:
        """Return the account that a one-time link is for, and leave the link as it is. Raises `Missing`."""
        return await self._access.read(_by_link, secret)

    async def with_link(self, secret: str, password: str, browser: Browser) -> SignedIn:
        """Set the password of a one-time link's account, and sign in. Raises `Missing`, `Refused` or `NotSignedIn`."""
        if not self.providers.passwords:
            raise NotSignedIn(NO_PASSWORDS)
        account = await self.account_of_link(secret)
        hash = await self._hashing.run(passwords.hashed, password, account.name)
        return await self._access.change(self._begin_with_link, secret, hash, browser)

    async def to_provider(
        self,
        name: str,
        redirect_uri: str,
        target: str,
        browser: Browser,
        secret: str,
        account: int | None = None,
        link: str = "",
    ) -> tuple[str, str]:
        """Begin to sign in with a provider; return where to send the browser, and the secret for its cookie.

        Args:
            name: The provider's name.
            redirect_uri: Where the provider sends the browser back.
            target: The own address to open afterwards.
            browser: Who asks.
            secret: The secret that the cookie has so far.
            account: The account that gets this way to sign in; None for a sign-in.
            link: The secret of the one-time link that it begins at.

        Raises: `Missing` for an unknown provider, `NotSignedIn` if the provider does not answer.
        """
        client = self._client(name)
        start = await self._ask(client, client.start, redirect_uri)
        pending = Pending(name, start, redirect_uri, target, account, link)
        return start.url, self._pending.add(pending, secret, browser.address)

    def returning(self, name: str, state: str, secret: str) -> Pending:
        """Return the sign-in that a browser comes back with, once. Raises `NotSignedIn`."""
        pending = self._pending.take(state, secret, name)
        if pending is None:
            raise NotSignedIn("This sign-in has expired, or began in another browser. Start again.")
        return pending

    async def from_provider(self, pending: Pending, code: str, issuer: str | None, browser: Browser) -> SignedIn:
        """Sign in the person whom the provider sends back. Raises `NotSignedIn`."""
        client, person = self._client(pending.provider), None
        try:
            person = await self._ask(client, client.finish, code, pending.start, pending.redirect_uri, issuer)
            return await self._access.change(self._begin_with_person, client.provider, person, pending, browser)
        except (Rejected, Missing, NotSignedIn) as error:
            who = "" if person is None else f", {person.email}"
            subject = f"with {pending.provider}{who}"
            await self._access.note(_write_rejection, pending.provider, subject, browser.address)
            raise NotSignedIn(str(error) if isinstance(error, NotSignedIn) else _sentence(error)) from None

    async def connect(self, pending: Pending, code: str, issuer: str | None, address: str) -> None:
        """Let the account that has asked sign in as the person whom the provider sends back. Raises `NotSignedIn`."""
        client = self._client(pending.provider)
        try:
            person = await self._ask(client, client.finish, code, pending.start, pending.redirect_uri, issuer)
            await self._access.change(_connect, pending.account, person, address)
        except (Rejected, Conflict, Missing) as error:
            raise NotSignedIn(_sentence(error)) from None

    def _client(self, name: str) -> OpenIdClient:
        client = self._clients.get(name)
        if client is None:
            raise Missing(f"there is no provider {name[:60]!r}")
        return client

    def _known(self, account: Account | None, browser: Browser) -> str:
        """Return by what the browser or its address is known to the account; empty for a stranger."""
        if account is None:
            return ""
        number = known_browsers.number(self._key, account.id, browser.known)
        if number:
            return f"browser {number}"
        here = network(browser.address)
        sessions = self._access.snapshot.sessions.values()
        if any(one.account == account.id and network(one.address) == here for one in sessions):
            return f"address {here}"
        return ""

    async def _ask(self, client: OpenIdClient, function: Callable[..., T], *args: object) -> T:
        try:
            return await self._asking.run(function, *args)
        except Unreachable as error:
            log.warning("signing in with %s failed: %s", client.provider.name, error)
            raise NotSignedIn(
                f"Signing in with {client.provider.label} failed. Start again. If it keeps failing, tell a server "
                "admin; the server's log has the reason."
            ) from None

    def _begin_with_password(
        self, connection: sa.Connection, account: Account, hash: str, fresh: str | None, browser: Browser
    ) -> SignedIn:
        present = accounts.by_id(connection, account.id)
        # The account may have been disabled, or got another password, while this one was hashed.
        if present is None or present.state != "active" or accounts.password_of(connection, account.id) != hash:
            raise NotSignedIn(WRONG)
        if fresh is not None:
            accounts.store_rehashed(connection, account.id, fresh)
        return self._begin(connection, present, browser, "with a password")

    def _begin_with_link(self, connection: sa.Connection, secret: str, hash: str, browser: Browser) -> SignedIn:
        entity = one_time_links.use(connection, secret, hash, browser.address)
        account = accounts.by_id(connection, entity.id)
        assert account is not None
        return self._begin(connection, account, browser, "with a one-time link")

    def _begin_with_person(
        self, connection: sa.Connection, provider: Provider, person: Person, pending: Pending, browser: Browser
    ) -> SignedIn:
        if pending.link:
            account = _by_link(connection, pending.link)
            actor = Actor(account.name, browser.address, account.id)
            try:
                identities.connect(connection, actor, account, person)
            except Conflict as error:
                raise Rejected(str(error)) from None
            one_time_links.spend(connection, pending.link)
        account = identities.sign_in(connection, provider, person, browser.address)
        return self._begin(connection, account, browser, f"with {provider.name}")

    def _begin(self, connection: sa.Connection, account: Account, browser: Browser, how: str) -> SignedIn:
        cookie, page = account_sessions.begin(
            connection, account.id, browser.address, browser.agent, replaces=browser.session
        )
        accounts.note_seen(connection, account.id)
        write(connection, Actor(account.name, browser.address, account.id), "sign-in", account.name, how)
        return SignedIn(account, cookie, page, known_browsers.made(self._key, account.id))


def _by_name(connection: sa.Connection, name: str) -> tuple[Account | None, str | None]:
    account = accounts.find(connection, name) if 0 < len(name) <= 200 else None
    return account, None if account is None else accounts.password_of(connection, account.id)


def _by_link(connection: sa.Connection, secret: str) -> Account:
    account = accounts.by_id(connection, one_time_links.account_of(connection, secret).id)
    if account is None:
        raise Missing(one_time_links.NO_LINK)
    return account


def _connect(connection: sa.Connection, id: int, person: Person, address: str) -> None:
    account = accounts.by_id(connection, id)
    if account is None or account.state != "active":
        raise Missing("there is no such account")
    identities.connect(connection, Actor(account.name, address, account.id), account, person)


def _write_failure(connection: sa.Connection, account: Account | None, address: str) -> None:
    # Not the name that was given, since people type their password there by mistake.
    name = None if account is None else account.name
    write(connection, Actor(name or "unknown", address), "sign-in failed", name, name or "no such account")


def _write_rejection(connection: sa.Connection, provider: str, subject: str, address: str) -> None:
    write(connection, Actor(f"provider {provider}", address), "sign-in failed", None, subject)


def _sentence(error: Exception) -> str:
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}."
