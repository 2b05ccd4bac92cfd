"""The content of files as one principal may use it: always through a run that names it."""

from __future__ import annotations

from collections.abc import AsyncIterator

from tracker.names import RunKey
from tracker_server.storage.interface import Blobs
from tracker_server.workers import Workers

from .guarded_storage import GuardedStorage


class GuardedBlobs:
    """The blobs of `interface.Blobs` for one principal."""

    def __init__(self, blobs: Blobs, storage: GuardedStorage, workers: Workers) -> None:
        self._blobs, self._storage, self._workers = blobs, storage, workers

    async def put(self, run: RunKey, digest: str, content: AsyncIterator[bytes]) -> int:
        """See `Blobs.put`. Raises `Forbidden` for who may not log to the run."""
        self._storage.require_log(run)
        return await self._blobs.put(digest, content)

    async def reached(self, run: RunKey, digest: str, size: int) -> tuple[int, bool]:
        """See `Blobs.reached`. Raises `Forbidden` for who may not log to the run."""
        self._storage.require_log(run)
        return await self._blobs.reached(digest, size)

    async def extend(self, run: RunKey, digest: str, offset: int, size: int, part: bytes) -> tuple[int, bool]:
        """See `Blobs.extend`. Raises `Forbidden` for who may not log to the run."""
        self._storage.require_log(run)
        return await self._blobs.extend(digest, offset, size, part)

    async def has(self, _run: RunKey, digests: list[str]) -> set[str]:
        """Return those digests whose content is there for this run."""
        return await self._blobs.has(digests) if digests else set()

    async def get(
        self, run: RunKey, digest: str, start: int = 0, end: int | None = None
    ) -> tuple[int, AsyncIterator[bytes]]:
        """See `Blobs.get`. Raises LookupError too if no record of the run names the digest."""
        if not await self._workers.read(self._storage.names_digest, run, digest):
            raise LookupError(digest)
        return await self._blobs.get(digest, start, end)
