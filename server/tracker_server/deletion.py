"""Delete runs permanently: their rows, and the files that no other run names."""

from __future__ import annotations

from tracker.names import RunKey

from .services import Services
from .storage.interface import Storage


async def delete_run(services: Services, run: RunKey) -> None:
    """Delete the run, and the files that no other run names."""
    async with services.references:
        unused = await services.workers.write(_delete, services.storage, run)
        await services.blobs.delete(unused)
    services.deferred_work.set()
    services.live.changed([run], "removed")


def _delete(storage: Storage, run: RunKey) -> list[str]:
    """Delete the run, in the writing thread; return the digests that no run names any more."""
    named = storage.digests(run)
    storage.delete(run)
    used = storage.digests_in_use(named)
    return [digest for digest in named if digest not in used]
