"""The summary of a run: one value per key, for tables and comparisons."""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableMapping
from typing import Any

from tracker.runlog.fold import Fold
from tracker.runlog.records import restore, restore_members
from tracker.runlog.stats import Stats

from .config import CopiedValues


class Summary(MutableMapping[str, Any]):
    """By default the last logged value of each key, or what `define_metric` asked for; values set here win.

    Values that were set are in the run log when the call returns. That of a run that is continued has what the run
    has; its earlier rows are read when a value is first asked for that stands in none of this process.
    """

    def __init__(self, write: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        """`write` appends a `summary` record and returns the values as they were written."""
        self._write = write
        self._last: dict[str, Any] = {}
        self.seen: Callable[[dict[str, Any]], None] = self._last.update
        """Take in the last values of a row that was logged. On the hot path, hence the bare dict method."""
        self._fold = (
            Fold()
        )  # knows the rules of `define_metric`; holds stats only of the keys that need more than the last
        self._earlier: Callable[[bool], dict[str, Stats]] = lambda _whole: {}
        self._before: dict[str, Stats] | None = None  # of the earlier rows, once they were asked for
        self.tracks = False
        """Whether rows must be shown to `track`: some key's summary is not its last value."""

    def _start_with(self, fold: Fold, earlier: Callable[[bool], dict[str, Stats]]) -> None:
        """Go on from what the run has: what was set by hand and defined is in `fold`; see `resume.StatsOf`."""
        self._earlier = earlier
        self._fold.by_hand.update(fold.by_hand)
        for metric in fold.metrics:
            self.define(metric)

    def define(self, metric: dict[str, Any]) -> None:
        """Take in the payload of a `metric` record."""
        self._fold.define(metric)
        tracked, self.tracks = self.tracks, any(m.get("summary", "last") != "last" for m in self._fold.metrics)
        if self.tracks and not tracked:
            self._before = None  # if they were read, then for the last values only

    def track(self, row: dict[str, Any]) -> None:
        """Take in a row where `tracks` says so."""
        for key, value in row.items():
            self._fold.stats.setdefault(key, Stats()).add(restore(value))

    def update(self, *sources: Any, **members: Any) -> None:
        """Set several values at once."""
        written = self._write(dict(*sources, **members))
        self._fold.by_hand.update(restore_members(written))

    def as_dict(self) -> dict[str, Any]:
        """Return a copy."""
        if self._before is None:
            self._before = self._earlier(self.tracks)
        fold = Fold()
        fold.metrics, fold.by_hand = self._fold.metrics, self._fold.by_hand
        here = {key: Stats(last=restore(value)) for key, value in self._last.items()} | self._fold.stats
        for part in (self._before, here):
            for key, stats in part.items():
                fold.stats.setdefault(key, Stats()).merge(stats)
        return fold.summary

    def __getitem__(self, key: str) -> Any:
        if key in self._fold.by_hand:
            return self._fold.by_hand[key]
        if key in self._last and key not in self._fold.stats:
            return restore(self._last[key])
        return self.as_dict()[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.update({key: value})

    def __delitem__(self, key: str) -> None:
        raise TypeError("summary values can be changed, not removed: the log keeps what was")

    def __iter__(self) -> Iterator[str]:
        return iter(self.as_dict())

    def __len__(self) -> int:
        return len(self.as_dict())

    def __reduce__(self) -> tuple[Any, ...]:
        return CopiedValues, (self.as_dict(),)

    def __repr__(self) -> str:
        return f"Summary({self.as_dict()!r})"
