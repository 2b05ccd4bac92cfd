"""Begin, write, check and end a run in this process."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from time import time_ns
from typing import Any

from tracker.capture import process
from tracker.errors import contained, say, warn_once
from tracker.runlog.directory import store, this_process
from tracker.runlog.records import MAX_LINE, encode, jsonable
from tracker.settings import Settings

from .after_fork import ForkAware
from .agent_supervisor import CHECK_EVERY, shorten
from .companions import Companions
from .exit.exit_status import ending, exit_ending
from .identity import RunIdentity
from .logged_rows import LoggedRows
from .process_order import Origin, ended_before
from .resume import auto_resume
from .slow_disk import SlowDiskWarning
from .stream import Stream
from .upload_wait import wait_after_finish
from .values import oversized
from .values.config_values import to_config

_MEMBERS = ("id", "entity", "project", "name", "group", "job_type", "tags", "notes", "color")
_LOCK_TIMEOUT = 1.0  # seconds that `os._exit` waits for the lock of the run


class RunLifecycle(ForkAware, RunIdentity):
    """All of a run except the methods that users call: its beginning, records, checks and end."""

    def __init__(self, settings: Settings, directory: str, joined: bool) -> None:
        """See `Run`."""
        self._settings = settings
        self._directory = directory
        self._lock = threading.RLock()
        self._started = time.time()
        self._checked = time_ns() // 1000  # when `_check` was last called, in microseconds of Unix time
        self._members = {m: getattr(settings, m) for m in _MEMBERS}
        self._stream = Stream(directory, self._header_members, lambda: process.describe(settings))
        self._companions = Companions(directory, settings)
        self._slow_disk = SlowDiskWarning(directory)
        self._joined = joined
        self._origin = None
        self._after: tuple[str, ...] = ()  # streams of ended processes, as the server knows
        self._took_over = False
        self._logged = LoggedRows(self._stream)
        self.finished = False
        self.state_at_exit: str | None = None
        """The state that the exit hooks give this run if the process ends well; None: finished. For integrations, which
        do not notice that training was cut short if the script continues.
        """
        self.continued: Callable[[], RunLifecycle] | None = None
        """Returns the run that takes records after the end of this one; None: they are dropped. For integrations."""

    def _header_members(self) -> dict[str, Any]:
        return {
            **self._members,
            "after": None if self._stream.parent else sorted({*ended_before(self._directory), *self._after}) or None,
            "allow_stop": self._settings.stoppable or None,
            "wraps": process.is_wrapper() or None,
        }

    def begin(self) -> None:
        """Write the run's first line and start its agent; from then on the run exists."""
        with self._lock:
            self._stream.open()
        if self._stream.path is not None:
            about = this_process()
            self._origin = Origin(self._stream.path, about["pid"], about["pid_start"])
        if self._stream.shortened:
            self._write("meta", self._stream.shortened)
        if self._settings.resume == "auto":
            auto_resume.mark(self._directory, self._settings)
        if self._stream.kept:
            self._companions.supervisor.start()
            if not self._joined:
                say(f"run {self.name} in {self.entity}/{self.project}: {self.url or shorten(self._directory)}")
            self._companions.start(lambda: self._members, self._write)

    # -- records ------------------------------------------------------------------------------------------

    def _store(self, content: bytes) -> str:
        return store(self._directory, content)

    def _write(self, kind: str, payload: Any, step: int | None = None) -> None:
        """Append one record. Its payload may hold numbers that JSON lacks."""
        try:
            self._write_json(kind, jsonable(payload), step)
        except TypeError:  # a lone surrogate, say, as in some file names
            self._write_json(kind, to_config(payload), step)

    def _write_json(self, kind: str, value: Any, step: int | None = None) -> None:
        """Append one record whose payload is JSON; if it is too long for a line, as several lines and files."""
        now = time.time()
        line = encode(kind, value, now, step)
        if len(line) < MAX_LINE:
            with self._lock:
                self._stream.append(line)
                return
        parts = oversized.parts(kind, value, self._store)
        with self._lock:
            for part, members in parts.records:
                self._stream.append(encode(part, members, now, step if part == kind else None))
            for reason in parts.lost:
                self._stream.count_lost(reason)
        warn_once(f"a {kind} record of {len(line) / 2**20:.1f} MiB is longer than a line may be: {_describe(parts)}")

    @property
    def dropped(self) -> int:
        """How many records were lost: logged after `finish`, too long, or refused by the disk."""
        return self._stream.dropped

    def _after_finish(self, line: bytes) -> None:
        if self.continued is not None and (run := self.continued()) is not self:
            with run._lock:
                run._stream.append(line)
            return
        self._stream.drop_late(line)
        warn_once(f"run {self.name} is finished; what is logged to it is dropped (tracker.init() starts a new one)")

    def _look(self) -> None:
        """Check the run's companions while another program runs and nothing is logged here."""
        self._companions.look()
        now = time_ns() // 1000
        if not 0 <= now - self._checked < CHECK_EVERY:
            self._check(now)

    def _check(self, now: int) -> None:
        """Check every few seconds that the directory and the agent are still there, and print the agent's messages.

        `now`: Unix time in microseconds.
        """
        self._checked = now
        if self._slow_disk.took(time_ns() // 1000 - now):
            self._checked = 0  # time the next write, too
        with contained("checking the run directory"):
            if self._lost_directory():
                return
        self._take_over()
        self._companions.check(agent=self._is_its_own)

    def _lost_directory(self) -> bool:
        if not self._stream.deleted():
            return False
        self._stream.append = self._stream.lose
        warn_once(f"{self._directory} was deleted while the run was going on; what was not uploaded by then is lost")
        return True

    # -- the end ------------------------------------------------------------------------------------------

    def _correct_end(self, end: dict[str, Any]) -> None:
        """Replace the end that `finish` wrote: the exception during which it was called has ended the process."""
        if self.finished and self.continued is None:
            self._stream.correct_end(encode("finish", end, time.time()))
            self._mark_ended(end)
            say(f"run {self.name} {end['state']}: the exception during which it was finished ended the process")

    def _end(self, end: dict[str, Any]) -> None:
        """Write the `finish` record `end`, unless the run has ended, and release everything."""
        self._companions.stop()
        self._take_over()
        with self._lock:
            if self.finished:
                return
            self._lost_directory()
            self._write("finish", end)
            self.finished = True
            kept = self._stream.kept
            self._stream.close(self._after_finish, self._companions.wake if self._stream.parent is None else _nothing)
        self._mark_ended(end)
        if kept and self._is_its_own and not self._joined:
            wait_after_finish(self._companions.supervisor, self.name, end["state"], self.url)

    def _mark_ended(self, end: dict[str, Any]) -> None:
        if self._settings.resume == "auto" and self._is_its_own:
            auto_resume.ended(self._directory, self._settings, end["state"] == "finished")

    def _finish_by(self, error: BaseException | None) -> None:
        """Finish with the state that follows from an exception; None: the run ended well."""
        self._end(ending(error) if error is not None else self._good_end())

    def _good_end(self) -> dict[str, Any]:
        return {"state": self.state_at_exit or "finished", "exit_code": 0}

    def _finish_at_exit(self, end: dict[str, Any] | None) -> None:
        """Finish when the process is about to end with `end` (None: well, as far as known)."""
        good = self._good_end()
        if end is None or end["state"] == "finished":
            end = good
        self._end({"at_exit": good["state"], **end})

    def _leave_at_once(self, status: int) -> None:
        """Write the end of a process that leaves by `os._exit`, without anything that could take time.

        The process may be a forked child between fork and exec, or a watchdog of a training that hangs, perhaps
        with the lock.
        """
        if self.finished or not self._stream.kept or not self._lock.acquire(timeout=_LOCK_TIMEOUT):
            return
        try:
            with contained("writing the end of the run"):
                self._take_over()
                end = self._good_end() if status == 0 else exit_ending(status, sys.exc_info()[1])
                self._write("finish", end)
                self.finished = True
                self._mark_ended(end)
        finally:
            self._lock.release()


def _nothing() -> None: ...


def _describe(parts: oversized.Parts) -> str:
    files = [members["name"] for kind, members in parts.records if kind == "file"]
    kept = f"what is too large is kept as {', '.join(files[:3])}" if files else "what is too large is kept as a file"
    return "; ".join(parts.lost[:3]) or kept
