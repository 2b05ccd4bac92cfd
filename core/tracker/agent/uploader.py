"""Ship a run directory to a server. The byte offset in each stream is all there is to know, and the server knows it."""

from __future__ import annotations

import os
import random
import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO, NamedTuple

from tracker.client import Client, Retry
from tracker.errors import ServerError
from tracker.runlog.directory import copied, copy_name
from tracker.runlog.reader import first_record, read_lines
from tracker.runlog.records import MAX_LINE, STREAM_NAME, is_piece
from tracker.runlog.safe_open import Unsafe, is_regular, open_file, reading

BATCH = 1024 * 1024
"""Bytes of lines in one request, before compression; a single longer line goes alone."""
PART = 4 * 1024 * 1024
"""Bytes of a file in one request; larger files go in parts, and are resumed after the last one that arrived."""

_SMALLEST_BATCH = 16 * 1024
_MOST_RETURNS = 3  # times that a server may ask for earlier lines of a stream in one step
_DIGEST = re.compile(r"[0-9a-f]{64}")
_VERIFYING = 1.0  # seconds between questions whether the server has verified a file
_FIRST_DELAY, _LONGEST_DELAY = 0.5, 60.0


class Expired(Exception):
    """The uploader's deadline has passed in mid-work."""


class Kept(NamedTuple):
    """Where in a run directory the content of a digest is: the first `size` bytes of a file (None: all of it). A file
    that has grown since still has the content that the digest is of.
    """

    path: Path
    size: int | None


class Uploader:
    """Uploads the streams and kept files of one run directory, each line exactly once.

    What was sent is known from the server's answers alone: after a lost answer, a crash on either side or with two
    uploaders at work, the offset in the next answer says where to go on. Memory is bounded by a few batches.
    """

    def __init__(
        self,
        client: Client,
        run: tuple[str, str, str],
        directory: Path,
        kept: Mapping[str, Kept],
        progress: Callable[[int], None] = lambda _: None,
        content: Callable[[str, int, int], None] = lambda _digest, _there, _size: None,
        changed: Callable[[str], None] = lambda _digest: None,
    ) -> None:
        """`kept` maps digests to files, beside those that lie in `files/` under their digest. `progress` is told
        `acknowledged` after every batch, `content` after every part of a large file how many of its bytes the server
        has, and `changed` of files that are not what their digest says.
        """
        self._progress = progress
        self._client = client
        self.run = run
        self._directory = directory
        self._kept = kept
        self._content = content
        self._changed = changed
        self._batch = BATCH
        self._part = PART
        self._offsets: dict[str, int] | None = None
        self._opened: dict[str, float] = {}
        self._wanted: set[str] = set()
        self._denied: set[str] = set()  # digests that once turned out to be of other content
        self._bytes = 0
        self.refused: dict[str, str] = {}
        """Streams and files that the server will never take, with its reason."""
        self.trashed = False
        """Whether the run is in the server's trash."""
        self.deadline = float("inf")
        """When to raise `Expired` in mid-work, in seconds of the monotonic clock."""
        self.moved: Callable[[], None] = lambda: None
        """Called whenever the server has taken something."""

    def step(self) -> None:
        """Send all that there is now. Raises `Unreachable`, `Retry`, or `ServerError` if nothing of this run can be
        sent.
        """
        if self._offsets is None:
            answer = self._client.offsets(self.run)
            self._offsets = answer["offsets"]
            self._wanted.update(answer["missing"])
        self._send_streams(self._offsets)
        self._send_blobs()

    @property
    def reached(self) -> bool:
        """Whether the server has answered."""
        return self._offsets is not None

    @property
    def acknowledged(self) -> int:
        """Bytes of lines that the server has, as far as its answers told."""
        return sum((self._offsets or {}).values())

    @property
    def arrived(self) -> int:
        """Grows with every byte, of lines and of files, that the server took: the measure of progress."""
        return self.acknowledged + self._bytes

    def complete(self) -> list[str]:
        """After a last `step`: send what the server still lacks; return the digests that are not here to be sent."""
        answer = self._client.offsets(self.run)
        self._offsets = answer["offsets"]
        self._wanted.update(answer["missing"])
        self._send_blobs()
        return sorted(d for d in answer["missing"] if self._locate(d) is None)

    def _send_streams(self, offsets: dict[str, int]) -> None:
        for name in self._in_order():
            if name in self.refused or copied(name, offsets):
                continue
            if copy_name(name) in offsets:  # its rows would be there twice
                self.refused[name] = "the server has a copy of it that was imported; delete the run there first"
                continue
            self._send_stream(name, offsets)

    def _in_order(self) -> list[str]:
        """Return the names of the streams as they are read, by the time of their first line: what a later process or
        edit says of the run replaces what an earlier one said, and must come after it.
        """
        names = [name for name in os.listdir(self._directory) if STREAM_NAME.fullmatch(name)]
        for name in names:
            try:
                if name not in self._opened and (first := first_record(self._directory / name)) is not None:
                    self._opened[name] = first.time
            except Unsafe as error:
                self.refused[name] = f"not sent: {error.strerror}"
        return sorted(names, key=lambda name: (self._opened.get(name, 0.0), name))

    def _send_stream(self, name: str, offsets: dict[str, int]) -> None:
        with reading(self._directory / name) as file:
            end = os.fstat(file.fileno()).st_size  # what is appended meanwhile must not keep the others waiting
            returns = 0
            while (at := offsets.get(name, 0)) < end and (lines := read_lines(file.fileno(), at, self._batch)):
                if at and not _may_end(file.fileno(), at):
                    # Appended there, the rest of a line of ours would be the end of another line.
                    self.refused[name] = f"the server's copy ends after {at:,} bytes, here inside a line: they differ"
                    return
                self._check_deadline()
                try:
                    answer = self._client.send(self.run, name, at, lines)
                except ServerError as error:
                    if error.status == 413 and self._batch > _SMALLEST_BATCH:
                        self._batch //= 2
                        continue
                    if error.status in (400, 413, 422):
                        self.refused[name] = str(error)
                        return
                    raise
                if answer["offset"] == at or not 0 <= answer["offset"] <= os.fstat(file.fileno()).st_size:
                    # Taken at its word, such an answer would have lines sent for ever, or never.
                    self._offsets = None
                    raise Retry(f"the server's answer, offset {answer['offset']}, cannot be")
                self.trashed = answer["trashed"]
                returns += answer["offset"] < at
                if returns > _MOST_RETURNS:
                    self._offsets = None
                    raise Retry(f"the server asks for the same lines of {name} again and again")
                offsets[name] = answer["offset"]
                self._wanted.update(answer["missing"])
                self._progress(self.acknowledged)
                self.moved()

    def _send_blobs(self) -> None:
        for digest in sorted(self._wanted):
            kept = self._locate(digest)
            if kept is None or kept.path.name in self.refused:
                continue  # it may still be written, or lie on another machine
            try:
                with open(self._open(kept), "rb") as file:
                    self._send_blob(digest, file, os.fstat(file.fileno()).st_size if kept.size is None else kept.size)
            except FileNotFoundError:
                continue
            except ServerError as error:
                if error.status == 422 and digest not in self._denied:
                    self._denied.add(digest)
                    self._changed(digest)
                    raise Retry(f"{kept.path.name} was changed while it was uploaded, or damaged on its way") from error
                if error.status not in (400, 413, 422):
                    raise
                self.refused[kept.path.name] = str(error)
            self._wanted.discard(digest)

    def _send_blob(self, digest: str, file: BinaryIO, size: int) -> None:
        if size <= self._part:
            try:
                self._client.put_blob(self.run, digest, file.read(size))
            except ServerError as error:
                self._shrink(error)
            else:
                self._bytes += size
                self.moved()
                return
        state = self._client.upload(self.run, digest, size)
        while True:
            self._check_deadline()
            self._content(digest, state["offset"], size)
            self.moved()
            if state["complete"]:
                return
            if self._offsets is not None:
                self._send_streams(self._offsets)  # no file, however large, keeps the metrics waiting
            if (at := state["offset"]) == size:
                time.sleep(_VERIFYING)
            part = os.pread(file.fileno(), min(self._part, size - at), at)
            if not part and at < size:
                raise ServerError("it was cut short", 422)
            try:
                state = self._client.send_part(self.run, digest, size, at, part)
            except ServerError as error:
                self._shrink(error)
                continue
            if part and state["offset"] == at:
                raise Retry("the server's answer gets the file nowhere")
            self._bytes += max(0, state["offset"] - at)

    def _check_deadline(self) -> None:
        if time.monotonic() > self.deadline:
            raise Expired

    def _shrink(self, error: ServerError) -> None:
        """Send smaller parts from now on, if that is what is the matter: a proxy may take less than the server."""
        if error.status != 413 or self._part <= _SMALLEST_BATCH:
            raise error
        self._part //= 2

    def _locate(self, digest: str) -> Kept | None:
        if not _DIGEST.fullmatch(digest):  # the server, or a record, names something else
            return None
        kept = self._kept.get(digest)
        if kept is not None and is_regular(self._directory, self._inside(kept)):
            return kept
        here = is_regular(self._directory, f"files/{digest}")
        return Kept(self._directory / "files" / digest, None) if here else None

    def _open(self, kept: Kept) -> int:
        return open_file(self._directory, self._inside(kept))

    def _inside(self, kept: Kept) -> str:
        return kept.path.relative_to(self._directory).as_posix()


def _may_end(fd: int, at: int) -> bool:
    """Tell whether a copy of a stream may end here: after a line, or within one that is longer than lines may be."""
    before = os.pread(fd, min(at, MAX_LINE), max(0, at - MAX_LINE))
    return before.endswith(b"\n") or is_piece(before)


class Patience:
    """How long to wait after a failure: exponential with jitter, at most a minute, no less than the server asked."""

    def __init__(self) -> None:
        self._failures = 0

    def reset(self) -> None:
        """Begin anew after a success."""
        self._failures = 0

    def delay(self, error: Exception) -> float:
        """Return the seconds to wait after this failure."""
        exponential = min(_LONGEST_DELAY, _FIRST_DELAY * 2.0 ** min(self._failures, 16))
        self._failures += 1
        # Jitter: a server that comes back must not meet all its clients in the same second.
        wait = exponential * random.uniform(0.5, 1.0)
        return max(wait, asked(error))


def asked(error: Exception) -> float:
    """Return for how many seconds the server wants to be left alone after this failure."""
    return (error.after if isinstance(error, Retry) else None) or 0.0
