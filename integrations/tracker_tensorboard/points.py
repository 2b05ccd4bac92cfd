"""Batch scalar values into `points` lines."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tracker.runlog.records import encode_points

if TYPE_CHECKING:
    from numpy.typing import NDArray


MAX_POINTS = 4096
"""The most points of one line."""


class PointArrays(NamedTuple):
    """Consecutive scalar values in columns, as in `reader.Scalars`. The tag of value i is `tags[which[i]]`."""

    tags: list[str]
    which: NDArray[np.int32]
    times: NDArray[np.float64]
    steps: NDArray[np.int64]
    values: NDArray[np.float64]

    def slice(self, start: int, stop: int | None = None) -> PointArrays:
        """Return the values from `start` to `stop`."""
        cut = slice(start, stop)
        return PointArrays(self.tags, self.which[cut], self.times[cut], self.steps[cut], self.values[cut])


class PointBatcher:
    """Collects scalar values and encodes them as lines of `MAX_POINTS` points."""

    def __init__(self) -> None:
        self._pieces: deque[PointArrays] = deque()
        self._count = 0

    def add(self, piece: PointArrays) -> Iterator[bytes]:
        """Add values; yield each line that is full."""
        while self._count + len(piece.which) >= MAX_POINTS:
            size = MAX_POINTS - self._count
            self._pieces.append(piece.slice(0, size))
            piece = piece.slice(size)
            yield self._line()
        if len(piece.which):
            self._pieces.append(piece)
            self._count += len(piece.which)

    def flush(self) -> Iterator[bytes]:
        """Yield a line with the remaining values, if there are any."""
        if self._pieces:
            yield self._line()

    def _line(self) -> bytes:
        tags, which, times, steps, values = self._pieces[0] if len(self._pieces) == 1 else _join(self._pieces)
        self._pieces.clear()
        self._count = 0
        # Keys are in the order of their first value in the line, which does not depend on where reading began.
        first = np.full(len(tags), len(which))
        first[which[::-1]] = np.arange(len(which) - 1, -1, -1)
        used = np.argsort(first, kind="stable")[: np.count_nonzero(first < len(which))]
        place = np.empty(len(tags), np.int32)
        place[used] = np.arange(len(used), dtype=np.int32)
        return encode_points([tags[i] for i in used], place[which], times, steps, values)


def _join(pieces: deque[PointArrays]) -> PointArrays:
    return PointArrays(
        pieces[-1].tags,  # a reader's list of tags only grows, so the last has all
        np.concatenate([piece.which for piece in pieces]),
        np.concatenate([piece.times for piece in pieces]),
        np.concatenate([piece.steps for piece in pieces]),
        np.concatenate([piece.values for piece in pieces]),
    )
