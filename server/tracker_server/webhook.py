"""Passing on what runs call out to the address that the server's owner has named; nothing of it is a client's choice.

Alerts are sent once or not at all: what waits when the server ends is not sent, nor what is older than an hour when it
arrives, as from a run that was offline.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import deque
from urllib.parse import quote

import requests

from tracker.runlog.alerts import Alert
from tracker.settings import is_local

from .storage.interface import RunKey

PER_MINUTE = 30
"""More alerts than that in a minute are left out; the next message says how many."""

_WAITING = 1000
_LATE = 3600.0
_TIMEOUT = (5.0, 10.0)  # seconds to connect, and between bytes of the answer
_LONGEST, _GRACE = 60.0, 2.0
_AGAIN = (408, 425, 429, 500, 502, 503, 504)

log = logging.getLogger("tracker_server")


class Webhook:
    """Posts `{"text": …}`, which Slack and those who speak like it take, from a thread of its own.

    `put` never waits. A message that is not taken is tried again after each of `pauses` (seconds), or when the answer
    says to. Redirects are not followed.
    """

    def __init__(self, url: str, address: str = "", pauses: tuple[float, ...] = (1.0, 5.0, 25.0)) -> None:
        """`address`: of this server, for links to runs."""
        self._url = url
        self._address = address
        self._pauses = pauses
        self._waiting: queue.Queue[tuple[RunKey, Alert] | None] = queue.Queue(_WAITING)
        self._closing = threading.Event()
        self._sent: deque[float] = deque(maxlen=PER_MINUTE)
        self._left_out = 0
        self._session = requests.Session()
        self._session.trust_env = not is_local(url)  # a proxy could not reach this machine's loopback
        self._thread = threading.Thread(target=self._run, name="webhook", daemon=True)
        self._thread.start()

    def put(self, run: RunKey, alerts: list[Alert]) -> None:
        """Have alerts sent."""
        oldest = time.time() - _LATE
        for alert in alerts:
            if alert["time"] >= oldest:
                try:
                    self._waiting.put_nowait((run, alert))
                except queue.Full:
                    log.warning("the webhook is too slow: an alert of %s is not sent", "/".join(run))

    def close(self) -> None:
        """Send no more, and wait a moment for what is under way."""
        self._closing.set()
        try:
            self._waiting.put_nowait(None)
        except queue.Full:
            pass  # it is awake
        self._thread.join(_GRACE)

    def _run(self) -> None:
        while (item := self._waiting.get()) is not None and not self._closing.is_set():
            now = time.monotonic()
            if len(self._sent) == PER_MINUTE and now - self._sent[0] < 60:
                self._left_out += 1
                continue
            self._sent.append(now)
            text = message(*item, self._address)
            if self._left_out:
                text += f"\n({self._left_out} alerts before this one were left out)"
                self._left_out = 0
            self._send(text)

    def _send(self, text: str) -> None:
        for pause in (*self._pauses, None):
            why, again, asked = self._post(text)
            if why is None:
                return
            if not again or pause is None:
                log.warning("the webhook did not take an alert: %s", why)
                return
            if self._closing.wait(pause if asked is None else min(asked, _LONGEST)):
                return

    def _post(self, text: str) -> tuple[str | None, bool, float | None]:
        """Return what was the matter, whether to try again, and after how many seconds if the answer says that."""
        try:
            answer = self._session.post(self._url, json={"text": text}, timeout=_TIMEOUT, allow_redirects=False)
        except (requests.RequestException, OSError, ValueError) as error:
            return type(error).__name__, True, None  # its text may hold the address, which is a secret
        if 200 <= answer.status_code < 300:
            return None, False, None
        asked = answer.headers.get("Retry-After", "")
        return (
            f"it answered {answer.status_code}",
            answer.status_code in _AGAIN,
            float(asked) if asked.isdecimal() else None,
        )


def message(run: RunKey, alert: Alert, address: str) -> str:
    """Return an alert as text in Slack's markup, in which nothing that a run says is markup."""
    path = "/".join(run)
    if address:
        path = f"<{address}/runs/{'/'.join(quote(part) for part in run)}|{path}>"
    text = f"\n{_plain(alert['text'])}" if alert["text"] else ""
    return f"[{alert['level']}] *{_plain(alert['title'])}* {path}{text}"


def _plain(text: str) -> str:
    # docs.slack.dev, "Formatting message text": these three characters are all that needs to be escaped.
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
