"""Write the agent's own records about a run, to a stream of their own in the run directory."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

from tracker.runlog.directory import new_stream, this_process
from tracker.runlog.reader import read_header
from tracker.runlog.records import encode, jsonable
from tracker.runlog.writer import StreamWriter, header


class Journal:
    """Appends `system`, `file`, `suspect` and `finish` records; opens its stream with the first one. Thread-safe."""

    def __init__(self, directory: Path, heartbeat: float | None = None) -> None:
        """`heartbeat`: seconds without a record after which `beat` writes one; None: never."""
        self._directory = directory
        self._heartbeat = heartbeat
        self._beaten = time.monotonic()
        self._writer: StreamWriter | None = None
        self._lock = threading.Lock()

    def write(self, kind: str, payload: dict[str, Any], when: float | None = None) -> None:
        """Append one record, with the time `when` (Unix time) or now.

        A failing disk is not reported here: the run itself suffers from the same disk, and reports it.
        """
        with self._lock:
            if not self._opened():
                return
            assert self._writer is not None
            self._writer.append(encode(kind, jsonable(payload), time.time() if when is None else when))
            self._beaten = time.monotonic()

    def beat(self) -> None:
        """Append a record if there was none for `heartbeat` seconds."""
        if self._heartbeat is not None and time.monotonic() - self._beaten >= self._heartbeat:
            self._beaten = time.monotonic()  # also if the disk refuses it: do not try again at once
            self.write("alive", {})

    def promise(self) -> None:
        """Open the stream at once if there will be heartbeats, so that readers of the run expect them."""
        if self._heartbeat is not None:
            with self._lock:
                self._opened()

    def close(self) -> None:
        """Close the stream if it was opened."""
        with self._lock:
            if self._writer is not None:
                self._writer.close()

    def _opened(self) -> bool:
        if self._writer is None:
            try:
                self._writer = self._open()
            except OSError:  # it may be read-only; the rest can still be uploaded
                return False
        return True

    def _open(self) -> StreamWriter:
        writer = StreamWriter(new_stream(str(self._directory), "system"), lambda _: None)
        run = read_header(self._directory)
        members = {name: run.get(name) for name in ("id", "entity", "project")}
        about = header("system", **members, **this_process(), heartbeat=self._heartbeat)
        writer.append(encode("run", about, time.time()))
        return writer
