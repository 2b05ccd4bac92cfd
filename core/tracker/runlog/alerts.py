"""Read `alert` records, and keep the newest of them."""

from __future__ import annotations

from bisect import insort
from typing import Any, TypedDict

from .reader import scan

LEVELS = ("info", "warn", "error")

MAX_ALERTS = 100
"""How many alerts of a run are kept: the newest ones. The run log has all."""

_MAX_TITLE, _MAX_TEXT = 200, 2000


class Alert(TypedDict):
    """One alert; `time` is Unix seconds, `level` one of `LEVELS`."""

    time: float
    title: str
    text: str
    level: str


def alert_of(time: float, payload: Any) -> Alert | None:
    """Return the alert in a record, its title cut to 200 characters and its text to 2,000; None if it is invalid."""
    if not isinstance(payload, dict) or not isinstance(payload.get("title"), str):
        return None
    level = payload.get("level")
    return {
        "time": time,
        "title": payload["title"][:_MAX_TITLE],
        "text": str(payload.get("text", ""))[:_MAX_TEXT],
        "level": level if level in LEVELS else "info",
    }


def alerts_in(lines: bytes) -> list[Alert]:
    """Return the alerts in lines of a stream."""
    found = [alert_of(record.time, record.payload) for record in scan(lines, ("alert",))]
    return [alert for alert in found if alert is not None]


def add_alert(alerts: list[Alert], alert: Alert) -> None:
    """Insert an alert into the newest `MAX_ALERTS`, which are in order of time."""
    insort(alerts, alert, key=lambda one: one["time"])
    del alerts[:-MAX_ALERTS]
