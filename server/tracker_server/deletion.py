"""Delete runs permanently: their rows, and the files that no other run names."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from tracker.names import RunKey

from .access.guarded_storage import GuardedStorage
from .services import Services
from .storage.interface import Blobs, Storage
from .workers import Workers

_FILES = 200
"""Files that are deleted at once."""


async def delete_run(services: Services, storage: Storage | GuardedStorage, run: RunKey) -> None:
    """Delete the run, and the files that no other run names."""
    async with services.references:
        named = await services.workers.write(storage.delete, run)
        await services.delete_unnamed(named)
    services.deferred_work.set()
    services.live.changed([run], "removed")


async def delete_project(services: Services, storage: Storage | GuardedStorage, entity: str, project: str) -> None:
    """Delete a project with its runs, and the files that no other run names."""
    named = await services.workers.write(storage.delete_project, entity, project)
    services.deferred_work.set()
    for some in (named[i : i + _FILES] for i in range(0, len(named), _FILES)):
        async with services.references:  # uploads wait for it, and the project may have very many files
            await services.delete_unnamed(some)


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
