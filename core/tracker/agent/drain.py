"""Upload ended runs: many runs, few threads, little memory."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from .backoff import Backoff
from .upload_retries import Outcome, RetryingUpload, is_about_project, is_about_server

_WORKERS = 3  # uploads at once to one server: small runs must not wait for a large one
_GLANCE = 1.0  # seconds between looks at the settings of waiting runs

Address = tuple[str | None, str | None]


class Ended:
    """A run that only has to be uploaded."""

    def __init__(
        self, upload: RetryingUpload, project: tuple[str, str], timeout: float, over: Callable[[bool], None]
    ) -> None:
        """`project`: its entity and name. `over` is called within about `timeout` seconds, with whether all was
        uploaded.
        """
        self.upload = upload
        self.project = project
        self.over = over
        self.due = upload.not_before
        self.recalled = False
        self.deadline = upload.deadline = time.monotonic() + timeout


class _Closed:
    """A project to which the key may not log."""

    def __init__(self) -> None:
        self.backoff = Backoff()
        self.until = 0.0
        """When one of its runs tries again."""


class _Server:
    """The runs that wait for one server and key."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self.waiting: list[Ended] = []
        self.workers = 0
        self.backoff = Backoff()
        self.down = False
        self.down_until = 0.0
        self.closed: dict[tuple[str, str], _Closed] = {}

    def learn(self, ended: Ended, outcome: Outcome) -> None:
        """Note what an attempt says about other runs."""
        error, now = outcome.error, time.monotonic()
        if is_about_server(error):
            self.down = True
            self.down_until = now + self.backoff.delay(error or Exception())
            return
        if is_about_project(error):
            closed = self.closed.setdefault(ended.project, _Closed())
            closed.until = now + closed.backoff.delay(error or Exception())
        elif error is not None:
            ended.due = now + outcome.wait
            return
        else:
            self.closed.pop(ended.project, None)
        self.down, self.backoff = False, Backoff()

    def due(self, ended: Ended) -> float:
        """Return when a run may try, in seconds of the monotonic clock."""
        closed = self.closed.get(ended.project)
        return max(ended.due, self.down_until, 0.0 if closed is None else closed.until)

    def forget(self) -> None:
        """Let all runs try at once, since the settings have changed."""
        self.down_until = 0.0
        self.closed.clear()

    @property
    def hindered(self) -> bool:
        """Whether runs wait for a change of the key or of its rights."""
        now = time.monotonic()
        return self.down_until > now or any(closed.until > now for closed in self.closed.values())


class Drain:
    """Uploads ended runs, a few at a time for each server.

    While a server cannot be reached, one of its runs tries for all of them; so does one run of a project to which the
    key may not log.
    """

    def __init__(self) -> None:
        self._lock = threading.Condition()
        self._servers: dict[Address, _Server] = {}

    def add(self, ended: Ended) -> None:
        """Upload a run, at once or when its turn comes."""
        with self._lock:
            address = ended.upload.connection.current
            server = self._servers.setdefault(address, _Server(address))
            server.waiting.append(ended)
            if server.workers < (1 if server.down else _WORKERS):
                server.workers += 1
                threading.Thread(target=self._work, args=(server,), name="drain", daemon=True).start()
            self._lock.notify_all()

    def recall(self, ended: Ended) -> bool:
        """Take back a run that continues; return False if it is being uploaded, which is over soon."""
        with self._lock:
            ended.recalled = True
            for server in self._servers.values():
                if ended in server.waiting:
                    server.waiting.remove(ended)
                    return True
        return False

    def _work(self, server: _Server) -> None:
        while (ended := self._next(server)) is not None:
            if time.monotonic() > ended.deadline:
                ended.over(False)
                continue
            outcome = ended.upload.attempt(closing=True)
            ended.upload.release()
            ended.due = ended.upload.not_before
            with self._lock:
                server.learn(ended, outcome)
            if outcome.done or ended.recalled:
                ended.over(outcome.done)
            else:
                self.add(ended)

    def _next(self, server: _Server) -> Ended | None:
        """Wait for the next run whose turn it is; None if this worker is not needed any more."""
        with self._lock:
            while server.waiting and (server.workers == 1 or not server.down):
                now = time.monotonic()
                if server.hindered and self._changed(server):
                    server.forget()
                late = [ended for ended in server.waiting if ended.deadline < now]
                ready = [ended for ended in server.waiting if server.due(ended) <= now]
                if late or ready:
                    chosen = (late or ready)[0]
                    server.waiting.remove(chosen)
                    return chosen
                soonest = min(map(server.due, server.waiting))
                self._lock.wait(min(_GLANCE, max(0.01, soonest - now)))
            server.workers -= 1
            if not server.workers:
                self._servers = {address: other for address, other in self._servers.items() if other is not server}
            return None

    def _changed(self, server: _Server) -> bool:
        """Tell whether the settings that these runs wait for have changed."""
        return server.waiting[0].upload.connection.changed()
