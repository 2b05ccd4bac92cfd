"""The run: what `tracker.init()` returns."""

from __future__ import annotations

import glob
import hashlib
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Literal
from urllib.parse import quote
from zlib import crc32

import orjson

from tracker.errors import contain, say, warn_once
from tracker.names import random_id, random_name
from tracker.runlog.directory import agent_alive, new_stream, this_process
from tracker.runlog.records import MAX_LINE, MAX_STEP, encode, jsonable
from tracker.runlog.writer import StreamWriter, header
from tracker.settings import Settings

from . import launch
from .config import Config
from .summary import Summary
from .values import to_row

_CHECK_EVERY = 5.0  # seconds between looks at the agent and the run directory, in the course of logging
_AGENT_STARTS = 10  # an agent that keeps dying is given up; `tracker sync` completes the run
_SUMMARIES = ("last", "min", "max", "mean", "best", "none")

SummaryKind = Literal["last", "min", "max", "mean", "best", "none"]


class Run:
    """One run. Use it as a context manager, or call `finish`, or let the end of the script do it.

    When `log` and the other methods that write have returned, what they wrote is in the kernel and survives the death
    of every process; nothing here waits for the network or for another process. All methods may be called from any thread: the
    order within one thread is kept and calls never interleave. A forked child logs into the same run, in a stream of its own.
    """

    def __init__(self, settings: Settings, directory: str, first_step: int = 0, resumed: bool = False) -> None:
        """Open a stream in `directory`, which exists. `init` is the way to make runs; it decides all the arguments."""
        self._settings = settings
        self._directory = directory
        self._lock = threading.RLock()
        self._step = first_step
        self._started = time.time()
        self._next_check = self._started + _CHECK_EVERY
        self._members: dict[str, Any] = {
            "id": settings.id,
            "entity": settings.entity,
            "project": settings.project,
            "name": settings.name,
            "group": settings.group,
            "job_type": settings.job_type,
            "tags": list(settings.tags or []),
            "notes": settings.notes,
        }
        self.resumed = resumed
        """Whether this continues a run that had rows in this directory."""
        self.finished = False
        self.config = Config(self._write_config)
        self.summary = Summary(self._write_summary)
        self._seen = self.summary.seen
        self._agent: int | None = None
        self._agent_starts = 0
        self._notices = launch.Notices(directory)
        self._writer: StreamWriter | None = None
        self._append: Callable[[bytes], None] = self._open_stream
        self._parent: str | None = None
        self.dropped = 0
        """Calls that could not be recorded: after `finish`, or records longer than a line may be."""

    def begin(self) -> None:
        """Write the run's first lines and start its agent; from here on the run exists."""
        with self._lock:
            if self._writer is None:
                self._append(b"")
        if self._settings.save_code:
            script = getattr(sys.modules.get("__main__"), "__file__", None)
            if script and os.path.isfile(script):
                self.save(script, base_path=os.path.dirname(script))
        self.start_agent()
        say(f"run {self.name} in {self.entity}/{self.project}, " + (self.url or f"kept in {_short(self._directory)}"))

    # -- logging ------------------------------------------------------------------------------------------------

    def log(self, data: Mapping[str, Any], step: int | None = None, commit: bool | None = None) -> None:
        """Append one row.

        Values are numbers of any kind (Python, numpy, torch, jax scalars; NaN and ±Infinity included), text, media, or
        lists of them; nested dicts flatten to `a/b`. Anything else gives one warning and is kept as text. Without `step` the row
        gets the run's step counter, which then advances, unless `commit=False` says that more of this step follows. With
        `step` the counter is set to it, and advances only with `commit=True`. Rows are never merged, reordered or rejected for their
        step: repeated and earlier steps are rows like any other. Raises TypeError if `data` is not a mapping.
        """
        try:
            body = orjson.dumps(data)
        except TypeError:
            body = b"["
        # Plain flat rows are what training loops log a million times; whatever orjson would write differently from
        # the format (NaN as null, nesting, foreign objects) shows in these bytes.
        if body[0] != 123 or b"null" in body or b"[" in body or body.find(b"{", 1) > 0:
            return self._log_any(data, step, commit)
        with self._lock:
            if step is None:
                number = self._step
                if commit is not False:
                    self._step = number + 1
            else:
                number = self._take_step(step, commit)
            now = time.time()
            rest = b'"t":%.3f,"s":%d,"log":%b}' % (now, number, body)
            self._append(b'{"c":"%08x",%b\n' % (crc32(rest), rest))
            self._seen(data)  # type: ignore[arg-type]
            if now > self._next_check:
                self._check(now)
        return None

    def _log_any(self, data: Any, step: int | None, commit: bool | None) -> None:
        if not isinstance(data, Mapping):
            raise TypeError(f"log() takes a dict of names and values, such as {{'loss': 0.1}}, not a {type(data).__name__}")
        try:
            row = to_row(data, self._store)
            with self._lock:
                if step is None:
                    number = self._step
                    if commit is not False:
                        self._step = number + 1
                else:
                    number = self._take_step(step, commit)
                if self._write("log", row, number):
                    self.summary.seen(row)
                    if self.summary.tracks:
                        self.summary.track(row)
        except Exception as error:  # noqa: BLE001 - see contain
            contain(error, "log()")

    def _take_step(self, step: Any, commit: bool | None) -> int:
        try:
            number = int(step)
            if number != step or abs(number) > MAX_STEP:
                raise ValueError
        except (TypeError, ValueError, OverflowError):
            warn_once(f"log(step={step!r}): a step is a whole number up to 2^53; the run's own counter is used instead")
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
        """Say how metrics are read; `name` may be a glob (`*` and `?` match any character), exact names win.

        `step_metric`: the logged key that is their x axis. `summary`: which value stands for the whole run; `best` follows `goal`.
        Raises ValueError for other words.
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
            if self.summary.tracks:
                self._seen = self._see_and_track

    def _see_and_track(self, row: dict[str, Any]) -> None:
        self.summary.seen(row)
        self.summary.track(row)

    # -- files ----------------------------------------------------------------------------------------------------

    def save(self, glob_or_path: str | os.PathLike[str] | None = None, base_path: str | os.PathLike[str] | None = None) -> list[str]:
        """Keep files with the run, as they are now; return the names they have there.

        The files are pinned with hard links where the file system allows (so do not change them in place afterwards; replacing
        them is fine) and copied otherwise; the agent reads and uploads them. Names are relative to `base_path`, by default to the working
        directory, or the bare file name for files outside it. Without arguments nothing is saved; that the call returned means
        that the run is on disk. A path that matches no file gives a warning, since the file may not have been written yet.
        """
        if glob_or_path is None:
            return []
        pattern = os.fspath(glob_or_path)
        paths = [pattern] if os.path.isfile(pattern) else sorted(filter(os.path.isfile, glob.glob(pattern, recursive=True)))
        if not paths:
            warn_once(f"save({pattern!r}) matches no file; nothing was saved")
        base = os.path.realpath(os.fspath(base_path) if base_path is not None else os.getcwd())
        saved = []
        for path in paths:
            relative = os.path.relpath(os.path.realpath(path), base)
            name = os.path.basename(path) if relative.startswith("..") else relative
            try:
                kept = os.path.join("files", f"save-{random_id(12)}")
                _pin(path, os.path.join(self._directory, kept))
                self._write("save", {"name": name.replace(os.sep, "/"), "path": kept})
                saved.append(name)
            except OSError as error:
                warn_once(f"save({path!r}) failed ({error}); training goes on without it")
        return saved

    def _store(self, content: bytes) -> str:
        """Keep content beside the log under its digest; what is there already is not written again."""
        digest = hashlib.sha256(content).hexdigest()
        path = os.path.join(self._directory, "files", digest)
        if not os.path.exists(path):
            part = f"{path}.{random_id()}"
            with open(part, "wb") as file:
                file.write(content)
            os.replace(part, path)  # readers never see half a file
        return digest

    # -- what the run is ------------------------------------------------------------------------------------------

    @property
    def id(self) -> str:
        """Unique in the project."""
        return str(self._members["id"])

    @property
    def entity(self) -> str:
        """The user or team that owns the project."""
        return str(self._members["entity"])

    @property
    def project(self) -> str:
        """The project."""
        return str(self._members["project"])

    @property
    def path(self) -> str:
        """`entity/project/id`, as `Api().run` takes it."""
        return f"{self.entity}/{self.project}/{self.id}"

    @property
    def dir(self) -> str:
        """The run directory (absolute)."""
        return self._directory

    @property
    def mode(self) -> str:
        """online, offline or disabled."""
        return self._settings.mode

    @property
    def settings(self) -> Settings:
        """The resolved settings."""
        return self._settings

    @property
    def start_time(self) -> float:
        """Unix time in seconds."""
        return self._started

    @property
    def url(self) -> str | None:
        """Where the run can be seen; None offline, and while there is no server."""
        base = self._settings.base_url
        if self.mode != "online" or base is None:
            return None
        return f"{base}/runs/{quote(self.entity)}/{quote(self.project)}/{self.id}"

    @property
    def name(self) -> str:
        """The name, readable and not necessarily unique; may be assigned."""
        return str(self._members["name"])

    @name.setter
    def name(self, value: str) -> None:
        self._set_meta("name", str(value))

    @property
    def group(self) -> str | None:
        """The group; may be assigned."""
        return self._members["group"]

    @group.setter
    def group(self, value: str | None) -> None:
        self._set_meta("group", value)

    @property
    def job_type(self) -> str | None:
        """The job type; may be assigned."""
        return self._members["job_type"]

    @job_type.setter
    def job_type(self, value: str | None) -> None:
        self._set_meta("job_type", value)

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags; may be assigned (`run.tags += ("best",)`)."""
        return tuple(self._members["tags"])

    @tags.setter
    def tags(self, value: list[str] | tuple[str, ...]) -> None:
        self._set_meta("tags", [str(tag) for tag in ([value] if isinstance(value, str) else value)])

    @property
    def notes(self) -> str | None:
        """A remark; may be assigned."""
        return self._members["notes"]

    @notes.setter
    def notes(self, value: str | None) -> None:
        self._set_meta("notes", value)

    def _set_meta(self, member: str, value: Any) -> None:
        with self._lock:
            self._members[member] = value
            self._write("meta", {member: value})

    def _write_config(self, members: dict[str, Any]) -> None:
        self._write("config", members)

    def _write_summary(self, values: dict[str, Any]) -> dict[str, Any]:
        row = to_row(values, self._store)
        self._write("summary", row)
        return row

    # -- the end --------------------------------------------------------------------------------------------------

    def finish(
        self, exit_code: int | None = None, *, state: str | None = None, error: BaseException | None = None
    ) -> None:
        """End the run: `finished`, or `failed` if `exit_code` is not 0. Safe to repeat.

        Returns once the run is on disk; the agent goes on uploading. With the setting `finish_timeout` it waits for
        the upload, at most that many seconds. `state` and `error` are for those who know better, such as the exit hooks.
        """
        with self._lock:
            if self.finished:
                return
            code = 0 if exit_code is None else int(exit_code)
            end: dict[str, Any] = {"state": state or ("finished" if code == 0 else "failed"), "exit_code": code}
            if error is not None:
                end.update(_describe(error))
            self._write("finish", end)
            self.finished = True
            self._append = self._after_finish
            if self._writer is not None:
                self._close(self._writer)
        if self._parent is None:
            self._watch_agent()
            self._farewell(end["state"])

    def _close(self, writer: StreamWriter) -> None:
        try:
            writer.sync()
        except OSError as error:
            warn_once(f"the disk could not take the end of the run ({error}); what it has not taken may be lost")
        writer.close()
        if writer.lost:
            warn_once(f"{writer.lost} records of run {self.name} were lost because the disk did not take them")

    def _farewell(self, state: str) -> None:
        timeout = self._settings.finish_timeout
        if timeout > 0 and self.mode == "online":
            deadline = time.monotonic() + timeout
            while agent_alive(self._directory) and time.monotonic() < deadline:
                time.sleep(0.02)
        launch.reap(self._agent)
        self._tell_notices()
        if self.url:
            say(f"run {self.name} {state}; see {self.url}")
        else:
            say(f"run {self.name} {state}; kept in {self._directory} (upload: tracker sync {_short(self._directory)})")

    def __enter__(self) -> Run:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._finish_by(error)

    def _finish_by(self, error: BaseException | None) -> None:
        """Finish with the state that an exception means (None: all went well)."""
        if error is None:
            self.finish()
        elif isinstance(error, KeyboardInterrupt):
            self.finish(130, state="killed", error=error)
        elif isinstance(error, SystemExit):
            self.finish(exit_status(error.code))
        else:
            self.finish(1, error=error)

    # -- the stream -----------------------------------------------------------------------------------------------

    def _write(self, kind: str, payload: Any, step: int | None = None) -> bool:
        """Append one record; its payload may hold numbers that JSON lacks. Returns whether it was a line that fits."""
        line = encode(kind, jsonable(payload), time.time(), step)
        if len(line) >= MAX_LINE:
            self.dropped += 1
            warn_once(f"a {kind} record of {len(line) >> 20} MiB is longer than a line may be (8 MiB) and was dropped; log it as media or save() it as a file")
            return False
        with self._lock:
            self._append(line)
        return True

    def _open_stream(self, line: bytes) -> None:
        """Open a stream of this process's own and append its header, then `line`."""
        try:
            self._writer = StreamWriter(new_stream(self._directory, "history"), self._disk_trouble)
        except OSError as error:
            self._append = self._drop
            warn_once(f"cannot write in {self._directory} ({error}); nothing of this run will be kept")
            self._drop(line)
            return
        members = {**self._members, **this_process(), "parent": self._parent}
        members["program"] = sys.argv[0] if sys.argv and sys.argv[0] else None
        members["python"] = sys.version.split()[0]
        self._append = self._writer.append
        self._writer.append(encode("run", header("history", **members), self._started if self._parent is None else time.time()))
        if line:
            self._append(line)

    def _drop(self, _line: bytes) -> None:
        self.dropped += 1

    def _after_finish(self, line: bytes) -> None:
        self._drop(line)
        warn_once(f"run {self.name} is finished; what is logged to it now is dropped (start a new one with tracker.init())")

    def _disk_trouble(self, error: OSError) -> None:
        warn_once(f"the disk does not take the run log ({error}); rows are held in memory and written when it does")

    # -- the agent ------------------------------------------------------------------------------------------------

    def start_agent(self) -> None:
        """Start the process that uploads, flushes and watches. A failure is told once; `tracker sync` stands in for it."""
        self._agent_starts += 1
        try:
            self._agent = launch.start_agent(self._directory, self._settings.environment())
        except OSError as error:
            warn_once(f"cannot start the agent ({error}); run `tracker sync {_short(self._directory)}` later")

    def _check(self, now: float) -> None:
        """From time to time: is the directory still there, does the agent live, has it something to say?"""
        self._next_check = now + _CHECK_EVERY
        try:
            if self._writer is not None and self._writer.deleted():
                self._append = self._drop
                warn_once(f"{self._directory} was deleted while the run was going on; what is logged from now on is lost")
                return
            if self._parent is None:
                self._watch_agent()
        except Exception as error:  # noqa: BLE001 - see contain
            contain(error, "looking after the agent")

    def _watch_agent(self) -> None:
        launch.reap(self._agent)
        self._tell_notices()
        if not agent_alive(self._directory) and 0 < self._agent_starts < _AGENT_STARTS:
            self.start_agent()

    def _tell_notices(self) -> None:
        for notice in self._notices.new():
            warn_once(notice)

    def _after_fork(self) -> None:
        """In a forked child: the parent's descriptor, lock and held lines are not ours to use."""
        self._lock = threading.RLock()
        if self._writer is not None:
            self._parent = os.path.basename(self._writer.path)
            self._writer.abandon()
            self._writer = None
            if not self.finished:
                self._append = self._open_stream


class DisabledRun(Run):
    """The run of `mode="disabled"`: takes everything, keeps nothing, costs nothing."""

    def __init__(self, settings: Settings) -> None:
        settings.id = settings.id or random_id()
        settings.name = settings.name or random_name()
        super().__init__(settings, os.path.abspath(settings.dir or "."))
        self._append = self._drop

    def begin(self) -> None:
        """Do nothing."""

    def log(self, data: Mapping[str, Any], step: int | None = None, commit: bool | None = None) -> None:
        """Do nothing."""

    def save(self, glob_or_path: Any = None, base_path: Any = None) -> list[str]:
        """Do nothing."""
        return []

    def start_agent(self) -> None:
        """Do nothing."""

    def _store(self, content: bytes) -> str:
        return hashlib.sha256(content).hexdigest()

    def _farewell(self, state: str) -> None:
        """Say nothing."""


def exit_status(code: Any) -> int:
    """Return the exit status that `SystemExit(code)` gives a process."""
    if code is None:
        return 0
    return code & 0xFF if isinstance(code, int) else 1


def _describe(error: BaseException) -> dict[str, str]:
    import traceback

    trace = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    return {"error": f"{type(error).__name__}: {error}"[:2000], "traceback": trace[-20_000:]}


def _pin(source: str, target: str) -> None:
    try:
        os.link(os.path.realpath(source), target)
    except OSError:  # another file system, or one without hard links
        import shutil

        shutil.copyfile(source, target)


def _short(directory: str) -> str:
    relative = os.path.relpath(directory)
    return directory if relative.startswith("..") else relative
