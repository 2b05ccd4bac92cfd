"""Notice changes of accounts that other processes have made, and write down when keys and sessions were used."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import sqlalchemy as sa

from tracker_server.access import account_sessions
from tracker_server.access.access import Access
from tracker_server.access.gate import Gate
from tracker_server.storage.access_schema import api_keys

from .tasks import in_background

POLL_SECONDS = 0.5
"""Seconds after which a change by another process, such as a command of `tracker server`, is noticed."""

USES_SECONDS = 60.0
"""Seconds after which uses are written down."""

log = logging.getLogger("tracker_server")


@asynccontextmanager
async def watching(access: Access, gate: Gate) -> AsyncIterator[None]:
    """Do both until the block ends, and write down the last uses."""

    async def repeat() -> None:
        loop = asyncio.get_running_loop()
        written = loop.time()
        while True:
            await asyncio.sleep(POLL_SECONDS)
            try:
                await access.refresh()
                if loop.time() - written >= USES_SECONDS:
                    written = loop.time()
                    await write_uses(access, gate)
            except Exception:
                log.exception("the accounts could not be read again; it is tried again")

    async with in_background(repeat()):
        yield
    await write_uses(access, gate)


async def write_uses(access: Access, gate: Gate) -> None:
    """Write down which keys and sessions were used, if any."""
    used, seen = gate.take_uses()
    if used:
        await access.note(_write_keys, used)
    if seen:
        await access.change(_write_sessions, seen)


def _write_keys(connection: sa.Connection, used: dict[str, float]) -> None:
    for id, when in used.items():
        connection.execute(api_keys.update().where(api_keys.c.id == id).values(used=when))


def _write_sessions(connection: sa.Connection, seen: set[str]) -> None:
    for id in seen:
        account_sessions.touch(connection, id)
