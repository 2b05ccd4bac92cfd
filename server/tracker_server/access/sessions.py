"""Keep the sessions of signed-in browsers: one for each browser, until it expires or is ended.

A session has two secrets of 256 bits. One is a cookie. Browsers send cookies to every port of a host, so a service on
another port can read it. Therefore the dashboard's pages keep a second secret in storage that belongs to their origin
with its port, and send it with each request for data. The server stores only hashes, in a file that its owner alone
can read.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import secrets
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson

from tracker.machine.atomic_files import SECRET, write_whole

LIFETIME = 30 * 86400.0
"""Seconds after which an unused session expires."""

MAX_SESSIONS = 500
"""Sessions that are kept; beyond that the least recently used ones end."""

_WRITE_INTERVAL = 3600.0
"""Seconds after which the use of a session is written to the file again."""


@dataclass
class Session:
    """One signed-in browser. `cookie` and `page` are hashes, times are Unix seconds."""

    id: str
    cookie: str
    page: str
    created: float
    seen: float
    address: str
    agent: str


class Sessions:
    """The sessions in a file, or in memory if `path` is None. A new token ends all sessions of the old one."""

    def __init__(self, path: Path | None, token: str) -> None:
        self._path, self._token = path, token.encode()
        self._all: dict[str, Session] = {}
        if path is not None:
            with contextlib.suppress(FileNotFoundError, ValueError, TypeError, KeyError):
                self._all = {one["cookie"]: Session(**one) for one in orjson.loads(path.read_bytes())}

    def begin(self, address: str, agent: str) -> tuple[str, str]:
        """Start a session; return its two secrets, the cookie first."""
        now = time.time()
        cookie, page = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        made = Session(secrets.token_hex(4), self._hash(cookie), self._hash(page), now, now, address[:100], agent[:200])
        self._all[made.cookie] = made
        self._tidy(now)
        self._write()
        return cookie, page

    def find(self, cookie: str) -> Session | None:
        """Return the session of a cookie, None if there is none or it has expired."""
        found = self._all.get(self._hash(cookie)) if cookie else None
        now = time.time()
        if found is None or now - found.seen > LIFETIME:
            return None
        if now - found.seen > _WRITE_INTERVAL:
            found.seen = now
            self._write()
        return found

    def holds(self, session: Session, page: str) -> bool:
        """Return whether `page` is the second secret of the session."""
        return hmac.compare_digest(self._hash(page), session.page)

    def listed(self) -> list[Session]:
        """Return the sessions, the most recently used first."""
        self._tidy(time.time())
        return sorted(self._all.values(), key=lambda one: -one.seen)

    def end(self, id: str) -> bool:
        """End a session; return whether it existed."""
        ended = [one.cookie for one in self._all.values() if one.id == id]
        for cookie in ended:
            del self._all[cookie]
        if ended:
            self._write()
        return bool(ended)

    def _hash(self, secret: str) -> str:
        return hmac.new(self._token, secret.encode("utf-8", "replace"), hashlib.sha256).hexdigest()

    def _tidy(self, now: float) -> None:
        kept = sorted((one for one in self._all.values() if now - one.seen <= LIFETIME), key=lambda one: -one.seen)
        self._all = {one.cookie: one for one in kept[:MAX_SESSIONS]}

    def _write(self) -> None:
        if self._path is None:
            return
        content: list[dict[str, Any]] = [asdict(one) for one in self._all.values()]
        with contextlib.suppress(OSError):  # on a full disk the sessions last until the server stops
            write_whole(self._path, orjson.dumps(content), SECRET)
