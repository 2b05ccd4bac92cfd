"""Tell browsers which runs and projects have changed.

Ingest and edits publish after their transaction. Only names are passed on, no data. A listener that is slow or was
away gets `reset` instead of the changes that it missed, so the memory for each listener is bounded.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterable
from typing import Any, Literal

import orjson

from tracker.names import RunKey

MAX_WAITING = 1000
"""Changed runs and projects that wait for one listener; beyond that it gets `reset`."""

MAX_LISTENERS = 500

What = Literal["history", "system", "console", "meta", "files", "removed", "new", "comments"]

_STREAMS: dict[str, What] = {"history": "history", "system": "system", "console": "console", "edits": "meta"}


class Hub:
    """Sends changes to all listeners. Use it only in the event loop's thread."""

    def __init__(self) -> None:
        self._listeners: set[Listener] = set()
        self._start = secrets.token_hex(4)
        self._count = 0
        self.closing = False

    def changed(self, runs: Iterable[RunKey], *what: What) -> None:
        """Tell all listeners that these runs have changed, and in what."""
        self._count += 1
        if self._listeners:
            names = ["/".join(run) for run in runs]
            for listener in self._listeners:
                listener.add(names, what)

    def project_changed(self, entity: str, project: str) -> None:
        """Tell all listeners that the notes, saved views or reports of this project have changed."""
        self._count += 1
        for listener in self._listeners:
            listener.add_project(f"{entity}/{project}")

    def appended(self, run: RunKey, stream: str, offset: int, digests: list[str]) -> None:
        """Tell all listeners that lines were added to a stream of the run at byte `offset`."""
        if not self._listeners:
            self._count += 1
            return
        what = [_STREAMS.get(stream.partition("-")[0].partition(".")[0], "meta")]
        if offset == 0:
            what.append("new")
        if digests:
            what.append("files")
        self.changed([run], *what)

    @property
    def state(self) -> str:
        """The id of the last change; no other process uses the same."""
        return f"{self._start}-{self._count}"

    def listen(self, known: str | None) -> Listener:
        """Return a new listener. It starts with `reset` unless `known`, the last id it has seen, is up to date."""
        listener = Listener(missed=known is not None and known != self.state)
        self._listeners.add(listener)
        return listener

    def forget(self, listener: Listener) -> None:
        """Remove the listener."""
        self._listeners.discard(listener)

    @property
    def full(self) -> bool:
        """Whether there are as many listeners as are allowed."""
        return len(self._listeners) >= MAX_LISTENERS

    def close(self) -> None:
        """End the streams of all listeners."""
        self.closing = True
        for listener in self._listeners:
            listener.stop()


class Listener:
    """The changes that wait for one browser."""

    def __init__(self, missed: bool) -> None:
        self.news = asyncio.Event()
        self.end = asyncio.Event()
        self._missed = missed
        self._runs: dict[str, set[str]] = {}
        self._projects: dict[str, None] = {}
        if missed:
            self.news.set()

    def stop(self) -> None:
        """End its stream."""
        self.end.set()
        self.news.set()

    def add(self, runs: list[str], what: Iterable[str]) -> None:
        """Add changes of runs."""
        for run in runs:
            self._runs.setdefault(run, set()).update(what)
        self._added()

    def add_project(self, project: str) -> None:
        """Add a change of a project."""
        self._projects[project] = None
        self._added()

    def _added(self) -> None:
        if len(self._runs) + len(self._projects) > MAX_WAITING:
            self._missed = True
            self._runs.clear()
            self._projects.clear()
        self.news.set()

    def take(self, state: str) -> bytes:
        """Return the waiting changes as an event, and forget them."""
        self.news.clear()
        runs, self._runs = self._runs, {}
        projects, self._projects = self._projects, {}
        missed, self._missed = self._missed, False
        if missed:
            return event("reset", {}, state)
        if not runs and not projects:
            return b""
        changes = [{"run": run, "what": sorted(what)} for run, what in runs.items()]
        return event("change", {"runs": changes, "projects": list(projects)}, state)


def event(name: str, data: Any, state: str) -> bytes:
    """Encode a server-sent event; `state` becomes its id."""
    return b"event: %b\nid: %b\ndata: %b\n\n" % (name.encode(), state.encode(), orjson.dumps(data))
