"""Implement the run that `tracker.init()` returns: the methods that users call."""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Iterable, Mapping
from time import time_ns
from types import TracebackType
from typing import Any, Literal
from zlib import crc32

import orjson

from tracker.errors import contained, warn_once
from tracker.runlog.alerts import LEVELS, alert_of
from tracker.runlog.records import MAX_LINE, MAX_STEP
from tracker.settings import Settings

from . import exit_hooks
from .agent_supervisor import CHECK_EVERY
from .config import Config
from .exit.exit_status import describe_error
from .file_saver import FileSaver
from .lifecycle import RunLifecycle
from .pickling import Shared
from .resume.resume_state import ResumeState
from .summary import Summary
from .values.foreign_objects import is_a, key_text, shown
from .values.row import Unreadable, to_row

_FAST_LINE = MAX_LINE - 256  # bytes of a row that fit in a line with the other members of the record
_BRACKET, _U, _UNDERSCORE = b"[u_"
_OPTIONS = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME  # neither is a number or text
_SUMMARIES = ("last", "min", "max", "mean", "best", "none")

AlertLevel = Literal["info", "warn", "error"]
SavePolicy = Literal["live", "now", "end"]
WatchKind = Literal["gradients", "parameters", "all"]
SummaryKind = Literal["last", "min", "max", "mean", "best", "none"]


class Run(Shared, RunLifecycle):
    """One run. Use it as a context manager, call `finish`, or let the end of the script finish it.

        with tracker.init(project="digits") as run:
            run.log({"loss": 0.5})

    When `log` and the other methods that write have returned, what they wrote is in the kernel and survives the death
    of every process. Nothing here waits for the network or for another process. All methods may be called from any
    thread: the order within one thread is kept, and calls never interleave. A forked child, or another process that
    unpickles the run, logs into the same run in a stream of its own. Copies are the same object.
    """

    def __init__(self, settings: Settings, directory: str, resumed: bool = False, joined: bool = False) -> None:
        """Use `init` to make runs: it decides all the arguments. `directory` exists.

        `joined`: the run belongs to the `tracker run` around this process, which reports it and waits for its upload.
        """
        super().__init__(settings, directory, joined)
        self._step = 0
        self._alerts: dict[str, float] = {}  # when each title was last sent
        self._files = FileSaver(directory, self.id, self._write)
        self.resumed = resumed
        """Whether this continues a run that had rows, in this directory or on the server."""
        self.config = Config(self._write_config)
        self.summary = Summary(self._write_summary, self._logged)

    def _start_with(self, known: ResumeState) -> None:
        """Continue from the state of a resumed or forked run; called before `begin`."""
        self._step = known.step
        self._after = known.ended
        self.config._start_with(known.fold.config)
        self.summary._start_with(known.fold, known.stats)

    # -- logging ------------------------------------------------------------------------------------------------

    def log(self, data: Mapping[str, Any], step: int | None = None, commit: bool | None = None) -> None:
        """Append one row of values.

            run.log({"loss": 0.5, "val": {"accuracy": 0.9}})  # val/accuracy

        When the call has returned, the row survives the death of every process. Rows are never merged, reordered or
        rejected for their step: repeated and earlier steps are rows like any other.

        Args:
            data: Names and values. Values are numbers of any kind (Python, numpy, torch and jax scalars; NaN and
                ±Infinity included), text, media, or lists of them. Nested dicts flatten to `a/b`. Anything else is
                kept as text, with one warning. What is too long for a line is kept as a file. The names `_step`,
                `_timestamp` and `_runtime` are refused with a warning, because every row has them anyway.
            step: The row's step, which also sets the run's step counter. By default the row gets the counter's value.
            commit: Whether the counter then advances by one. By default it does unless `step` is given; False means
                that more of this step follows.

        Raises:
            TypeError: `data` is not a mapping.
        """
        try:
            body = orjson.dumps(data, None, _OPTIONS)
        except TypeError:
            body = b"["
        # Training loops log plain flat rows a million times. Whatever orjson would write differently from the format
        # (NaN as null, nesting, foreign objects) shows in these bytes. A row is flat if its last { is its first byte.
        # It takes a tenth of the time to search for bytes as numbers, and first for u of null and _ of reserved names.
        if (
            _BRACKET in body
            or (_U in body and body.find(b'":null') > 0)
            or body.rfind(b"{")
            or len(body) > _FAST_LINE
            or (_UNDERSCORE in body and _may_be_reserved(data))
        ):
            return self._log_any(data, step, commit)
        with self._lock:
            number = self._step
            if step is None and commit is not False:
                self._step = number + 1
            elif step is not None:
                number = self._take_step(step, commit)
            now = time_ns() // 1000
            rest = b'"t":%d,"s":%d,"log":%b}' % (now, number, body)
            self._stream.append(b'{"c":"%08x",%b\n' % (crc32(rest), rest))
            if not 0 <= now - self._checked < CHECK_EVERY:  # due, or the clock jumped
                self._check(now)
        return None

    def _log_any(self, data: Any, step: int | None, commit: bool | None) -> None:
        if not is_a(data, Mapping):
            raise TypeError(
                f"log() takes a dict of names and values, such as {{'loss': 0.1}}, not a {type(data).__name__}"
            )
        with contained("log()") as attempt:
            try:
                row = to_row(data, self._store)
            except Unreadable as error:
                self._lose_unreadable("row", error)
                return
            with self._lock:
                self._write_json("log", row, self._take_step(step, commit))
                now = time_ns() // 1000
                if not 0 <= now - self._checked < CHECK_EVERY:
                    self._check(now)
        if attempt.error is not None:
            self._stream.dropped += 1

    def _take_step(self, step: Any, commit: bool | None) -> int:
        """Return the step of this row and set the counter for the next one."""
        if step is None:
            step, commit = self._step, commit is not False
        try:
            number = int(step)
            if number != step or abs(number) > MAX_STEP:
                raise ValueError
        except Exception:  # noqa: BLE001 - a user's object may fail in any way
            warn_once(
                f"log(step={shown(step)}): a step is a whole number up to 2^53; the run's counter is used", "step"
            )
            number, commit = self._step, True
        self._step = number + 1 if commit else number
        return number

    @property
    def step(self) -> int:
        """The step that the next `log` without `step` gets."""
        return self._step

    def define_metric(
        self,
        name: str,
        step_metric: str | None = None,
        summary: SummaryKind | None = None,
        goal: Literal["minimize", "maximize"] | None = None,
    ) -> None:
        """Set the x axis, the summary and the goal of one or more metrics.

            run.define_metric("val/*", step_metric="epoch", summary="min")

        Args:
            name: The metric's name, or a glob in which `*` and `?` match any characters. Exact names win over globs.
            step_metric: The logged key that is the x axis of these metrics.
            summary: Which value stands for the whole run in tables: "last" (the default), "min", "max", "mean", "best"
                (which follows `goal`) or "none".
            goal: "minimize" or "maximize".

        Raises:
            ValueError: `name` is empty, or `summary` or `goal` is not one of these words.
        """
        if not isinstance(name, str) or not name:
            raise ValueError("define_metric() needs the name of a metric or a glob such as 'val/*'")
        if summary is not None and summary not in _SUMMARIES:
            raise ValueError(f"summary {summary!r} must be one of {', '.join(_SUMMARIES)}")
        if goal not in (None, "minimize", "maximize"):
            raise ValueError(f"goal {goal!r} must be minimize or maximize")
        given = {"name": name, "step_metric": step_metric, "summary": summary, "goal": goal}
        metric = {k: v for k, v in given.items() if v is not None}
        with self._lock:
            self._write("metric", metric)
            self.summary.define(metric)

    # -- files ----------------------------------------------------------------------------------------------------

    def save(
        self,
        glob_or_path: str | os.PathLike[str] | None = None,
        base_path: str | os.PathLike[str] | None = None,
        policy: SavePolicy = "now",
    ) -> list[str]:
        """Save files with the run, and return the names of those that exist now.

            run.save("checkpoints/best.pt")
            run.save("logs/*.txt", policy="live")

        The agent reads and uploads the files; this call only writes one line for each.

        Args:
            glob_or_path: A file or a glob; `~` is expanded. Without it nothing is saved.
            base_path: The directory that names are relative to: by default the working directory; for files outside it,
                the folder in which the glob begins, or the file's own. Files that would get the same name keep more of
                their path, with a warning.
            policy: "now" keeps the files as they are, by hard links where the file system allows, else by copies.
                They may be deleted or replaced at once; a file that is changed in place before the agent has read it is
                kept as the agent finds it. "end" takes them when this process has ended the run or has vanished. "live"
                takes a version some time after each change, and the last state at the end. "end" and "live" also find
                files that match only later.

        Returns:
            The names of the files in the run. With "now" a path that matches no file gives a warning.

        Raises:
            ValueError: `policy` is not one of these words.
        """
        return self._files.save(glob_or_path, base_path, policy)

    def log_code(self, root: str | os.PathLike[str] = ".", globs: Iterable[str] = ("*.py",)) -> None:
        """Save source files with the run.

        The agent reads the files within about a second and keeps them as `code/` and their path in the git repository,
        or in `root` if there is none. It leaves out what git ignores (without git: hidden folders and environments),
        files that are larger than `capture_limit`, and files that look like secrets. With the setting `disable_code`
        the call does nothing.

        Args:
            root: The directory to search.
            globs: Patterns that a file's name, or its path from `root`, has to match; `*` matches any characters.

        Raises:
            TypeError: `globs` is a string.
        """
        if isinstance(globs, str):
            raise TypeError(f"globs must be a list of patterns, such as [{globs!r}]")
        if self._settings.disable_code:
            return
        self._files.log_code(root, globs)

    # -- models ---------------------------------------------------------------------------------------------------

    def watch(self, model: Any, log: WatchKind = "gradients", log_freq: int = 100) -> None:
        """Log histograms of a torch model's gradients, parameters or both while it trains.

            run.watch(model, log="all", log_freq=500)

        They are logged as `gradients/…` and `parameters/…` until `unwatch` or `finish`. They belong to the step that
        the run has reached, and do not advance it. They are computed on the device of the tensors and fetched
        in one transfer per device.

        Args:
            model: A torch module.
            log: "gradients", "parameters" or "all".
            log_freq: How many backward passes lie between two histograms.

        Raises:
            TypeError: `model` is not a torch module.
            ValueError: `log` is not one of these words, or `log_freq` is less than 1.
        """
        from tracker.torch_watch import Watch, kinds_of  # few runs need it

        kinds = kinds_of(log, log_freq)
        if not hasattr(model, "named_parameters"):
            raise TypeError(f"watch() takes a torch module, not a {type(model).__name__}")
        self.unwatch(model)
        self._companions.watch(Watch(model, kinds, log_freq, lambda row, _step: self.log(row, commit=False)))

    def unwatch(self, model: Any = None) -> None:
        """Stop logging histograms of `model`, or of all watched models."""
        self._companions.unwatch(model)

    # -- alerts ---------------------------------------------------------------------------------------------------

    def alert(self, title: str, text: str = "", level: AlertLevel = "info") -> None:
        """Send an alert: it is stored with the run and forwarded to the server's webhook, if one is configured.

            run.alert("Loss is NaN", f"at step {run.step}", level="error")

        Repeats of a title within `alert_interval` seconds are dropped.

        Args:
            title: At most 200 characters.
            text: At most 2,000 characters.
            level: "info", "warn" or "error".

        Raises:
            ValueError: `level` is not one of these words.
        """
        if level not in LEVELS:
            raise ValueError(f"level {level!r} must be one of {', '.join(LEVELS)}")
        now = time.time()
        alert = alert_of(now, {"title": key_text(title), "text": key_text(text), "level": level})
        assert alert is not None
        with self._lock:
            if not 0 <= now - self._alerts.get(alert["title"], -math.inf) < self._settings.alert_interval:
                self._alerts = {t: at for t, at in self._alerts.items() if now - at < self._settings.alert_interval}
                self._alerts[alert["title"]] = now
                self._write("alert", {member: alert[member] for member in ("title", "text", "level")})

    def mark_preempting(self) -> None:
        """Note that the machine is about to be taken away.

        If this process then ends unsuccessfully, the run's state is `preempted` instead of crashed, killed or failed.
        """
        self._write("preempting", {})

    def _write_config(self, members: dict[str, Any]) -> None:
        self._write_json("config", members)

    def _write_summary(self, values: dict[str, Any]) -> dict[str, Any]:
        try:
            row = to_row(values, self._store, refused=frozenset())
        except Unreadable as error:
            self._lose_unreadable("summary", error)
            return {}
        self._write_json("summary", row)
        return row

    def _lose_unreadable(self, what: str, error: Unreadable) -> None:
        with self._lock:
            self._stream.count_lost(f"a {what} that cannot be read ({error})")
        warn_once(f"a {what} that cannot be read is lost ({error}); training goes on", f"{what} unreadable")

    # -- the end --------------------------------------------------------------------------------------------------

    def finish(
        self, exit_code: int | None = None, *, state: str | None = None, error: BaseException | None = None
    ) -> None:
        """End the run. Safe to repeat.

            run.finish(exit_code=1)

        Returns once the run is on disk; the agent goes on uploading. With the setting `finish_timeout` it waits for the
        upload, at most that many seconds.

        Args:
            exit_code: 0 ends the run as `finished`, another one as `failed` with the exception that is being handled as
                the reason. Without it the run ends as `state_at_exit` says, by default `finished`.
            state: Internal: set by the exit hooks.
            error: Internal: set by the exit hooks.
        """
        code = 0 if exit_code is None else int(exit_code)
        if state is None:
            state = "failed" if code else self.state_at_exit if exit_code is None else None
        handled = sys.exc_info()[1]
        if error is None and code:
            error = handled
        end: dict[str, Any] = {"state": state or "finished", "exit_code": code}
        if exit_code is None and handled is not None and not self.finished:
            exit_hooks.ended_during(handled, self)
        self._end({**end, **(describe_error(error) if error is not None else {})})

    def __enter__(self) -> Run:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._finish_by(error)


def _may_be_reserved(row: Any) -> bool:
    """Tell whether a row that orjson can write may use a reserved key."""
    return type(row) is not dict or "_step" in row or "_timestamp" in row or "_runtime" in row
