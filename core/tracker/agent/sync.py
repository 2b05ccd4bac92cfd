"""Upload run directories as they are now, without an agent."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tracker.client import Client, Retry, connect
from tracker.errors import ServerError, Unreachable, warn_once
from tracker.runlog.directory import lock_directory, unlock_directory
from tracker.runlog.reader import read_key, stream_paths
from tracker.settings import Settings

from .backoff import Backoff
from .event_file_follower import EventFileFollower
from .journal import Journal
from .saves import Saves
from .stream_watcher import StreamWatcher
from .upload_retries import GONE
from .uploader import Uploader

_ATTEMPTS = 5  # in a row without progress: a user waits for a command


class Synced(NamedTuple):
    """The result of a sync.

    `run` is `entity/project/id`, `size` the bytes of lines on the server, `absent` the digests whose content is not
    here, `refused` the streams and files that the server refuses, with its reasons. `elsewhere` are the globs of files
    that only the run's user can take, on the run's machine.
    """

    run: str
    size: int
    absent: list[str]
    refused: dict[str, str]
    elsewhere: list[str]


class _Attended(NamedTuple):
    uploader: Uploader
    saves: Saves


def total_size(directory: Path) -> int:
    """Return the bytes of all streams of a run directory."""
    return sum(path.stat().st_size for path in stream_paths(directory))


class Sync:
    """Uploads run directories, each as it is at that moment: `tracker sync` as an object.

        sync = tracker.Sync()
        sync.upload(Path(".tracker/runs/k3v9x2m1"))

    It remembers what it uploaded, so uploading a growing directory again sends only what is new. Not thread-safe.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        progress: Callable[[Path, int], None] = lambda _directory, _size: None,
        content: Callable[[Path, str, int, int], None] = lambda _directory, _name, _there, _size: None,
        again: bool = False,
    ) -> None:
        """Connect to the server that the settings name.

        Args:
            settings: By default those of the environment and the settings files.
            progress: Called with a directory and how many bytes of its lines the server has.
            content: Called with a directory, the name of a large saved file, how many of its bytes the server has, and
                its size.
            again: Whether to upload runs again that were deleted on the server.

        Raises:
            SettingsError: No server is known.
        """
        self._settings = settings or Settings()
        self._client = connect(self._settings)
        self._progress = progress
        self._content = content
        self._again = again
        self._attended: dict[Path, _Attended] = {}

    @property
    def url(self) -> str:
        """The server's address."""
        return self._client.base_url

    def upload(self, directory: Path) -> Synced:
        """Upload what a run directory holds now. Safe to repeat, and while its agent or other syncs are at work.

        The first time, if no agent is at work, it also does what an agent would have done: it takes saved files and
        their digests, and notes the end of processes that vanished.

        Raises:
            NotARun: The directory holds no readable run log.
            ServerError: The server refused, or did not answer (`Unreachable`).
            OSError: The directory cannot be read.
        """
        known = self._attended.get(directory)
        if known is not None:
            return _upload(known)
        with _attend(
            directory,
            self._client,
            self._settings,
            lambda n: self._progress(directory, n),
            lambda name, there, size: self._content(directory, name, there, size),
        ) as attended:
            self._attended[directory] = attended
            try:
                return _upload(attended)
            except ServerError as error:
                if error.status != GONE or not self._again:
                    raise
                self._client.readmit(attended.uploader.run)
                return _upload(attended)


def sync(directory: Path, client: Client, settings: Settings, progress: Callable[[int], None]) -> Synced:
    """Upload one run directory; see `Sync.upload`."""
    with _attend(directory, client, settings, progress, lambda _name, _there, _size: None) as attended:
        return _upload(attended)


@contextmanager
def _attend(
    directory: Path,
    client: Client,
    settings: Settings,
    progress: Callable[[int], None],
    content: Callable[[str, int, int], None],
) -> Iterator[_Attended]:
    """Do an agent's work on a run directory until the block ends."""
    directory = directory.absolute()
    run = read_key(directory, settings.entity, settings.project)
    journal = Journal(directory)
    saves = Saves(directory, journal, run.id, settings.live_interval)
    watch = StreamWatcher(directory, journal, saves)
    try:
        lock = lock_directory(str(directory))
    except OSError:  # read-only, or someone else's: nothing can be noted there
        lock = None
    watch.acts = lock is not None
    try:
        watch.look()
        watch.look()  # the first look finds the writers, the second one sees which are gone
        if watch.acts:
            saves.clean()
            saves.step(now=True)
            following = EventFileFollower(directory, journal, watch, run.id, warn_once)
            following.look()
            following.close()
        else:
            saves.listen()
        named = saves.names

        def report(digest: str, there: int, size: int) -> None:
            content(named.get(digest, digest), there, size)

        yield _Attended(Uploader(client, run, directory, saves.kept, progress, report, saves.changed), saves)
    finally:
        watch.close()
        journal.close()
        if lock is not None:
            unlock_directory(lock)


def _upload(attended: _Attended) -> Synced:
    uploader, saves = attended
    absent = [digest for digest in _persist(uploader) if digest not in saves.replaced]
    elsewhere = [follow.glob for follow in saves.elsewhere]
    return Synced("/".join(uploader.run), uploader.acknowledged, absent, uploader.refused, elsewhere)


def _persist(uploader: Uploader) -> list[str]:
    backoff, attempts, before = Backoff(), 0, -1
    while True:
        try:
            uploader.step()
            return uploader.complete()
        except (Retry, Unreachable) as error:
            if uploader.arrived != before:
                attempts = 0
                backoff.reset()
            attempts += 1
            before = uploader.arrived
            if attempts >= _ATTEMPTS or (isinstance(error, Unreachable) and not uploader.reached):
                raise
            time.sleep(backoff.delay(error))
