"""Upload ended runs: many runs, few threads, little memory."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from .backoff import Backoff
from .upload_retries import RetryingUpload, is_about_server

_WORKERS = 3  # uploads at once to one server: small runs must not wait for a large one
_GLANCE = 1.0  # seconds between looks at the settings of waiting runs

Address = tuple[str | None, str | None]


class Ended:
    """A run that only has to be uploaded."""

    def __init__(self, upload: RetryingUpload, timeout: float, over: Callable[[bool], None]) -> None:
        """`over` is called within about `timeout` seconds, with whether all was uploaded."""
        self.upload = upload
        self.over = over
        self.due = upload.not_before
        self.recalled = False
        self.deadline = upload.deadline = time.monotonic() + timeout


class _Server:
    """The runs that wait for one server and key."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self.waiting: list[Ended] = []
        self.workers = 0
        self.backoff = Backoff()
        self.down = False
        self.down_until = 0.0


class Drain:
    """Uploads ended runs, a few at a time for each server.

    While a server cannot be reached, one of its runs tries for all of them.
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
                if is_about_server(outcome.error):
                    server.down = True
                    server.down_until = time.monotonic() + server.backoff.delay(outcome.error or Exception())
                elif outcome.error is None:
                    server.down, server.backoff = False, Backoff()
                else:
                    ended.due = time.monotonic() + outcome.wait
            if outcome.done or ended.recalled:
                ended.over(outcome.done)
            else:
                self.add(ended)

    def _next(self, server: _Server) -> Ended | None:
        """Wait for the next run whose turn it is; None if this worker is not needed any more."""
        with self._lock:
            while server.waiting and (server.workers == 1 or not server.down):
                now = time.monotonic()
                if server.down_until > now and self._changed(server):
                    server.down_until = 0.0
                late = [ended for ended in server.waiting if ended.deadline < now]
                ready = [ended for ended in server.waiting if ended.due <= now] if server.down_until <= now else []
                if late or ready:
                    chosen = (late or ready)[0]
                    server.waiting.remove(chosen)
                    return chosen
                soonest = max(server.down_until, min(ended.due for ended in server.waiting))
                self._lock.wait(min(_GLANCE, max(0.01, soonest - now)))
            server.workers -= 1
            if not server.workers:
                self._servers = {address: other for address, other in self._servers.items() if other is not server}
            return None

    def _changed(self, server: _Server) -> bool:
        """Tell whether the settings that these runs wait for have changed."""
        return server.waiting[0].upload.connection.changed()
