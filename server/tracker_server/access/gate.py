"""Turn credentials into a principal, and open the storage and the files for it."""

from __future__ import annotations

import time
from typing import NamedTuple

from starlette.types import Scope

from tracker_server.storage.interface import Blobs, Storage
from tracker_server.workers import Workers

from . import account_sessions
from .access import Access
from .guarded_blobs import GuardedBlobs
from .guarded_storage import GuardedStorage
from .principal import NOBODY, OWNER, Principal
from .quotas import Quotas


class Credential(NamedTuple):
    """What a request shows: an API key, the cookie of a session or the token of a share link, checked for an account.

    `owner` stands for the owner's token or session, `proxy` for the name of an account that a trusted proxy has signed
    in; the guard has checked both.
    """

    kind: str
    secret: str = ""


class Uses(NamedTuple):
    """What was used."""

    keys: dict[str, float]
    """When, by the id of the key."""
    sessions: set[str]
    links: dict[str, tuple[int, float]]
    """How often and when last, by the id of the link."""
    readings: dict[tuple[str, str, str], float]
    """When a server admin (the name for the audit log) last read a project of an entity without a role there."""
    proxied: dict[str, str]
    """The addresses of accounts that a proxy has signed in, by name."""


class Gate:
    """Judges credentials by the current snapshot of the rights."""

    def __init__(self, access: Access, storage: Storage, blobs: Blobs, workers: Workers) -> None:
        self._access, self._storage, self._blobs, self._workers = access, storage, blobs, workers
        self.quotas = Quotas(access, storage, blobs, workers)
        self.used: dict[str, float] = {}
        self.seen: set[str] = set()
        self.opened: dict[str, tuple[int, float]] = {}
        self._readings: dict[tuple[str, str, str], float] = {}
        self._proxied: dict[str, str] = {}

    @property
    def is_team(self) -> bool:
        """Whether there are accounts, so that the owner's token gives no access."""
        return self._access.snapshot.is_team

    def judge(self, credential: Credential) -> Principal | str:
        """Return who shows the credential, or why it gives no access (empty: it is unknown)."""
        snapshot, now = self._access.snapshot, time.time()
        if credential.kind == "owner":
            return "" if snapshot.is_team else OWNER
        if credential.kind == "nobody":
            return NOBODY
        if credential.kind == "key":
            found = snapshot.key(credential.secret, now)
            if isinstance(found, Principal):
                self.used[found.credential] = now
            return found
        if credential.kind == "session":
            session = account_sessions.find(snapshot.sessions, credential.secret)
            return "" if session is None else snapshot.principals.get(session.account, "")
        if credential.kind == "proxy":
            return snapshot.account(credential.secret) or ""
        return snapshot.link(credential.secret, now) or ""

    def session(self, cookie: str) -> account_sessions.AccountSession | None:
        """Return the session of an account's browser, None if there is none."""
        found = account_sessions.find(self._access.snapshot.sessions, cookie)
        if found is not None and account_sessions.is_stale(found):
            self.seen.add(found.id)
        return found

    def _note_reading(self, principal: Principal, entity: str, project: str) -> None:
        self._readings[principal.actor, entity, project] = time.time()

    def link_opened(self, id: str) -> None:
        """Count that a browser has opened a share link."""
        count, _ = self.opened.get(id, (0, 0.0))
        self.opened[id] = count + 1, time.time()

    def note_proxy(self, principal: Principal, address: str) -> None:
        """Remember that a proxy has signed an account in."""
        self._proxied[principal.name] = address

    def take_uses(self) -> Uses:
        """Return the uses since the last call."""
        uses = Uses(self.used, self.seen, self.opened, self._readings, self._proxied)
        self.used, self.seen, self.opened, self._readings, self._proxied = {}, set(), {}, {}, {}
        return uses

    def open(self, scope: Scope, credential: Credential, principal: Principal) -> None:
        """Give the request its principal, and the storage and the files as the principal may use them."""
        storage = self._guarded(credential, principal)
        scope["tracker.principal"] = principal
        scope["tracker.storage"] = storage
        scope["tracker.blobs"] = GuardedBlobs(self._blobs, storage, self._workers, self.quotas)

    def _guarded(self, credential: Credential, principal: Principal) -> GuardedStorage:
        def renew(former: GuardedStorage) -> GuardedStorage | None:
            now = self.judge(credential)
            if not isinstance(now, Principal):
                return None
            if former.is_like(now, self._access.snapshot):
                return former
            return self._guarded(credential, now)

        return GuardedStorage(self._storage, principal, self._access.snapshot, renew, self._note_reading)
