"""Let the storage do what it put off, piece by piece between the writes that clients wait for."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tracker_server.services import Services

from .tasks import beside

_AGAIN = 60.0
"""Seconds after which what failed is tried again."""

log = logging.getLogger("tracker_server")


@asynccontextmanager
async def tidying(services: Services) -> AsyncIterator[None]:
    """Tidy now, and whenever `services.untidy` is set, until the block ends."""

    async def repeat() -> None:
        while True:
            services.untidy.clear()
            try:
                # Each piece waits its turn: what came meanwhile is written first.
                while await services.workers.parse(services.storage.prepare):
                    await services.workers.write(services.storage.tidy)
            except Exception:
                log.exception("the storage could not be tidied; it is tried again in a minute")
                await asyncio.sleep(_AGAIN)
                continue
            await services.untidy.wait()

    async with beside(repeat()):
        yield
