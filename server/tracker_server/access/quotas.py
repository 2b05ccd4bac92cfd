"""How many bytes of files the entities use, and how many they may.

An entity uses the files that the runs of its projects hold, each content once. Unfinished uploads do not count, and
neither do metrics and console lines. Uploads at the same moment may exceed a quota together.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import NamedTuple

from tracker_server.storage.interface import Blobs, Storage
from tracker_server.workers import Workers

from .access import Access
from .errors import OverQuota

FRESH = 1.0
"""Seconds for which a counted use is good; longer if counting takes long."""

_SHARE = 50
"""Counting takes at most one in so many seconds."""


class _Counted(NamedTuple):
    size: int
    until: float


class Quotas:
    """The use of each entity, counted when it is asked for. Use it in the event loop's thread only."""

    def __init__(self, access: Access, storage: Storage, blobs: Blobs, workers: Workers) -> None:
        self._access, self._storage, self._blobs, self._workers = access, storage, blobs, workers
        self._counted: dict[str, _Counted] = {}

    def present(self, entity: str) -> str:
        """Return the present name of an account or team; an unknown name unchanged."""
        return self._access.snapshot.entity(entity)

    def quota(self, entity: str) -> int | None:
        """Return how many bytes an entity may use; None for no limit."""
        known = self._access.snapshot.find(entity)
        return None if known is None else known.quota

    async def used(self, entity: str) -> int:
        """Return how many bytes an entity uses. It may be a second old."""
        known = self._counted.get(entity)
        if known is not None and time.monotonic() < known.until:
            return known.size
        began = time.monotonic()
        size, unknown = await self._workers.parse(self._storage.usage, entity)
        if unknown and (sizes := await self._blobs.sizes(unknown)):
            await self._workers.write(self._storage.put_sizes, sizes)
            size += sum(sizes.values())
        now = time.monotonic()
        self._counted[entity] = _Counted(size, now + max(FRESH, _SHARE * (now - began)))
        return size

    async def room(self, entity: str, digest: str) -> int | None:
        """Return how many bytes of new content fit; None if there is no limit, or the entity uses this one already."""
        quota = self.quota(entity)
        if quota is None or await self._workers.parse(self._storage.uses, entity, digest):
            return None
        room = quota - await self.used(entity)
        if room <= 0:
            raise self.exceeded(entity)
        return room

    def added(self, entity: str, size: int) -> None:
        """Count new content until the use is counted again."""
        if (known := self._counted.get(entity)) is not None:
            self._counted[entity] = known._replace(size=known.size + size)

    def exceeded(self, entity: str) -> OverQuota:
        """Return the error for content that does not fit."""
        known, used = self._access.snapshot.find(entity), self._counted.get(entity)
        kind, quota = ("account", 0) if known is None else (known.kind, known.quota or 0)
        return OverQuota(
            f"the {kind} {entity} may keep {_bytes(quota)} of files on this server and uses "
            f"{_bytes(used.size if used else 0)}: delete runs with files, or ask a server admin for a larger quota; "
            "metrics are stored as before, and files are uploaded when there is room"
        )

    async def limited(self, content: AsyncIterator[bytes], entity: str, room: int) -> AsyncIterator[bytes]:
        """Yield the content. Raises `OverQuota` if it is larger than the room."""
        async for piece in content:
            room -= len(piece)
            if room < 0:
                raise self.exceeded(entity)
            yield piece


def _bytes(size: int) -> str:
    for unit, factor in (("TB", 10**12), ("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= factor:
            return f"{size / factor:.1f} {unit}"
    return f"{size} bytes"
