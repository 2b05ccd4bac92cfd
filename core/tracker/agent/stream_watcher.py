"""Watch the streams of a run directory: flush them, note saved files, and notice processes that vanish."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any, NamedTuple

from tracker.agent_protocol.sealing import is_process_sealed
from tracker.runlog.exits import Exit, correction, left_status
from tracker.runlog.reader import scan
from tracker.runlog.records import STREAM_NAME, Record
from tracker.runlog.safe_open import sync_names
from tracker.runlog.validation import is_pid

from .exit_info import explained
from .journal import Journal
from .saves import Saves
from .tail import Tail
from .writer_process import LeavingProcess, WriterProcess

_KINDS = tuple("run stopped event_file followed save saved file lost environment code goes_on finish".split())


class Start(NamedTuple):
    """The beginning of a history stream of this machine whose process described itself."""

    stream: str
    time: float
    header: dict[str, Any]


class StreamWatcher:
    """Watches all streams of one run directory. Call `look` repeatedly; the other methods report what it found."""

    def __init__(self, directory: Path, journal: Journal, saves: Saves) -> None:
        """`saves` gets the records about saved files, and learns which streams have ended."""
        self._directory = directory
        self._journal = journal
        self._saves = saves
        self._tails: dict[str, Tail] = {}
        self._named = 0  # how many names of streams survive a power cut
        self._closed: set[str] = set()  # streams that an agent has closed for their vanished writers
        self._stopped = 0.0  # when the last request to stop that an agent passed on was made
        self._served: set[str] = set()  # ids of `code` requests
        self._host = os.uname().nodename
        self.acts = True
        """Whether to write to the journal: not while another agent does."""
        self.starts: dict[str, Start] = {}
        """The starts by stream, in order of discovery."""
        self.ends: dict[str, float] = {}
        """When streams ended (Unix time); open streams are not in it."""
        self.event_files: list[tuple[str, dict[str, Any]]] = []
        """Streams of processes of this machine, and the payloads of the `event_file` records about them."""
        self.followed: set[str] = set()
        """Streams whose event files were all followed to their ends."""
        self.described: set[str] = set()
        """Streams that have an `environment` record."""
        self.requests: dict[str, dict[str, Any]] = {}
        """The payloads of `code` requests of processes of this machine that no agent has served, by their id."""

    def look(self) -> None:
        """Read what was appended since the last look. Raises FileNotFoundError once the directory is gone."""
        with os.scandir(self._directory) as entries:
            for entry in entries:
                known = entry.name in self._tails or not STREAM_NAME.fullmatch(entry.name)
                if not known and entry.is_file(follow_symlinks=False):  # other entries are not streams
                    self._tails[entry.name] = Tail(self._directory / entry.name)
        for name, tail in self._tails.items():
            gone = tail.writer is not None and tail.writer.check()  # before reading, so that its last lines are read
            for data in tail.lines():
                for record in scan(data, _KINDS):
                    self._take(name, tail, record)
            if tail.writer is not None and not tail.writer.gone:
                tail.alive = time.time()
            if gone:
                self._saves.end(name, vanished=not tail.finished)
                if self.acts:
                    self._mark_crashed(name, tail)

    def flush(self) -> None:
        """Make what was appended survive a power cut.

        A stream whose disk fails is noted as suspect and not flushed again.
        """
        if len(self._tails) > self._named:
            # The first process of the run also made the folders above.
            for folder in [self._directory, *(() if self._named else self._directory.parents[:3])]:
                sync_names(folder)
            self._named = len(self._tails)
        for name, tail in self._tails.items():
            if tail.suspect:
                continue
            try:
                tail.flush()
            except FileNotFoundError:
                continue  # it was deleted
            except OSError as error:
                # The kernel may have dropped the dirty pages and will report success next time: another try proves
                # nothing.
                tail.suspect = True
                self._journal.write("suspect", {"stream": name, "reason": f"fsync: {error}"})

    def writing(self) -> bool:
        """Tell whether a process of this machine may still write to the run."""
        return any(tail.open for tail in self._tails.values())

    def lacks_console(self) -> bool:
        """Tell whether a process of this machine vanished whose console output may still be on its way."""
        written = [tail for tail in self._tails.values() if tail.writer is not None and not tail.child]
        vanished = any(tail.writer is not None and tail.writer.gone and not tail.finished for tail in written)
        return vanished and sum(name.startswith("console") for name in self._tails) < len(written)

    def pids(self) -> list[int]:
        """Return the processes of this machine that write to the run, without forked children."""
        return [t.writer.pid for t in list(self._tails.values()) if t.writer is not None and t.open and not t.child]

    def stoppable(self) -> bool:
        """Tell whether a process of this machine allows to be stopped."""
        return any(tail.stoppable and tail.open for tail in list(self._tails.values()))

    def stop(self, requested: float) -> None:
        """Interrupt the processes of this machine that wrote to the run when the stop was `requested`, once."""
        targets = [t for t in self._tails.values() if t.stoppable and t.open and t.opened <= requested]
        if requested <= self._stopped or not targets:
            return
        self._stopped = requested
        # A wrapper passes the signal on to its program, which must not get it twice.
        chosen = [tail for tail in targets if tail.wraps] or targets
        for writer in {t.writer.pid: t.writer for t in chosen if t.writer is not None}.values():
            writer.interrupt()
        self._journal.write("stopped", {"requested": requested})

    def writer(self, stream: str) -> int | None:
        """Return the pid of the process of this machine behind a stream; None if it was gone at the last look."""
        tail = self._tails.get(stream)
        return tail.writer.pid if tail is not None and tail.writer is not None and not tail.writer.gone else None

    def close(self) -> None:
        """Release all processes."""
        for tail in self._tails.values():
            if tail.writer is not None:
                tail.writer.close()
        self._tails.clear()

    def _take(self, stream: str, tail: Tail, record: Record) -> None:
        payload = record.payload
        if not isinstance(payload, dict):
            return
        if record.kind == "run" and stream.startswith("history"):
            tail.child = bool(payload.get("parent"))
            if is_pid(payload.get("pid")) and payload.get("host") == self._host:
                tail.writer = WriterProcess(payload["pid"], payload.get("pid_start"))
                tail.opened = record.time
                # A header can name any process of this machine: only one that has sealed it is interrupted.
                sealed = not tail.child and is_process_sealed(payload)
                tail.stoppable = payload.get("allow_stop") is True and sealed
                tail.wraps = payload.get("wraps") is True
                if isinstance(payload.get("process"), dict) and not tail.child:
                    self.starts[stream] = Start(stream, record.time, payload)
        elif record.kind == "finish":
            closed = payload.get("stream")
            self.ends[stream if closed is None else str(closed)] = record.time
            if closed is None:
                tail.finished, tail.own_end = True, payload
                self._saves.end(stream)
            else:
                self._closed.add(str(closed))
                self._saves.end(str(closed))
        elif record.kind == "goes_on":
            tail.child = False
        elif record.kind == "stopped" and isinstance(payload.get("requested"), (int, float)):
            self._stopped = max(self._stopped, payload["requested"])
        elif record.kind == "environment":
            self.described.add(str(payload.get("stream")))
        elif record.kind == "code" and stream.startswith("system"):
            self._served.add(str(payload.get("id")))
            self.requests.pop(str(payload.get("id")), None)
        elif record.kind == "code" and tail.writer is not None and str(payload.get("id")) not in self._served:
            self.requests[str(payload.get("id"))] = payload
        elif record.kind == "event_file" and (tail.writer is not None or payload.get("host") == self._host):
            self.event_files.append((str(payload.get("stream", stream)), payload))
        elif record.kind == "followed":
            self.followed.add(str(payload.get("stream")))
        elif record.kind in ("save", "saved", "file", "lost"):
            self._saves.take(stream, record, here=tail.writer is not None)

    def leaving(self) -> bool:
        """Tell whether a process that wrote its end before it ended still lives, so that its real end is not known."""
        return any(t.leaving and not t.writer.gone for t in self._tails.values() if t.writer is not None)

    def release_leaving(self) -> list[LeavingProcess]:
        """Return the processes that are leaving, and stop watching them."""
        found = []
        for tail in self._tails.values():
            if tail.leaving and tail.own_end is not None and tail.writer is not None and not tail.writer.gone:
                found.append(LeavingProcess(str(tail.path), tail.own_end, tail.writer))
                tail.writer = None
        return found

    def _mark_crashed(self, name: str, tail: Tail) -> None:
        """Write the end of a process that is gone, unless it wrote its own and that was right."""
        if tail.child or name in self._closed or (tail.finished and not tail.leaving):
            return
        self._closed.add(name)
        assert tail.writer is not None
        real = tail.writer.exit or (left_status(str(tail.path)) if tail.finished else None)
        if tail.finished and real is None:
            return
        end = correction(tail.own_end, real or Exit())
        if end is None:
            return
        # When it was last known to live, not now: a run that was resumed since then has not crashed. And not before any
        # row, which would otherwise count as written after it.
        when = max(tail.alive, tail.latest_time())
        if not tail.finished:
            if tail.size > tail.offset:
                self._journal.write("lost", {"count": 1, "reason": f"the last line of {name} is torn"})
            self.ends[name] = when
            if tail.stoppable and tail.opened <= self._stopped:
                end = {**end, "state": "killed"}
        end = explained(end, real or Exit(), tail.writer.memory)
        self._journal.write("finish", {**end, "stream": name}, when)
