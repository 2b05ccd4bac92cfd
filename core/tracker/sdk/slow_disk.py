"""Warn about a slow disk, since `log()` waits for its writes."""

from __future__ import annotations

from tracker.errors import warn_once

SLOW = 100_000
"""Microseconds that a slow write takes at least. On a local disk, a write takes less than 10."""


class SlowDiskWarning:
    """Times one write every few seconds, so that the others cost nothing."""

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._slow = 0

    def took(self, microseconds: int) -> bool:
        """Note how long a write took; tell whether to time the next one, too.

        Two slow writes in a row give one warning. A single one may come from a clock that was set.
        """
        self._slow = self._slow + 1 if microseconds >= SLOW else 0
        if self._slow == 2:
            warn_once(
                f"the disk is slow: log() waited {microseconds / 1e6:.1f} s for it to take a row. Training is faster "
                f"with {self._directory} on a local disk (`dir` or TRACKER_DIR); `tracker sync` works from anywhere",
                "slow disk",
            )
        return self._slow == 1
