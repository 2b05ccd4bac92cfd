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

from .describe import Describer
from .follow import GRACE, Following
from .journal import Journal
from .monitor import Monitor
from .saves import Saves, SaveThread
from .stopping import StopThread
from .uploader import Uploader, UploadThread
from .watch import Watch

_TICK = 0.2  # seconds between looks at the directory

HEARTBEAT = 60.0
"""Seconds after which an agent that uploads has something to upload: that it is there."""


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
    """Watch, describe, flush, sample and upload. Raises FileNotFoundError if the directory goes away."""
    online = settings.mode == "online"
    journal = Journal(directory, HEARTBEAT if online else None)
    run = read_key(directory, settings.entity, settings.project)
    saves = Saves(directory, journal, run[2], settings.live_interval)
    watch = Watch(directory, journal, saves)
    watch.look()
    describer = Describer(directory, settings, journal, watch, _log)
    describer.look()
    following = Following(directory, journal, watch, run[2], lambda text: _log(text, notice=True))
    following.look()
    monitor = None if settings.stats_disabled else _monitor(directory, settings, journal, watch)
    saves.clean()
    keeper = SaveThread(saves, _TICK, _log)  # when all is known that an earlier agent has done
    keeper.start()
    upload = _upload(directory, settings, run, saves) if online else None
    stopping = StopThread(lambda: _client(settings), run, watch.stoppable)
    if online:
        stopping.start()
    flushed = time.monotonic()
    while watch.writing():
        time.sleep(_TICK)
        watch.look()
        describer.look()
        following.look()
        journal.beat()
        if stopping.requested is not None:
            watch.stop(stopping.requested)
        if time.monotonic() - flushed >= settings.fsync_interval:
            watch.flush()
            flushed = time.monotonic()
    if monitor is not None:
        monitor.stop()
    watch.look()
    describer.close()
    watch.look()
    watch.flush()  # what follows may take a while
    following.close(0.0 if settings.finish_timeout > 0 else GRACE)  # with it, the process waits for us
    watch.look()
    keeper.close()
    watch.look()  # once more: takes in the digests and ends that were noted in the journal
    watch.flush()
    if upload is not None:
        upload.close(settings.drain_timeout)
    journal.close()


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


def _client(settings: Settings) -> Client | None:
    # Asked again and again: a server may be started on this machine while training goes on.
    base_url, api_key = resolve(settings.base_url, settings.api_key)
    return None if base_url is None else Client(base_url, api_key, settings.upload_timeout)


def _upload(directory: Path, settings: Settings, run: tuple[str, str, str], saves: Saves) -> UploadThread:
    def make() -> Uploader | None:
        client = _client(settings)
        return None if client is None else Uploader(client, run, directory, saves.kept, changed=saves.changed)

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
