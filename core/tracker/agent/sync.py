"""The agent without a parent: upload a run directory as it is now."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tracker.client import Client, Retry
from tracker.errors import Unreachable
from tracker.runlog.directory import lock_directory, unlock_directory
from tracker.runlog.reader import read_key, stream_paths
from tracker.settings import Settings

from .journal import Journal
from .uploader import Patience, Uploader
from .watch import Watch

_ATTEMPTS = 5  # in a row without progress; a command, unlike an agent, has someone waiting for it


class Synced(NamedTuple):
    """What a sync did: the run as `entity/project/id`, bytes of lines on the server, digests that are nowhere to be
    found here, and streams that the server refuses, with its reasons.
    """

    run: str
    size: int
    absent: list[str]
    refused: dict[str, str]


def total_size(directory: Path) -> int:
    """Return the bytes of all streams of a run directory."""
    return sum(path.stat().st_size for path in stream_paths(directory))


def sync(directory: Path, client: Client, settings: Settings, progress: Callable[[int], None]) -> Synced:
    """Upload what a run directory holds now; safe to repeat, and while its agent or other syncs are at work.

    If no agent is at work it also does what an agent would have done: digests of saved files, and the end of processes
    that vanished. `progress` is told the bytes that the server has. Raises `NotARun`, `ServerError` and its kinds.
    """
    directory = directory.absolute()
    run = read_key(directory, settings.entity, settings.project)
    journal = Journal(directory)
    watch = Watch(directory, journal)
    try:
        lock = lock_directory(str(directory))
    except OSError:  # read-only, or someone else's: nothing can be noted there
        lock = None
    watch.acts = lock is not None
    try:
        watch.look()
        watch.look()  # once more: takes in what the first one noted in the journal
        journal.close()
        uploader = Uploader(client, run, directory, watch.kept, progress)
        absent = _persist(uploader)
    finally:
        watch.close()
        if lock is not None:
            unlock_directory(lock)
    return Synced("/".join(run), uploader.acknowledged, absent, uploader.refused)


def _persist(uploader: Uploader) -> list[str]:
    patience, attempts, before = Patience(), 0, -1
    while True:
        try:
            uploader.step()
            return uploader.complete()
        except (Retry, Unreachable) as error:
            if uploader.acknowledged != before:
                attempts = 0
                patience.reset()
            attempts += 1
            before = uploader.acknowledged
            if attempts >= _ATTEMPTS or (isinstance(error, Unreachable) and not uploader.reached):
                raise
            time.sleep(patience.delay(error))
