"""The threads in which storage runs: one that writes, some that read, so the event loop never waits for a disk.

Reading is shared out so that nobody is kept waiting by somebody else's long questions: a question that has run for a
moment gives up its place to the next one and goes on beside it; clients take turns; each question has a budget, and
ends when its asker has left or the server stops.
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

FRESH = 4
"""Questions that may begin at a time."""

SETTLED = 0.25
"""Seconds after which a question gives up its place among those."""

MOST = 24
"""Questions that run at a time, and those of one client."""
MOST_OF_ONE = 12

MAX_WAITING = 2000


class Asker:
    """Who waits for an answer: their address, and what tells when they have left."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self.client: str = (scope.get("client") or ("",))[0]
        self._receive = receive
        self.heard = scope["method"] in ("GET", "HEAD")
        """Whether all was received that they have to say, so that what comes next is that they leave."""

    async def receive(self) -> Message:
        """Receive in place of the server's own."""
        message = await self._receive()
        if message["type"] == "http.request" and not message.get("more_body", False):
            self.heard = True
        return message


asker: ContextVar[Asker | None] = ContextVar("asker", default=None)
"""The asker of the request that is being answered."""


class Busy(Exception):
    """More questions wait than the server keeps."""


class _Question:
    def __init__(self, client: str) -> None:
        self.client = client
        self.budget = Budget()
        self.turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.fresh = False
        self.clock: asyncio.TimerHandle | None = None


class Workers:
    """Use it in one event loop."""

    def __init__(self) -> None:
        # One writer: the embedded database takes one write transaction at a time, so more would only queue on its lock.
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="tracker-write")
        # What clients choose to send is unpacked beside the writer, so that it keeps nobody else's lines waiting.
        self._parsers = ThreadPoolExecutor(2, thread_name_prefix="tracker-parse")
        self._readers = ThreadPoolExecutor(MOST, thread_name_prefix="tracker-read")
        self._waiting: OrderedDict[str, deque[_Question]] = OrderedDict()
        self._running: set[_Question] = set()
        self._closed = False

    async def write(self, function: Callable[..., T], *args: Any) -> T:
        """Run `function` after all earlier writes."""
        return await asyncio.get_running_loop().run_in_executor(self._writer, function, *args)

    async def parse(self, function: Callable[..., T], *args: Any) -> T:
        """Run `function`, which prepares a write, beside reads and writes."""
        return await asyncio.get_running_loop().run_in_executor(self._parsers, function, *args)

    async def read(self, function: Callable[..., T], *args: Any) -> T:
        """Run `function` beside other reads and writes. Raises `OverBudget`, `Busy`."""
        who = asker.get()
        question = _Question("" if who is None else who.client)
        await self._admitted(question)
        loop = asyncio.get_running_loop()
        running = loop.run_in_executor(self._readers, question.budget.run, function, *args)
        running.add_done_callback(lambda _: self._ended(question))
        leaving = None if who is None or not who.heard else asyncio.create_task(_gone(who.receive, question.budget))
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            question.budget.cancel()
            raise
        except DBAPIError as error:
            if "interrupted" in str(error.orig):
                raise OverBudget("this question takes too long: ask for less at a time") from error
            raise
        finally:
            if leaving is not None:
                leaving.cancel()

    def stop(self) -> None:
        """Have all questions end at their next look, and take no more."""
        self._closed = True
        for question in self._running:
            question.budget.cancel()
        for queue in self._waiting.values():
            for question in queue:
                question.turn.cancel()
        self._waiting.clear()

    def close(self) -> None:
        """Return when what was begun has ended; what has not begun is dropped."""
        self.stop()
        self._parsers.shutdown(wait=True, cancel_futures=True)
        self._writer.shutdown(wait=True, cancel_futures=True)
        self._readers.shutdown(wait=True, cancel_futures=True)

    async def _admitted(self, question: _Question) -> None:
        if self._closed or sum(map(len, self._waiting.values())) >= MAX_WAITING:
            raise Busy
        self._waiting.setdefault(question.client, deque()).append(question)
        self._admit()
        try:
            await question.turn
        except asyncio.CancelledError:
            if question.turn.done() and not question.turn.cancelled():
                self._ended(question)  # it had just got its turn
            elif question.client in self._waiting and question in self._waiting[question.client]:
                self._waiting[question.client].remove(question)
            raise

    def _admit(self) -> None:
        """Give turns to those who wait, client by client."""
        for client in list(self._waiting):
            mine = sum(one.client == client for one in self._running)
            while self._waiting.get(client):
                if len(self._running) >= MOST or sum(one.fresh for one in self._running) >= FRESH:
                    return
                if mine >= MOST_OF_ONE:
                    break
                question = self._waiting[client].popleft()
                if question.turn.done():
                    continue
                self._begin(question)
                mine += 1
                self._waiting.move_to_end(client)
                break  # the next client's turn
            if client in self._waiting and not self._waiting[client]:
                del self._waiting[client]
        if any(self._could(client) for client in self._waiting):
            self._admit()

    def _could(self, client: str) -> bool:
        mine = sum(one.client == client for one in self._running)
        free = len(self._running) < MOST and sum(one.fresh for one in self._running) < FRESH
        return free and mine < MOST_OF_ONE

    def _begin(self, question: _Question) -> None:
        question.fresh = True
        self._running.add(question)
        question.clock = asyncio.get_running_loop().call_later(SETTLED, self._settled, question)
        question.turn.set_result(None)

    def _settled(self, question: _Question) -> None:
        question.fresh = False
        self._admit()

    def _ended(self, question: _Question) -> None:
        if question.clock is not None:
            question.clock.cancel()
        self._running.discard(question)
        if not self._closed:
            self._admit()


async def _gone(receive: Receive, budget: Budget) -> None:
    """Cancel the question once its asker has left."""
    while (await receive())["type"] != "http.disconnect":
        pass
    budget.cancel()
