"""Upload a run directory. All state is the byte offset in each stream, which the server knows."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from tracker.client import Client, Retry
from tracker.errors import ServerError
from tracker.names import RunKey
from tracker.runlog.directory import copied, copy_name
from tracker.runlog.reader import first_record, read_lines
from tracker.runlog.records import MAX_LINE, STREAM_NAME, is_piece
from tracker.runlog.safe_open import Unsafe, reading

from .file_uploader import FileUploader, Kept

BATCH = 1024 * 1024
"""Bytes of lines in one request, before compression; a single longer line goes alone."""

_SMALLEST_BATCH = 16 * 1024
_MOST_RETURNS = 3  # times that a server may ask for earlier lines of a stream in one step


class Expired(Exception):
    """The uploader's deadline has passed before it was done."""


class Uploader:
    """Uploads the streams and kept files of one run directory, each line exactly once.

    Only the server's answers say what was sent: after a lost answer, a crash on either side, or with two uploaders at
    work, the offset in the next answer says where to continue. Memory is bounded by a few batches.
    """

    def __init__(
        self,
        client: Client,
        run: RunKey,
        directory: Path,
        kept: Mapping[str, Kept],
        progress: Callable[[int], None] = lambda _: None,
        content: Callable[[str, int, int], None] = lambda _digest, _there, _size: None,
        changed: Callable[[str], None] = lambda _digest: None,
    ) -> None:
        """Upload over `client` the run with this key, which is in `directory`.

        Args:
            client: The connection to the server.
            run: Entity, project and id.
            directory: The run directory.
            kept: Files by their digests, besides those that are in `files/` under their digest.
            progress: Called with `acknowledged` after every batch.
            content: Called after every part of a large file with its digest, how many of its bytes the server has, and
                its size.
            changed: Called with the digest of a file that has other content.
        """
        self._progress = progress
        self._client = client
        self.run = run
        self._directory = directory
        self._batch = BATCH
        self._offsets: dict[str, int] | None = None
        self._opened: dict[str, float] = {}
        self.refused: dict[str, str] = {}
        """Streams and files that the server will never take, with its reason."""
        self.trashed = False
        """Whether the run is in the server's trash."""
        self.deadline = float("inf")
        """When to raise `Expired` in mid-work, in seconds of the monotonic clock."""
        self.moved: Callable[[], None] = lambda: None
        """Called whenever the server has taken something."""
        self._files = FileUploader(
            client,
            run,
            directory,
            kept,
            self.refused,
            content=content,
            changed=changed,
            moved=self._has_moved,
            check_deadline=self._check_deadline,
            send_lines=self._send_lines,
        )

    def step(self) -> None:
        """Send what is new. Raises `Unreachable`, `Retry`, or `ServerError` if nothing of this run can be sent."""
        if self._offsets is None:
            answer = self._client.offsets(self.run)
            self._offsets = answer["offsets"]
            self._files.wanted.update(answer["missing"])
        self._send_streams(self._offsets)
        self._files.send(now=False)  # lines must go on while the server has no space for files

    @property
    def no_space(self) -> str | None:
        """Why the server has no space for the run's files at the moment; None if it has."""
        return self._files.no_space

    @property
    def reached(self) -> bool:
        """Whether the server has answered."""
        return self._offsets is not None

    @property
    def acknowledged(self) -> int:
        """How many bytes of lines the server has, according to its answers."""
        return sum((self._offsets or {}).values())

    @property
    def arrived(self) -> int:
        """How many bytes of lines and files the server took: the measure of progress."""
        return self.acknowledged + self._files.sent

    def complete(self) -> list[str]:
        """Send what the server lacks after the last `step`; return the digests whose content is not here."""
        answer = self._client.offsets(self.run)
        self._offsets = answer["offsets"]
        self._files.wanted.update(answer["missing"])
        self._files.send()
        return sorted(d for d in answer["missing"] if self._files.locate(d) is None)

    def _send_streams(self, offsets: dict[str, int]) -> None:
        for name in self._in_order():
            if name in self.refused or copied(name, offsets):
                continue
            if copy_name(name) in offsets:  # the server would have its rows twice
                self.refused[name] = "the server has a copy of it that was imported; delete the run there first"
                continue
            self._send_stream(name, offsets)

    def _in_order(self) -> list[str]:
        """Return the names of the streams by the time of their first line.

        Records of a later process or edit replace those of an earlier one, so they must be sent after them.
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
            end = os.fstat(file.fileno()).st_size  # the other streams must not wait for what is appended meanwhile
            returns = 0
            while (at := offsets.get(name, 0)) < end and (lines := read_lines(file.fileno(), at, self._batch)):
                if at and not _may_end(file.fileno(), at):
                    # The server would append the rest of our line to the beginning of another line.
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
                    # Such an answer would make the uploader send lines forever, or never.
                    self._offsets = None
                    raise Retry(f"the server's answer, offset {answer['offset']}, cannot be")
                self.trashed = answer["trashed"]
                returns += answer["offset"] < at
                if returns > _MOST_RETURNS:
                    self._offsets = None
                    raise Retry(f"the server asks for the same lines of {name} again and again")
                offsets[name] = answer["offset"]
                self._files.wanted.update(answer["missing"])
                self._progress(self.acknowledged)
                self.moved()

    def _send_lines(self) -> None:
        if self._offsets is not None:
            self._send_streams(self._offsets)

    def _has_moved(self) -> None:
        self.moved()

    def _check_deadline(self) -> None:
        if time.monotonic() > self.deadline:
            raise Expired


def _may_end(fd: int, at: int) -> bool:
    """Tell whether a copy of a stream may end here: after a line, or within one that is longer than lines may be."""
    before = os.pread(fd, min(at, MAX_LINE), max(0, at - MAX_LINE))
    return before.endswith(b"\n") or is_piece(before)
