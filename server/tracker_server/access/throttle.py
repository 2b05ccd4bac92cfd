"""Slow down whoever guesses passwords: each failed attempt doubles the wait for the next one.

Attempts are counted by the name of the account and by the address. A stranger's failures never delay a browser or an
address that is known, because the account has signed in from there: those have a count of their own.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from .client_address import network

FREE_PER_ACCOUNT = 5
"""Failed attempts on an account before the first wait."""

FREE_PER_ADDRESS = 20
"""Failed attempts from an address before the first wait; people of one office may share it."""

MAX_WAIT = 900.0
"""The longest wait in seconds."""

FORGOTTEN = 86400.0
"""Seconds after the last attempt after which a count begins again."""

MAX_COUNTS = 20_000
"""Counts that are kept. Beyond that the smallest go, so that a flood of names and addresses hides no long guessing."""

_Key = tuple[str, str]


@dataclass
class _Count:
    failed: int
    last: float
    free: int

    def until(self) -> float:
        """Return the time from which the next attempt is allowed."""
        beyond = self.failed - self.free
        # The exponent is limited because very large powers do not fit a float.
        return self.last + (min(MAX_WAIT, 2.0 ** min(beyond, 20)) if beyond >= 0 else 0.0)


class Throttle:
    """Counts of failed attempts, in memory; not safe for threads, so it is used on the event loop only."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._counts: dict[_Key, _Count] = {}

    def attempt(self, account: str, address: str, known: str = "") -> float:
        """Count an attempt; return 0 if it may go on, else the seconds to wait before the next one.

        Attempts count as failed from the beginning, so that many at once are no way around; `succeeded` takes that
        back. An attempt that has to wait does not count.

        Args:
            account: The name that was given, whether or not there is such an account.
            address: The address of the client.
            known: What the browser or address is known by; empty for a stranger.
        """
        now = self._clock()
        keys = _keys(account, address, known)
        wait = max(self._wait(key, now) for key in keys)
        if wait > 0:
            return wait
        for key, free in keys.items():
            count = self._counts.setdefault(key, _Count(0, now, free))
            count.failed += 1
            count.last = now
        self._tidy(now)
        return 0.0

    def succeeded(self, account: str, address: str, known: str = "") -> None:
        """Forget the failures of the account. Those of the address stay: an attacker may have an account as well."""
        for key in _keys(account, address, known):
            count = self._counts.get(key)
            if count is None:
                continue
            count.failed -= 1
            if key[0] != "address" or count.failed <= 0:
                del self._counts[key]

    def _wait(self, key: _Key, now: float) -> float:
        count = self._counts.get(key)
        if count is None:
            return 0.0
        if now - count.last > FORGOTTEN:
            del self._counts[key]
            return 0.0
        return count.until() - now

    def _tidy(self, now: float) -> None:
        if len(self._counts) <= MAX_COUNTS:
            return
        fresh = [(key, count) for key, count in self._counts.items() if now - count.last <= FORGOTTEN]
        fresh.sort(key=lambda pair: (pair[1].failed, pair[1].last))
        self._counts = dict(fresh[max(0, len(fresh) - MAX_COUNTS * 9 // 10) :])


def _keys(account: str, address: str, known: str) -> dict[_Key, int]:
    """Return the counts that an attempt belongs to, with the number of free failures of each."""
    name = account.casefold()[:200]
    if known:
        return {("known", f"{name} {known}"): FREE_PER_ACCOUNT}
    return {("account", name): FREE_PER_ACCOUNT, ("address", network(address)): FREE_PER_ADDRESS}
