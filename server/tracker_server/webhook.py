"""Forward alerts of runs, and mentions in comments, to the webhook that the server's owner configured.

Clients cannot choose the address. Each message is sent at most once. Those that still wait when the server ends are
dropped, and so are alerts that are older than an hour when they arrive, for example from a run that was offline.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Sequence
from urllib.parse import quote

import requests

from tracker.names import RunKey
from tracker.runlog.alerts import Alert
from tracker.settings import is_local

PER_MINUTE = 30
"""Messages sent in a minute; further ones are dropped, and the next message says how many."""

_MAX_QUEUED = 1000
_MAX_AGE = 3600.0
_TIMEOUT = (5.0, 10.0)  # seconds to connect, and between bytes of the answer
_MAX_PAUSE, _CLOSE_SECONDS = 60.0, 2.0
_RETRY_STATUSES = (408, 425, 429, 500, 502, 503, 504)

log = logging.getLogger("tracker_server")


class Webhook:
    """Posts `{"text": …}`, as Slack and compatible services accept it, from a thread of its own.

    `put` never waits. A failed message is tried again after each of `pauses` (seconds), or when `Retry-After` says so.
    Redirects are not followed.
    """

    def __init__(self, url: str, address: str = "", pauses: tuple[float, ...] = (1.0, 5.0, 25.0)) -> None:
        """Start the thread. `address` is the URL of this server, for links to runs."""
        self._url = url
        self._address = address
        self._pauses = pauses
        self._waiting: queue.Queue[str | None] = queue.Queue(_MAX_QUEUED)
        self._closing = threading.Event()
        self._sent: deque[float] = deque(maxlen=PER_MINUTE)
        self._left_out = 0
        self._session = requests.Session()
        self._session.trust_env = not is_local(url)  # a proxy cannot reach this machine's loopback address
        self._thread = threading.Thread(target=self._run, name="webhook", daemon=True)
        self._thread.start()

    def put(self, run: RunKey, alerts: list[Alert]) -> None:
        """Queue alerts for sending."""
        oldest = time.time() - _MAX_AGE
        for alert in alerts:
            if alert["time"] >= oldest:
                self._put(message(run, alert, self._address))

    def mention(self, who: str, names: Sequence[str], what: str, path: str) -> None:
        """Queue a message that a comment mentions accounts.

        It holds no text of the comment, since more people may read the webhook's channel than the project.

        Args:
            who: The author's name.
            names: The accounts.
            what: What the comment is on, as text.
            path: The path of the comment's page on this server.
        """
        place = f"<{self._address}{path}|{_plain(what)}>" if self._address else _plain(what)
        whom = ", ".join(f"@{_plain(name)}" for name in names)
        self._put(f"*{_plain(who)}* mentions {whom} in a comment on {place}")

    def _put(self, text: str) -> None:
        try:
            self._waiting.put_nowait(text)
        except queue.Full:
            log.warning("the webhook is too slow: a message is dropped")

    def close(self) -> None:
        """Stop sending, and wait a moment for the message that is being sent."""
        self._closing.set()
        try:
            self._waiting.put_nowait(None)
        except queue.Full:
            pass  # the thread is not waiting
        self._thread.join(_CLOSE_SECONDS)

    def _run(self) -> None:
        while (text := self._waiting.get()) is not None and not self._closing.is_set():
            now = time.monotonic()
            if len(self._sent) == PER_MINUTE and now - self._sent[0] < 60:
                self._left_out += 1
                continue
            self._sent.append(now)
            if self._left_out:
                text += f"\n({self._left_out} messages before this one were dropped)"
                self._left_out = 0
            self._send(text)

    def _send(self, text: str) -> None:
        for pause in (*self._pauses, None):
            why, again, retry_after = self._post(text)
            if why is None:
                return
            if not again or pause is None:
                log.warning("the webhook did not accept a message: %s", why)
                return
            if self._closing.wait(pause if retry_after is None else min(retry_after, _MAX_PAUSE)):
                return

    def _post(self, text: str) -> tuple[str | None, bool, float | None]:
        """Post once; return the error (None: sent), whether to try again, and the seconds from `Retry-After`."""
        try:
            answer = self._session.post(self._url, json={"text": text}, timeout=_TIMEOUT, allow_redirects=False)
        except (requests.RequestException, OSError, ValueError) as error:
            return type(error).__name__, True, None  # the error's text may contain the address, which is a secret
        if 200 <= answer.status_code < 300:
            return None, False, None
        retry_after = answer.headers.get("Retry-After", "")
        return (
            f"it answered {answer.status_code}",
            answer.status_code in _RETRY_STATUSES,
            float(retry_after) if retry_after.isdecimal() else None,
        )


def message(run: RunKey, alert: Alert, address: str) -> str:
    """Return an alert in Slack's markup. Text from the run is escaped, so it cannot add markup."""
    path = "/".join(run)
    if address:
        path = f"<{address}/runs/{'/'.join(quote(part) for part in run)}|{path}>"
    text = f"\n{_plain(alert['text'])}" if alert["text"] else ""
    return f"[{alert['level']}] *{_plain(alert['title'])}* {path}{text}"


def _plain(text: str) -> str:
    # docs.slack.dev, "Formatting message text": only these three characters need to be escaped.
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
