"""Empty the trash: delete runs that have been in it for 30 days, and files that no run names."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tracker_server.deletion import delete_run
from tracker_server.services import Services
from tracker_server.storage.interface import Blobs, Storage

from .tasks import in_background

KEEP_SECONDS = 30 * 86400.0
"""Seconds after which a run in the trash is deleted."""

GRACE = 86400.0
"""Seconds for which a file may be on the server without a run that names it."""

_INTERVAL = 86400.0
_BATCH_SIZE = 200

log = logging.getLogger("tracker_server")


async def delete_expired_runs(services: Services, storage: Storage, now: float) -> int:
    """Delete runs that have been in the trash for `KEEP_SECONDS`; return how many."""
    old = await services.workers.read(storage.trashed, now - KEEP_SECONDS)
    for run in old:
        await delete_run(services, storage, run)
    return len(old)


async def delete_unnamed_files(services: Services, blobs: Blobs, now: float) -> int:
    """Delete files that arrived more than `GRACE` seconds ago and that no run names; return how many."""
    old = await blobs.older(now - GRACE)
    count = 0
    for some in (old[i : i + _BATCH_SIZE] for i in range(0, len(old), _BATCH_SIZE)):
        async with services.references:
            count += await services.delete_unnamed(some)
    return count


@asynccontextmanager
async def emptying(services: Services, storage: Storage, blobs: Blobs) -> AsyncIterator[None]:
    """Empty the trash now and once a day, until the block ends."""

    async def repeat() -> None:
        while True:
            try:
                await delete_expired_runs(services, storage, time.time())
                await delete_unnamed_files(services, blobs, time.time())
            except Exception:
                log.exception("the trash could not be emptied; it is tried again tomorrow")
            await asyncio.sleep(_INTERVAL)

    async with in_background(repeat()):
        yield
