"""Ship a run directory to a server. The byte offset in each stream is all there is to know, and the server knows it."""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from tracker.client import Client, Retry
from tracker.errors import ServerError, Unreachable
from tracker.runlog.reader import read_lines
from tracker.runlog.records import STREAM_NAME

BATCH = 1024 * 1024
"""Bytes of lines in one request, before compression; a single longer line goes alone."""

_SMALLEST_BATCH = 16 * 1024
_FIRST_DELAY, _LONGEST_DELAY = 0.5, 60.0


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
        kept: Mapping[str, Path],
        progress: Callable[[int], None] = lambda _: None,
    ) -> None:
        """`kept` maps digests to files, beside those that lie in `files/` under their digest. `progress` is told
        `acknowledged` after every batch.
        """
        self._progress = progress
        self._client = client
        self._run = run
        self._directory = directory
        self._kept = kept
        self._batch = BATCH
        self._offsets: dict[str, int] | None = None
        self._wanted: set[str] = set()
        self.refused: dict[str, str] = {}
        """Streams that the server will never take, with its reason."""

    def step(self) -> None:
        """Send all that there is now. Raises `Unreachable`, `Retry`, or `ServerError` if nothing of this run can be
        sent.
        """
        if self._offsets is None:
            answer = self._client.offsets(self._run)
            self._offsets = answer["offsets"]
            self._wanted.update(answer["missing"])
        for name in sorted(os.listdir(self._directory)):
            if STREAM_NAME.fullmatch(name) and name not in self.refused:
                self._send_stream(name, self._offsets)
        self._send_blobs()

    @property
    def reached(self) -> bool:
        """Whether the server has answered."""
        return self._offsets is not None

    @property
    def acknowledged(self) -> int:
        """Bytes of lines that the server has, as far as its answers told."""
        return sum((self._offsets or {}).values())

    def complete(self) -> list[str]:
        """After a last `step`: send what the server still lacks; return the digests that are not here to be sent."""
        answer = self._client.offsets(self._run)
        self._offsets = answer["offsets"]
        self._wanted.update(answer["missing"])
        self._send_blobs()
        return sorted(d for d in answer["missing"] if self._locate(d) is None)

    def _send_stream(self, name: str, offsets: dict[str, int]) -> None:
        with open(self._directory / name, "rb") as file:
            end = os.fstat(file.fileno()).st_size  # what is appended meanwhile must not keep the others waiting
            while (at := offsets.get(name, 0)) < end and (lines := read_lines(file.fileno(), at, self._batch)):
                try:
                    answer = self._client.send(self._run, name, at, lines)
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
                offsets[name] = answer["offset"]
                self._wanted.update(answer["missing"])
                self._progress(self.acknowledged)

    def _send_blobs(self) -> None:
        for digest in sorted(self._wanted):
            path = self._locate(digest)
            if path is not None:  # otherwise it may still be written, or lie on another machine
                try:
                    with path.open("rb") as file:
                        self._client.put_blob(self._run, digest, file)
                except FileNotFoundError:
                    continue
                except ServerError as error:
                    if error.status not in (400, 413, 422):
                        raise
                    self.refused[path.name] = str(error)
                self._wanted.discard(digest)

    def _locate(self, digest: str) -> Path | None:
        if digest in self._kept:
            return self._kept[digest]
        path = self._directory / "files" / digest
        return path if digest.isalnum() and path.exists() else None


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


class UploadThread(threading.Thread):
    """Keeps a run directory uploaded: a step every `interval` seconds, for ever again after failures."""

    def __init__(self, make: Callable[[], Uploader | None], interval: float, notice: Callable[[str], None]) -> None:
        """`make` returns the uploader, or None while no server is known. `notice` is told what the user should know."""
        super().__init__(name="upload", daemon=True)
        self._make = make
        self._interval = interval
        self._notice = notice
        self._wake = threading.Event()
        self._closing = False
        self.done = False
        """Everything has been uploaded, or what is left never can be."""

    def close(self, timeout: float) -> None:
        """No more will be written: upload the rest, giving up `timeout` seconds from now."""
        self._closing = True
        self._wake.set()
        self.join(timeout)

    def run(self) -> None:
        """Run until closed and done."""
        uploader, patience = None, Patience()
        while not self.done:
            closing, wait, least = self._closing, self._interval, 0.0
            before = uploader.acknowledged if uploader is not None else 0
            try:
                uploader = uploader or self._make()
                if uploader is not None:
                    uploader.step()
                    self._report(uploader)
                    if closing:
                        uploader.complete()
                    patience.reset()
                self.done = closing
            except FileNotFoundError:
                self.done = True  # the run directory was deleted
            except Exception as error:  # noqa: BLE001 - whatever it is, the thread must not end without a word
                self._notice(_explain(error))
                if uploader is not None and uploader.acknowledged != before:
                    patience.reset()  # a network that lets some of it through is no reason to wait ever longer
                wait, least = patience.delay(error), asked(error)
            if not self.done:
                self._pause(wait, least)

    def _pause(self, seconds: float, least: float) -> None:
        time.sleep(least)
        self._wake.wait(max(0.0, seconds - least))
        self._wake.clear()  # `close` wakes it once; later waits are between attempts only

    def _report(self, uploader: Uploader) -> None:
        for name, reason in uploader.refused.items():
            self._notice(f"the server refuses {name} for good ({reason}); it stays in the run directory")


def _kind(error: Unreachable) -> str:
    cause = error.__cause__
    return type(cause).__name__ if cause is not None else "SSLError"


def _explain(error: Exception) -> str:
    if isinstance(error, Unreachable):
        return f"Network error ({_kind(error)}), entering retry loop. {error}"
    if not isinstance(error, ServerError):
        return f"uploading failed ({type(error).__name__}: {error}); trying again"
    if error.status in (401, 403):
        return f"the server does not accept the key ({error}); set it with `tracker login` or TRACKER_API_KEY"
    return f"the server cannot take the run now ({error}); trying again"
