"""Define the object that reads a run, the same for a server and a directory."""

from __future__ import annotations

import copy
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from tracker.random_names import random_id
from tracker.runlog.alerts import Alert
from tracker.runlog.records import MAX_LINE, decode_special_members, encode, jsonable
from tracker.runlog.writer import header
from tracker.terminal import clean
from tracker.wire import EventFile, RunInfo, Series

from .added_rows import AddedRows, Append
from .arrow import Columns
from .config_summary import Written
from .downsample import columns_of, envelopes
from .files import File
from .restarts import Restarts, Row, check_view, only, show

if TYPE_CHECKING:
    import pandas
    import pyarrow

Kind = Literal["history", "system"]
X = {"history": "_step", "system": "_timestamp"}
"""The x axis of charts."""

_EDITABLE = ("name", "group", "job_type", "tags", "notes", "color")


class RunReader(ABC):
    """Read a run, and add to it.

    Members that you set in `config` and `summary` are stored when the call returns. Changes of `name`, `group`,
    `job_type`, `tags`, `notes` and `color`, and changes inside nested members, are stored by `update`. No other change
    of the object affects the run. The object shows the run as it was when it was read; `reload` reads it again.

        run = tracker.read_run(".tracker/runs/k3v9x2m1")  # or tracker.Api().run("me/digits/k3v9x2m1")
        frame = run.history(keys=["loss"])
        run.config["reviewed"] = True
    """

    def __init__(self, info: RunInfo) -> None:
        self._added: AddedRows | None = None
        self._take(info)

    def _take(self, info: RunInfo) -> None:
        self._info = info
        self.config: dict[str, Any] = Written(copy.deepcopy(info["config"]), self._keeper("config"))
        self.summary: dict[str, Any] = Written(copy.deepcopy(info["summary"]), self._keeper("summary"))
        self.name = info["name"]
        self.group = info["group"]
        self.job_type = info["job_type"]
        self.tags: list[str] = list(info["tags"])
        self.notes = info["notes"]
        self.color = info["color"]

    # -- identity -------------------------------------------------------------------------------------------------

    @property
    def id(self) -> str:
        """The id of the run, unique in the project."""
        return self._info["id"]

    @property
    def entity(self) -> str:
        """The owner of the project."""
        return self._info["entity"]

    @property
    def project(self) -> str:
        """The project."""
        return self._info["project"]

    @property
    def path(self) -> str:
        """`entity/project/id`."""
        return f"{self.entity}/{self.project}/{self.id}"

    @property
    def state(self) -> str:
        """The state when this object was read: running, finished, failed, killed, crashed or preempted."""
        return self._info["state"]

    @property
    def user(self) -> str | None:
        """The account that first wrote the run, or the team of its service key; None without accounts."""
        return self._info.get("user")

    @property
    def info(self) -> RunInfo:
        """Everything known except the metrics (`wire.RunInfo`), such as times, host, and counts of lost records."""
        return self._info

    @property
    def environment(self) -> dict[str, Any]:
        """How the run was started: command, machine, git, stored files (docs/how-to/restore.md); {} if unknown."""
        return self._info["environment"]

    @abstractmethod
    def reload(self) -> None:
        """Read the run again. Changes that were not stored with `update` are lost."""

    # -- logged data ------------------------------------------------------------------------------------------------

    @abstractmethod
    def _batches(self, kind: Kind, keys: Sequence[str] | None) -> Iterator[tuple[str, Iterable[Row]]]:
        """Yield the rows in order, some of one stream at a time, with the stream's name."""

    @abstractmethod
    def _event_files(self) -> Mapping[str, EventFile]:
        """Return the present event files by stream."""

    @abstractmethod
    def _series(self, kind: Kind, keys: Sequence[str], samples: int) -> Iterable[Series]: ...

    @abstractmethod
    def keys(self, kind: Kind = "history") -> list[str]:
        """Return the names of all logged keys, sorted."""

    @abstractmethod
    def alerts(self) -> list[Alert]:
        """Return the newest 100 alerts of the run, the oldest of them first.

        Returns:
            Dicts with `time` (Unix seconds), `title`, `text` and `level` (info, warn or error).
        """

    @abstractmethod
    def files(self) -> list[File]:
        """Return the files that were saved with the run."""

    def file(self, name: str) -> File:
        """Return one saved file.

        Raises:
            KeyError: There is no file of this name; the text lists the names.
        """
        files = {file.name: file for file in self.files()}
        if name not in files:
            raise KeyError(f"run {self.path} has no file {name!r}; it has: {', '.join(sorted(files)) or 'none'}")
        return files[name]

    def scan_history(self, keys: Sequence[str] | None = None, restarts: Restarts | None = None) -> Iterator[Row]:
        """Yield every row in order, exactly as it was logged.

        Each row is a dict with `_step`, `_timestamp` (Unix seconds) and `_runtime` (seconds since the run began) beside
        its keys. Memory stays small however many rows there are.

        Args:
            keys: Only these keys, and only rows that have one of them.
            restarts: Which rows of TensorBoard event files to yield where a restarted program wrote some steps again;
                rows that were logged are never left out, and come first. `all`: every row. `latest`: one row per step,
                with the last written value of each key. `tensorboard`, `tensorboard-rust`: the values that TensorBoard
                shows when its Python code or its Rust data server reads the files, a row each (`restarts.Restarts` has
                the rules). Default: `latest` if `info` names event files, else `all`.
        """
        view = self._view(restarts)
        if view == "all":
            return self._rows("history", keys)
        if view != "tensorboard" or keys is None:
            return show(self._batches("history", keys), self._event_files(), view)
        # Here the values of one key may drop those of another.
        return only(show(self._batches("history", None), self._event_files(), view), keys)

    def scan_streams(self) -> Iterator[tuple[str, Iterable[Row]]]:
        """Yield the name of a stream and some of its rows, until every row was yielded in order as it was logged.

        Consume the rows of one batch before you ask for the next.
        """
        return self._batches("history", None)

    def history(
        self,
        keys: Sequence[str] | None = None,
        samples: int | None = None,
        pandas: bool = True,
        restarts: Restarts | None = None,
        arrow: bool = False,
    ) -> pandas.DataFrame | pyarrow.Table | list[Row]:
        """Return the rows of the run as a table.

        Args:
            keys: Only these keys, and only rows that have one of them.
            samples: At most this many points a key, from 1 to 10,000. Keys with more points are summarized in that many
                buckets of equal width in `_step`: the mean under the key's own name, the exact extremes as `<key>.min`
                and `<key>.max`. Keys that are not numbers are then left out. Default: every row.
            pandas: Return a DataFrame, with NaN where a row lacks a key; False: a list of dicts.
            restarts: As in `scan_history`.
            arrow: Return a `pyarrow.Table` whose columns have the exact types (`arrow.Columns` has the rules).

        Raises:
            ImportError: pandas or pyarrow is not installed; the text says how to install it.
            ValueError: `samples` is out of range.
        """
        view = self._view(restarts)
        return self._table("history", keys, samples, pandas, arrow, view)

    def system_history(
        self, keys: Sequence[str] | None = None, samples: int | None = None, pandas: bool = True, arrow: bool = False
    ) -> pandas.DataFrame | pyarrow.Table | list[Row]:
        """Return the system metrics as `history` returns the rows, with buckets in `_timestamp` instead of `_step`.

        docs/reference/system-metrics.md lists the metrics.
        """
        return self._table("system", keys, samples, pandas, arrow)

    def _view(self, restarts: Restarts | None) -> Restarts:
        check_view(restarts)
        return restarts or ("latest" if self._info["event_files"] else "all")

    def _rows(self, kind: Kind, keys: Sequence[str] | None) -> Iterator[Row]:
        for _, rows in self._batches(kind, keys):
            yield from rows

    def _table(
        self,
        kind: Kind,
        keys: Sequence[str] | None,
        samples: int | None,
        as_frame: bool,
        as_arrow: bool,
        view: Restarts = "all",
    ) -> pandas.DataFrame | pyarrow.Table | list[Row]:
        if isinstance(keys, str):
            raise TypeError(f"keys must be a list of names, such as [{keys!r}]")
        if samples is not None and not 1 <= samples <= 10_000:
            raise ValueError("samples must be from 1 to 10,000; leave it out to get every row")
        if samples is None:
            rows: Iterable[Row] = self._rows(kind, keys) if view == "all" else self.scan_history(keys, view)
        else:
            wanted = self.keys(kind) if keys is None else keys
            if view == "all":
                series = self._series(kind, wanted, samples)
            else:
                shown = list(self.scan_history(wanted, view))
                by_key = columns_of([row[X[kind]] for row in shown], shown, frozenset(wanted))
                series = envelopes(self.path, lambda: iter([by_key]), wanted, samples)
            rows = _join(series, X[kind])
        if as_arrow:
            columns = Columns()
            columns.add(rows)
            return columns.table()
        rows = list(rows)
        if not as_frame:
            return rows
        try:
            import pandas
        except ImportError:
            raise ImportError(
                "a DataFrame needs pandas: pip install 'tracker-runs[pandas]', or pass pandas=False"
            ) from None
        frame: pandas.DataFrame = pandas.DataFrame(rows)
        return frame

    # -- changes ----------------------------------------------------------------------------------------------------

    def update(self) -> None:
        """Store the changes of config, summary, name, group, job_type, tags, notes and color.

        Raises:
            ValueError: A member of config or summary was removed, or the changes are longer than 8 MiB.
        """
        changes: dict[str, dict[str, Any]] = {
            "config": _changed(self._info["config"], self.config),
            "summary": _changed(self._info["summary"], self.summary),
            "meta": {m: getattr(self, m) for m in _EDITABLE if getattr(self, m) != self._info[m]},  # type: ignore[literal-required]
        }
        if any(changes.values()):
            self._edit({kind: payload for kind, payload in changes.items() if payload})
            self.reload()

    def _keeper(self, kind: Literal["config", "summary"]) -> Callable[[dict[str, Any]], None]:
        # Not `self`: the run must be freed when nobody holds it.
        about, append, info = self._about, self._appender(), self._info

        def keep(members: dict[str, Any]) -> None:
            edit(about, append, {kind: members})
            info[kind].update(decode_special_members(members))

        return keep

    def log(self, data: Mapping[str, Any], step: int | None = None) -> None:
        """Add one row to the run, also after it has ended; its state does not change.

        The row is stored when the call returns; `reload` shows it.

        Args:
            data: Names and values: numbers, text, and lists of them. Nested dicts flatten to `a/b`.
            step: The step of the row. Default: the one after the last.

        Raises:
            TypeError: A value is of another type.
            ValueError: The row is longer than 8 MiB.
        """
        if self._added is None:
            last = self._info["last_step"]
            self._added = AddedRows(self._about, 0 if last is None else last + 1, self._appender())
        self._added.add(data, step)

    @property
    def _about(self) -> dict[str, str]:
        return {"id": self.id, "entity": self.entity, "project": self.project}

    def _edit(self, changes: dict[str, dict[str, Any]], when: float | None = None) -> None:
        edit(self._about, self._appender(), changes, when)

    @abstractmethod
    def _appender(self) -> Append:
        """Return the function that appends lines to the run's streams."""

    def __repr__(self) -> str:
        return f"<run {clean(self.path)} {self.name!r} {clean(self.state)}>"


def edit(about: dict[str, str], append: Append, changes: dict[str, dict[str, Any]], when: float | None = None) -> None:
    """Append a stream of edits to a run.

    Args:
        about: `id`, `entity` and `project` of the run.
        append: Appends lines to a stream of it.
        changes: By kind of record, its payload.
        when: The time of the edits in Unix seconds. Default: now.

    Raises ValueError if a change is too long for a line, and what `append` raises.
    """
    time_ = time.time() if when is None else when
    lines = [encode(k, jsonable(v), time_) for k, v in [("run", header("edits", **about)), *changes.items()]]
    if max(map(len, lines)) >= MAX_LINE:
        raise ValueError("the changes of one call must be shorter than 8 MiB; store large values as files")
    append(edits_name(), 0, b"".join(lines))


def edits_name() -> str:
    """Return the name of a new `edits` stream. Names sort by time, since two edits may be made in one millisecond."""
    return f"edits-{time.time_ns():016x}{random_id(4)}.jsonl"


def _changed(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    removed = sorted(set(before) - set(after))
    if removed:
        raise ValueError(f"{', '.join(removed)}: members can be changed, not removed, because the log only grows")
    return {k: v for k, v in after.items() if k not in before or not _same(before[k], v)}


def _same(one: Any, other: Any) -> bool:
    return repr(one) == repr(other)  # NaN is the same as NaN here, and True is not 1


def _join(series: Iterable[Series], x: str) -> list[dict[str, Any]]:
    rows: dict[tuple[float, int], dict[str, Any]] = {}
    for one in series:
        key, bucketed = one["key"], one["points"] > len(one["x"])
        before, repeated = None, 0
        for i, at in enumerate(one["x"]):
            before, repeated = at, repeated + 1 if at == before else 0  # a step may have several values of one key
            row = rows.setdefault((at, repeated), {x: int(at) if x == "_step" else at})
            row[key] = one["mean"][i]
            if bucketed:
                row[f"{key}.min"], row[f"{key}.max"] = one["min"][i], one["max"][i]
    return [rows[at] for at in sorted(rows)]
