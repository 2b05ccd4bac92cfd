"""Which files a run holds, as one principal may know and change it."""

from __future__ import annotations

from tracker.names import RunKey
from tracker_server.storage.interface import NoSuchRun

from .errors import Conflict
from .rights import Rights


class GuardedFiles(Rights):
    """The part of `GuardedStorage` for digests."""

    @property
    def account(self) -> int | None:
        """The number of the account, or of the team of a service key; None for the owner, who holds everything."""
        return self._principal.id

    @property
    def is_owner(self) -> bool:
        """Whether this is the owner of a server without accounts."""
        return self._principal.kind == "owner"

    def digests(self, run: RunKey) -> list[str]:
        """See `Storage.digests`."""
        return self._storage.digests(self._for_log(run))

    def names_digest(self, run: RunKey, digest: str) -> bool:
        """See `Storage.names_digest`."""
        try:
            here = self._readable(run)
        except NoSuchRun:
            return False
        return self._storage.names_digest(here, digest)

    def held(self, run: RunKey, digests: list[str]) -> set[str]:
        """See `Storage.held`."""
        return self._storage.held(self._for_log(run), digests)

    def holds_readable(self, run: RunKey, digest: str) -> bool:
        """Return whether the principal may read the content through the run: it names and holds it."""
        try:
            here = self._readable(run)
        except NoSuchRun:
            return False
        return bool(self._storage.held(here, [digest]))

    def require_named(self, run: RunKey, digest: str) -> None:
        """Raise `Conflict` unless the run names the digest: only content that a run holds counts as used."""
        if not self._storage.names_digest(self._for_log(run), digest):
            raise Conflict("no line of this run names this file: send the lines first")

    def has_sent(self, run: RunKey, digest: str) -> bool:
        """Return whether the principal need not send the content of a digest for the run."""
        return bool(self.held(run, [digest])) or self._storage.possesses(digest, self._by())

    def possess(self, run: RunKey, digest: str, size: int) -> None:
        """See `Storage.possess`."""
        self.require_log(run)
        self._storage.possess(self.present(run), digest, size, self._by())
