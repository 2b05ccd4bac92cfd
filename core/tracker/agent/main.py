"""The agent process of one run directory."""

from __future__ import annotations

import os
import sys
import time
from datetime import datetime
from pathlib import Path

from tracker.client import Client
from tracker.discovery import resolve
from tracker.runlog.directory import NOTICE, lock_directory, unlock_directory
from tracker.runlog.reader import read_key
from tracker.settings import Settings

from .journal import Journal
from .monitor import Monitor
from .uploader import Uploader, UploadThread
from .watch import Watch

_TICK = 0.2  # seconds between looks at the directory


def main() -> None:
    """Serve the run directory named on the command line until its writers are gone and all is uploaded."""
    directory = Path(sys.argv[1]).absolute()
    _detach()
    lock = lock_directory(str(directory))
    if lock is None:
        return  # another agent serves it
    try:
        serve(directory, Settings())
    except FileNotFoundError:
        _log("the run directory is gone; nothing left to do")
    finally:
        unlock_directory(lock)


def serve(directory: Path, settings: Settings) -> None:
    """Watch, flush, sample and upload. Raises FileNotFoundError if the directory goes away."""
    journal = Journal(directory)
    watch = Watch(directory, journal)
    watch.look()
    monitor = None if settings.stats_disabled else _monitor(directory, settings, journal, watch)
    upload = _upload(directory, settings, watch) if settings.mode == "online" else None
    flushed = time.monotonic()
    while watch.writing():
        time.sleep(_TICK)
        watch.look()
        if time.monotonic() - flushed >= settings.fsync_interval:
            watch.flush()
            flushed = time.monotonic()
    if monitor is not None:
        monitor.stop()
    watch.look()
    watch.look()  # once more: takes in the digests and ends that the first one noted in the journal
    journal.close()
    watch.flush()
    if upload is not None:
        upload.close(settings.drain_timeout)


def _monitor(directory: Path, settings: Settings, journal: Journal, watch: Watch) -> Monitor:
    monitor = Monitor(
        lambda sample: journal.write("system", sample),
        watch.pids,
        str(directory),
        settings.stats_sample_interval,
        settings.stats_average_over,
        settings.stats_sources,
    )
    monitor.start()
    return monitor


def _upload(directory: Path, settings: Settings, watch: Watch) -> UploadThread:
    run = read_key(directory, settings.entity, settings.project)

    def make() -> Uploader | None:
        # Asked again and again: a server may be started on this machine while training goes on.
        base_url, api_key = resolve(settings.base_url, settings.api_key)
        if base_url is None:
            return None
        return Uploader(Client(base_url, api_key, settings.upload_timeout), run, directory, watch.kept)

    told: set[str] = set()

    def notice(text: str) -> None:
        kind = text.split(".")[0]
        if kind not in told:
            told.add(kind)
            _log(text, notice=True)

    thread = UploadThread(make, settings.upload_interval, notice)
    thread.start()
    return thread


def _detach() -> None:
    """Leave the training process's family: its `os.wait()` must not wait for us, its process group must not take us
    along.
    """
    if os.fork():
        os._exit(0)
    os.setsid()
    os.nice(5)


def _log(text: str, notice: bool = False) -> None:
    stamp = datetime.now().isoformat(timespec="seconds")
    try:
        sys.stderr.write(f"{stamp}{NOTICE.decode() if notice else ' '}{text}\n")
        sys.stderr.flush()
    except OSError:
        pass  # a full disk is no reason to stop uploading
