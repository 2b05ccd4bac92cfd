"""Wait for what other processes and threads do, without sleeping blindly."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import pytest

T = TypeVar("T")

PATIENCE = 90.0
"""Seconds: a machine may be busy with other tests, and waiting costs nothing where the effect comes soon."""


def eventually(check: Callable[[], T | None], timeout: float = PATIENCE) -> T:
    """Call `check` until its result is true, and return that; fail with the last result after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while True:
        result = check()
        if result:
            return result
        if time.monotonic() > deadline:
            pytest.fail(f"not within {timeout} s: {result!r}")
        time.sleep(0.02)
