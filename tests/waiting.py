"""Wait for what other processes do, without sleeping blindly."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import pytest

T = TypeVar("T")


def eventually(check: Callable[[], T], timeout: float = 30.0) -> T:
    """Return the first true result of `check`, asked again and again; fail with the last one after `timeout` seconds.

    For what other processes do: they tell by their effects only.
    """
    deadline = time.monotonic() + timeout
    while True:
        result = check()
        if result:
            return result
        if time.monotonic() > deadline:
            pytest.fail(f"not within {timeout} s: {result!r}")
        time.sleep(0.02)
