"""Serve one run directory: watch, describe, flush and sample while its processes live, then upload the rest."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from tracker.agent_protocol.status import StatusFile
from tracker.machine import containers
from tracker.names import RunKey
from tracker.runlog.directory import LOG, NOTICE, lock_directory, unlock_directory
from tracker.runlog.reader import read_key
from tracker.runlog.safe_open import open_file
from tracker.settings import Settings

from .connection import Connection
from .drain import Drain, Ended
from .environment_capture import EnvironmentCapture
from .event_file_follower import GRACE, EventFileFollower
from .journal import Journal
from .monitor import Monitor
from .saves import Saves, SaveThread
from .stop_poller import StopPoller
from .stream_watcher import StreamWatcher
from .upload_retries import RetryingUpload, UploadThread
from .uploader import Uploader
from .writer_process import LeavingProcess

_TICK = 0.2  # seconds between looks at the directory
_HELPER = 10.0  # seconds that a console's helper has to begin
_TURN = 30.0  # most seconds that a run waits for other runs that end

_LEAVING = 600.0  # most seconds to wait for processes that are about to end

HEARTBEAT = 60.0
"""Seconds after which an idle agent uploads a record that says that it is alive."""

_ending = threading.Semaphore(4)
"""Held by runs that end: many at once need much memory and are not faster."""


class Service(threading.Thread):
    """Serves a directory in a thread of its own, unless another agent does.

    Its errors go to the log in the directory, and affect no other directory.
    """

    def __init__(self, directory: Path, given: Mapping[str, Any], drain: Drain, lock: int | None = None) -> None:
        """`given`: arguments of `Settings`. `lock`: the lock that the directory's previous service kept."""
        super().__init__(name="service", daemon=True)
        self._directory = directory
        self._given = given
        self._drain = drain
        self._lock = lock
        self.kept_lock: int | None = None
        """The directory's lock, if it has to be served again: unlocked in between, it would look abandoned."""
        self._ended: Ended | None = None
        self._reported: set[str] = set()
        self._leaving: list[LeavingProcess] = []
        self._hurry = threading.Event()
        self.next_settings: Mapping[str, Any] | None = None
        """The settings of the next service of this directory; None if it needs none."""
        self.over = threading.Event()
        """Set when the directory needs no agent any more, or this one cannot serve it."""

    def serve_again(self, given: Mapping[str, Any]) -> None:
        """Note that another process writes to the run.

        The run is served again once this service is `over`, which is soon if the run only waits for its upload.
        """
        self.next_settings = given
        self._hurry.set()
        if self._ended is not None and self._drain.recall(self._ended):
            self._ended.over(False)

    def run(self) -> None:
        """Serve the directory."""
        try:
            self._serve()
        except FileNotFoundError:
            self.log("the run directory is gone; nothing left to do")
        except Exception as error:  # noqa: BLE001 - other directories need this process
            self.log(f"this agent cannot serve the run ({type(error).__name__}: {error})", notice=True)
        if self._ended is None:
            self.over.set()

    def _serve(self) -> None:
        lock = self._lock
        if lock is not None:
            os.utime(lock)  # tells the process that asked for this service that it has come; see `agent_came`
        else:
            lock = lock_directory(str(self._directory))
        if lock is None:
            return  # another agent serves it
        try:
            settings = Settings(self._given)
            self._ended = self._attend(settings, lock)
        finally:
            if self._ended is None:
                self._release(lock)
        if self._ended is not None:
            self._drain.add(self._ended)

    def _attend(self, settings: Settings, lock: int) -> Ended | None:
        """Do all work on this machine; return the upload that remains, or None without a server.

        Raises FileNotFoundError if the directory is deleted.
        """
        online = settings.mode == "online"
        status = StatusFile(str(self._directory))
        status.write(None)
        journal = Journal(self._directory, HEARTBEAT if online else None)
        run = read_key(self._directory, settings.entity, settings.project)
        saves = Saves(self._directory, journal, run.id, settings.live_interval)
        watch = StreamWatcher(self._directory, journal, saves)
        describer = EnvironmentCapture(self._directory, settings, journal, watch, self.log)
        following = EventFileFollower(self._directory, journal, watch, run.id, self._notice)
        keeper = SaveThread(saves, _TICK, self.log)
        upload = self._upload(settings, run, saves, status) if online else None
        try:
            watch.look()
            watch.look()  # the first look finds the writers, the second one sees which are gone
            journal.promise()
            saves.clean()
            keeper.start()  # after reading what an earlier agent has done
            if watch.writing():
                self._accompany(settings, run, journal, watch, describer, following, upload)
            if settings.console == "redirect":
                self._await_console(watch)
            with _turn():
                watch.look()
                describer.close()
                watch.look()
                watch.flush()  # the rest may take a while
                # With a timeout, the process waits for this agent.
                following.close(0.0 if containers.wait_seconds(settings.finish_timeout) else GRACE)
                watch.look()
                keeper.close()
                watch.look()  # reads the digests and ends in the journal
                watch.flush()
        except BaseException:
            journal.close()
            raise
        finally:
            keeper.stop()
            self._leaving = watch.release_leaving()
            watch.close()
        if upload is None:
            journal.close()
            status.write(None, done=True)
            return None
        return Ended(upload, run[:2], settings.drain_timeout, lambda _done: self._finish(journal, lock))

    def _accompany(
        self,
        settings: Settings,
        run: RunKey,
        journal: Journal,
        watch: StreamWatcher,
        describer: EnvironmentCapture,
        following: EventFileFollower,
        upload: RetryingUpload | None,
    ) -> None:
        """Serve the run until no process of this machine writes to it."""
        describer.look()
        following.look()
        monitor = None if settings.stats_disabled else self._monitor(settings, journal, watch)
        uploading = UploadThread(upload) if upload is not None else None
        stopping = StopPoller(upload.connection.client, run, watch.stoppable) if upload is not None else None
        for thread in (uploading, stopping):
            if thread is not None:
                thread.start()
        flushed = time.monotonic()
        try:
            # The real end of a leaving process is known when it is gone; but it may wait for this agent.
            waits = upload is not None and containers.wait_seconds(settings.finish_timeout) > 0
            while watch.writing() or (watch.leaving() and not waits):
                time.sleep(_TICK)
                watch.look()
                describer.look()
                following.look()
                journal.beat()
                if stopping is not None and stopping.requested is not None:
                    watch.stop(stopping.requested)
                if time.monotonic() - flushed >= settings.fsync_interval:
                    watch.flush()
                    flushed = time.monotonic()
        finally:
            if monitor is not None:
                monitor.stop()
            if stopping is not None:
                stopping.close()
            if uploading is not None:
                uploading.close()

    def _await_console(self, watch: StreamWatcher) -> None:
        """Wait for the console helper of a process that vanished soon after it had started it."""
        deadline = time.monotonic() + _HELPER
        while watch.lacks_console() and time.monotonic() < deadline:
            time.sleep(_TICK)
            watch.look()
        while watch.writing():
            time.sleep(_TICK)
            watch.look()

    def _finish(self, journal: Journal, lock: int) -> None:
        journal.close()
        self._release(lock)  # tells a process that waits for this agent that it may end
        self._ended = None
        if self._leaving:
            threading.Thread(target=self._await_leaving, name="leaving", daemon=True).start()
        else:
            self.over.set()

    def _release(self, lock: int) -> None:
        if self.next_settings is None:
            unlock_directory(lock)
        else:
            self.kept_lock = lock

    def _await_leaving(self) -> None:
        """Wait for processes that are leaving; serve the directory again if one ends differently than it wrote."""
        until = time.monotonic() + _LEAVING
        while not all(process.writer.check() for process in self._leaving) and time.monotonic() < until:
            if self._hurry.wait(_TICK):
                break
        if any(process.differs() for process in self._leaving) and self.next_settings is None:
            self.next_settings = self._given
        for process in self._leaving:
            process.writer.close()
        self.over.set()

    def _monitor(self, settings: Settings, journal: Journal, watch: StreamWatcher) -> Monitor:
        monitor = Monitor(
            lambda sample: journal.write("system", sample),
            watch.pids,
            str(self._directory),
            settings.stats_sample_interval,
            settings.stats_average_over,
            settings.stats_sources,
        )
        monitor.start()
        return monitor

    def _upload(self, settings: Settings, run: RunKey, saves: Saves, status: StatusFile) -> RetryingUpload:
        connection = Connection(self._given, settings)

        def make() -> Uploader | None:
            client = connection.client()
            if client is None:
                return None
            return Uploader(client, run, self._directory, saves.kept, changed=saves.changed)

        return RetryingUpload(self._directory, connection, make, settings.upload_interval, self._notice, status)

    def _notice(self, text: str) -> None:
        """Tell the user, once for each kind of trouble."""
        kind = text.split(".")[0]
        if kind not in self._reported:
            self._reported.add(kind)
            self.log(text, notice=True)

    def log(self, text: str, notice: bool = False) -> None:
        """Write a line to the log in the directory; the run's process shows it to the user if it is a `notice`."""
        stamp = datetime.now().isoformat(timespec="seconds")
        line = f"{stamp}{NOTICE.decode() if notice else ' '}{text}\n"
        try:
            with open(open_file(self._directory, LOG, os.O_WRONLY | os.O_APPEND | os.O_CREAT), "ab") as file:
                file.write(line.encode("utf-8", "surrogateescape"))
        except OSError:
            pass  # a full disk must not stop the upload


class _turn:  # noqa: N801 - a block
    """Wait for a turn, with a time limit: a file system that hangs must not stop the others."""

    def __enter__(self) -> None:
        self._got = _ending.acquire(timeout=_TURN)

    def __exit__(self, *_: object) -> None:
        if self._got:
            _ending.release()
