"""Let the storage do its deferred work, in small pieces between the writes that clients wait for."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tracker_server.services import Services
from tracker_server.storage.interface import Storage

from .tasks import in_background

_RETRY_SECONDS = 60.0
"""Seconds until failed work is tried again."""

log = logging.getLogger("tracker_server")


@asynccontextmanager
async def maintaining(services: Services, storage: Storage) -> AsyncIterator[None]:
    """Do deferred work now, and whenever `services.deferred_work` is set, until the block ends."""

    async def repeat() -> None:
        while True:
            services.deferred_work.clear()
            try:
                # Each piece waits its turn: uploads that arrived meanwhile are written first.
                while await services.workers.parse(storage.prepare_deferred_work):
                    await services.workers.write(storage.do_deferred_work)
            except Exception:
                log.exception("maintenance of the database failed; it is tried again in a minute")
                await asyncio.sleep(_RETRY_SECONDS)
                continue
            await services.deferred_work.wait()

    async with in_background(repeat()):
        yield
