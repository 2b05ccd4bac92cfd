"""Hold the summary of a run: one value per key, for tables and comparisons."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Any

from tracker.runlog.fold import RunState
from tracker.runlog.records import decode_special_members
from tracker.runlog.stats import Stats

from .config import CopiedValues
from .logged_rows import LoggedRows
from .values.foreign_objects import is_a


class Summary(MutableMapping[str, Any]):
    """The summary of a run: by default the last logged value of each key, or what `define_metric` asked for.

        run.summary["test/accuracy"] = 0.97
        run.summary["loss"]  # the last logged value

    Values that are set here win over logged ones, and are in the run log when the call returns. Logged values are read
    back from the log on demand, each row once. A resumed run includes its earlier values; earlier rows are read when
    the script first reads a value that this process has not logged.
    """

    def __init__(self, write: Callable[[dict[str, Any]], dict[str, Any]], logged: LoggedRows) -> None:
        """`write` appends a `summary` record and returns the values as they were written; `logged` are the rows."""
        self._write = write
        self._logged = logged
        self._state = RunState()  # metric definitions, and values that the script set
        self._earlier: Callable[[bool], dict[str, Stats]] = lambda _whole: {}
        self._before: dict[str, Stats] | None = None  # of the earlier rows, once they are read
        self._tracks = False  # whether the summary of a key is not its last value

    def _start_with(self, fold: RunState, earlier: Callable[[bool], dict[str, Stats]]) -> None:
        """Continue from what the run has: `fold` has explicit values and definitions, `earlier` reads the rest."""
        self._earlier = earlier
        self._state.explicit_summary.update(fold.explicit_summary)
        for metric in fold.metrics:
            self.define(metric)

    def define(self, metric: dict[str, Any]) -> None:
        """Add a metric definition: the payload of a `metric` record."""
        self._state.definitions.add(metric)
        tracked, self._tracks = self._tracks, any(m.get("summary", "last") != "last" for m in self._state.metrics)
        if self._tracks and not tracked:
            self._before = None  # they were read for the last values only

    def update(self, *sources: Any, **members: Any) -> None:
        """Set several values at once: `run.summary.update({"test/accuracy": 0.97}, epochs=3)`."""
        for source in (*sources, members):
            if source is not None and (source is not members or members):
                written = self._write(source if is_a(source, Mapping) else dict(source))
                self._state.explicit_summary.update(decode_special_members(written))

    def as_dict(self) -> dict[str, Any]:
        """Return a copy of all values as a dict."""
        if self._before is None:
            self._before = self._earlier(self._tracks)
        fold = RunState()
        fold.definitions, fold.explicit_summary = self._state.definitions, self._state.explicit_summary
        for part in (self._before, self._logged.stats(self._tracks)):
            for key, stats in part.items():
                fold.stats.setdefault(key, Stats()).merge(stats)
        return fold.summary

    def __getitem__(self, key: str) -> Any:
        if key in self._state.explicit_summary:
            return self._state.explicit_summary[key]
        if not self._tracks and (value := self._logged.last(key)) is not None:
            return value
        return self.as_dict()[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.update({key: value})

    def __delitem__(self, key: str) -> None:
        raise TypeError("summary values can be changed, not removed: the log keeps every value")

    def __iter__(self) -> Iterator[str]:
        return iter(self.as_dict())

    def __len__(self) -> int:
        return len(self.as_dict())

    def __reduce__(self) -> tuple[Any, ...]:
        return CopiedValues, (self.as_dict(),)

    def __repr__(self) -> str:
        return f"Summary({self.as_dict()!r})"
