"""The summary of a run: one value per key, for tables and comparisons."""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableMapping
from typing import Any

from tracker.runlog.fold import Fold, Stats
from tracker.runlog.records import restore, restore_members


class Summary(MutableMapping[str, Any]):
    """By default the last logged value of each key, or what `define_metric` asked for; values set here win.

    Values that were set are in the run log when the call returns.
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
        self.tracks = False
        """Whether rows must be shown to `track`: some key's summary is not its last value."""

    def define(self, metric: dict[str, Any]) -> None:
        """Take in the payload of a `metric` record."""
        self._fold.define(metric)
        self.tracks = any(m.get("summary", "last") != "last" for m in self._fold.metrics)

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
        values = {k: restore(v) for k, v in self._last.items() if v is not None}
        for key in self._fold.stats:
            values.pop(key, None)
        return {**values, **self._fold.summary}

    def __getitem__(self, key: str) -> Any:
        if key in self._fold.by_hand:
            return self._fold.by_hand[key]
        if key in self._fold.stats:
            return self._fold.summary[key]
        return restore(self._last[key])

    def __setitem__(self, key: str, value: Any) -> None:
        self.update({key: value})

    def __delitem__(self, key: str) -> None:
        raise TypeError("summary values can be changed, not removed: the log keeps what was")

    def __iter__(self) -> Iterator[str]:
        return iter(self.as_dict())

    def __len__(self) -> int:
        return len(self.as_dict())

    def __repr__(self) -> str:
        return f"Summary({self.as_dict()!r})"
