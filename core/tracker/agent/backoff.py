"""Decide how long to wait before an upload is tried again."""

from __future__ import annotations

import random

from tracker.client import Retry

_FIRST_DELAY, _LONGEST_DELAY = 0.5, 60.0  # seconds


class Backoff:
    """Computes waits after failures: exponential with jitter, at most a minute, but as long as the server asks."""

    def __init__(self) -> None:
        self._failures = 0

    def reset(self) -> None:
        """Start over after a success."""
        self._failures = 0

    def delay(self, error: Exception) -> float:
        """Return the seconds to wait after this failure."""
        exponential = min(_LONGEST_DELAY, _FIRST_DELAY * 2.0 ** min(self._failures, 16))
        self._failures += 1
        # Jitter: a server that comes back must not meet all its clients in the same second.
        wait = exponential * random.uniform(0.5, 1.0)
        return max(wait, retry_after(error))


def retry_after(error: Exception) -> float:
    """Return how many seconds the server asked the client to wait; 0 if it did not."""
    return (error.after if isinstance(error, Retry) else None) or 0.0
