"""Keep the files that a run's processes passed to `save`: digests of pinned ones, versions of followed ones."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from tracker.agent_protocol.sealing import is_sealed
from tracker.random_names import random_id
from tracker.runlog.directory import KEPT_PATH
from tracker.runlog.records import Record
from tracker.runlog.safe_open import is_whole, names_in, open_file, open_folder, remove, rename, sync_names
from tracker.saved_files import SavedNames, find, name_of

from .file_uploader import Kept
from .journal import Journal

_BLOCK = 1 << 20
_VERSION = re.compile(r"files/save-[a-z0-9]{12}")  # the names that agents give to versions
_MOST_CHANGES = 6  # changes after which a file that never rests is taken as it is
_SHARE = 10  # taking versions takes at most a tenth of the time


class Follow(NamedTuple):
    """A `save` record that asks to follow files (`live`) or to take them at the end (`end`)."""

    stream: str
    policy: str
    glob: str
    base: str


class Pin(NamedTuple):
    """A `save` record of a file pinned in the run directory; `size`: its bytes then, None if it had holes."""

    name: str
    stream: str
    size: int | None


class Version(NamedTuple):
    """A `file` record: the content of a name, and whether a later version replaces it."""

    time: float
    digest: str
    size: int | None
    path: str
    live: bool


class Seen(NamedTuple):
    """A followed file: its state at the last look, how often it changed since it was taken, its state when taken."""

    last: tuple[int, ...] | None
    changes: int
    taken: tuple[int, ...] | None


class Saves:
    """The saved files of one run directory.

    `take` and `end` may be called from one thread while another one works on what they noted, with `step`.
    """

    def __init__(self, directory: Path, journal: Journal, run_id: str, interval: float) -> None:
        """`interval`: seconds between looks at live files."""
        self._directory = directory
        self._journal = journal
        self._run_id = run_id
        self._interval = interval
        self._mark = f"part-{os.uname().nodename}".replace(os.sep, "_")  # the agents of other machines have their own
        self._inbox: deque[tuple[str, Record, bool]] = deque()
        self._lock = threading.Lock()
        self._pins: dict[str, Pin] = {}  # by path, not digested yet
        self._digested: set[str] = set()  # paths
        self._lost: set[str] = set()  # paths of pins that were counted as lost; they may still appear
        self._follows: dict[Follow, None] = {}
        self._ended: set[str] = set()  # streams
        self._vanished: set[str] = set()  # streams whose process did not write its end
        self._settled: set[str] = set()  # streams whose files an agent has taken for the last time
        self._seen: dict[tuple[Follow, str], Seen] = {}
        self._versions: dict[str, Version] = {}
        self._owners = SavedNames(str(directory), lambda _text: None)  # the training process warns of them
        self._next = 0.0
        self.kept: dict[str, Kept] = {}
        """Digest → file in the run directory, besides the files that are named by their digest."""
        self.names: dict[str, str] = {}
        """Digest → name."""
        self.replaced: set[str] = set()
        """Digests whose content is no longer kept, because there is a later version."""
        self.elsewhere: dict[Follow, None] = {}
        """Requests from another machine or user, whose files can only be taken there."""

    def take(self, stream: str, record: Record, here: bool) -> None:
        """Note a `save`, `saved`, `file` or `lost` record; `here`: whether its stream was written on this machine."""
        self._inbox.append((stream, record, here))

    def end(self, stream: str, vanished: bool = False) -> None:
        """Note, after all its records, that a stream's process saves nothing more. Safe to repeat."""
        if vanished:
            self._vanished.add(stream)
        self._ended.add(stream)

    def listen(self) -> None:
        """Read the noted records, without taking files."""
        with self._lock:
            self._listen()

    def clean(self) -> None:
        """Remove files that an agent of this machine had copied in part when it was killed."""
        for name in names_in(self._directory, "files"):
            if name.startswith(f"{self._mark}-") and name.endswith(".part"):
                with contextlib.suppress(OSError):
                    remove(self._directory, f"files/{name}")

    def step(self, now: bool = False) -> None:
        """Digest pinned files, and take versions of followed files that are due.

        Live files are due at times, or with `now`; files of ended streams are due for the last time.
        """
        with self._lock:
            ended = frozenset(self._ended)  # before listening, which then learns all requests of these streams
            self._listen()
            if self._pins:
                sync_names(self._directory, "files")
            for path, pin in list(self._pins.items()):
                self._digest(path, pin)
                self._pins.pop(path, None)
            begun = time.monotonic()
            due = now or begun >= self._next
            for follow in list(self._follows):
                last = follow.stream in ended
                if last or (due and follow.policy == "live"):
                    for path in find(follow.glob):
                        self._look(follow, path, now or last)
            for stream in {follow.stream for follow in self._follows} & ended:
                self._journal.write("saved", {"stream": stream})
                self._settle(stream)
            if due:
                self._next = time.monotonic() + max(self._interval, _SHARE * (time.monotonic() - begun))

    def changed(self, digest: str) -> None:
        """Note that a kept file was changed in place and no longer fits its digest. Its new content replaces it."""
        with self._lock:
            kept = self.kept.pop(digest, None)
            self.replaced.add(digest)
            for name, version in list(self._versions.items()):
                if version.digest == digest and kept is not None and self._directory / version.path == kept.path:
                    self._digest(version.path, Pin(name, "", None))

    # -- records ----------------------------------------------------------------------------------------------------

    def _listen(self) -> None:
        while self._inbox:
            stream, record, here = self._inbox.popleft()
            payload = record.payload
            if record.kind == "saved":
                self._settle(str(payload.get("stream")))
            elif record.kind == "file":
                self._note(record.time, payload)
            elif record.kind == "lost":
                self._lost.add(str(payload.get("path")))
            elif "glob" in payload:
                self._follow(stream, payload, here)
            elif KEPT_PATH.fullmatch(str(payload.get("path"))) and payload["path"] not in self._digested:
                size = payload["size"] if type(payload.get("size")) is int else None
                self._pins[payload["path"]] = Pin(str(payload.get("name")), stream, size)

    def _follow(self, stream: str, payload: dict[str, Any], here: bool) -> None:
        policy, pattern, base = (str(payload.get(member)) for member in ("policy", "glob", "base"))
        follow = Follow(stream, policy, pattern, base)
        if stream in self._settled or policy not in ("live", "end"):
            return
        ours = here and is_sealed(payload.get("seal"), self._run_id, policy, pattern, base)
        (self._follows if ours else self.elsewhere)[follow] = None

    def _settle(self, stream: str) -> None:
        self._settled.add(stream)
        for follows in (self._follows, self.elsewhere):
            for follow in [f for f in follows if f.stream == stream]:
                del follows[follow]

    def _note(self, when: float, payload: dict[str, Any]) -> None:
        """Note a `file` record, of this agent or an earlier one; the latest of a name counts."""
        name, digest, path = (str(payload.get(member)) for member in ("name", "digest", "path"))
        if not KEPT_PATH.fullmatch(path):
            return
        self._digested.add(path)  # its `save` record may come later, from another stream
        self._pins.pop(path, None)
        size = payload["size"] if type(payload.get("size")) is int else None
        later = Version(when, digest, size, path, payload.get("live") is True)
        earlier = self._versions.get(name)
        if earlier is not None and earlier.time > when:
            earlier, later = later, earlier
        self._versions[name] = later
        self._keep(later, name)
        if earlier is not None and earlier.digest != later.digest:
            if earlier.live or earlier.path == later.path:
                self._forget(earlier, later)
            else:
                self._keep(earlier, name)

    def _keep(self, version: Version, name: str) -> None:
        self.kept[version.digest] = Kept(self._directory / version.path, version.size)
        self.names[version.digest] = name
        self.replaced.discard(version.digest)

    def _forget(self, version: Version, later: Version) -> None:
        if any(other.digest == version.digest for other in self._versions.values()):
            return
        self.replaced.add(version.digest)
        self.kept.pop(version.digest, None)
        if version.path != later.path and _VERSION.fullmatch(version.path):
            with contextlib.suppress(OSError):
                remove(self._directory, version.path)

    # -- taking files -----------------------------------------------------------------------------------------------

    def _look(self, follow: Follow, path: str, at_once: bool) -> None:
        """Take a new version of a file if it has changed and has rested since the last look."""
        if path.startswith(f"{self._directory}{os.sep}"):
            return  # a glob that matches taken versions would never end
        try:
            status = os.stat(path)
        except OSError:
            return  # it is gone; its versions stay
        state = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
        seen = self._seen.get((follow, path), Seen(None, 0, None))
        if state == seen.taken:
            return
        if not at_once and state != seen.last and seen.changes < _MOST_CHANGES:
            self._seen[follow, path] = Seen(state, seen.changes + 1, seen.taken)
        elif self._version(follow, path):
            self._seen[follow, path] = Seen(state, 0, state)

    def _version(self, follow: Follow, path: str) -> bool:
        """Keep a copy of a file; tell whether that was possible.

        It is a copy because a live file is about to change again, perhaps in place.
        """
        base = self._owners.choose_base([path], follow.base)
        name = name_of(path, base).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        kept = f"files/save-{random_id(12)}"
        part = f"files/{self._mark}-{random_id(12)}.part"
        try:
            try:
                source = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            except FileNotFoundError:
                return True
            try:
                digest, size = _read(source, open_file(self._directory, part, os.O_WRONLY | os.O_CREAT | os.O_EXCL))
            except OSError:
                remove(self._directory, part)
                if follow.stream not in self._ended:
                    return False  # the disk is full, say; the next look tries again
                self._link(path, part)
                digest, size = _read(open_file(self._directory, part))
            former = self._versions.get(name)
            if former is not None and former.digest == digest:
                return True
            rename(self._directory, part, kept.removeprefix("files/"))
            sync_names(self._directory, "files")
        except OSError as error:
            self._lose(name, error)
            return False
        finally:
            with contextlib.suppress(OSError):
                remove(self._directory, part)
        self._write(name, digest, size, kept, follow.policy == "live")
        return True

    def _link(self, path: str, part: str) -> None:
        folder = open_folder(self._directory, "files")
        try:
            os.link(os.path.realpath(path), part.removeprefix("files/"), dst_dir_fd=folder)
        finally:
            os.close(folder)

    def _digest(self, path: str, pin: Pin) -> None:
        """Note the digest of a pinned file as it is, unless it is incomplete and nobody will write the rest."""
        try:
            source = open_file(self._directory, path)
            if pin.stream in self._vanished and pin.size is not None and not is_whole(source, pin.size):
                os.close(source)
                raise OSError("it is incomplete, and the process that saved it has vanished")
            digest, size = _read(source)
        except OSError as error:
            if path not in self._lost:
                self._lost.add(path)
                self._lose(pin.name, error, path)
            return
        self._write(pin.name, digest, size, path, live=False)

    def _write(self, name: str, digest: str, size: int, path: str, live: bool) -> None:
        payload = {"name": name, "digest": digest, "size": size, "path": path, **({"live": True} if live else {})}
        former = self._versions.get(name)
        # Rounded as readers see it, and later than the former version, even if the clock was set back.
        when = round(max(time.time(), former.time + 0.001 if former is not None else 0.0), 3)
        self._journal.write("file", payload, when)
        self._note(when, payload)

    def _lose(self, name: str, error: OSError, path: str | None = None) -> None:
        where = {} if path is None else {"path": path}
        self._journal.write("lost", {"count": 1, "reason": f"saved file {name}: {error}", **where})


class SaveThread(threading.Thread):
    """Steps in a thread of its own, so that a large file does not delay the agent's other work."""

    def __init__(self, saves: Saves, pause: float, notice: Callable[[str], None]) -> None:
        super().__init__(name="saves", daemon=True)
        self._saves, self._pause, self._notice = saves, pause, notice
        self._closing = threading.Event()
        self._stopped = False

    def close(self) -> None:
        """Return when all that `Saves` noted is done."""
        self._closing.set()
        self.join()

    def stop(self) -> None:
        """Stop after the present step. Safe to repeat."""
        self._stopped = True
        self._closing.set()

    def run(self) -> None:
        """Run until closed."""
        closing, reported = False, ""
        while not closing:
            closing = self._closing.wait(self._pause)
            if self._stopped:
                return
            try:
                self._saves.step()
            except Exception as error:  # noqa: BLE001 - whatever it is, the thread must not end silently
                text = f"keeping saved files failed ({type(error).__name__}: {error}); trying again"
                if text != reported:
                    self._notice(text)
                reported = text


def _read(source: int, copy: int | None = None) -> tuple[str, int]:
    """Return the sha256 and the size of an open file; with `copy`, write the content there. Close both descriptors.

    The file, or the copy, then survives a power cut: the log must not claim content that the disk may lose.
    """
    hasher, size = hashlib.sha256(), 0
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(open(source, "rb"))
        target = stack.enter_context(open(copy, "wb")) if copy is not None else None
        while block := file.read(_BLOCK):
            hasher.update(block)
            size += len(block)
            if target is not None:
                target.write(block)
        if target is not None:
            target.flush()
            os.fsync(target.fileno())
        else:
            with contextlib.suppress(OSError):  # the content can be uploaded, and the server checks it
                os.fsync(file.fileno())
    return hasher.hexdigest(), size
