"""Remember sign-ins that have gone to a provider, until the browser comes back."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from typing import NamedTuple

from .client_address import network
from .oidc import Start

LIFETIME = 600.0
"""Seconds that a person has at the provider."""

MAX_PER_ADDRESS = 30
"""Sign-ins of one address; beyond that its oldest are forgotten."""

MAX_PENDING = 10_000


class Pending(NamedTuple):
    """A sign-in on its way."""

    provider: str
    start: Start
    redirect_uri: str
    target: str
    """The own address to open afterwards."""
    account: int | None = None
    """The account that gets this way to sign in; None for a sign-in."""
    link: str = ""
    """The secret of the one-time link that it began at."""


class _Entry(NamedTuple):
    pending: Pending
    browser: str
    network: str
    expires: float


class PendingSignIns:
    """Sign-ins by their `state`. Each belongs to the browser that began it, and is used once."""

    def __init__(self) -> None:
        self._entries: dict[str, _Entry] = {}

    def add(self, pending: Pending, browser: str, address: str) -> str:
        """Remember a sign-in; return the secret for the browser's cookie.

        `browser` is the secret that its cookie has so far, or empty. Keeping it lets several tabs sign in at once.
        """
        now = time.monotonic()
        browser = browser if 40 <= len(browser) <= 60 else secrets.token_urlsafe(32)
        self._entries = {state: entry for state, entry in self._entries.items() if entry.expires > now}
        here = network(address)
        own = [state for state, entry in self._entries.items() if entry.network == here]
        for state in own[: max(0, len(own) - MAX_PER_ADDRESS + 1)]:
            del self._entries[state]
        if len(self._entries) >= MAX_PENDING:
            del self._entries[next(iter(self._entries))]
        self._entries[pending.start.state] = _Entry(pending, _hash(browser), here, now + LIFETIME)
        return browser

    def take(self, state: str, browser: str, provider: str) -> Pending | None:
        """Return the sign-in that this browser began with this provider, and forget it; None if there is none."""
        entry = self._entries.get(state)
        if entry is None or entry.pending.provider != provider or entry.expires <= time.monotonic():
            return None
        if not hmac.compare_digest(entry.browser, _hash(browser)):
            return None
        del self._entries[state]
        return entry.pending


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
