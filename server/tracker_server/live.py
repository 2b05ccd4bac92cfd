"""Tell browsers which runs and projects have changed.

Ingest and edits publish after their transaction. Only names are passed on, no data. A listener that is slow or was
away gets `reset` instead of the changes that it missed, so the memory for each listener is bounded.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterable
from typing import Any, Literal

import orjson

from tracker.names import RunKey

MAX_WAITING = 1000
"""Changed runs and projects that wait for one listener; beyond that it gets `reset`."""

MAX_LISTENERS = 500

What = Literal["history", "system", "console", "meta", "files", "removed", "new", "comments"]

Sees = Callable[[str, str, "str | None"], bool]
"""Whether a listener may hear of an entity's project (None: of the project itself) or of a run in it."""


def _everything(_entity: str, _project: str, _run: str | None) -> bool:
    return True


_STREAMS: dict[str, What] = {"history": "history", "system": "system", "console": "console", "edits": "meta"}


class Hub:
    """Sends changes to all listeners. Use it only in the event loop's thread."""

    def __init__(self) -> None:
        self._listeners: set[Listener] = set()
        self._start = secrets.token_hex(4)
        self._counts: dict[tuple[str, str], int] = {}
        self.closing = False

    def changed(self, runs: Iterable[RunKey], *what: What) -> None:
        """Tell the listeners that see them that these runs have changed, and in what."""
        runs = list(runs)
        for key in {(run.entity, run.project) for run in runs}:
            self._counts[key] = self._counts.get(key, 0) + 1
        for listener in self._listeners:
            seen = ["/".join(run) for run in runs if listener.sees(*run)]
            if seen:
                listener.add(seen, what)

    def project_changed(self, entity: str, project: str) -> None:
        """Tell the listeners that see it that the saved views or reports of this project have changed."""
        self._counts[entity, project] = self._counts.get((entity, project), 0) + 1
        for listener in self._listeners:
            if listener.sees(entity, project, None):
                listener.add_project(f"{entity}/{project}")

    def appended(self, run: RunKey, stream: str, offset: int, digests: list[str]) -> None:
        """Tell the listeners that see the run that lines were added to a stream of the run at byte `offset`."""
        what = [_STREAMS.get(stream.partition("-")[0].partition(".")[0], "meta")]
        if offset == 0:
            what.append("new")
        if digests:
            what.append("files")
        self.changed([run], *what)

    def state(self, sees: Sees = _everything) -> str:
        """Return the id of the last change that a listener sees; no other process uses the same.

        It depends on nothing else, so it does not tell how much others do.
        """
        return f"{self._start}-{sum(count for key, count in self._counts.items() if sees(*key, None))}"

    def listen(
        self, known: str | None, sees: Sees = _everything, renew: Callable[[], Sees | None] | None = None
    ) -> Listener:
        """Return a new listener. It starts with `reset` unless `known`, the last id it has seen, is up to date.

        Args:
            known: The id of the last event that the browser has seen.
            sees: What the listener may hear of.
            renew: Called when rights have changed; returns what it may hear of then, None if nothing any more.
        """
        listener = Listener(known is not None and known != self.state(sees), sees, renew)
        self._listeners.add(listener)
        return listener

    def judge_again(self) -> None:
        """Ask for each listener what it may hear of, after rights have changed."""
        for listener in self._listeners:
            listener.judge_again()

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

    def __init__(self, missed: bool, sees: Sees, renew: Callable[[], Sees | None] | None) -> None:
        self.sees, self._renew = sees, renew
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

    def judge_again(self) -> None:
        """Renew what it may hear of; end its stream if that is nothing. News that wait are given up for `reset`."""
        sees = self.sees if self._renew is None else self._renew()
        if sees is None:
            self.stop()
        elif sees != self.sees:
            self.sees, self._missed = sees, True
            self._runs.clear()
            self._projects.clear()
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
