"""The content of files as one principal may use it: always through a run that names it and holds it.

What an account has not sent itself, and the run does not hold, is not there: neither its bytes nor its presence.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from tracker.names import RunKey
from tracker_server.storage.interface import Blobs
from tracker_server.workers import Workers

from .guarded_storage import GuardedStorage
from .quotas import Quotas


class GuardedBlobs:
    """The blobs of `interface.Blobs` for one principal.

    What uploads need is looked up by `Workers.parse`: it must not wait behind the queries of readers.
    """

    def __init__(self, blobs: Blobs, storage: GuardedStorage, workers: Workers, quotas: Quotas) -> None:
        self._blobs, self._storage, self._workers, self._quotas = blobs, storage, workers, quotas

    async def put(self, run: RunKey, digest: str, content: AsyncIterator[bytes]) -> int:
        """See `Blobs.put`. Raises `Forbidden` for who may not log to the run, `Conflict`, `OverQuota`."""
        self._storage.require_log(run)
        if self._storage.is_owner:
            return await self._blobs.put(digest, content)
        await self._workers.parse(self._storage.require_named, run, digest)
        entity = self._storage.present(run).entity
        room = await self._quotas.room(entity, digest)
        size = await self._blobs.put(digest, content if room is None else self._quotas.limited(content, entity, room))
        await self._possess(run, digest, size)
        return size

    async def reached(self, run: RunKey, digest: str, size: int) -> tuple[int, bool]:
        """See `Blobs.reached`. Raises `Forbidden` for who may not log to the run."""
        self._storage.require_log(run)
        if self._storage.is_owner:
            return await self._blobs.reached(digest, size)
        stored = await self._sent(run, digest)
        return (stored, True) if stored is not None else await self._blobs.reached(digest, size, self._storage.account)

    async def extend(self, run: RunKey, digest: str, offset: int, size: int, part: bytes) -> tuple[int, bool]:
        """See `Blobs.extend`. Raises `Forbidden` for who may not log to the run, `Conflict`, `OverQuota`."""
        self._storage.require_log(run)
        if self._storage.is_owner:
            return await self._blobs.extend(digest, offset, size, part)
        await self._workers.parse(self._storage.require_named, run, digest)
        if (stored := await self._sent(run, digest)) is not None:
            return stored, True
        entity = self._storage.present(run).entity
        room = await self._quotas.room(entity, digest)
        if room is not None and size > room:
            raise self._quotas.exceeded(entity)

        async def verified() -> None:
            await self._possess(run, digest, size)

        return await self._blobs.extend(digest, offset, size, part, self._storage.account, verified)

    async def _sent(self, run: RunKey, digest: str) -> int | None:
        """Return the size of stored content that the account need not send; the run then holds it."""
        if not await self._workers.parse(self._storage.has_sent, run, digest):
            return None
        stored = (await self._blobs.sizes([digest])).get(digest)
        if stored is not None and not await self._workers.parse(self._storage.held, run, [digest]):
            await self._possess(run, digest, stored)
        return stored

    async def _possess(self, run: RunKey, digest: str, size: int) -> None:
        await self._workers.write(self._storage.possess, run, digest, size)
        self._quotas.added(self._storage.present(run).entity, size)

    async def has(self, run: RunKey, digests: list[str]) -> set[str]:
        """Return those digests whose content is there for this run."""
        if not digests:
            return set()
        if not self._storage.is_owner:
            held = await self._workers.parse(self._storage.held, run, digests)
            digests = [digest for digest in digests if digest in held]
        return await self._blobs.has(digests)

    async def get(
        self, run: RunKey, digest: str, start: int = 0, end: int | None = None
    ) -> tuple[int, AsyncIterator[bytes]]:
        """See `Blobs.get`. Raises LookupError too if the run does not name or hold the digest."""
        read = self._storage.names_digest if self._storage.is_owner else self._storage.holds_readable
        if not await self._workers.read(read, run, digest):
            raise LookupError(digest)
        return await self._blobs.get(digest, start, end)
