"""Delete the entries of the audit log that are older than a year."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tracker_server.access import audit_log
from tracker_server.access.access import Access

from .tasks import in_background

INTERVAL = 86400.0
"""Seconds after which it is done again."""

log = logging.getLogger("tracker_server")


@asynccontextmanager
async def shortening(access: Access) -> AsyncIterator[None]:
    """Do it now and then until the block ends."""

    async def repeat() -> None:
        while True:
            try:
                if access.snapshot.is_team:
                    await access.note(audit_log.delete_old)
            except Exception:
                log.exception("old entries of the audit log could not be deleted; it is tried again")
            await asyncio.sleep(INTERVAL)

    async with in_background(repeat()):
        yield
