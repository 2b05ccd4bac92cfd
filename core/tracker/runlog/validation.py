"""Check that payloads have the shape that FORMAT.md gives them. Others are counted as corrupt and have no effect."""

from __future__ import annotations

import math
from typing import Any

from .records import DIGEST

MAX_COUNT = 2**53
"""The greatest count, size or session step in a record: all integers up to here are exact everywhere."""

MAX_HEARTBEAT = 366 * 86400.0
"""The longest heartbeat in seconds that an agent can promise."""

SUMMARIES = (None, "last", "min", "max", "mean", "best", "none")
_GOALS = (None, "minimize", "maximize")
_META = {"name": str, "group": str, "job_type": str, "tags": list, "notes": str, "color": str}


def is_number(value: Any) -> bool:
    """Tell whether a value is a finite number that a float can hold."""
    try:
        return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:
        return False


def is_count(value: Any) -> bool:
    """Tell whether a value is an integer from 0 to `MAX_COUNT`."""
    return type(value) is int and 0 <= value <= MAX_COUNT


def is_pid(value: Any) -> bool:
    """Tell whether a value can be the pid of a process."""
    return type(value) is int and 0 < value < 2**31


def is_heartbeat(value: Any) -> bool:
    """Tell whether a value can be the longest time in seconds between two lines of an agent."""
    return is_number(value) and 0 < value <= MAX_HEARTBEAT


def is_metric(payload: dict[str, Any]) -> bool:
    """Tell whether this can be the payload of a `metric` record."""
    step_metric = payload.get("step_metric")
    return (
        isinstance(payload.get("name"), str)
        and (step_metric is None or isinstance(step_metric, str))
        and payload.get("summary") in SUMMARIES
        and payload.get("goal") in _GOALS
    )


def is_file(payload: dict[str, Any]) -> bool:
    """Tell whether this can be the payload of a `file` record."""
    digest, size, path = payload.get("digest"), payload.get("size"), payload.get("path")
    return (
        isinstance(payload.get("name"), str)
        and isinstance(digest, str)
        and DIGEST.fullmatch(digest) is not None
        and is_count(size)
        and (path is None or isinstance(path, str))
    )


def is_session(payload: dict[str, Any]) -> bool:
    """Tell whether this can be the payload of a `session` record."""
    return is_count(payload.get("row")) and type(payload.get("step")) is int and abs(payload["step"]) <= 2**63


def meta_of(payload: dict[str, Any]) -> tuple[dict[str, Any], bool]:
    """Return the labels in a payload (name, group, …) that have the right type, and whether all have it."""
    present = {m: payload[m] for m in _META if m in payload}
    valid = {m: value for m, value in present.items() if isinstance(value, (_META[m], type(None)))}
    return valid, len(valid) == len(present)


def environment_order(environment: dict[str, Any]) -> tuple[int, float, str] | None:
    """Return the sort key of an environment, None if it is invalid. The greatest one is the environment of the run."""
    node, started, stream = environment.get("node", 0), environment.get("started"), environment.get("stream")
    if type(node) is int and is_number(started) and isinstance(stream, str):
        assert isinstance(started, (int, float))
        return -node, started, stream
    return None
