"""Empty the trash: delete runs that have been in it for 30 days, and files that no record names."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tracker_server.deletion import delete_run
from tracker_server.services import Services

from .tasks import beside

KEPT = 30 * 86400.0
"""Seconds after which a run in the trash is deleted."""

GRACE = 86400.0
"""Seconds for which a file may be on the server before a record names it."""

_INTERVAL = 86400.0
_TOGETHER = 200

log = logging.getLogger("tracker_server")


async def empty(services: Services, now: float) -> int:
    """Delete what has been in the trash for too long; returns how many runs that were."""
    old = await services.workers.read(services.storage.trashed, now - KEPT)
    for run in old:
        await delete_run(services, run)
    return len(old)


async def collect(services: Services, now: float) -> int:
    """Delete the files that no record of any run names, `GRACE` seconds after they came; returns how many that were."""
    old = await services.blobs.older(now - GRACE)
    count = 0
    for some in (old[i : i + _TOGETHER] for i in range(0, len(old), _TOGETHER)):
        # Nobody can be told that one of them is there, and name it, between the question and the deletion.
        async with services.references:
            used = await services.workers.read(services.storage.digests_in_use, some)
            unnamed = [digest for digest in some if digest not in used]
            await services.blobs.delete(unnamed)
        count += len(unnamed)
    return count


@asynccontextmanager
async def emptying(services: Services) -> AsyncIterator[None]:
    """Empty the trash now and once a day, until the block ends."""

    async def repeat() -> None:
        while True:
            try:
                await empty(services, time.time())
                await collect(services, time.time())
            except Exception:
                log.exception("the trash could not be emptied; it is tried again tomorrow")
            await asyncio.sleep(_INTERVAL)

    async with beside(repeat()):
        yield
