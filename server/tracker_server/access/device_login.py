"""Let a person sign in a program: it shows a short code, and they confirm it in a browser that is signed in.

This is the device flow of RFC 8628. Requests are kept in memory: a restart of the server ends them, and they last ten
minutes. Nobody needs rights to make a request, so their number is limited.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from .principal import Scope

LIFETIME = 600.0
"""Seconds in which a request must be confirmed."""
INTERVAL = 2.0
"""Seconds between a program's questions; a program that asks more often has to wait longer."""
MOST, MOST_OF_ADDRESS = 1000, 100
"""Open requests of all programs, and of programs at one address."""
MOST_GUESSES = 10
"""Wrong codes that an account may enter within `LIFETIME`."""

_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"  # no vowels, so no words, and no digits that look like letters: RFC 8628, section 6.1
_LENGTH = 8
_SLOWER = 5.0  # seconds that the interval grows by when a program asks too soon: RFC 8628, section 3.5
_TOLERANCE = 0.2  # seconds: a network may deliver two questions closer together than they were sent


class TooMany(Exception):
    """There are too many requests, or an account has entered too many wrong codes (429)."""


class Started(NamedTuple):
    """What a program gets: it keeps the first code to itself, and shows the second."""

    device_code: str
    user_code: str
    interval: float
    expires_in: float


class Confirmed(NamedTuple):
    """What a person has allowed: a key of this account, with this scope and name."""

    account: int
    scope: Scope
    name: str


@dataclass
class Request:
    """A program that waits to be signed in, as the person sees it."""

    user_code: str
    name: str
    """The program's user and host as it gives them, `user@host`."""
    address: str
    """The address that it asks from."""
    expires: float
    """In seconds of the clock of `DeviceLogins`."""
    interval: float = INTERVAL
    asked: float = 0.0
    answer: Confirmed | Literal["refused"] | None = None


@dataclass
class _Guesses:
    since: float
    wrong: int = 0


class DeviceLogins:
    """The open requests. Thread-safe."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._requests: dict[str, Request] = {}  # by the hash of the device code
        self._guesses: dict[int, _Guesses] = {}  # by account

    def start(self, user: str, host: str, address: str) -> Started:
        """Begin a request of a program; raise `TooMany` if there are too many.

        Args:
            user: The name of the user that the program runs as, as it says.
            host: The name of its machine, as it says.
            address: Where the request comes from.
        """
        with self._lock:
            self._tidy()
            if len(self._requests) >= MOST or self._of(address) >= MOST_OF_ADDRESS:
                raise TooMany("too many sign-ins are waiting to be confirmed: try again in a few minutes")
            taken = {request.user_code for request in self._requests.values()}
            code = next(code for code in iter(_new_code, "") if code not in taken)
            device = secrets.token_urlsafe(32)
            name = f"{_shown(user)}@{_shown(host)}"
            self._requests[_hash(device)] = Request(code, name, address, self._clock() + LIFETIME)
            return Started(device, code, INTERVAL, LIFETIME)

    def ask(self, device_code: str) -> Confirmed | Literal["waiting", "too soon", "over"]:
        """Return what a program learns: what was allowed (once), whether to ask again, or that the request is over.

        After `too soon`, the program has to wait five seconds longer before each question.
        """
        with self._lock:
            self._tidy()
            request = self._requests.get(_hash(device_code))
            if request is None:
                return "over"
            now = self._clock()
            if request.asked and now - request.asked < request.interval - _TOLERANCE:
                request.interval += _SLOWER
                request.asked = now
                return "too soon"
            request.asked = now
            if request.answer is None:
                return "waiting"
            del self._requests[_hash(device_code)]
            return "over" if request.answer == "refused" else request.answer

    def find(self, user_code: str, account: int) -> Request | None:
        """Return the request with a code that a person entered; None if there is none.

        Case, spaces and dashes do not matter. Raises `TooMany` after too many wrong codes of this account.
        """
        code = plain(user_code)
        with self._lock:
            self._tidy()
            guesses = self._guesses.setdefault(account, _Guesses(self._clock()))
            if guesses.wrong >= MOST_GUESSES:
                raise TooMany("too many wrong codes: wait ten minutes, then run `tracker login` again")
            for request in self._requests.values():
                if request.user_code == code and request.answer is None:
                    return request
            guesses.wrong += 1
            return None

    def answer(self, user_code: str, account: int, scope: Scope | None) -> Request | None:
        """Confirm a request with the scope that the account gives its key, or refuse it with None.

        Returns None if there is no such request any more. Raises `TooMany` as `find` does.
        """
        request = self.find(user_code, account)
        if request is not None:
            with self._lock:
                if request.answer is not None:  # in another window at the same moment
                    return None
                request.answer = "refused" if scope is None else Confirmed(account, scope, request.name)
        return request

    def _of(self, address: str) -> int:
        return sum(request.address == address for request in self._requests.values())

    def _tidy(self) -> None:
        now = self._clock()
        self._requests = {code: request for code, request in self._requests.items() if request.expires > now}
        self._guesses = {account: one for account, one in self._guesses.items() if now - one.since < LIFETIME}


def plain(user_code: str) -> str:
    """Return a code as the server stores it: two groups of four letters, `BCDF-GHJK`."""
    letters = "".join(letter for letter in user_code.upper() if letter in _LETTERS)
    return f"{letters[:4]}-{letters[4:]}"


def _new_code() -> str:
    return plain("".join(secrets.choice(_LETTERS) for _ in range(_LENGTH)))


def _shown(text: str) -> str:
    """Return a name that a program gives, in at most 60 printable characters."""
    return "".join(letter for letter in text if letter.isprintable()).strip()[:60] or "unknown"


def _hash(device_code: str) -> str:
    return hashlib.sha256(device_code.encode("utf-8", "replace")).hexdigest()
