"""Follow the streams of a run directory on behalf of its writers: flush, digest what was saved, notice who vanished."""

from __future__ import annotations

import hashlib
import os
import select
import time
from pathlib import Path

from tracker.runlog.directory import KEPT_PATH, process_start
from tracker.runlog.fold import is_pid
from tracker.runlog.reader import read_lines, scan
from tracker.runlog.records import STREAM_NAME, Record, parse

from .journal import Journal

_BLOCK = 4 * 1024 * 1024
_NEAR_END = 64 * 1024
_KINDS = ("run", "save", "file", "finish")


class Writer:
    """The process behind a stream, as far as this machine can tell."""

    def __init__(self, pid: int, start: int | None) -> None:
        self.pid = pid
        self._fd: int | None = None
        self.gone = False
        try:
            # A pidfd names this very process for good; a bare pid may be given to another one.
            self._fd = os.pidfd_open(pid)
        except ProcessLookupError:
            self.gone = True
        except (AttributeError, OSError):
            pass  # not Linux, or not allowed
        if start is not None and not self.gone and process_start(pid) not in (None, start):
            self.gone = True  # the pid was reused before we looked

    def check(self) -> bool:
        """Tell whether the process is gone."""
        if self.gone:
            return True
        if self._fd is not None:
            poll = select.poll()
            poll.register(self._fd, select.POLLIN)
            self.gone = bool(poll.poll(0))
        else:
            try:
                os.kill(self.pid, 0)
            except ProcessLookupError:
                self.gone = True
            except OSError:
                pass
        if self.gone and self._fd is not None:
            os.close(self._fd)
            self._fd = None
        return self.gone


class Tail:
    """One stream file: how far it was read, and what its own lines say."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self.offset = 0
        self.flushed = 0
        self.suspect = False
        self.writer: Writer | None = None
        self.alive = 0.0  # Unix time of the last look that found the writer alive
        self.child = False
        self.finished = False

    @property
    def open(self) -> bool:
        """Whether a process of this machine may still append to it."""
        return self.writer is not None and not self.writer.gone and not self.finished


class Watch:
    """All streams of one run directory. `look` is called again and again; everything else tells what it found."""

    def __init__(self, directory: Path, journal: Journal) -> None:
        self._directory = directory
        self._journal = journal
        self._tails: dict[str, Tail] = {}
        self._saves: dict[str, str] = {}  # path → name, not digested yet
        self._buried: set[str] = set()  # streams that some agent has closed for their vanished writers
        self._host = os.uname().nodename
        self.acts = True
        """Whether to journal what is seen; not while another agent does."""
        self.kept: dict[str, Path] = {}
        """Digest → file in the run directory, for files that `save` pinned."""

    def look(self) -> None:
        """Take in what was appended since the last look. Raises FileNotFoundError once the directory is gone."""
        for entry in os.scandir(self._directory):
            if entry.name not in self._tails and STREAM_NAME.fullmatch(entry.name):
                self._tails[entry.name] = Tail(self._directory / entry.name)
        for name, tail in self._tails.items():
            gone = tail.writer is not None and tail.writer.check()  # before reading: what it wrote last is then there
            end = os.fstat(tail.fd).st_size  # what is appended meanwhile must not keep us from the other streams
            while tail.offset < end and (data := read_lines(tail.fd, tail.offset, _BLOCK)):
                tail.offset += len(data)
                for record in scan(data, _KINDS):
                    self._take(name, tail, record)
            if tail.writer is not None and not tail.writer.gone:
                tail.alive = time.time()
            if gone and self.acts:
                self._bury(name, tail)
        for path, name in list(self._saves.items()) if self.acts else []:
            self._digest(path, name)
            del self._saves[path]

    def flush(self) -> None:
        """Make what was appended survive a power cut. A stream whose disk fails is noted as suspect and not trusted
        again.
        """
        for name, tail in self._tails.items():
            size = os.fstat(tail.fd).st_size
            if size == tail.flushed or tail.suspect:
                continue
            try:
                os.fsync(tail.fd)
                tail.flushed = size
            except OSError as error:
                # The kernel may have dropped the dirty pages and will report success next time: asking again proves
                # nothing.
                tail.suspect = True
                self._journal.write("suspect", {"stream": name, "reason": f"fsync: {error}"})

    def writing(self) -> bool:
        """Tell whether a process of this machine may still write to the run."""
        return any(tail.open for tail in self._tails.values())

    def pids(self) -> list[int]:
        """Return the processes of this machine that write to the run, forked children not counted."""
        return [t.writer.pid for t in list(self._tails.values()) if t.writer is not None and t.open and not t.child]

    def close(self) -> None:
        """Let go of all files."""
        for tail in self._tails.values():
            os.close(tail.fd)
        self._tails.clear()

    def _take(self, stream: str, tail: Tail, record: Record) -> None:
        payload = record.payload
        if not isinstance(payload, dict):
            return
        if record.kind == "run" and stream.startswith("history"):
            tail.child = bool(payload.get("parent"))
            if is_pid(payload.get("pid")) and payload.get("host") == self._host:
                tail.writer = Writer(payload["pid"], payload.get("pid_start"))
        elif record.kind == "finish":
            closed = payload.get("stream")
            if closed is None:
                tail.finished = True
            else:
                self._buried.add(str(closed))
        elif record.kind == "save" and KEPT_PATH.fullmatch(str(payload.get("path"))):
            self._saves[payload["path"]] = str(payload.get("name"))
        elif record.kind == "file" and KEPT_PATH.fullmatch(str(payload.get("path"))):
            self._saves.pop(payload["path"], None)
            self.kept[str(payload.get("digest"))] = self._directory / payload["path"]

    def _bury(self, name: str, tail: Tail) -> None:
        if tail.finished or tail.child or name in self._buried:
            return
        self._buried.add(name)
        if os.fstat(tail.fd).st_size > tail.offset:
            self._journal.write("lost", {"count": 1, "reason": f"the last line of {name} is torn"})
        # When it was last known to live, not now: a run that was resumed since is not to be crashed for it.
        self._journal.write("finish", {"state": "crashed", "stream": name}, max(tail.alive, _last_time(tail)))

    def _digest(self, path: str, name: str) -> None:
        hasher, size = hashlib.sha256(), 0
        source = self._directory / path
        try:
            if source.resolve() != self._directory.resolve() / path:
                # `save` makes none; in a directory that came from someone else it may lead to this user's secrets.
                raise OSError("it is a link to somewhere else")
            with source.open("rb") as file:
                while block := file.read(1 << 20):
                    hasher.update(block)
                    size += len(block)
        except OSError as error:
            self._journal.write("lost", {"count": 1, "reason": f"saved file {name}: {error}"})
            return
        self._journal.write("file", {"name": name, "digest": hasher.hexdigest(), "size": size, "path": path})
        self.kept[hasher.hexdigest()] = source


def _last_time(tail: Tail) -> float:
    """Return the time of the last record of a stream (now, if that is too long to be looked for)."""
    start = max(0, tail.offset - _NEAR_END)
    records = parse(os.pread(tail.fd, tail.offset - start, start)).records
    return records[-1].time if records else time.time()
