"""Delete runs permanently: their rows, and the files that no other run names."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from tracker.names import RunKey

from .access.guarded_storage import GuardedStorage
from .services import Services
from .storage.interface import Blobs, Storage
from .workers import Workers


async def delete_run(services: Services, storage: Storage | GuardedStorage, run: RunKey) -> None:
    """Delete the run, and the files that no other run names."""
    async with services.references:
        named = await services.workers.write(storage.delete, run)
        await services.delete_unnamed(named)
    services.deferred_work.set()
    services.live.changed([run], "removed")


def deleting_unnamed(storage: Storage, blobs: Blobs, workers: Workers) -> Callable[[list[str]], Awaitable[int]]:
    """Return a function that deletes those files that no run names, and returns how many.

    Its caller holds `services.references`, which keeps clients from naming one of them meanwhile.
    """

    async def delete(digests: list[str]) -> int:
        used = await workers.write(storage.digests_in_use, digests)
        unnamed = [digest for digest in digests if digest not in used]
        if unnamed:
            await workers.write(storage.forget, unnamed)
        await blobs.delete(unnamed)
        return len(unnamed)

    return delete
