"""Notice changes of accounts that other processes have made, and write down when keys and sessions were used."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import sqlalchemy as sa

from tracker_server.access import account_sessions, api_keys, audit_log, share_links
from tracker_server.access.access import Access
from tracker_server.access.audit_log import Actor
from tracker_server.access.gate import Gate

from .tasks import in_background

POLL_SECONDS = 0.5
"""Seconds after which a change by another process, such as a command of `tracker server`, is noticed."""

USES_SECONDS = 60.0
"""Seconds after which uses are written down."""

HOUR = 3600.0
DAY = 24 * HOUR

log = logging.getLogger("tracker_server")


@asynccontextmanager
async def watching(access: Access, gate: Gate) -> AsyncIterator[None]:
    """Do both until the block ends, and write down the last uses."""
    recorder = _Recorder(access, gate)

    async def repeat() -> None:
        loop = asyncio.get_running_loop()
        written = loop.time()
        while True:
            await asyncio.sleep(POLL_SECONDS)
            try:
                await access.refresh()
                if loop.time() - written >= USES_SECONDS:
                    written = loop.time()
                    await recorder.write()
            except Exception:
                log.exception("the accounts could not be read again; it is tried again")

    async with in_background(repeat()):
        yield
    await recorder.write()


class _Recorder:
    """Writes uses down: reading of a project by a server admin once an hour, sign-ins by a proxy once a day."""

    def __init__(self, access: Access, gate: Gate) -> None:
        self._access, self._gate = access, gate
        self._readings: dict[tuple[str, str, str], float] = {}
        self._proxied: dict[str, float] = {}

    async def write(self) -> None:
        """Write down what was used since the last call."""
        uses = self._gate.take_uses()
        if uses.keys:
            await self._access.note(api_keys.note_use, uses.keys)
        if uses.links:
            await self._access.note(share_links.note_opened, uses.links)
        if uses.sessions:
            await self._access.change(_note_sessions, uses.sessions)
        news = {what: when for what, when in uses.readings.items() if when - self._readings.get(what, 0) >= HOUR}
        if news:
            self._readings.update(news)
            await self._access.note(_note_readings, list(news))
        now = time.monotonic()
        arrived = {who: where for who, where in uses.proxied.items() if now - self._proxied.get(who, -DAY) >= DAY}
        self._proxied.update(dict.fromkeys(arrived, now))
        if arrived:
            await self._access.note(_note_sign_ins, arrived)


def _note_sessions(connection: sa.Connection, seen: set[str]) -> None:
    for id in seen:
        account_sessions.touch(connection, id)


def _note_readings(connection: sa.Connection, readings: list[tuple[str, str, str]]) -> None:
    for actor, entity, project in readings:
        audit_log.write(connection, Actor(actor), "read as server admin", entity, f"{entity}/{project}")


def _note_sign_ins(connection: sa.Connection, arrived: dict[str, str]) -> None:
    for name, address in arrived.items():
        audit_log.write(connection, Actor(name, address), "sign-in", name, "with the proxy")
