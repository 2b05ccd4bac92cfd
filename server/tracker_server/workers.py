"""Run the storage in threads, one for writes and several for reads, so that the event loop never waits for a disk.

Reads are scheduled fairly, so that one client's long queries do not keep others waiting. A query that has run for a
moment frees its starting slot for the next one and continues beside it. Clients take turns. Each query has a budget,
and is cancelled when its client disconnects or the server stops.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from typing import Any, TypeVar

from sqlalchemy.exc import DBAPIError
from starlette.types import Message, Receive, Scope

from .storage.interface import OverBudget
from .storage.query_budget import Budget

T = TypeVar("T")

MAX_STARTING = 4
"""Queries that may be in their first `STARTING_SECONDS` at the same time."""

STARTING_SECONDS = 0.25
"""Seconds after which a query frees its starting slot."""

MAX_RUNNING = 24
"""Queries that run at the same time."""

MAX_RUNNING_OF_CLIENT = 12
"""Queries of one client that run at the same time."""

MAX_WAITING = 2000
"""Queries that wait for their turn; further ones are refused with 503."""


class Requester:
    """The client of one request: its address, and a way to notice that it has disconnected."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self.client: str = (scope.get("client") or ("",))[0]
        self._receive = receive
        self.body_received = scope["method"] in ("GET", "HEAD")
        """Whether the whole body has arrived, so that the next message can only be a disconnect."""

    async def receive(self) -> Message:
        """Receive the next ASGI message; replaces the server's `receive`."""
        message = await self._receive()
        if message["type"] == "http.request" and not message.get("more_body", False):
            self.body_received = True
        return message


current_requester: ContextVar[Requester | None] = ContextVar("current_requester", default=None)
"""The client of the request that is being handled."""


class Busy(Exception):
    """Too many queries wait for their turn."""


class _Query:
    def __init__(self, client: str) -> None:
        self.client = client
        self.budget = Budget()
        self.turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.starting = False
        self.clock: asyncio.TimerHandle | None = None


class Workers:
    """Worker threads for reads and writes, to be used from one event loop."""

    def __init__(self) -> None:
        # One writer: SQLite allows one write transaction at a time, so more threads would only wait for its lock.
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="tracker-write")
        # Uploads are decompressed and parsed in other threads, so that a large one does not delay other writes.
        self._parsers = ThreadPoolExecutor(2, thread_name_prefix="tracker-parse")
        self._copier = ThreadPoolExecutor(1, thread_name_prefix="tracker-copy")
        self._readers = ThreadPoolExecutor(MAX_RUNNING, thread_name_prefix="tracker-read")
        self._waiting: OrderedDict[str, deque[_Query]] = OrderedDict()
        self._running: set[_Query] = set()
        self._closed = False

    async def write(self, function: Callable[..., T], *args: Any) -> T:
        """Run `function` in the writing thread, after all earlier writes."""
        return await asyncio.get_running_loop().run_in_executor(self._writer, function, *args)

    async def parse(self, function: Callable[..., T], *args: Any) -> T:
        """Run `function`, which prepares a write, in parallel with reads and writes."""
        return await asyncio.get_running_loop().run_in_executor(self._parsers, function, *args)

    async def read(self, function: Callable[..., T], *args: Any) -> T:
        """Run `function`, which reads, in parallel with other reads and writes.

        Raises `OverBudget` if it takes too long or its client disconnects, `Busy` if too many queries wait.
        """
        requester = current_requester.get()
        query = _Query("" if requester is None else requester.client)
        await self._wait_for_turn(query)
        loop = asyncio.get_running_loop()
        running = loop.run_in_executor(self._readers, query.budget.run, function, *args)
        running.add_done_callback(lambda _: self._finish(query))
        leaving = (
            None
            if requester is None or not requester.body_received
            else asyncio.create_task(_cancel_on_disconnect(requester.receive, query.budget))
        )
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            query.budget.cancel()
            raise
        except DBAPIError as error:
            if "interrupted" in str(error.orig):
                raise OverBudget("this query takes too long: ask for less at a time") from error
            raise
        finally:
            if leaving is not None:
                leaving.cancel()

    @property
    def stopped(self) -> bool:
        """Whether the server stops, so that long work must end."""
        return self._closed

    async def copy(self, function: Callable[..., T], *args: Any) -> T:
        """Run `function`, which takes minutes, after all earlier ones; it ends when `stopped` becomes true."""
        return await asyncio.get_running_loop().run_in_executor(self._copier, function, *args)

    def stop(self) -> None:
        """Cancel all queries, and accept no more."""
        self._closed = True
        for query in self._running:
            query.budget.cancel()
        for queue in self._waiting.values():
            for query in queue:
                query.turn.cancel()
        self._waiting.clear()

    def close(self) -> None:
        """Wait until running work has ended; work that has not started is dropped."""
        self.stop()
        self._copier.shutdown(wait=True, cancel_futures=True)
        self._parsers.shutdown(wait=True, cancel_futures=True)
        self._writer.shutdown(wait=True, cancel_futures=True)
        self._readers.shutdown(wait=True, cancel_futures=True)

    async def _wait_for_turn(self, query: _Query) -> None:
        if self._closed or sum(map(len, self._waiting.values())) >= MAX_WAITING:
            raise Busy
        self._waiting.setdefault(query.client, deque()).append(query)
        self._admit()
        try:
            await query.turn
        except asyncio.CancelledError:
            if query.turn.done() and not query.turn.cancelled():
                self._finish(query)  # its turn had just come
            elif query.client in self._waiting and query in self._waiting[query.client]:
                self._waiting[query.client].remove(query)
            raise

    def _admit(self) -> None:
        """Start waiting queries while there is room, one client after the other."""
        for client in list(self._waiting):
            mine = sum(one.client == client for one in self._running)
            while self._waiting.get(client):
                if len(self._running) >= MAX_RUNNING or sum(one.starting for one in self._running) >= MAX_STARTING:
                    return
                if mine >= MAX_RUNNING_OF_CLIENT:
                    break
                query = self._waiting[client].popleft()
                if query.turn.done():
                    continue
                self._begin(query)
                mine += 1
                self._waiting.move_to_end(client)
                break  # the next client's turn
            if client in self._waiting and not self._waiting[client]:
                del self._waiting[client]
        if any(self._has_room_for(client) for client in self._waiting):
            self._admit()

    def _has_room_for(self, client: str) -> bool:
        mine = sum(one.client == client for one in self._running)
        free = len(self._running) < MAX_RUNNING and sum(one.starting for one in self._running) < MAX_STARTING
        return free and mine < MAX_RUNNING_OF_CLIENT

    def _begin(self, query: _Query) -> None:
        query.starting = True
        self._running.add(query)
        query.clock = asyncio.get_running_loop().call_later(STARTING_SECONDS, self._free_starting_slot, query)
        query.turn.set_result(None)

    def _free_starting_slot(self, query: _Query) -> None:
        query.starting = False
        self._admit()

    def _finish(self, query: _Query) -> None:
        if query.clock is not None:
            query.clock.cancel()
        self._running.discard(query)
        if not self._closed:
            self._admit()


async def _cancel_on_disconnect(receive: Receive, budget: Budget) -> None:
    """Cancel the query once its client has disconnected."""
    while (await receive())["type"] != "http.disconnect":
        pass
    budget.cancel()
