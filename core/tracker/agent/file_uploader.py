"""Upload a run's files by their digests, large ones in parts, with the run's new lines in between."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO, NamedTuple

from tracker.client import Client, Retry
from tracker.errors import ServerError
from tracker.names import RunKey
from tracker.runlog.records import DIGEST
from tracker.runlog.safe_open import is_regular, open_file

PART = 4 * 1024 * 1024
"""Bytes of a file in one request; larger files go in parts, and are resumed after the last one that arrived."""

_SMALLEST_PART = 16 * 1024
_VERIFYING = 1.0  # seconds between questions whether the server has verified a file
_FULL = 507  # the HTTP status if the disk or the quota of the server is full
_PAUSE = 60.0  # seconds after which a file is offered again that the server had no space for


class Kept(NamedTuple):
    """The place of a digest's content in a run directory: the first `size` bytes of a file (None: all of it).

    A file that has grown since then still has this content.
    """

    path: Path
    size: int | None


class FileUploader:
    """Sends the files that the server lacks, each whole or not at all."""

    def __init__(
        self,
        client: Client,
        run: RunKey,
        directory: Path,
        kept: Mapping[str, Kept],
        refused: dict[str, str],
        *,
        content: Callable[[str, int, int], None],
        changed: Callable[[str], None],
        moved: Callable[[], None],
        check_deadline: Callable[[], None],
        send_lines: Callable[[], None],
    ) -> None:
        """See `Uploader` for the arguments; files that the server will never take are added to `refused`.
        `check_deadline` and `send_lines` are called before each part of a large file.
        """
        self._client = client
        self._run = run
        self._directory = directory
        self._kept = kept
        self._refused = refused
        self._content = content
        self._changed = changed
        self._moved = moved
        self._check_deadline = check_deadline
        self._send_lines = send_lines
        self._part = PART
        self._denied: set[str] = set()  # digests whose file had other content once
        self.wanted: set[str] = set()
        """Digests that the server lacks."""
        self.sent = 0
        """Bytes of files that the server has taken."""
        self.no_space: str | None = None
        """Why the server has no space for a file at the moment; None if it took the last one."""
        self._not_before = 0.0  # when a file is offered again after that, in seconds of the monotonic clock

    def send(self, now: bool = True) -> None:
        """Send the files that are `wanted` and here. Raises `Unreachable`, `Retry`, or another `ServerError`.

        Without `now`, files wait for about a minute after the server had no space for one (see `no_space`), since each
        attempt may transmit megabytes.
        """
        if not now and time.monotonic() < self._not_before:
            return
        for digest in sorted(self.wanted):
            kept = self.locate(digest)
            if kept is None or kept.path.name in self._refused:
                continue  # it may still be written, or be on another machine
            try:
                with open(self._open(kept), "rb") as file:
                    self._send_file(digest, file, os.fstat(file.fileno()).st_size if kept.size is None else kept.size)
            except FileNotFoundError:
                continue
            except ServerError as error:
                if error.status == 422 and digest not in self._denied:
                    self._denied.add(digest)
                    self._changed(digest)
                    raise Retry(f"{kept.path.name} was changed while it was uploaded, or damaged on its way") from error
                if error.status == _FULL:
                    self.no_space = str(error)
                    self._not_before = time.monotonic() + max(_PAUSE, getattr(error, "after", None) or 0.0)
                    if not now:
                        return
                if error.status not in (400, 413, 422):
                    raise
                self._refused[kept.path.name] = str(error)
            else:
                self.no_space = None
            self.wanted.discard(digest)

    def _send_file(self, digest: str, file: BinaryIO, size: int) -> None:
        if size <= self._part:
            try:
                self._client.put_blob(self._run, digest, file.read(size))
            except ServerError as error:
                self._shrink(error)
            else:
                self.sent += size
                self._moved()
                return
        state = self._client.upload(self._run, digest, size)
        while True:
            self._check_deadline()
            self._content(digest, state["offset"], size)
            self._moved()
            if state["complete"]:
                return
            self._send_lines()  # metrics must not wait for a large file
            if (at := state["offset"]) == size:
                time.sleep(_VERIFYING)
            part = os.pread(file.fileno(), min(self._part, size - at), at)
            if not part and at < size:
                raise ServerError("it was cut short", 422)
            try:
                state = self._client.send_part(self._run, digest, size, at, part)
            except ServerError as error:
                self._shrink(error)
                continue
            if part and state["offset"] == at:
                raise Retry("the server's answer does not advance the upload of the file")
            self.sent += max(0, state["offset"] - at)

    def _shrink(self, error: ServerError) -> None:
        """Send smaller parts from now on if that was the problem: a proxy may take less than the server."""
        if error.status != 413 or self._part <= _SMALLEST_PART:
            raise error
        self._part //= 2

    def locate(self, digest: str) -> Kept | None:
        """Return where the content of a digest is, None if it is not in the run directory."""
        if not DIGEST.fullmatch(digest):  # the server, or a record, names something else
            return None
        kept = self._kept.get(digest)
        if kept is not None and is_regular(self._directory, self._inside(kept)):
            return kept
        exists = is_regular(self._directory, f"files/{digest}")
        return Kept(self._directory / "files" / digest, None) if exists else None

    def _open(self, kept: Kept) -> int:
        return open_file(self._directory, self._inside(kept))

    def _inside(self, kept: Kept) -> str:
        return kept.path.relative_to(self._directory).as_posix()
