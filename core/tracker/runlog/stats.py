"""Summarize the values of one key."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Sequence
from functools import reduce
from operator import add
from typing import Any

from .records import Record, jsonable

_LARGEST = sys.float_info.max


def summed(total: float, numbers: Sequence[float]) -> tuple[float, float, float] | None:
    """Return `total` plus the numbers, added one after the other, and the lowest and the highest number.

    Returns None unless all numbers are finite and fit in a float. There must be at least one.
    """
    low, high = min(numbers), max(numbers)
    if not -_LARGEST <= low <= high <= _LARGEST:
        return None
    total = reduce(add, numbers, total)  # `sum` rounds differently in some versions of Python
    return (total, low, high) if math.isfinite(total) else None  # `min` and `max` may miss a NaN, the sum does not


class Stats:
    """The statistics of one key: the count `n` of finite numbers, their min, max and sum, and the last value.

    NaN, ±Infinity and integers too large for a float count only as `last`, which may be of any type.
    """

    __slots__ = ("last", "max", "min", "n", "sum")

    def __init__(
        self, n: int = 0, low: float = math.inf, high: float = -math.inf, total: float = 0.0, last: Any = None
    ) -> None:
        self.n, self.min, self.max, self.sum, self.last = n, low, high, total, last

    def add(self, value: Any) -> None:
        """Add one value."""
        if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= _LARGEST:
            self.n += 1
            self.min = min(self.min, value)
            self.max = max(self.max, value)
            self.sum += value
        self.last = value

    def add_all(self, values: Sequence[Any]) -> None:
        """Add one or more values as `add` does, but much faster if they are numbers."""
        found = summed(self.sum, values) if set(map(type, values)) <= {float, int} else None
        if found is None:
            for value in values:
                self.add(value)
            return
        self.sum, low, high = found
        self.n += len(values)
        self.min, self.max, self.last = min(self.min, low), max(self.max, high), values[-1]

    def to_json(self) -> list[Any]:
        """Return plain data that `orjson` can write."""
        result: list[Any] = jsonable([self.n, self.min, self.max, self.sum, self.last] if self.n else [0, self.last])
        return result

    def merge(self, later: Stats) -> None:
        """Add the statistics of the same key over later rows."""
        self.n += later.n
        self.min = min(self.min, later.min)
        self.max = max(self.max, later.max)
        self.sum += later.sum
        self.last = later.last


def sum_up(found: dict[str, Stats], records: Iterable[Record], whole: bool = True) -> None:
    """Add the rows among records to the statistics of their keys: to all of them if `whole`, else only to `last`."""
    for record in records:
        if record.kind == "log":
            values = record.payload.items()
        elif record.kind == "points":
            keys = record.payload.keys
            values = ((keys[k], v) for k, v in zip(record.payload.which, record.payload.values, strict=True))
        else:
            continue
        for key, value in values:
            stats = found.get(key)
            if stats is None:
                stats = found[key] = Stats()
            if whole:
                stats.add(value)
            else:
                stats.last = value
